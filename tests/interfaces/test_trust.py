"""What a person is shown and asked before a project is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from protea.domain.errors import UsageError
from protea.interfaces.arguments import parse
from protea.interfaces.commands.telling import Place
from protea.interfaces.commands.trust import may_trust, tell_projects

ITEMS = ((".mcp.json", "changed", "old\n", "new \x1b[31m\n"), ("AGENTS.md", "new", None, "obey\n"))


def asked(*answers: str) -> tuple[list[str], Callable[[str], str]]:
    left, questions = list(answers), list[str]()

    def ask(question: str) -> str:
        questions.append(question)
        return left.pop(0)

    return questions, ask


def place() -> tuple[list[str], Place]:
    written: list[str] = []
    return written, Place("/w", "/h", written.append)


@pytest.mark.parametrize(("answer", "yes"), [("y", True), ("", False), ("n", False), ("YES", True)])
def test_what_changed_is_shown_before_it_is_asked_about(answer: str, yes: bool) -> None:
    written, where = place()
    questions, ask = asked(answer)
    assert may_trust(parse(["trust"]), where, "/w", "", ITEMS, ask) is yes
    assert "-old\n+new" in "".join(written)
    assert "\x1b" not in "".join(written)
    assert "+obey" in "".join(written)
    assert questions == ["Trust /w as it is? [y/N] "]


def test_a_wide_folder_needs_a_whole_second_yes() -> None:
    _, ask = asked("y", "y")
    assert not may_trust(parse(["trust"]), place()[1], "/tmp", "anybody may put files there", (), ask)
    _, ask = asked("y", "yes")
    assert may_trust(parse(["trust"]), place()[1], "/tmp", "anybody may put files there", (), ask)


def test_a_script_says_yes_by_a_flag() -> None:
    assert may_trust(parse(["trust"]), place()[1], "/w", "", ITEMS, None)
    with pytest.raises(UsageError, match="protea trust --yes"):
        may_trust(parse(["trust"]), place()[1], "/", "it is the whole machine", (), None)
    assert may_trust(parse(["trust", "--yes"]), place()[1], "/", "it is the whole machine", (), None)


def test_projects_are_listed() -> None:
    written, where = place()
    tell_projects(parse(["trust", "list", "--json"]), where, {"/w": (True, ("AGENTS.md",))})
    assert json.loads("".join(written)) == [{"project": "/w", "unchanged": True, "files": ["AGENTS.md"]}]
