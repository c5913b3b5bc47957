"""What hooks say, and what it amounts to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protea.domain.hooks import (
    WIRE_NAMES,
    HookAnswer,
    HookMoment,
    HookSaid,
    concerns,
    decided,
    from_wire,
    to_wire,
    together,
)
from protea.domain.permission import Decision

ASKS = Decision("ask", "no rule allows make", proposals=("Bash(make)",))
PROTECTED = Decision("ask", "~/.ssh is protected")
BY_RULE = Decision("ask", "Bash(git push:*) is set to ask", rule="Bash(git push:*)", proposals=("Bash(git push)",))
ALONE = Decision("deny", "no rule allows make, and nobody is there to ask", proposals=("Bash(make)",))
DENIED = Decision("deny", "plan mode changes nothing")
ALLOWED = Decision("allow", "it only reads")


@pytest.mark.parametrize(
    ("decision", "says", "verdict"),
    [
        (ALLOWED, None, "allow"),
        (ALLOWED, "ask", "ask"),
        (ALLOWED, "deny", "deny"),
        (ASKS, "allow", "allow"),
        (ALONE, "allow", "allow"),
        (ASKS, "ask", "ask"),
        (PROTECTED, "allow", "ask"),
        (BY_RULE, "allow", "ask"),
        (DENIED, "allow", "deny"),
        (DENIED, "ask", "deny"),
    ],
)
def test_a_hook_tightens_at_will_and_loosens_only_what_a_person_could_allow_for_good(
    decision: Decision, says: Any, verdict: str
) -> None:
    after = decided(decision, HookAnswer(verdict=says, hook="h", why="because"))
    assert after.verdict == verdict
    assert after == decision or after.why == f"the hook h says {says}: because"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, HookSaid(hook="h")),
        ({"decision": "block", "reason": "no"}, HookSaid(hook="h", verdict="deny", why="no")),
        ({"decision": "approve"}, HookSaid(hook="h", verdict="allow")),
        ({"continue": False, "stopReason": "enough"}, HookSaid(hook="h", verdict="deny", why="enough")),
        (
            {
                "hookSpecificOutput": {
                    "hookEventName": "PreToolUse",
                    "permissionDecision": "ask",
                    "permissionDecisionReason": "look",
                    "updatedInput": {"command": "ls"},
                    "additionalContext": "by the way",
                }
            },
            HookSaid(hook="h", verdict="ask", why="look", arguments={"command": "ls"}, context="by the way"),
        ),
    ],
)
def test_answers_written_for_other_agents_are_understood(answer: dict[str, Any], expected: HookSaid) -> None:
    assert from_wire("h", answer, "before_tool") == expected


@pytest.mark.parametrize("answer", [[], "deny", {"decision": "maybe"}, {"updatedInput": "rm"}, None])
def test_what_is_no_answer_is_no_consent(answer: object) -> None:
    with pytest.raises(ValueError, match=r"^it|^updatedInput"):
        from_wire("h", answer, "before_tool")


def test_the_strictest_verdict_and_the_last_rewriting_count() -> None:
    said = [
        HookSaid(hook="a", verdict="allow", arguments={"x": 1}, context="one"),
        HookSaid(hook="b", verdict="ask", why="b asks"),
        HookSaid(hook="c", verdict="allow", arguments={"x": 2}, context="two"),
        HookSaid(hook="d", failed="it broke"),
    ]
    assert together(said) == HookAnswer(verdict="ask", why="b asks", hook="b", arguments={"x": 2}, context="one\ntwo")
    assert together([]) == HookAnswer()


def test_what_one_allowed_another_may_not_exchange_for_something_else() -> None:
    allowed = HookSaid(hook="a", verdict="allow")
    other = HookSaid(hook="b", arguments={"command": "rm -rf ~"})
    assert together([allowed, other]).verdict is None
    assert together([other, allowed]).verdict == "allow", "it saw the other call"
    assert together([allowed, msgspec.structs.replace(other, verdict="allow")]).hook == "b"
    assert together([HookSaid(hook="c", verdict="deny"), other]).verdict == "deny"


def test_a_reason_is_no_book() -> None:
    assert len(from_wire("h", {"decision": "deny", "reason": "x" * 10_000_000}, "before_tool").why) == 10_000


@pytest.mark.parametrize(
    ("match", "tool", "fits"),
    [
        ("", "Bash", True),
        ("*", "Bash", True),
        ("Bash", "Bash", True),
        ("Bash", "BashOutput", False),
        ("Edit|Write", "Write", True),
        ("mcp__*", "mcp__mail__send", True),
        ("mcp__mail__*|Bash", "mcp__other__x", False),
        ("Bash", None, True),
    ],
)
def test_a_hook_is_about_the_tools_it_names(match: str, tool: str | None, fits: bool) -> None:
    assert concerns(match, tool) is fits


def test_every_moment_has_the_words_hooks_know() -> None:
    for moment, name in WIRE_NAMES.items():
        told = to_wire(HookMoment(moment=moment, session="s", cwd="/w", text="t"))
        assert told["hook_event_name"] == name
        assert (told["session_id"], told["cwd"]) == ("s", "/w")


def test_a_hook_that_sent_an_answer_back_is_told_so() -> None:
    for repeated in (False, True):
        told = to_wire(HookMoment(moment="turn_end", session="s", cwd="/w", text="done", repeated=repeated))
        assert (told["stop_hook_active"], told["last_assistant_message"]) == (repeated, "done")
