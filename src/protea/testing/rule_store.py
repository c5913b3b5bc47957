"""Rules in a list."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.errors import StoreError


class ListRuleStore:
    """`RuleStore` that keeps rules in `rules`; with `full` it fails as a full disk would."""

    def __init__(self, *, full: bool = False) -> None:
        self.rules: list[str] = []
        self._full = full

    def allow(self, rules: Sequence[str]) -> str:
        if self._full:
            raise StoreError("the rule could not be saved: no space left on device")
        self.rules += [rule for rule in rules if rule not in self.rules]
        return "memory"
