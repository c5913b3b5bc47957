"""Whose words a log has heard."""

from __future__ import annotations

from protea.domain.events import Compacted, Event, PromptSubmitted, Rewound, ToolCallChanged
from protea.domain.messages import ToolCall
from protea.domain.taint import heard, heard_in
from protea.domain.tools import ToolResult


def called(seq: int, name: str, state: str = "success", **result: object) -> Event:
    call = ToolCall(id=f"c{seq}", name=name, arguments={})
    return ToolCallChanged(seq=seq, call=call, state=state, result=ToolResult("x", **result))  # type: ignore[arg-type]


def test_pages_servers_and_channels_are_heard_from_when_they_spoke() -> None:
    log = [
        PromptSubmitted(seq=1, id="p1", text="hi"),
        called(2, "Read"),
        called(3, "WebFetch", taint=("web",)),
        called(4, "mcp__github__get_issue"),
        called(5, "WebFetch", taint=("web",)),
        PromptSubmitted(seq=6, id="p2", text="hi", origin="channel:telegram"),
    ]
    assert heard_in(log) == {"web": 3, "mcp": 4, "channel": 6}
    assert heard_in(log[:2]) == {}


def test_a_call_that_was_refused_has_heard_nobody() -> None:
    assert heard_in([called(1, "mcp__x__y", "error", is_error=True, denied="mcp__x")]) == {}
    assert heard_in([called(1, "mcp__x__y", "error", is_error=True)]) == {"mcp": 1}


def test_rewinding_to_before_it_forgets_it_and_compacting_does_not() -> None:
    log: list[Event] = [called(3, "WebFetch", taint=("web",)), Compacted(seq=4, upto=3, summary="…")]
    assert heard_in(log) == {"web": 3}
    assert heard(heard_in(log), Rewound(seq=5, to=3)) == {"web": 3}
    assert heard(heard_in(log), Rewound(seq=5, to=2)) == {}
