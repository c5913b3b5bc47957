"""Runs a helper program (`rg`, `git`, `pdftotext`) for a tool, in the sandbox, and takes in its output."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec

from protea.adapters.tools._kit import Kit
from protea.ports.sandbox import Launch, Process


class Done(msgspec.Struct, frozen=True):
    code: int | None
    output: bytes
    errors: bytes
    cut: bool = False
    """It was ended because it wrote more than the limit."""
    late: bool = False
    """It was ended because it took too long."""


async def run(kit: Kit, argv: Sequence[str], *, cwd: str | None = None, seconds: float, limit: int) -> Done:
    """Run to the end, a number of seconds or a number of bytes. Cancelled, it is gone before the cancellation passes.

    Raises `OSError` where it cannot be started.
    """
    env = {**kit.environment, "LC_ALL": "C.UTF-8"}
    process = await kit.sandbox.start(Launch(argv=tuple(argv), cwd=cwd or kit.cwd, env=env, network=False))
    output: list[bytes] = []
    errors = bytearray()
    size = 0
    late = False
    try:
        async with asyncio.timeout(seconds):
            while chunk := await process.read():
                if chunk.stream == "stderr":
                    errors += chunk.data[: 65536 - len(errors)]
                    continue
                output.append(chunk.data)
                size += len(chunk.data)
                if size > limit:
                    break
    except TimeoutError:
        late = True
    except BaseException:
        await _gone(process)
        raise
    if late or size > limit:
        await _gone(process)
    ended = await process.wait()
    process.close()
    return Done(ended.code, b"".join(output), bytes(errors), size > limit, late)


async def _gone(process: Process) -> None:
    """End it and wait for that, even if cancelled (again) meanwhile."""
    ending = asyncio.ensure_future(process.end(0))
    while not ending.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([ending])
    process.close()
