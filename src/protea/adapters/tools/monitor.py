"""Monitor: a background command of whose output the lines that fit a pattern are told to the model as they come."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

from protea.adapters.tools._following import surely
from protea.adapters.tools.bash import Bash, Shell, kept, shells_of
from protea.domain.errors import TaskFailedError
from protea.domain.plain import plain
from protea.domain.tools import ToolResult
from protea.ports.toolset import Beside, ToolContext

MOST = 50
LONGEST_LINE = 500
TAIL = 1_000
"""Characters of its output that are told where it failed."""
TOGETHER = 0.3
"""Seconds within which lines are told together."""


class Monitor(Bash):
    """Starts commands as Bash does in the background."""

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        if context.beside is None:
            return ToolResult("Nothing can be told from here beside a turn.", is_error=True)
        try:
            pattern = re.compile(str(arguments["pattern"]))
        except re.error as error:
            return ToolResult(f"The pattern is no regular expression: {error}.", is_error=True)
        command = str(arguments["command"])
        if not command.strip():
            return ToolResult("The command is empty.", is_error=True)
        notes: list[str] = []
        cwd = await self._start_directory()
        if cwd != self._kit.cwd:
            return self._moved_back(cwd)
        full = self._no_room()
        if full:
            return ToolResult(full, is_error=True)
        seconds = self._seconds(arguments["timeout"], notes) if "timeout" in arguments else None
        try:
            process = await self._kit.sandbox.start(self._launch(command, cwd, None, context.writes, keep=True))
        except OSError as error:
            return ToolResult(f"The command could not be started: {error.strerror or error}.", is_error=True)
        shells = shells_of(self._kit)
        try:
            shell = Shell(f"b{len(shells) + 1}", command, process, context, self._kit.options, seconds)
        except OSError as error:
            await surely(process.end(0))
            process.close()
            return ToolResult(f"Its output cannot be kept: {error.strerror}. It was not started.", is_error=True)
        shells[shell.id] = shell
        ear = Ear(pattern, int(arguments.get("most", MOST)), shell, context.beside)
        shell.heard, shell.over = ear.hear, ear.finish
        await kept(shell, "monitor", context, ear.to_the_end)
        return ToolResult(
            f"[{shell.id} is running] You are told of lines that fit; KillShell with id {shell.id} ends it, and its "
            f"whole output goes to {shell.path}.",
            file=shell.path,
        )


class Ear:
    """Takes output apart into lines and tells those that fit, a few at a time."""

    def __init__(self, pattern: re.Pattern[str], most: int, shell: Shell, beside: Beside) -> None:
        self._pattern = pattern
        self._most = most
        self._shell = shell
        self._beside = beside
        self._rest = b""
        self._count = 0
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def hear(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-64_000:]  # what never ends a line is no line
        for raw in lines:
            line = plain(raw.decode("utf-8", "backslashreplace"))
            if not self._pattern.search(line):
                continue
            self._count += 1
            if self._count <= self._most:
                self._lines.append(line[:LONGEST_LINE])
            self._shell.tell(f"{self._count} lines fit; the last: {line[:120]}")
        if self._lines and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TOGETHER, self._say)

    async def to_the_end(self, tell: Callable[[str], None]) -> str:
        """How it ended: what it wrote was told line by line, as far as it was wanted. Raises `TaskFailedError`."""
        try:
            text = await self._shell.to_its_end(tell)
        except TaskFailedError as error:
            told = str(error)[-TAIL:]
            raise TaskFailedError(f"{self._count} lines fit. The end of what it wrote:\n{told}") from error
        return f"{self._count} lines fit. {text.splitlines()[-1]}"

    def finish(self) -> None:
        """The last line needs no end."""
        if self._rest:
            self.hear(b"\n")
        if self._timer is not None:
            self._timer.cancel()
            self._say()

    def _say(self) -> None:
        self._timer = None
        lines, self._lines = self._lines, []
        last = "\n[that is the last line that is told; further ones are only counted]"
        more = last if self._count >= self._most else ""
        self._beside.news(f"{self._shell.id} says:\n" + "\n".join(lines) + more)
