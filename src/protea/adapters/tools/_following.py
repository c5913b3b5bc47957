"""Follows a command from its start to the end of all its processes: streams, times, keeps and describes.

Called by the tools that run what the model wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import msgspec

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._output import Output, Teller
from protea.ports.sandbox import Chunk, Exit, Launch, Process
from protea.ports.toolset import ToolContext

BACKGROUND = "set a longer timeout, or use background for what does not end"
GRACE = 0.5
"""Seconds between SIGTERM and SIGKILL for a command that took too long or was interrupted."""


class Followed(msgspec.Struct, frozen=True):
    """A command that is gone."""

    text: str
    """Its output, cut for the model."""
    file: str | None
    """Where the output is whole, if it had to be cut."""
    words: list[str]
    """Lines on how it ended, where there is something to say."""
    failed: bool


class LetGo(msgspec.Struct, frozen=True):
    """A command that goes on without whoever followed it."""

    process: Process
    said: bytes
    """What it has written so far; of much, the beginning and the end."""


class _LetGoError(Exception):
    """A person wants it to go on behind the turn."""


async def followed(kit: Kit, launch: Launch, context: ToolContext, seconds: float) -> Followed:
    """Run a command to its end, at most `seconds`. Cancelled, it is ended before the cancellation passes. It is the
    command of a tool that has nothing running in the background, and none is recommended.

    Raises `OSError` where it cannot be started.
    """
    done = await followed_or_let_go(kit, launch, context, seconds, may_go=False)
    assert isinstance(done, Followed)  # nobody could let it go
    return done


async def followed_or_let_go(
    kit: Kit, launch: Launch, context: ToolContext, seconds: float, *, may_go: bool = True
) -> Followed | LetGo:
    """The same, for a command that a person may let go on behind the turn: it is then whoever's called this."""
    process = await kit.sandbox.start(launch)
    output = Output(context, kit.options.bash_output)
    beside = context.beside if may_go else None
    leaving = asyncio.ensure_future(beside.let_go()) if beside is not None else None
    gone = False
    try:
        hint = BACKGROUND if may_go else f"set a longer timeout ({kit.options.bash_timeout_limit:g} s at most)"
        why = await _read(kit, process, output, Teller(context), seconds, leaving, hint)
        ended = await process.wait()
    except _LetGoError:
        gone = True
        return LetGo(process, output.so_far())
    finally:
        if leaving is not None:
            leaving.cancel()
        if not gone:
            process.close()
        output.close()
    text, file = output.finish()
    words, failed = describe(ended, why, background=may_go)
    return Followed(text, file, words, failed)


async def _next(process: Process, leaving: asyncio.Future[None] | None) -> Chunk | None:
    """The next output. Raises `_LetGoError` where that is wanted before it comes."""
    if leaving is None:
        return await process.read()
    reading = asyncio.ensure_future(process.read())
    either: set[asyncio.Future[Any]] = {reading, leaving}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not reading.done():
            reading.cancel()  # no byte is lost by that
            await surely(reading)
    if reading.cancelled():
        raise _LetGoError
    return reading.result()


async def _read(
    kit: Kit,
    process: Process,
    output: Output,
    teller: Teller,
    seconds: float,
    leaving: asyncio.Future[None] | None,
    hint: str,
) -> str | None:
    """Read until the end; returns why it was ended, if it was."""
    why = None
    try:
        async with asyncio.timeout(seconds):
            while chunk := await _next(process, leaving):
                teller.tell(chunk.data, chunk.stream)
                await output.add(chunk.data)
                if output.size > kit.options.bash_file_limit:
                    why = f"it wrote more than {kit.options.bash_file_limit:,} bytes"
                    break
            else:
                await process.wait()  # it may have closed its output and gone on
    except TimeoutError:
        why = f"it took longer than {seconds:g} s; {hint}"
    except asyncio.CancelledError:
        await surely(process.end(GRACE))
        raise
    if why:
        ending = asyncio.ensure_future(process.end(GRACE))
        try:
            while chunk := await process.read():
                await output.add(chunk.data)
        except asyncio.CancelledError:
            await surely(ending)
            raise
        await ending
    teller.finish()
    return why


def describe(ended: Exit, why: str | None, *, background: bool = True) -> tuple[list[str], bool]:
    """Lines on how a command ended, and whether that is an error. `background` says whether it could have gone on."""
    words = []
    if why:
        words.append(f"[ended: {why}]")
    elif ended.lost:
        words.append("[ended: its supervisor was killed; how the command ended is not known]")
    elif ended.signal is not None:
        words.append(f"[ended by {_signal_name(ended.signal)}]")
    elif ended.code:
        words.append(f"[exit code {ended.code}]")
    if ended.left and not why:
        names = "; ".join(ended.left)
        hint = ". Use background to keep a process" if background else ""
        words.append(f"[left running and ended with the command: {names}{hint}]")
    return words, bool(why or ended.lost or ended.signal is not None or ended.code)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


async def surely(work: Any) -> None:
    """Wait for work that must be done even if we are cancelled again meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
