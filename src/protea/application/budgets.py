"""What a session may spend and has spent. Held by `session`, asked by `turn` before every request."""

from __future__ import annotations

from collections.abc import Callable

from protea.application.hub import Hub
from protea.domain.errors import StoreError
from protea.domain.events import NoticeGiven
from protea.domain.spending import Budgets, Spending, Spent, broken
from protea.ports.clock import Clock
from protea.ports.ledger import Ledger


class Purse:
    """The budgets of the configuration, and what counts against them. One per session."""

    def __init__(self, budgets: Budgets, ledger: Ledger, hub: Hub, clock: Clock, *, spent: float) -> None:
        self._budgets = budgets
        self._ledger = ledger
        self._hub = hub
        self._clock = clock
        self._session = spent
        self.beside_usd = 0.0
        """Dollars of agents that have ended since the last turn did."""
        self.agents: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)
        """What agents under way have spent, and what they were lent besides."""
        self._told = False
        """Whether it was told that the ledger cannot be written."""

    def use(self, budgets: Budgets, ledger: Ledger, clock: Clock) -> None:
        """Go on with others. What was spent is spent."""
        self._budgets, self._ledger, self._clock = budgets, ledger, clock

    @property
    def kept(self) -> bool:
        """Whether there is a budget to keep."""
        return self._budgets.any

    def refusal(self, expected: float) -> str | None:
        """Which budget a request of `expected` dollars would pass, in a sentence; None where it may be made.

        Raises `StoreError` where a budget cannot be looked up: one that cannot be kept is not passed over.
        """
        return broken(self._budgets, self._promised(), self._hub.profile, expected) if self._budgets.any else None

    def pay(self, model: str, cost_usd: float | None) -> None:
        """Count a reply. Raises `StoreError` where a budget hangs on it; else a ledger that fails is told once."""
        if not cost_usd:
            return
        self._session += cost_usd
        spending = Spending(
            at=self._clock.now(),
            session=self._hub.session,
            profile=self._hub.profile,
            model=model,
            cost_usd=cost_usd,
        )
        try:
            self._ledger.record(spending)
        except StoreError as error:
            if self._budgets.day is not None or self._budgets.profiles:
                raise
            if not self._told:
                self._told = True
                self._hub.record(NoticeGiven(level="warning", text=f"{error}; the sums of days and profiles lack it"))

    def lent(self, cost_usd: float) -> None:
        """Count what an agent has spent: its own session has written it into the ledger."""
        self._session += cost_usd
        self.beside_usd += cost_usd

    @property
    def total_usd(self) -> float:
        """All that was spent in the session, by agents under way as well."""
        return self._session + self.agents()[0]

    @property
    def committed_usd(self) -> float:
        """What agents have spent since the last turn ended, and may still spend: they were lent it."""
        return self.beside_usd + sum(self.agents())

    @property
    def left_usd(self) -> float | None:
        """What no budget keeps back and no agent was lent; None where there is no budget."""
        budgets, promised = self._budgets, self._promised() if self._budgets.any else Spent()
        kept = (
            (budgets.session, promised.session),
            (budgets.day, promised.day),
            (budgets.profiles.get(self._hub.profile), promised.profile),
        )
        left = [most - spent for most, spent in kept if most is not None]
        return min(left) if left else None

    def describe(self) -> dict[str, object]:
        """Dollars spent and the budgets they count against, for faces."""
        spent = self._spent()
        profile = self._hub.profile
        kept = self._budgets
        return {
            "session": {"spent": spent.session, "budget": kept.session},
            "day": {"spent": spent.day, "budget": kept.day},
            "profile": {"name": profile, "spent": spent.profile, "budget": kept.profiles.get(profile)},
        }

    def _spent(self) -> Spent:
        today = self._clock.now()[:10]
        return Spent(self._session, self._ledger.spent(today), self._ledger.spent(today, self._hub.profile))

    def _promised(self) -> Spent:
        """What is spent, and what agents under way may spend: the ledger knows what they have."""
        spent, (going, held) = self._spent(), self.agents()
        return Spent(spent.session + going + held, spent.day + held, spent.profile + held)
