"""The port that keeps the rules a person has said `always` to. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class RuleStore(Protocol):
    def allow(self, rules: Sequence[str]) -> str:
        """Save allow rules for all later sessions, atomically, and return where (a path).

        Rules that are there already are not written twice. Raises `StoreError` or `ConfigError`.
        """
        ...
