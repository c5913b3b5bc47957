"""What was spent, as long as the process lives. For agents in other programs and for machines that keep nothing."""

from __future__ import annotations

import msgspec

from protea.domain.spending import Spending


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


def create(options: Options) -> MemoryLedger:
    return MemoryLedger()


class MemoryLedger:
    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], float] = {}

    def record(self, spending: Spending) -> None:
        key = spending.day, spending.profile
        self._sums[key] = self._sums.get(key, 0.0) + spending.cost_usd

    def spent(self, day: str, profile: str | None = None) -> float:
        return sum(
            dollars
            for (each, who), dollars in self._sums.items()
            if each == day and (profile is None or who == profile)
        )
