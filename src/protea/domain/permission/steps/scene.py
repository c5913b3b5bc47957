"""Everything a decision is made of besides the request."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.permission import Verdict
from protea.domain.permission.paths import Anchors
from protea.domain.permission.rules import PathRule, Rule
from protea.domain.permission.shell.script import TreeReader
from protea.domain.permission.sight import Eyes


class Rules(msgspec.Struct, frozen=True):
    """The rules of one decision, path rules with their anchors worked out."""

    deny: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    allow: tuple[Rule, ...] = ()
    paths: dict[str, tuple[PathRule, ...]] = {}
    """`deny Read`, `ask Edit` … → rules."""

    def on_path(self, verdict: Verdict, tool: str, names: Sequence[str]) -> Rule | None:
        """The first rule that matches one of the names. For an allow each name needs one; the last is told."""
        rules = self.paths.get(f"{verdict} {tool}", ())
        if verdict != "allow":
            return next((rule.rule for rule in rules if any(rule.matches(name) for name in names)), None)
        found = None
        for name in names:
            found = next((rule.rule for rule in rules if rule.matches(name)), None)
            if found is None:
                return None
        return found


class Scene(msgspec.Struct, frozen=True):
    rules: Rules
    anchors: Anchors
    eyes: Eyes
    read_tree: TreeReader
