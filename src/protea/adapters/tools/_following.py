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
from protea.ports.sandbox import Exit, Launch, Process
from protea.ports.toolset import ToolContext

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


async def followed(kit: Kit, launch: Launch, context: ToolContext, seconds: float) -> Followed:
    """Run a command to its end, at most `seconds`. Cancelled, it is ended before the cancellation passes.

    Raises `OSError` where it cannot be started.
    """
    process = await kit.sandbox.start(launch)
    output = Output(context, kit.options.bash_output)
    try:
        why = await _read(kit, process, output, Teller(context), seconds)
        ended = await process.wait()
    finally:
        process.close()
        output.close()
    text, file = output.finish()
    words, failed = describe(ended, why)
    return Followed(text, file, words, failed)


async def _read(kit: Kit, process: Process, output: Output, teller: Teller, seconds: float) -> str | None:
    """Read until the end; returns why it was ended, if it was."""
    why = None
    try:
        async with asyncio.timeout(seconds):
            while chunk := await process.read():
                teller.tell(chunk.data, chunk.stream)
                await output.add(chunk.data)
                if output.size > kit.options.bash_file_limit:
                    why = f"it wrote more than {kit.options.bash_file_limit:,} bytes"
                    break
            else:
                await process.wait()  # it may have closed its output and gone on
    except TimeoutError:
        why = f"it took longer than {seconds:g} s; set a longer timeout, or use background for what does not end"
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


def describe(ended: Exit, why: str | None) -> tuple[list[str], bool]:
    """Lines on how a command ended, and whether that is an error."""
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
        words.append(f"[left running and ended with the command: {names}. Use background to keep a process]")
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
