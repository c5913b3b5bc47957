"""Monitor: a background command of whose output the lines that fit a pattern are told to the model as they come."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any

from protea.adapters.tools._ear import Ear
from protea.adapters.tools.bash import Bash, Shell, kept, noted
from protea.domain.errors import TaskFailedError
from protea.domain.plain import quoted
from protea.domain.tools import ToolResult
from protea.ports.toolset import Beside, ToolContext

MOST = 50
MOST_EVER = 1_000
"""Lines that are told at most, whatever is asked for."""
LONGEST_LINE = 500
AT_ONCE = 20_000
"""Characters that are told together."""
TAIL = 1_000
"""Characters of its output that are told where it failed."""
TOGETHER = 0.3
"""Seconds within which lines are told together."""


class Monitor(Bash):
    """Starts commands as Bash does in the background."""

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        if context.beside is None:
            return ToolResult("Nothing can be told from here beside a turn.", is_error=True)
        python = self._kit.which(sys.executable) if sys.executable else None
        told = Told(min(int(arguments.get("most", MOST)), MOST_EVER), context.beside)
        try:
            ear = Ear(str(arguments["pattern"]), python, told.hit)
        except ValueError as error:
            return ToolResult(str(error), is_error=True)
        command = str(arguments["command"])
        if not command.strip():
            return ToolResult("The command is empty.", is_error=True)
        notes: list[str] = []
        cwd = await self._start_directory()
        if cwd != self._kit.cwd:
            return self._moved_back(cwd)
        seconds = self._seconds(arguments["timeout"], notes, behind=True) if "timeout" in arguments else None
        shell = await self._begun(command, cwd, seconds, context)
        if isinstance(shell, ToolResult):
            return shell
        told.shell, shell.heard, shell.room = shell, ear.hear, ear.room
        await kept(shell, "monitor", context, lambda tell: told.to_the_end(ear, tell))
        running = ToolResult(
            f"[{shell.id} is running] You are told of lines that fit; KillShell with id {shell.id} ends it, and its "
            f"whole output goes to {shell.path}.",
            file=shell.path,
        )
        return noted(running, notes)


class Told:
    """Tells the lines that fit, a few at a time."""

    def __init__(self, most: int, beside: Beside) -> None:
        self.shell: Shell | None = None
        """The command that writes them."""
        self._most = most
        self._beside = beside
        self._count = 0
        self._size = 0
        self._lines: list[str] = []
        self._left_out = 0
        self._timer: asyncio.TimerHandle | None = None

    def hit(self, line: str) -> None:
        self._count += 1
        if self._count <= self._most:
            self._size += min(len(line), LONGEST_LINE)
            if self._size <= AT_ONCE:
                self._lines.append(line[:LONGEST_LINE])
            else:
                self._left_out += 1
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(TOGETHER, self._say)
        if self.shell is not None:
            self.shell.tell(f"{self._count} lines fit; the last: {line[:120]}")

    async def to_the_end(self, ear: Ear, tell: Callable[[str], None]) -> str:
        """How it ended: what it wrote was told line by line, as far as it was wanted. Raises `TaskFailedError`."""
        shell = self.shell
        assert shell is not None
        try:
            text = await shell.to_its_end(tell)
        except TaskFailedError as error:
            await self._heard(ear)
            told = str(error)[-TAIL:]
            raise TaskFailedError(f"{self._fit(ear)} The end of what it wrote:\n{told}") from error
        except BaseException:
            await ear.close()
            self._say()
            raise
        await self._heard(ear)
        return f"{self._fit(ear)} {text.splitlines()[-1]}"

    async def _heard(self, ear: Ear) -> None:
        await ear.finish()
        self._say()

    def _fit(self, ear: Ear) -> str:
        missed = f" {ear.missed} were not looked at: {ear.trouble}." if ear.missed else ""
        return f"{self._count} lines fit.{missed}"

    def _say(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines, self._size = self._lines, [], 0
        if not lines or self.shell is None:
            return
        left_out, self._left_out = self._left_out, 0
        lines = [quoted(line) or ">" for line in lines]
        lines += [f"[{left_out} more that came at once are not told]"] if left_out else []
        last = "\n[that is the last line that is told; further ones are only counted]"
        more = last if self._count >= self._most else ""
        self._beside.news(f"{self.shell.id} says:\n" + "\n".join(lines) + more)
