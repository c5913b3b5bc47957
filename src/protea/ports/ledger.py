"""The port to what was spent: dollars by day and profile, across sessions and processes. Swap class: warm."""

from __future__ import annotations

from typing import Protocol

from protea.domain.spending import Spending


class Ledger(Protocol):
    """Every reply with a price is recorded once. Deleting a session takes nothing back."""

    def record(self, spending: Spending) -> None:
        """Keep it; what other processes ask afterwards includes it. Never waits long. Raises `StoreError`."""
        ...

    def spent(self, day: str, profile: str | None = None) -> float:
        """Dollars recorded on `day` (`2026-11-28`, UTC) in one profile, or in all. Raises `StoreError`."""
        ...
