"""What answers bind."""

from __future__ import annotations

from protea.domain.events import Answer, ApprovalRequested, ApprovalResolved
from protea.domain.messages import ToolCall
from protea.domain.permission import Pin
from protea.domain.pins import pinned

RULE = "Bash(./x.sh)"


def question(digest: str) -> ApprovalRequested:
    return ApprovalRequested(
        id="a", call=ToolCall(id="c", name="Bash", arguments={}), why="", detail={"scripts": {"/w/x.sh": digest}}
    )


def answer(decision: Answer, *rules: str) -> ApprovalResolved:
    return ApprovalResolved(id="a", decision=decision, rules=rules)


def test_session_binds_to_the_script_that_was_shown() -> None:
    first = pinned((), question("one"), answer("session", RULE))
    assert first == (Pin(RULE, "/w/x.sh", "one"),)
    assert pinned(first, question("two"), answer("session", RULE)) == (Pin(RULE, "/w/x.sh", "two"),)


def test_once_and_no_bind_nothing() -> None:
    assert pinned((), question("one"), answer("once")) == ()
    assert pinned((), question("one"), answer("deny")) == ()


def test_always_loosens_what_was_bound() -> None:
    bound = pinned((), question("one"), answer("session", RULE))
    assert pinned(bound, question("two"), answer("always", RULE)) == ()
