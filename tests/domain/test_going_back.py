"""Before which event each prompt is."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from protea.domain.events import Event, PromptSubmitted, TurnFinished, TurnStarted
from protea.domain.going_back import places


def numbered(*events: Event) -> list[Any]:
    return [replace(event, seq=seq) for seq, event in enumerate(events, 1)]


def said(id: str, **more: Any) -> PromptSubmitted:
    return PromptSubmitted(id=id, text=id, **more)


def begun(prompt: str) -> TurnStarted:
    return TurnStarted(id=f"t-{prompt}", prompt=prompt, model="acme/big")


END = TurnFinished(id="t", outcome="finished")


def test_a_prompt_is_gone_back_to_before_it_was_written() -> None:
    events = numbered(said("a"), begun("a"), END, said("b"), begun("b"), END)
    assert [(prompt.id, before) for prompt, before in places(events)] == [("a", 1), ("b", 3)]


def test_what_waited_in_line_is_gone_back_to_before_its_own_turn_and_not_into_the_one_before() -> None:
    events = numbered(said("a"), begun("a"), said("b"), said("c"), END, begun("b"), END, begun("c"), END)
    assert [(prompt.id, before) for prompt, before in places(events)] == [("a", 1), ("b", 5), ("c", 7)]


def test_what_was_sent_into_a_turn_and_what_nobody_wrote_stay_where_they_are() -> None:
    events = numbered(said("a"), begun("a"), said("s", delivery="steer"), said("n", origin="task"), END)
    assert [(prompt.id, before) for prompt, before in places(events)] == [("a", 1), ("s", 2)]


def test_one_that_still_waits_has_no_turn() -> None:
    events = numbered(said("a"), begun("a"), said("b"))
    assert [(prompt.id, before) for prompt, before in places(events)] == [("a", 1), ("b", 2)]
