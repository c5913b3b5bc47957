"""A clock that stands still until it is told to move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Starts at `start` (RFC 3339); `advance` moves it and wakes who slept until then."""

    def __init__(self, start: str = "2026-11-21T04:05:06.000Z") -> None:
        self._start = datetime.fromisoformat(start)
        self._passed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    @property
    def sleeping(self) -> tuple[float, ...]:
        """How long each sleeper still has to wait, in seconds."""
        return tuple(until - self._passed for until, waiting in self._sleepers if not waiting.done())

    def now(self) -> str:
        now = (self._start + timedelta(seconds=self._passed)).astimezone(UTC)
        return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._passed + seconds, waiting))
        await waiting

    def advance(self, seconds: float) -> None:
        """Let time pass. Who slept until now or earlier wakes when the loop next runs, the earliest first."""
        self._passed += seconds
        due = sorted((item for item in self._sleepers if item[0] <= self._passed), key=lambda item: item[0])
        self._sleepers = [item for item in self._sleepers if item[0] > self._passed]
        for _, waiting in due:
            if not waiting.done():
                waiting.set_result(None)
