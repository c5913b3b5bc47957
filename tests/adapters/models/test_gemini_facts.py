"""Facts about Gemini's wire that no recording at hand shows, each as the smallest stream that has it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from protea.adapters.models.gemini import GeminiAssembly
from protea.domain.errors import ModelError
from protea.domain.messages import Other, Text, Thinking, ToolCall, calls_of
from protea.domain.reply import Reply, TextPiece, ThinkingPiece, UsageSeen
from protea.domain.usage import Usage


def assembly() -> GeminiAssembly:
    return GeminiAssembly("gemini", "gemini/g")


def chunk(*parts: dict[str, Any], end: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": end} if end else {})]} | more


def replied(*chunks: dict[str, Any]) -> Reply:
    reading = assembly()
    for each in chunks:
        reading.feed(json.dumps(each).encode())
    assert reading.ended
    return reading.reply()


def call(name: str = "Look", **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {}} | more}


def test_texts_without_signatures_are_one_part_and_signed_ones_stay_alone() -> None:
    reply = replied(
        chunk({"text": "a", "thought": True}),
        chunk({"text": "b", "thought": True}),
        chunk({"text": "c"}, {"text": ""}),
        chunk({"text": "d"}),
        chunk({"text": "e", "thoughtSignature": "c2ln"}),
        chunk({"text": "f"}),
        chunk({"text": "", "thoughtSignature": "bGFzdA=="}, end="STOP"),
    )
    assert reply.content == (Thinking("ab"), Text("cd"), Text("e", "c2ln"), Text("f"), Text("", "bGFzdA=="))
    assert reply.native is None


def test_thoughts_are_no_answer_and_pieces_come_in_order() -> None:
    reading = assembly()
    for part in ({"text": "hm", "thought": True}, {"text": "Ori"}, {"text": "on."}):
        reading.feed(json.dumps(chunk(part)).encode())
    assert reading.take() == [ThinkingPiece("hm"), TextPiece("Orion.")]
    assert not reading.ended


def test_ids_the_wire_gives_are_kept_and_the_others_are_made_up_and_differ() -> None:
    reply = replied(chunk(call(id="fc_1"), call(), call(), call(id="fc_1"), end="STOP"))
    ids = [each.id for each in calls_of(reply.content)]
    assert ids[0] == "fc_1"
    assert len(set(ids)) == 4
    assert reply.stop == "tool_calls"


def test_a_call_without_arguments_has_empty_ones_and_big_integers_keep_every_digit() -> None:
    bare = {"functionCall": {"name": "Stop"}}
    reply = replied(chunk(bare, call(args={"n": 9007199254740993}), end="STOP"))
    assert [each.arguments for each in calls_of(reply.content)] == [{}, {"n": 9007199254740993}]


def test_arguments_that_are_no_object_never_run() -> None:
    reply = replied(chunk(call(args=[1]), end="STOP"))
    assert calls_of(reply.content)[0].arguments is msgspec.UNSET
    assert calls_of(reply.content)[0].arguments_text == "[1]"


def test_parts_of_kinds_to_come_are_kept_whole() -> None:
    part = {"holographic": {"x": 1}, "thoughtSignature": "c2ln"}
    assert replied(chunk(part, end="STOP")).content == (Other("holographic", part),)


def test_what_stands_beside_a_text_is_kept_for_its_own_model() -> None:
    part = {"text": "Hi.", "partMetadata": {"k": "v"}}
    reply = replied(chunk({"text": "a"}, {"text": "b"}, part, end="STOP"))
    assert reply.content == (Text("ab"), Text("Hi."))
    assert reply.native is not None
    assert reply.native.content == [{"text": "ab"}, part]


def test_a_signature_alone_is_kept() -> None:
    reply = replied(chunk({"text": "a"}, {"thoughtSignature": "c2ln"}, end="STOP"))
    assert reply.content == (Text("a"), Text("", "c2ln"))


def test_only_the_first_candidate_is_read() -> None:
    other = {"content": {"parts": [{"text": "b"}]}, "index": 1, "finishReason": "MAX_TOKENS"}
    first = {"content": {"parts": [{"text": "a"}]}, "index": 0, "finishReason": "STOP"}
    reply = replied({"candidates": [other, first]})
    assert (reply.content, reply.stop) == ((Text("a"),), "end_turn")


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("STOP", "end_turn"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "malformed_tool_call"),
        ("UNEXPECTED_TOOL_CALL", "malformed_tool_call"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_reasons_to_stop(reason: str, stop: str) -> None:
    reply = replied({"candidates": [{"finishReason": reason, "finishMessage": "why"}]})
    assert (reply.stop, reply.wire_stop, reply.detail) == (stop, reason, None if reason == "STOP" else "why")


def test_an_unspecified_reason_is_no_end() -> None:
    reading = assembly()
    reading.feed(json.dumps(chunk({"text": "a"}, end="FINISH_REASON_UNSPECIFIED")).encode())
    assert not reading.ended


def test_a_filter_without_words_is_named_by_its_categories() -> None:
    ratings = [{"category": "HARM_A", "blocked": True}, {"category": "HARM_B", "probability": "LOW"}]
    reply = replied({"candidates": [{"finishReason": "SAFETY", "safetyRatings": ratings}]})
    assert reply.detail == "HARM_A"


def test_a_blocked_prompt_is_an_end_and_ratings_alone_are_none() -> None:
    reading = assembly()
    reading.feed(b'{"promptFeedback": {"safetyRatings": []}}')
    assert not reading.ended
    reply = replied({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    assert (reply.stop, reply.detail, reply.wire_stop) == ("content_filter", "PROHIBITED_CONTENT", None)


def test_figures_come_anew_with_each_chunk_and_are_told_once_a_block() -> None:
    reading = assembly()
    for n in (1, 2, 2):
        reading.feed(json.dumps(chunk({"text": "a"}, usageMetadata={"candidatesTokenCount": n})).encode())
    reading.feed(json.dumps({"usageMetadata": {"promptTokenCount": 7, "cachedContentTokenCount": 3}}).encode())
    told = [piece.usage for piece in reading.take() if isinstance(piece, UsageSeen)]
    assert told == [Usage(7, 2, 3)]
    assert reading.take() == []


@pytest.mark.parametrize(
    ("figures", "usage"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}, Usage(5, 5, reasoning=3)),
        ({"promptTokenCount": 5, "toolUsePromptTokenCount": 4}, Usage(9)),
        ({"candidatesTokenCount": 2, "totalTokenCount": 9, "thoughtsTokenCount": 3}, Usage(4, 5, reasoning=3)),
        ({}, Usage()),
    ],
)
def test_figures_mean_the_same_as_on_other_wires(figures: dict[str, int], usage: Usage) -> None:
    assert replied(chunk(end="STOP", usageMetadata=figures)).usage == usage


def test_a_stream_that_came_as_an_array_is_read() -> None:
    reading = assembly()
    reading.whole(json.dumps([chunk({"text": "Ori"}), chunk({"text": "on."}, end="STOP")]).encode())
    assert reading.reply().content == (Text("Orion."),)
    failing = assembly()
    with pytest.raises(ModelError) as raised:
        failing.whole(json.dumps([chunk({"text": "Ori"}), {"error": {"code": 503, "message": "no"}}]).encode())
    assert raised.value.failure.kind == "overloaded"


@pytest.mark.parametrize("body", [b'{"surprise": 1}', b"[1]", b'"text"', b"[{}]"])
def test_what_is_no_reply_is_told_so(body: bytes) -> None:
    with pytest.raises(ModelError) as raised:
        assembly().whole(body)
    assert (raised.value.failure.kind, raised.value.failure.retryable) == ("malformed", False)


# -- arguments in pieces, as Vertex AI streams them


def piece(path: str, **value: Any) -> dict[str, Any]:
    return {"jsonPath": path} | value


def growing(*pieces: dict[str, Any], name: str | None = None, more: bool = True) -> dict[str, Any]:
    function: dict[str, Any] = {"partialArgs": list(pieces)} if pieces else {}
    if name:
        function["name"] = name
    if more:
        function["willContinue"] = True
    return {"functionCall": function}


def test_arguments_in_pieces_become_whole() -> None:
    reply = replied(
        chunk({"thoughtSignature": "c2ln"} | growing(name="Edit")),
        chunk(growing(piece("$.path", stringValue="sky", willContinue=True))),
        chunk(growing(piece("$.path", stringValue=".txt"))),
        chunk(growing(piece("$.edits[0].old", stringValue="a"), piece("$.edits[0].line", numberValue=3))),
        chunk(growing(piece("$.edits[1]['new text']", stringValue="b"), piece("$.all", boolValue=True))),
        chunk(growing(piece("$.mode", nullValue=None))),
        chunk({"functionCall": {}}),
        chunk(growing(piece("$.path", stringValue="b"), name="Read", more=False)),
        chunk(end="STOP"),
    )
    edit, read = calls_of(reply.content)
    assert edit.arguments == {
        "path": "sky.txt",
        "edits": [{"old": "a", "line": 3}, {"new text": "b"}],
        "all": True,
        "mode": None,
    }
    assert (edit.name, edit.signature) == ("Edit", "c2ln")
    assert (read.name, read.arguments) == ("Read", {"path": "b"})
    assert reply.native is None


def test_arguments_that_never_became_whole_never_run() -> None:
    reply = replied(
        chunk(growing(piece("$.path", stringValue="sk", willContinue=True), name="Read")), chunk(end="MAX_TOKENS")
    )
    assert reply.stop == "length"
    assert calls_of(reply.content)[0].arguments is msgspec.UNSET
    assert calls_of(reply.content)[0].arguments_text == '{"path":"sk"}'


def test_an_end_of_arguments_without_a_call_is_nothing() -> None:
    assert replied(chunk({"functionCall": {}}, {"text": "a"}, end="STOP")).content == (Text("a"),)


@pytest.mark.parametrize("path", ["", "path", "$", "$..a", "$.a[x]", "$.list[7]"])
def test_paths_that_are_none_are_told_so(path: str) -> None:
    reading = assembly()
    with pytest.raises((ValueError, LookupError)):
        reading.feed(json.dumps(chunk(growing(piece(path, stringValue="x"), name="Read"))).encode())


def test_a_call_is_kept_with_all_it_says() -> None:
    part = {"functionCall": {"name": "Look", "args": {}, "futureField": 1}}
    reply = replied(chunk(part, end="STOP"))
    assert isinstance(reply.content[0], ToolCall)
    assert reply.native is not None
    assert reply.native.content == [part]
