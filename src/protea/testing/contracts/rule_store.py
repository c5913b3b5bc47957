"""What every `RuleStore` keeps."""

from __future__ import annotations

from collections.abc import Sequence

from protea.ports.rule_store import RuleStore


class RuleStoreContract:
    def rule_store(self) -> RuleStore:
        """The same store, or another view of the same place, at every call within one test."""
        raise NotImplementedError

    def saved(self) -> Sequence[str] | None:
        """What later sessions will be given; None where the store keeps nothing by design. The order means nothing."""
        raise NotImplementedError

    def _sorted(self) -> list[str] | None:
        saved = self.saved()
        return None if saved is None else sorted(saved)

    def test_it_says_where_rules_went(self) -> None:
        assert self.rule_store().allow(["Bash(git status)"])

    def test_what_is_allowed_is_there_for_later_sessions(self) -> None:
        self.rule_store().allow(["Bash(git status)", "Edit(src/**)"])
        self.rule_store().allow(['Bash(echo "a b" \\)'])
        assert self._sorted() in (None, ['Bash(echo "a b" \\)', "Bash(git status)", "Edit(src/**)"])

    def test_nothing_is_written_twice(self) -> None:
        store = self.rule_store()
        store.allow(["Read(/etc/hosts)"])
        store.allow(["Read(/etc/hosts)", "Read(/etc/hostname)"])
        assert self._sorted() in (None, ["Read(/etc/hostname)", "Read(/etc/hosts)"])

    def test_no_rule_is_no_change(self) -> None:
        self.rule_store().allow([])
        assert self.saved() in (None, [])
