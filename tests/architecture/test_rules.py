"""Every rule holds for the source, notices when it is broken, and leaves alone what keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.architecture.rules  # noqa: F401  # registers the rules
from tests.architecture.source import ROOT, RULES, Files, Rule, Tree, plant


@pytest.fixture(scope="module")
def source() -> Tree:
    return Tree(ROOT / "src")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_source_keeps_the_rule(rule: Rule, source: Tree) -> None:
    breaches = list(rule.check(source))
    assert not breaches, f"{rule.name}: {rule.check.__doc__ or ''}\n" + "\n".join(breaches)


BREACHES = [pytest.param(rule, broken, id=f"{rule.name}-{n}") for rule in RULES for n, broken in enumerate(rule.broken)]


@pytest.mark.parametrize(("rule", "broken"), BREACHES)
def test_a_breach_is_noticed(rule: Rule, broken: Files, tmp_path: Path) -> None:
    assert list(rule.check(plant(tmp_path, broken)))


class Among(Tree):
    """A small tree in the midst of the whole source, in place of the modules of the same names."""

    def __init__(self, whole: Tree, small: Tree) -> None:
        self.root = small.root
        own = [module for module in small.modules if not module.is_package or module.text.count("\n") > 1]
        replaced = {module.name for module in own}
        self.modules = [*(module for module in whole.modules if module.name not in replaced), *own]
        self.names = whole.names | small.names


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_breach_is_noticed_in_the_midst_of_the_source_too(rule: Rule, source: Tree, tmp_path: Path) -> None:
    # Not every one of them: some break the rule only where nothing else stands beside them.
    assert any(
        list(rule.check(Among(source, plant(tmp_path / str(number), broken))))
        for number, broken in enumerate(rule.broken)
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_what_keeps_the_rule_is_left_alone(rule: Rule, tmp_path: Path) -> None:
    assert list(rule.check(plant(tmp_path, rule.fine))) == []


def test_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
