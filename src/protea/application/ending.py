"""Waits for what must come to its end, however often whoever waits is cancelled. Used wherever work is owned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any


async def end_surely(work: asyncio.Future[Any]) -> None:
    """End it, once, and wait until it has: a second cancellation would break off its clean-up."""
    work.cancel()
    await surely(work)


async def surely(work: Awaitable[object]) -> None:
    """Wait until it is done, whoever else wants this task to end. How it went is for others to ask."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):  # a second interrupt must leave nothing behind
            await asyncio.wait([task])
