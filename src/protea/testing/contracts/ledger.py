"""What every `Ledger` keeps."""

from __future__ import annotations

from protea.domain.spending import Spending
from protea.ports.ledger import Ledger

DAY = "2026-11-28"


def cost(dollars: float, *, day: str = DAY, profile: str = "coding", session: str = "s") -> Spending:
    """A reply that cost so much."""
    return Spending(at=f"{day}T10:00:00.000Z", session=session, profile=profile, model="a/b", cost_usd=dollars)


class LedgerContract:
    def ledger(self) -> Ledger:
        """The same ledger, or another view of the same place, at every call within one test."""
        raise NotImplementedError

    def test_nothing_was_spent_before_anything_is_recorded(self) -> None:
        assert self.ledger().spent(DAY) == 0

    def test_what_is_recorded_adds_up_by_day(self) -> None:
        for dollars in (0.5, 0.25):
            self.ledger().record(cost(dollars))
        self.ledger().record(cost(4, day="2026-11-27"))
        self.ledger().record(cost(8, day="2026-12-28"))
        assert self.ledger().spent(DAY) == 0.75
        assert self.ledger().spent("2026-11-27") == 4
        assert self.ledger().spent("2026-11-26") == 0

    def test_and_by_profile(self) -> None:
        ledger = self.ledger()
        ledger.record(cost(1))
        ledger.record(cost(2, profile="base"))
        assert (ledger.spent(DAY, "coding"), ledger.spent(DAY, "base"), ledger.spent(DAY, "none")) == (1, 2, 0)
        assert ledger.spent(DAY) == 3

    def test_every_session_counts(self) -> None:
        for session in ("a", "b", "a"):
            self.ledger().record(cost(1, session=session))
        assert self.ledger().spent(DAY) == 3
