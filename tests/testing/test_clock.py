from __future__ import annotations

import asyncio

from protea.testing.clock import FakeClock
from protea.testing.contracts.clock import ClockContract


class TestFakeClock(ClockContract):
    def clock(self) -> FakeClock:
        return FakeClock()


async def test_sleepers_wake_when_their_time_has_come_and_not_before() -> None:
    clock, woken = FakeClock(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (5.0, 1.0, 9.0)]
    await asyncio.sleep(0)
    assert sorted(clock.sleeping) == [1.0, 5.0, 9.0]
    clock.advance(4.9)
    await tasks[1]
    assert woken == [1.0]
    clock.advance(10)
    await asyncio.gather(*tasks)
    assert woken == [1.0, 5.0, 9.0]
    assert clock.now() == "2026-11-21T04:05:20.900Z"
