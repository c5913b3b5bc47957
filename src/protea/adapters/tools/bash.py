"""Bash, BashOutput and KillShell: run a command, follow one that runs in the background, end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from msgspec.structs import replace

from protea.adapters.tools._following import GRACE, LetGo, describe, followed_or_let_go, surely
from protea.adapters.tools._kit import Kit, Options
from protea.adapters.tools._schemas import in_seconds
from protea.domain.cut import cut
from protea.domain.errors import ProteaError, TaskFailedError
from protea.domain.pattern import regex
from protea.domain.plain import plain
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.sandbox import Exit, Launch, Process
from protea.ports.toolset import ToolContext
from protea.ports.workspace import WorkspaceError

QUIET = 0.5
"""Seconds without news after which BashOutput stops waiting for more."""
START = 0.15
"""Seconds a background command has to fail before it is said to run."""

Work = Callable[[Callable[[str], None]], Awaitable[str]]
Writes = Literal["kept", "discarded", "refused"]
"""What becomes of what a command writes: see `ToolContext`."""

_MOVES = regex(r"\b(?:cd|pushd|popd|source|eval)\b|(?:^|[\s;&|(])\.\s")
"""Commands that may change the directory. The others are spared the asking."""


class Bash:
    """Runs a command in a shell of its own, in the directory the last one ended in."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit
        self._shell = kit.which("/bin/bash") or kit.which("bash")

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        command = str(arguments["command"])
        if not command.strip():
            return ToolResult("The command is empty.", is_error=True)
        notes: list[str] = []
        cwd = await self._start_directory()
        if cwd != self._kit.cwd:
            return self._moved_back(cwd)
        background = bool(arguments.get("background"))
        seconds = self._seconds(arguments.get("timeout"), notes, behind=background)
        if background:
            told = await self._background(command, cwd, seconds if "timeout" in arguments else None, context)
            return noted(told, notes)
        asked = _ask_for_cwd(context) if _MOVES.search(command) else None
        try:
            try:
                done = await followed_or_let_go(
                    self._kit, self._launch(command, cwd, asked, context.writes, keep=False), context, seconds
                )
            except OSError as error:
                return ToolResult(f"The command could not be started: {error.strerror or error}.", is_error=True)
            if isinstance(done, LetGo):
                return await self._let_go_on(command, done, context)
            if asked:
                self._move(_answer(asked), cwd, notes)
        finally:
            if asked:
                for path in asked:
                    with contextlib.suppress(OSError):
                        os.unlink(path)
        text = "\n".join([*([done.text.rstrip("\n")] if done.text.strip() else []), *done.words, *notes])
        return ToolResult(text or "[no output]", is_error=done.failed, file=done.file)

    async def _start_directory(self) -> str:
        for directory in (self._kit.cwd, self._kit.surroundings.cwd, *self._kit.workspace.roots):
            with contextlib.suppress(WorkspaceError):
                if not self._kit.workspace.on_disk or (await self._kit.workspace.stat(directory)).kind == "directory":
                    return directory
        return self._kit.cwd

    def _moved_back(self, cwd: str) -> ToolResult:
        """A command is decided about where it is to run: elsewhere its words mean other files."""
        gone, self._kit.cwd = self._kit.cwd, cwd
        text = f"Nothing was run: {gone} is gone. The working directory is {cwd} again; send the command once more."
        return ToolResult(text, is_error=True)

    def _seconds(self, asked: float | None, notes: list[str], *, behind: bool) -> float:
        limit = self._kit.options.bash_timeout_limit
        if asked is None:
            return min(self._kit.options.bash_timeout, limit)
        asked = in_seconds(asked)
        if asked > limit:
            longer = (
                "leave it out for what runs in the background" if behind else "use background for what takes longer"
            )
            notes.append(f"[the timeout was {limit:g} s: no more is allowed; {longer}]")
        return min(asked, limit)

    def _launch(self, command: str, cwd: str, asked: tuple[str, str] | None, writes: Writes, *, keep: bool) -> Launch:
        env = dict(self._kit.environment)
        if self._shell:
            # What is shown is what runs: the question where it ended goes in by BASH_ENV, not into the command.
            argv: tuple[str, ...] = (self._shell, "--norc", "--noprofile", "-c", command)
            if asked:
                # By way of another variable: bash expands the value of BASH_ENV, `$(…)` in a path included.
                env |= {"BASH_ENV": "$PROTEA_SCRIPT", "PROTEA_SCRIPT": asked[0]}
        else:
            argv = ("/bin/sh", "-c", f". {_quoted(asked[0])}\n{command}" if asked else command)
        return Launch(
            argv=argv,
            cwd=cwd,
            env=env,
            merge=self._kit.options.bash_streams != "apart",
            keep=keep,
            # Of the session's own folder it reaches these two files alone: the log lies there too.
            writable=(*(self._kit.workspace.roots if writes != "refused" else ()), *(asked[1:] if asked else ())),
            discard=writes == "discarded",
            # What nobody may change here must not be changed elsewhere either.
            network=writes == "kept",
            readable=asked[:1] if asked else (),
        )

    def _move(self, end: str | None, start: str, notes: list[str]) -> None:
        if end is None or end == start:
            return
        if not self._kit.inside(end):
            notes.append(f"[{end} is outside the workspace: the working directory is {start} again]")
            return
        self._kit.cwd = end
        notes.append(f"[the working directory is now {end}]")

    def _no_room(self) -> str:
        running = [shell for shell in shells_of(self._kit).values() if shell.process.ended is None]
        if len(running) < self._kit.options.background_limit:
            return ""
        return f"{len(running)} background commands run already: {', '.join(s.id for s in running)}. End one first."

    async def _background(self, command: str, cwd: str, seconds: float | None, context: ToolContext) -> ToolResult:
        shell = await self._begun(command, cwd, seconds, context)
        if isinstance(shell, ToolResult):
            return shell
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START):
                await shell.gone.wait()
        text, failed = shell.news()
        if shell.gone.is_set():
            return ToolResult(text, is_error=failed)
        await kept(shell, "shell", context)
        return ToolResult(
            f"{text}\nBashOutput with id {shell.id} shows what it writes, KillShell ends it; its whole output goes to "
            f"{shell.path}.",
            file=shell.path,
        )

    async def _begun(self, command: str, cwd: str, seconds: float | None, context: ToolContext) -> Shell | ToolResult:
        """A command in the background, from its first line; or why there is none."""
        full = self._no_room()
        if full:
            return ToolResult(full, is_error=True)
        try:
            process = await self._kit.sandbox.start(self._launch(command, cwd, None, context.writes, keep=True))
        except OSError as error:
            return ToolResult(f"The command could not be started: {error.strerror or error}.", is_error=True)
        return await self._taken_in(command, process, seconds, context, "It was not started.")

    async def _taken_in(
        self,
        command: str,
        process: Process,
        seconds: float | None,
        context: ToolContext,
        otherwise: str,
        said: bytes = b"",
    ) -> Shell | ToolResult:
        """Among the commands that go on beside turns. Where its output cannot be kept it is ended."""
        shells = shells_of(self._kit)
        try:
            shell = Shell(f"b{len(shells) + 1}", command, process, context, self._kit.options, seconds, said)
        except OSError as error:
            await surely(process.end(0))
            process.close()
            return ToolResult(f"Its output cannot be kept: {error.strerror}. {otherwise}", is_error=True)
        shells[shell.id] = shell
        return shell

    async def _let_go_on(self, command: str, left: LetGo, context: ToolContext) -> ToolResult:
        """From now on it is a background command like any other; what it has written is its first news."""
        shell = await self._taken_in(command, left.process, None, context, "It was ended.", left.said)
        if isinstance(shell, ToolResult):
            return shell
        await kept(shell, "shell", context)
        text, _ = shell.news()
        told = ", and you are told when it has ended" if shell.task else ""
        return ToolResult(
            f"The person let this command go on in the background.\n{text}\nBashOutput with id {shell.id} shows what "
            f"it writes, KillShell ends it{told}; its whole output goes to {shell.path}.",
            file=shell.path,
        )


class BashOutput:
    """What a background command has written since last asked."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        shell = shells_of(self._kit).get(str(arguments["id"]))
        if shell is None:
            return _unknown(self._kit, str(arguments["id"]))
        wait = min(in_seconds(float(arguments.get("wait", 0))), self._kit.options.bash_timeout_limit)
        await self._waited(shell, wait, context)
        text, failed = shell.news()
        return ToolResult(text, is_error=failed, file=shell.path)

    async def _waited(self, shell: Shell, seconds: float, context: ToolContext) -> None:
        """Until there is news, at most so long, or until a person wants the turn to go on."""
        if seconds <= 0 or context.beside is None:
            await shell.wait(seconds)
            return
        either = [asyncio.ensure_future(shell.wait(seconds)), asyncio.ensure_future(context.beside.let_go())]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in either:
                each.cancel()


class KillShell:
    """Ends a background command and all its processes."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        shell = shells_of(self._kit).get(str(arguments["id"]))
        if shell is None:
            told = await context.beside.stop(str(arguments["id"])) if context.beside is not None else None
            return ToolResult(told) if told is not None else _unknown(self._kit, str(arguments["id"]))
        if shell.gone.is_set():
            text, _ = shell.news()
            return ToolResult(f"It had ended before.\n{text}", file=shell.path)
        if context.beside is not None and shell.task:
            await context.beside.stop(shell.task)
        await shell.end("it was asked for")
        text, _ = shell.news()
        return ToolResult(text, file=shell.path)


def noted(result: ToolResult, notes: list[str]) -> ToolResult:
    """With what else there is to say of the call."""
    return replace(result, text="\n".join([result.text, *notes])) if notes else result


async def kept(shell: Shell, kind: str, context: ToolContext, work: Work | None = None) -> None:
    """Let it be a task of the session, which tells when it has ended. Where that cannot be kept it goes on without.
    `work` waits for its end, where what is told of that is not simply all it wrote."""
    if context.beside is None:
        return
    from protea.domain.delegation import brief  # once something runs in the background

    title = brief(shell.command, 200)
    lead = f"The background command {shell.id} ({brief(shell.command)})"
    with contextlib.suppress(ProteaError):
        shell.task = await context.beside.begin(kind, title, work or shell.to_its_end, log=shell.path, ended=lead)


class Shell:
    """A background command: a task drains it into a file, the newest of it waits here to be asked for."""

    def __init__(
        self,
        id: str,
        command: str,
        process: Process,
        context: ToolContext,
        options: Options,
        seconds: float | None,
        before: bytes = b"",
    ) -> None:
        """`before` is what it has written already."""
        self.id = id
        self.command = command
        self.process = process
        self.path = context.output_path()
        self.task = ""
        """Its id as a task."""
        self.heard: Callable[[bytes], None] | None = None
        """Is given all it writes."""
        self.room: Callable[[], Awaitable[None]] | None = None
        """Waits until there is room for more of it."""
        self.tell: Callable[[str], None] = lambda line: None
        """Tells how far it is."""
        self.gone = asyncio.Event()
        """Set once all of its processes are gone and all of its output was taken in."""
        self._limit = options.bash_output
        self._new = bytearray()
        self._missed = 0
        self._size = 0
        self._file_limit = options.bash_file_limit
        self._news = asyncio.Event()
        self._why: str | None = None
        self._exit: Exit | None = None
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._file_trouble = ""
        if before:
            self._take(before)
        self._task = asyncio.create_task(self._drain(seconds), name=f"background {id}")

    async def _drain(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                while chunk := await self.process.read():
                    self._take(chunk.data)
                    if self.room is not None:
                        await self.room()
                    if self._size > self._file_limit:
                        self._why = f"it wrote more than {self._file_limit:,} bytes"
                        await self.process.end(GRACE)
                        self.process.close()
                self._exit = await self.process.wait()
        except TimeoutError:
            self._why = f"it took longer than {seconds:g} s"
            self._exit = await self.process.end(GRACE)
        finally:
            self.process.close()
            os.close(self._fd)
            self.gone.set()
            self._news.set()

    async def to_its_end(self, tell: Callable[[str], None]) -> str:
        """What the task is: to wait for it. Raises `TaskFailedError`."""
        self.tell = tell
        try:
            await self.gone.wait()
        except asyncio.CancelledError:
            await self.end("it was stopped")
            raise
        text, failed = self.news()
        if failed:
            raise TaskFailedError(text)
        return text

    def _take(self, data: bytes) -> None:
        if self.heard is not None:
            self.heard(data)
        self._new += data
        self._size += len(data)
        if len(self._new) > 8 * self._limit:
            # Bounded: the middle of what nobody asked for is in the file only.
            drop = len(self._new) - 4 * self._limit
            at = 2 * self._limit
            self._missed += drop
            del self._new[at : at + drop]
        if not self._file_trouble:
            view = memoryview(data)
            try:
                while view:  # a disk that is nearly full takes a part
                    view = view[os.write(self._fd, view) :]
            except OSError as error:
                self._file_trouble = f"[its output could not be kept in {self.path}: {os.strerror(error.errno or 0)}]"
        self._news.set()

    async def wait(self, seconds: float) -> None:
        """Until there is news and then silence, it ended, or `seconds` passed."""
        if seconds <= 0:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if not self._new:
                    self._news.clear()
                    await self._news.wait()
                while not self.gone.is_set():
                    self._news.clear()
                    try:
                        await asyncio.wait_for(self._news.wait(), QUIET)
                    except TimeoutError:
                        return

    def news(self) -> tuple[str, bool]:
        """What is new, and how it stands; and whether it failed."""
        text = plain(bytes(self._new).decode("utf-8", "backslashreplace"))
        if self._missed:
            text += f"\n[… {self._missed:,} bytes of it are only in {self.path}]"
        self._new.clear()
        self._missed = 0
        text = cut(text, self._limit, self.path).rstrip("\n")
        parts = [text] if text.strip() else []
        parts += [self._file_trouble] if self._file_trouble else []
        ended = self._exit or self.process.ended
        failed = False
        if self.gone.is_set() and self._exit is not None:
            words, failed = describe(self._exit, self._why)
            parts += [f"[{self.id} has ended: {', '.join(word.strip('[]') for word in words) or 'exit code 0'}]"]
        elif ended is not None:
            parts += [f"[{self.id}: the shell has ended, processes it started still run]"]
        else:
            parts += [f"[{self.id} is running{'' if text.strip() else ', nothing new'}]"]
        return "\n".join(parts), failed

    async def end(self, why: str) -> None:
        if not self.gone.is_set():
            self._why = why
            await surely(self.process.end(GRACE))
            await self.gone.wait()


def shells_of(kit: Kit) -> dict[str, Shell]:
    """The background commands of a session, kept on its kit; the kit ends them when the session ends."""

    async def close() -> None:
        for shell in kit.background.values():
            await shell.end("the session ended")

    kit.closers.setdefault("bash", close)
    return kit.background


def _unknown(kit: Kit, id: str) -> ToolResult:
    known = ", ".join(shells_of(kit)) or "none"
    return ToolResult(f"There is no background command {id}. There are: {known}.", is_error=True)


def _ask_for_cwd(context: ToolContext) -> tuple[str, str]:
    """A file for BASH_ENV that lets the shell write down where it ended, and the file it writes to."""
    script, answer = context.output_path(".env.sh"), context.output_path(".cwd")
    os.close(os.open(answer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    with open(script, "w", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW, 0o600)) as file:
        file.write(f"unset BASH_ENV PROTEA_SCRIPT\ntrap {_quoted('pwd -P >' + _quoted(answer))} EXIT\n")
    return script, answer


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _answer(asked: tuple[str, str]) -> str | None:
    try:
        with open(asked[1], "rb") as file:
            path = os.fsdecode(file.read(1 << 16).removesuffix(b"\n"))
    except OSError:
        return None
    return path if os.path.isabs(path) and os.path.isdir(path) else None
