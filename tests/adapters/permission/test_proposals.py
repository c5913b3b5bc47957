"""What "always" would save, and what a headless no tells to type."""

from __future__ import annotations

import pytest

from tests.adapters.permission.scenery import Scenery


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        ("npm test", ["Bash(npm test)"]),
        ("npm run build && git status", ["Bash(npm run build)"]),
        ('git commit -m "fix: a b"', ["Bash(git commit:*)"]),
        ("npm install && npm test", ["Bash(npm install)", "Bash(npm test)"]),
        ("cd src && make all", ["Bash(make all)"]),
        ("python x.py", ["Bash(python x.py)"]),
        ("gh pr create --title 'a b' --body c", ["Bash(gh pr create:*)"]),
        ("git stash push -m 'a b'", ["Bash(git stash push:*)"]),
    ],
)
def test_the_narrowest_rules_are_proposed_and_then_allow(scenery: Scenery, command: str, rules: list[str]) -> None:
    decision = scenery.bash(command)
    assert decision.verdict == "ask"
    assert list(decision.proposals) == rules
    assert scenery.bash(command, allow=rules).verdict == "allow"


@pytest.mark.parametrize(
    "command",
    [
        "python -c 'print(1)'",
        "bash x.sh -c 'ls'",
        "sudo make",
        "env make",
        "xargs make",
        "eval make",
        "cat .env",
        "echo x > .git/config",
        "git -c a=b commit",
        "find . -exec make {} +",
        "make $(x)",
        "echo x > /tmp/y",
        "rm -rf 'a b'",
        "for i in a; do make; done",
        "uv run python x.py 'a b'",
        "docker run image sh 'a b'",
        "npm exec tool 'a b'",
        "gh api /repos/a/b -X 'DELETE x'",
        "go run example.org/x@latest 'a b'",
        "gh pr 'a b'",
    ],
)
def test_nothing_protected_no_wrapper_and_no_inline_code_is_proposed(scenery: Scenery, command: str) -> None:
    decision = scenery.bash(command)
    assert decision.verdict == "ask"
    assert decision.proposals == ()


def test_a_file_is_proposed_by_its_own_absolute_name(scenery: Scenery) -> None:
    decision = scenery.decide("Write", {"path": "src/new[1].py"})
    assert len(decision.proposals) == 1
    assert scenery.decide("Write", {"path": "src/new[1].py"}, allow=decision.proposals).verdict == "allow"
    assert scenery.decide("Write", {"path": "src/new1.py"}, allow=decision.proposals).verdict == "ask"


def test_a_redirect_is_proposed_as_an_edit(scenery: Scenery) -> None:
    proposals = scenery.bash("npm test > out.log").proposals
    assert any(rule.startswith("Edit(") for rule in proposals)
    assert scenery.bash("npm test > out.log", allow=proposals).verdict == "allow"


def test_a_page_is_proposed_by_its_domain(scenery: Scenery) -> None:
    assert scenery.decide("WebFetch", {"url": "https://x.org/a"}).proposals == ("WebFetch(domain:x.org)",)


@pytest.mark.parametrize(("tool", "arguments"), [("Write", {"path": ".git/config"}), ("Read", {"path": ".env"})])
def test_what_is_protected_is_never_proposed(scenery: Scenery, tool: str, arguments: dict[str, str]) -> None:
    decision = scenery.decide(tool, arguments)
    assert decision.verdict == "ask"
    assert decision.proposals == ()


def test_a_headless_no_names_the_flag_that_would_have_allowed_it(scenery: Scenery) -> None:
    decision = scenery.decide("Write", {"path": "src/app.py"}, interactive=False)
    assert decision.verdict == "deny"
    assert "--allow 'Edit(src/app.py)'" in decision.why
    assert scenery.decide("Write", {"path": "src/app.py"}, allow=["Edit(src/app.py)"]).verdict == "allow"


def test_a_rule_that_denies_is_named_with_its_source(scenery: Scenery) -> None:
    decision = scenery.bash("rm x", deny=["Bash(rm:*)"])
    assert (decision.rule, decision.source) == ("Bash(rm:*)", "battery")
    assert "\n" not in decision.why
