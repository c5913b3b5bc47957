"""A coroutine of somebody else's, in a task that holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from protea.adapters.guests.thread import LeavingError, staying


async def in_own_task(work: Awaitable[Any]) -> Any:
    """What comes of it. Raises what it raises, and `LeavingError` for what would end more than itself. Cancelled, it is
    told to end, and nobody waits until it has."""

    async def run() -> tuple[Any, Exception | None]:
        try:
            with staying():
                return await work, None
        except Exception as raised:
            return None, raised
        except BaseException as raised:  # a cancellation, too: its own, whoever it was meant for
            return None, LeavingError(f"it raised {type(raised).__name__}")

    task = asyncio.ensure_future(run())
    try:
        await asyncio.wait([task])
    except BaseException:
        task.cancel()  # what it waits for keeps it
        raise
    answer, fault = task.result()
    if fault is not None:
        raise fault
    return answer
