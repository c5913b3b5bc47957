"""What was spent, in a list."""

from __future__ import annotations

from protea.domain.errors import StoreError
from protea.domain.spending import Spending


class ListLedger:
    """`Ledger` that keeps all it was told in `recorded`; with `full` it fails as a full disk would."""

    def __init__(self, *, full: bool = False) -> None:
        self.recorded: list[Spending] = []
        self.full = full

    def record(self, spending: Spending) -> None:
        if self.full:
            raise StoreError("what a reply cost could not be written: no space left on device")
        self.recorded.append(spending)

    def spent(self, day: str, profile: str | None = None) -> float:
        return sum(each.cost_usd for each in self.recorded if each.day == day and profile in (None, each.profile))
