"""The bytes on each wire: what only a look at them can tell."""

from __future__ import annotations

import http.client
from typing import Any

import msgspec
import pytest

from protea.domain.script import ScriptedCall, ScriptedReply
from protea.testing.loopback import LoopbackProvider, LoopbackReply, MidError, Status
from protea.testing.loopback.script import Told

REPLY = LoopbackReply(thinking="Hm, so.", text="Look here:", tool_calls=(ScriptedCall("Read", {"path": "a"}),))
GEMINI = "/v1beta/models/gemini-3-pro:streamGenerateContent"


def bytes_of(path: str, body: dict[str, Any], script: Told = REPLY) -> tuple[http.client.HTTPResponse, bytes]:
    with LoopbackProvider.in_thread(script) as provider:
        connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
        connection.request("POST", path, msgspec.json.encode({"model": "m"} | body))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
    return answer, data


def events(data: bytes) -> list[Any]:
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    return [msgspec.json.decode(line[6:]) for line in lines if line.startswith(b"data: {")]


def test_anthropic_names_its_events_and_repeats_the_usage_at_the_end() -> None:
    answer, data = bytes_of("/v1/messages", {"stream": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["request-id"] == "req_loopback0001"
    kinds = [line[7:].decode() for line in data.split(b"\n") if line.startswith(b"event: ")]
    assert kinds == [event["type"] for event in events(data)]
    assert [kind for n, kind in enumerate(kinds) if kind != "content_block_delta" or kinds[n - 1] != kind] == [
        "message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_stop",
        "message_delta", "message_stop",
    ]  # fmt: skip
    begun, ended = events(data)[0]["message"]["usage"], events(data)[-2]["usage"]
    assert begun["output_tokens"] == 1
    assert ended["input_tokens"] == begun["input_tokens"]
    pieces = [event["delta"]["partial_json"] for event in events(data) if "partial_json" in event.get("delta", {})]
    assert pieces[0] == ""
    assert "".join(pieces) == '{"path":"a"}'


def test_chat_sends_usage_only_where_it_is_asked_for() -> None:
    _, data = bytes_of("/v1/chat/completions", {"stream": True, "stream_options": {"include_usage": True}})
    assert events(data)[-1]["choices"] == []
    assert events(data)[-1]["usage"]["prompt_tokens"] == 10
    assert data.endswith(b"data: [DONE]\n\n")
    _, data = bytes_of("/v1/chat/completions", {"stream": True})
    assert "usage" not in events(data)[-1]
    assert events(data)[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_responses_numbers_its_events_and_ties_them_to_items() -> None:
    _, data = bytes_of("/v1/responses", {"stream": True, "include": ["reasoning.encrypted_content"]})
    told = events(data)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    output = told[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call"]
    assert output[0]["encrypted_content"]
    assert output[2]["id"] != output[2]["call_id"]
    done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    assert done == output
    for event in told:
        if "item_id" in event:
            assert output[event["output_index"]]["id"] == event["item_id"]


def test_responses_keeps_its_reasoning_to_itself_unless_asked() -> None:
    _, data = bytes_of("/v1/responses", {"stream": True})
    assert "encrypted_content" not in events(data)[-1]["response"]["output"][0]


def test_gemini_ends_lines_with_crlf_and_signs_the_first_call_only() -> None:
    calls = ScriptedReply(text="Two:", tool_calls=(ScriptedCall("Read", {}), ScriptedCall("Read", {}, id="given")))
    answer, data = bytes_of(GEMINI + "?alt=sse", {}, calls)
    assert answer.headers["content-type"] == "text/event-stream"
    assert data.count(b"\r\n\r\n") == len(events(data))
    assert b"\n" not in data.replace(b"\r\n", b"")
    parts = [part for event in events(data) for part in event["candidates"][0].get("content", {}).get("parts", [])]
    called = [part for part in parts if "functionCall" in part]
    assert ["thoughtSignature" in part for part in called] == [True, False]
    assert ["id" in part["functionCall"] for part in called] == [False, True]
    assert events(data)[-1]["candidates"][0]["finishReason"] == "STOP"


def test_gemini_without_alt_sse_streams_an_array() -> None:
    answer, data = bytes_of(GEMINI, {})
    assert answer.headers["content-type"] == "application/json"
    told = msgspec.json.decode(data)
    assert len(told) > 2
    assert told[-1]["candidates"][0]["finishReason"] == "STOP"


def test_gemini_never_sends_a_call_that_is_no_json() -> None:
    for verb in (GEMINI + "?alt=sse", GEMINI.replace("stream", "").replace(":Gen", ":gen")):
        _, data = bytes_of(verb, {}, ScriptedCall("Read", arguments_text='{"a'))
        last = events(data)[-1] if b"data: " in data else msgspec.json.decode(data)
        assert last["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"
        assert b"functionCall" not in data


def test_gemini_says_how_long_to_wait_in_the_body() -> None:
    answer, data = bytes_of(GEMINI + "?alt=sse", {}, Status(status=429, retry_after=48))
    error = msgspec.json.decode(data)["error"]
    assert answer.headers["retry-after"] is None
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["details"][-1]["retryDelay"] == "48s"


def test_gemini_breaks_off_with_bare_json() -> None:
    _, data = bytes_of(GEMINI + "?alt=sse", {}, LoopbackReply(text="a b c d", fault=MidError()))
    bare = data[data.index(b"{\n") :]
    assert msgspec.json.decode(bare)["error"]["status"] == "UNAVAILABLE"


def test_ollama_sends_a_line_per_object_and_streams_unless_told_not_to() -> None:
    answer, data = bytes_of("/api/chat", {})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [msgspec.json.decode(line) for line in data.splitlines()]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    call = next(line["message"]["tool_calls"][0] for line in lines if "tool_calls" in line["message"])
    assert call["function"] == {"index": 0, "name": "Read", "arguments": {"path": "a"}}
    answer, data = bytes_of("/api/chat", {"stream": False})
    assert msgspec.json.decode(data)["message"]["thinking"] == "Hm, so."


def test_ollama_cannot_say_arguments_that_are_no_json() -> None:
    answer, data = bytes_of("/api/chat", {}, ScriptedCall("Read", arguments_text='{"a'))
    assert answer.status == 500
    assert "cannot hold arguments" in msgspec.json.decode(data)["error"]


@pytest.mark.parametrize(
    ("path", "headers", "names"),
    [
        ("/v1/models", {"anthropic-version": "2023-06-01"}, lambda told: [row["id"] for row in told["data"]]),
        ("/v1/models", {}, lambda told: [row["id"] for row in told["data"]]),
        ("/v1beta/models", {}, lambda told: [row["name"].removeprefix("models/") for row in told["models"]]),
        ("/api/tags", {}, lambda told: [row["name"] for row in told["models"]]),
    ],
)
def test_models_are_listed_in_the_form_of_each_wire(path: str, headers: dict[str, str], names: Any) -> None:
    with LoopbackProvider.in_thread(models=("one", "two")) as provider:
        connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert names(msgspec.json.decode(answer.read())) == ["one", "two"]
        connection.request("GET", "/nowhere")
        assert connection.getresponse().status == 404
        connection.close()
        assert [request.path for request in provider.others] == [path, "/nowhere"]
