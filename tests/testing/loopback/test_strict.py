"""Strict mode refuses each kind of bad request as the real API does, and nothing that is right."""

from __future__ import annotations

import copy
import http.client
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from protea.testing.loopback import LoopbackProvider, LoopbackReply, ScriptedCall
from protea.testing.loopback.seal import seal
from tests.testing.loopback.talking import ask, model_of

Body = dict[str, Any]
Change = Callable[[Body], object]

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}

ANTHROPIC: Body = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 4000,
    "tools": [{"name": "Read", "input_schema": SCHEMA}],
    "messages": [
        {"role": "user", "content": "Hello."},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": seal("anthropic", "Hm.")},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "call_1", "name": "Read", "input": {"path": "a"}},
                {"type": "tool_use", "id": "call_2", "name": "Read", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "A"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "B"}]},
                {"type": "text", "text": "And?"},
            ],
        },
    ],
}
CHAT: Body = {
    "model": "gpt-4.1",
    "tools": [{"type": "function", "function": {"name": "Read", "parameters": SCHEMA}}],
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "Read", "arguments": "{}"}},
                {"id": "call_2", "type": "function", "function": {"name": "Read", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "A"},
        {"role": "tool", "tool_call_id": "call_2", "content": "B"},
        {"role": "user", "content": "And?"},
    ],
}
RESPONSES: Body = {
    "model": "gpt-5.1",
    "store": False,
    "tools": [{"type": "function", "name": "Read", "parameters": SCHEMA}],
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hello."}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": seal("openai-responses", "Hm."),
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "Read", "arguments": "{}"},
        {"type": "function_call", "call_id": "call_2", "name": "Read", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "A"},
        {"type": "function_call_output", "call_id": "call_2", "output": "B"},
    ],
}
GEMINI: Body = {
    "tools": [{"functionDeclarations": [{"name": "Read", "parameters": SCHEMA}]}],
    "contents": [
        {"role": "user", "parts": [{"text": "Hello."}]},
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "Read", "args": {}}, "thoughtSignature": seal("gemini", "Read")},
                {"functionCall": {"name": "Read", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "Read", "response": {"output": "A"}}},
                {"functionResponse": {"name": "Read", "response": {"output": "B"}}},
            ],
        },
    ],
}
OLLAMA: Body = {
    "model": "qwen3",
    "stream": False,
    "messages": [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "Read", "arguments": {}}}]},
        {"role": "tool", "tool_name": "Read", "content": "A"},
    ],
}
RIGHT = {
    "anthropic": ANTHROPIC,
    "openai-chat": CHAT,
    "openai-responses": RESPONSES,
    "gemini": GEMINI,
    "ollama": OLLAMA,
}
PATHS = {
    "anthropic": "/v1/messages",
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "gemini": "/v1beta/models/gemini-3-pro:generateContent",
    "ollama": "/api/chat",
}
KEYS = {"anthropic-version": "2023-06-01", "x-api-key": "k", "authorization": "Bearer k", "x-goog-api-key": "k"}


def post(wire: str, body: Body | bytes, headers: dict[str, str] = KEYS, **options: Any) -> tuple[int, Any]:
    with LoopbackProvider.in_thread(strict=True, **options) as provider:
        connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        connection.request("POST", PATHS[wire], data, headers)
        answer = connection.getresponse()
        told = answer.status, msgspec.json.decode(answer.read())
        connection.close()
    return told


@pytest.mark.parametrize("wire", RIGHT)
def test_what_is_right_is_answered(wire: str) -> None:
    assert post(wire, RIGHT[wire])[0] == 200


def at(*path: Any, to: Any) -> Change:
    """Put `to` at a place of the body."""

    def change(body: Body) -> None:
        held: Any = body
        for step in path[:-1]:
            held = held[step]
        held[path[-1]] = to

    return change


def without(*path: Any) -> Change:
    def change(body: Body) -> None:
        held: Any = body
        for step in path[:-1]:
            held = held[step]
        del held[path[-1]]

    return change


def with_more(*path: Any, item: Any) -> Change:
    def change(body: Body) -> None:
        held: Any = body
        for step in path:
            held = held[step]
        held.append(copy.deepcopy(item))

    return change


USED, RESULTS = ("messages", 1, "content"), ("messages", 2, "content")
DECLARED = ("tools", 0, "functionDeclarations", 0)
MANY = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
CALLED = {"id": "call_3", "type": "function", "function": {"name": "Read", "arguments": "{}"}}

WRONG: list[tuple[str, Change, str]] = [
    ("anthropic", without("max_tokens"), "max_tokens: Field required"),
    ("anthropic", at("max_tokens", to=0), "max_tokens: must be greater"),
    ("anthropic", at("max_completion_tokens", to=1), "max_completion_tokens: Extra inputs are not permitted"),
    ("anthropic", at("messages", to=[]), "at least one message is required"),
    ("anthropic", without("messages", 0), "first message must use the"),
    ("anthropic", at("messages", 2, "role", to="system"), "Input should be 'user' or 'assistant'"),
    ("anthropic", at("messages", 0, "content", to=""), "must have non-empty content"),
    ("anthropic", at("messages", 0, "content", to=[]), "must have non-empty content"),
    ("anthropic", at(*USED, 1, "text", to=""), "text content blocks must be non-empty"),
    ("anthropic", at(*USED, 1, "text", to=" \n"), "must contain non-whitespace text"),
    ("anthropic", without(*RESULTS, 0), "without `tool_result` blocks immediately after: call_1"),
    ("anthropic", without("messages", 2), "`tool_use` ids were found without `tool_result` blocks"),
    ("anthropic", at(*RESULTS, 0, "tool_use_id", to="call_9"), "without `tool_result` blocks"),
    (
        "anthropic",
        with_more(*RESULTS, item={"type": "tool_result", "tool_use_id": "call_9", "content": "?"}),
        "unexpected `tool_use_id` found in `tool_result` blocks: call_9",
    ),
    (
        "anthropic",
        with_more(*RESULTS, item={"type": "tool_result", "tool_use_id": "call_1", "content": "?"}),
        "each tool_use must have a single result",
    ),
    ("anthropic", lambda body: body["messages"][2]["content"].reverse(), "without `tool_result` blocks immediately"),
    ("anthropic", at(*USED, 3, "id", to="call_1"), "`tool_use` ids must be unique"),
    ("anthropic", at(*USED, 2, "id", to="call 1"), "String should match pattern"),
    ("anthropic", at(*USED, 2, "input", to="{}"), "Input should be a valid dictionary"),
    ("anthropic", without(*USED, 0, "signature"), "thinking.signature: Field required"),
    ("anthropic", at(*USED, 0, "signature", to="other"), "Invalid `signature` in `thinking` block"),
    ("anthropic", at(*USED, 0, "thinking", to="Hm!"), "Invalid `signature` in `thinking` block"),
    ("anthropic", at(*USED, 0, "type", to="thoughts"), "does not match any of the expected tags"),
    (
        "anthropic",
        lambda body: (without(*USED, 0)(body), at("thinking", to={"type": "enabled", "budget_tokens": 2000})(body)),
        "Expected `thinking` or `redacted_thinking`, but found `text`",
    ),
    ("anthropic", at("thinking", to={"type": "enabled", "budget_tokens": 4000}), "`max_tokens` must be greater than"),
    ("anthropic", at("tools", 0, "name", to="Read file"), "tools.0.custom.name: String should match pattern"),
    ("anthropic", at("tools", 0, "input_schema", to={"type": "string"}), "tools.0.custom.input_schema.type"),
    ("anthropic", with_more("tools", item=ANTHROPIC["tools"][0]), "Tool names must be unique"),
    ("anthropic", at("messages", 0, "content", to=[MANY] * 5), "A maximum of 4 blocks with cache_control"),
    ("openai-chat", at("max_output", to=1), "Unrecognized request argument supplied: max_output"),
    ("openai-chat", without("model"), "you must provide a model parameter"),
    ("openai-chat", at("messages", to=[]), "empty array"),
    ("openai-chat", without("messages", 3), "did not have response messages: call_1"),
    ("openai-chat", without("messages", 2), "must be a response to a preceeding message with 'tool_calls'"),
    ("openai-chat", at("messages", 3, "tool_call_id", to="call_9"), "must be a response to a preceeding message"),
    ("openai-chat", at("messages", 4, "tool_call_id", to="call_1"), "must be a response to a preceeding message"),
    ("openai-chat", at("messages", 2, "tool_calls", 1, "id", to="call_1"), "duplicate tool call ids"),
    ("openai-chat", at("messages", 2, "tool_calls", 1, "id", to="c" * 41), "string too long"),
    ("openai-chat", lambda body: body["messages"][2].update(content="x", tool_calls=[]), "empty array"),
    ("openai-chat", with_more("messages", item={"role": "assistant", "tool_calls": [CALLED]}), "call_3"),
    ("openai-chat", at("messages", 1, "content", to=None), "expected a string, got null"),
    ("openai-chat", at("messages", 1, "content", to=[]), "empty array"),
    ("openai-chat", at("messages", 1, "role", to="human"), "Invalid value: 'human'"),
    ("openai-chat", at("messages", 2, "tool_calls", 0, "function", "arguments", to={}), "expected a string"),
    ("openai-chat", at("tools", 0, "function", "name", to="Read file"), "string does not match pattern"),
    ("openai-chat", at("tools", 0, "function", "name", to="R" * 65), "string does not match pattern"),
    ("openai-chat", at("tools", 0, "function", "parameters", to=[]), "Invalid schema for function 'Read'"),
    ("openai-chat", at("tools", to=[]), "Invalid 'tools': empty array"),
    ("openai-chat", at("stream_options", to={"include_usage": True}), "only allowed when 'stream' is enabled"),
    ("openai-responses", at("messages", to=[]), "Unknown parameter: 'messages'"),
    ("openai-responses", at("input", to=[]), "Missing required parameter: 'input'"),
    ("openai-responses", at("max_output_tokens", to=4), "integer below minimum value"),
    ("openai-responses", without("input", 4), "No tool output found for function call call_1"),
    ("openai-responses", without("input", 3), "No tool call found for function call output with call_id call_2"),
    ("openai-responses", at("input", 3, "call_id", to="call_1"), "Duplicate item found"),
    ("openai-responses", at("input", 1, "encrypted_content", to="other"), "could not be verified"),
    ("openai-responses", without("input", 1, "encrypted_content"), "Items are not persisted when `store`"),
    (
        "openai-responses",
        lambda body: body["input"].append(body["input"].pop(1)),
        "'reasoning' was provided without its required following item",
    ),
    ("openai-responses", at("input", 3, "id", to="fc_1"), "Duplicate item found with id fc_1"),
    ("openai-responses", at("input", 2, "arguments", to={}), "expected a string"),
    ("openai-responses", at("tools", 0, "name", to="Read file"), "string does not match pattern"),
    ("openai-responses", at("tools", 0, "parameters", to={"type": "array"}), "Invalid schema for function 'Read'"),
    ("openai-responses", at("input", 0, "content", 0, "type", to="text"), "Invalid value: 'text'"),
    ("gemini", at("messages", to=[]), 'Unknown name "messages"'),
    ("gemini", at("contents", to=[]), "contents is not specified"),
    ("gemini", at("contents", 0, "parts", to=[]), "parts must not be empty"),
    ("gemini", at("contents", 0, "role", to="assistant"), "Please use a valid role"),
    ("gemini", without("contents", 2, "parts", 0), "the number of function response parts is equal"),
    ("gemini", without("contents", 2), "followed by a function response turn"),
    ("gemini", without("contents", 1), "comes immediately after a function call turn"),
    ("gemini", without("contents", 1, "parts", 0, "thoughtSignature"), "missing a thought_signature"),
    ("gemini", at("contents", 1, "parts", 0, "thoughtSignature", to="other"), "Thought signature is not valid"),
    ("gemini", at(*DECLARED, "name", to="Read file"), "Invalid function name"),
    ("gemini", at(*DECLARED, "parameters", to={"type": "string"}), "should be of type OBJECT"),
    ("gemini", at(*DECLARED, "parameters", "$ref", to="#"), 'Unknown name "$ref"'),
    ("ollama", without("model"), "model is required"),
    ("ollama", at("messages", 0, "role", to="human"), "invalid role"),
    ("ollama", at("messages", 1, "tool_calls", 0, "function", "arguments", to="{}"), "cannot unmarshal string"),
    ("ollama", at("messages", 0, "content", to=[]), "cannot unmarshal array"),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "change", "words"), WRONG, ids=[f"{w}-{t[:40]}" for w, _, t in WRONG])
def test_what_the_real_api_refuses_is_refused_in_its_words(wire: str, change: Change, words: str) -> None:
    body = copy.deepcopy(RIGHT[wire])
    change(body)
    status, told = post(wire, body)
    assert status in (400, 404)
    error = told["error"]
    assert words in (error if isinstance(error, str) else error["message"])


@pytest.mark.parametrize(
    ("wire", "status"), [("anthropic", 401), ("openai-chat", 401), ("openai-responses", 401), ("gemini", 403)]
)
def test_without_a_key_nothing_is_answered(wire: str, status: int) -> None:
    assert post(wire, RIGHT[wire], {"anthropic-version": "2023-06-01"})[0] == status


@pytest.mark.parametrize("wire", RIGHT)
def test_a_model_that_is_not_there_is_refused(wire: str) -> None:
    expected = 400 if wire == "openai-responses" else 404
    assert post(wire, RIGHT[wire], models=("another",))[0] == expected


@pytest.mark.parametrize("wire", RIGHT)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nonsense", b'{"messages": [1], "input": [1], "contents": [1]}'])
def test_what_is_no_request_at_all_is_refused(wire: str, body: bytes) -> None:
    assert post(wire, body)[0] == 400


async def test_a_refused_request_takes_no_step_and_is_recorded() -> None:
    async with LoopbackProvider(["one", "two"], strict=True, models=("claude-sonnet-4-5",)) as provider:
        wrong, right = model_of("anthropic", provider, model="claude-9"), model_of("anthropic", provider)
        assert (await ask(wrong)).failure is not None
        told = await ask(right)
        for model in (wrong, right):
            await model.aclose()
    assert told.reply is not None
    assert told.reply.content[0].text == "one"  # type: ignore[union-attr]
    assert [request.status for request in provider.requests] == [404, 200]


def test_an_item_that_followed_reasoning_may_not_come_back_without_it() -> None:
    reply = LoopbackReply(thinking="Hm.", tool_calls=(ScriptedCall("Read", {}),))
    with LoopbackProvider.in_thread(reply, strict=True) as provider:
        connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)

        def send(items: list[Any]) -> tuple[int, Any]:
            body = {"model": "gpt-5.1", "store": False, "include": ["reasoning.encrypted_content"], "input": items}
            connection.request("POST", PATHS["openai-responses"], msgspec.json.encode(body), KEYS)
            answer = connection.getresponse()
            return answer.status, msgspec.json.decode(answer.read())

        asked = {"role": "user", "content": "Hello."}
        status, told = send([asked])
        result = {"type": "function_call_output", "call_id": told["output"][1]["call_id"], "output": "A"}
        assert status == 200
        assert send([asked, *told["output"], result])[0] == 200
        status, refused = send([asked, told["output"][1], result])
        connection.close()
    assert status == 400
    assert "without its required 'reasoning' item" in refused["error"]["message"]
