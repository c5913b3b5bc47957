"""Stop sequences where a wire has none."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.adapters.models import openai_chat, openai_responses
from protea.adapters.models._stops import StopSequences
from protea.domain.families import able
from protea.domain.messages import Native, Text, Thinking, ToolCall, UserMessage, text_of
from protea.domain.reply import ModelRequest, Reply, TextPiece, ThinkingPiece
from protea.domain.usage import ModelInfo, Usage
from protea.testing.loopback import LoopbackProvider
from tests.adapters.models.recordings import ask, surroundings


def played(sequences: list[str], pieces: list[str], *more: Any) -> tuple[str, Reply]:
    stops = StopSequences(sequences)
    reply = Reply((Text("".join(pieces)), *more), "end_turn", Usage(1, 2), "a/b", Native("x", []))
    given = [out for piece in (*map(TextPiece, pieces), reply) for out in stops.pass_on(piece)]
    assert isinstance(given[-1], Reply)
    return "".join(piece.text for piece in given if isinstance(piece, TextPiece)), given[-1]


def test_the_reply_ends_where_it_should_have_stopped() -> None:
    text, reply = played(["STOP"], ["one ST", "OP two"])
    assert (text, text_of(reply.content), reply.stop) == ("one ", "one ", "stop_sequence")
    assert reply.native is None
    assert reply.usage == Usage(1, 2)


def test_what_only_looks_like_the_beginning_of_one_is_given_late_but_whole() -> None:
    text, reply = played(["STOP"], ["one ST", "AR", " two S"])
    assert (text, text_of(reply.content), reply.stop) == ("one STAR two S", "one STAR two S", "end_turn")


def test_calls_behind_it_were_never_made() -> None:
    _, reply = played(["STOP"], ["STOP"], ToolCall("c", "Look", {}))
    assert reply.content == ()


def test_thoughts_may_hold_it() -> None:
    stops = StopSequences(["STOP"])
    assert stops.pass_on(ThinkingPiece("STOP")) == [ThinkingPiece("STOP")]
    reply = Reply((Thinking("STOP"), Text("on")), "end_turn", Usage(), "a/b")
    assert stops.pass_on(reply) == [reply]


@given(text=st.text(alphabet="abS", max_size=30), cuts=st.lists(st.integers(0, 30), max_size=6))
def test_it_does_not_matter_where_a_stream_is_cut(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(places)]
    shown, reply = played(["aS", "bb"], pieces)
    at = min((place for each in ("aS", "bb") if (place := text.find(each)) >= 0), default=len(text))
    assert shown == text[:at] == text_of(reply.content)


@pytest.mark.parametrize("wire", ["responses", "chat"])
async def test_the_wires_of_openai_stop_all_the_same(wire: str) -> None:
    async with LoopbackProvider("one two END three four") as provider:
        info = able(ModelInfo("openai/gpt-5"))
        model: Any
        if wire == "chat":
            options = openai_chat.Options(
                model="gpt-5", base_url=provider.url("openai-chat"), dialect="openai", info=info
            )
            model = openai_chat.create(options, surroundings=surroundings())
        else:
            its = openai_responses.Options(model="gpt-5", base_url=provider.url("openai-responses"), info=info)
            model = openai_responses.create(its, surroundings=surroundings())
        seen = await ask(model, ModelRequest((UserMessage((Text("count"),)),), stop_sequences=("END",)))
        assert seen.reply is not None
        assert (seen.text, text_of(seen.reply.content), seen.reply.stop) == ("one two ", "one two ", "stop_sequence")
        assert "stop" not in json.loads(provider.requests[0].body)
        await model.aclose()
