"""The port to time."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    def now(self) -> str:
        """RFC 3339 in UTC, milliseconds, ending in Z."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never run backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass; others run meanwhile. Ends at once when cancelled."""
        ...
