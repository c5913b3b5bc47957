from __future__ import annotations

from protea.adapters.rule_store import none
from protea.testing.contracts.rule_store import RuleStoreContract


class TestNoRuleStore(RuleStoreContract):
    def rule_store(self) -> none.NoRuleStore:
        return none.create(none.Options())

    def saved(self) -> None:
        return None

    def test_it_says_that_the_rule_lasts_as_long_as_the_session(self) -> None:
        assert "session" in self.rule_store().allow(["Bash(ls)"])
