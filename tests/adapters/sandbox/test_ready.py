"""What walls need is made ready once, and again where it could not be."""

from __future__ import annotations

import asyncio

import pytest

from protea.adapters.sandbox._ready import Ready


async def nothing() -> None:
    """Stays fresh."""


async def test_many_that_wait_have_it_prepared_once() -> None:
    begun: list[int] = []
    gate = asyncio.Event()

    async def prepare() -> str:
        begun.append(1)
        await gate.wait()
        return "ready"

    ready = Ready(prepare, nothing)
    waiting = [asyncio.create_task(ready.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*waiting) == ["ready"] * 3
    assert await ready.wait() == "ready"
    assert len(begun) == 1
    await ready.aclose()


async def test_what_failed_is_tried_again_by_the_next() -> None:
    faults = [OSError("no engine"), None]

    async def prepare() -> str:
        fault = faults.pop(0)
        if fault is not None:
            raise fault
        return "ready"

    ready = Ready(prepare, nothing)
    with pytest.raises(OSError, match="no engine"):
        await ready.wait()
    assert await ready.wait() == "ready"
    await ready.aclose()


async def test_one_that_stops_waiting_ends_it_for_nobody_else() -> None:
    gate = asyncio.Event()

    async def prepare() -> str:
        await gate.wait()
        return "ready"

    ready = Ready(prepare, nothing)
    first, second = asyncio.create_task(ready.wait()), asyncio.create_task(ready.wait())
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == "ready"
    await ready.aclose()
