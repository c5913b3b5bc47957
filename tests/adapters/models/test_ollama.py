"""The adapter for Ollama's own wire against the rules of its requests, and what it does besides."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from protea.adapters.models import ollama
from protea.domain.messages import (
    AssistantMessage,
    Image,
    Other,
    Text,
    Thinking,
    ToolCall,
    ToolMessage,
    UserMessage,
    calls_of,
)
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import ModelInfo, Usage
from tests.adapters.http.loopback import reply, saying, serving
from tests.adapters.models import recordings, strict
from tests.adapters.models.recordings import ask


def model(base_url: str = "http://127.0.0.1:9", name: str = "some-model", **more: Any) -> ollama.OllamaModel:
    options = ollama.Options(model=name, base_url=base_url, **more)
    return ollama.create(options, surroundings=recordings.surroundings())


def request(*, stream: bool = True, **more: Any) -> ModelRequest:
    return ModelRequest((UserMessage((Text("hello"),)),), stream=stream, **more)


def sent(asked: ollama.OllamaModel, asking: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(asked.body(asking))
    return body


# -- what is sent


@pytest.mark.parametrize(
    ("base", "where"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/api", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/api/chat", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/api/chat"),
        ("https://ollama.com", "https://ollama.com/api/chat"),
        ("https://proxy.example/ollama?team=a", "https://proxy.example/ollama/api/chat?team=a"),
        ("big-box", "http://big-box:11434/api/chat"),
        ("big-box:8080", "http://big-box:8080/api/chat"),
        (":8080", "http://127.0.0.1:8080/api/chat"),
        ("0.0.0.0", "http://127.0.0.1:11434/api/chat"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434/api/chat"),
        ("::1", "http://[::1]:11434/api/chat"),
        ("[::]:8080", "http://[::1]:8080/api/chat"),
    ],
)
def test_addresses_are_taken_as_ollama_itself_takes_them(base: str, where: str) -> None:
    assert ollama._endpoint(base) == where


def test_limits_are_options_and_only_those_that_are_known() -> None:
    plain = sent(model(), request())
    assert plain == {
        "model": "some-model",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "options": {"num_ctx": 16_384},
    }
    info = ModelInfo("ollama/qwen3", context=32_768)
    asked = request(stream=False, max_output=99, stop_sequences=("END", ""))
    assert sent(model(info=info), asked)["options"] == {"num_ctx": 32_768, "num_predict": 99, "stop": ["END"]}
    chosen = sent(model(info=info, num_ctx=8192, keep_alive="30m"), asked)
    assert (chosen["options"]["num_ctx"], chosen["keep_alive"], chosen["stream"]) == (8192, "30m", False)


@pytest.mark.parametrize(
    ("name", "efforts", "effort", "think"),
    [
        ("qwen3", (), "high", True),
        ("qwen3", (), "off", False),
        ("qwen3", (), "none", False),
        ("gpt-oss:20b", (), "low", "low"),
        ("gpt-oss:20b", (), "minimal", "low"),
        ("gpt-oss:20b", (), "Max", "high"),
        ("deepseek-v4-pro", ("high", "max"), "max", "max"),
        ("deepseek-v4-pro", ("high", "max"), "xhigh", "high"),
    ],
)
def test_effort_is_a_switch_or_a_level_as_the_model_has_it(name: str, efforts: Any, effort: str, think: Any) -> None:
    asked = model(name=name, info=ModelInfo(f"ollama/{name}", efforts=efforts))
    assert sent(asked, request(effort=effort))["think"] == think
    assert "think" not in sent(asked, request())


def test_the_answers_schema_is_the_format() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    assert sent(model(), request(schema=schema))["format"] == schema


def test_a_conversation_goes_back_with_thoughts_only_to_its_own_model() -> None:
    calls = (ToolCall("call_1", "Look", {"path": "a"}), ToolCall("call_2", "Look", arguments_text="{oops"))
    told = (
        UserMessage((Text("What is it?"), Image("image/png", "aGVsbG8="), Text("Say."))),
        AssistantMessage((Thinking("hm", "sig"), Text("Let me look."), *calls), "ollama/some-model"),
        ToolMessage("call_1", "Look", "stars", images=(Image("image/png", "d29ybGQ="),)),
        ToolMessage("call_2", "Look", "", is_error=True),
    )
    body = sent(model(), ModelRequest(told, system=("Be kind.", "", "Be brief.")))
    assert strict.ollama(body) == []
    assert body["messages"] == [
        {"role": "system", "content": "Be kind.\n\nBe brief."},
        {"role": "user", "content": "What is it?\n\nSay.", "images": ["aGVsbG8="]},
        {
            "role": "assistant",
            "content": "Let me look.",
            "thinking": "hm",
            "tool_calls": [
                {"id": "call_1", "function": {"index": 0, "name": "Look", "arguments": {"path": "a"}}},
                {"id": "call_2", "function": {"index": 1, "name": "Look", "arguments": {"INVALID_JSON": "{oops"}}},
            ],
        },
        {
            "role": "tool",
            "content": "stars",
            "tool_name": "Look",
            "tool_call_id": "call_1",
            "images": ["d29ybGQ="],
        },
        {"role": "tool", "content": "(no output)", "tool_name": "Look", "tool_call_id": "call_2"},
    ]
    assert "thinking" not in sent(model(name="other"), ModelRequest(told))["messages"][1]


def test_messages_with_nothing_in_them_are_left_out() -> None:
    strange = AssistantMessage((Thinking("hm"), Other("x", {"y": 1})), "anthropic/claude")
    told = (UserMessage((Text("a"),)), strange, UserMessage((Text(""),)), UserMessage((Text("b"),)))
    assert [message["content"] for message in sent(model(), ModelRequest(told))["messages"]] == ["a", "b"]


# -- facts without a recording


def replied(*lines: dict[str, Any]) -> Reply:
    assembly = ollama.OllamaAssembly("ollama", "ollama/some-model")
    for line in lines:
        assembly.feed(json.dumps(line).encode())
    assert assembly.ended
    assert assembly.over
    return assembly.reply()


def line(done: str | None = None, more: dict[str, Any] | None = None, **message: Any) -> dict[str, Any]:
    end = {"done": True, "done_reason": done} if done else {"done": False}
    return {"message": {"role": "assistant", "content": ""} | message} | end | (more or {})


def test_a_prompt_that_was_cached_may_be_left_uncounted() -> None:
    assert replied(line("stop", {"eval_count": 7})).usage == Usage(0, 7)
    assert replied(line("stop", {"prompt_eval_count": 5, "eval_count": 7})).usage == Usage(5, 7)


def test_calls_without_ids_and_with_the_same_get_distinct_ones() -> None:
    function = {"name": "Look", "arguments": {}}
    same = [{"id": "call_1", "function": function}, {"id": "call_1", "function": function}]
    reply = replied(line(tool_calls=[{"function": function}, {"function": function}]), line("stop", tool_calls=same))
    ids = [call.id for call in calls_of(reply.content)]
    assert len(set(ids)) == 4
    assert ids[2] == "call_1"
    assert reply.stop == "tool_calls"


def test_thoughts_stand_before_the_text_of_the_same_line() -> None:
    reply = replied(line(thinking="hm", content="Hi."), line("stop"))
    assert reply.content == (Thinking("hm"), Text("Hi."))


def test_arguments_may_be_text_or_left_out_and_big_integers_keep_every_digit() -> None:
    given = [{"n": 9007199254740993}, '{"n": 1}', "{oops", None]
    calls = [{"function": {"name": "Look", "arguments": arguments}} for arguments in given]
    first, second, third, last = calls_of(replied(line("stop", tool_calls=calls)).content)
    assert (first.arguments, second.arguments, last.arguments) == ({"n": 9007199254740993}, {"n": 1}, {})
    assert (third.arguments is msgspec.UNSET, third.arguments_text) == (True, "{oops")


def test_what_stands_beside_a_call_goes_back_to_its_own_model() -> None:
    item = {"id": "call_1", "function": {"name": "Look", "arguments": {}}, "proof": "sig"}
    reply = replied(line(thinking="hm", content="a"), line("stop", tool_calls=[item]))
    said = AssistantMessage(reply.content, reply.model, reply.native)
    told = ModelRequest((UserMessage((Text("hello"),)), said))
    message = sent(model(), told)["messages"][1]
    assert (message["thinking"], message["content"], message["tool_calls"][0]["proof"]) == ("hm", "a", "sig")
    assert "proof" not in json.dumps(sent(model(name="other"), told))


@pytest.mark.parametrize(("reason", "stop"), [("stop", "end_turn"), ("length", "length"), ("load", "other")])
def test_reasons_to_stop(reason: str, stop: str) -> None:
    reply = replied(line(reason, content="a"))
    assert (reply.stop, reply.wire_stop) == (stop, reason)


def test_older_servers_end_without_a_reason() -> None:
    assert replied({"message": {"content": "a"}, "done": True}).stop == "end_turn"


async def test_a_body_that_comes_whole_may_be_spread_over_lines() -> None:
    body = json.dumps(line("stop", content="Orion."), indent=2).encode()
    async with serving(saying(reply(body))) as server:
        asked = model(server.url)
        seen = await ask(asked, request(stream=False))
        assert seen.reply is not None
        assert seen.reply.content == (Text("Orion."),)
        await asked.aclose()


async def test_a_model_that_is_not_there_is_told_apart() -> None:
    body = b'{"error":"model \'nope\' not found"}'
    async with serving(saying(reply(body, "404 Not Found"))) as server:
        asked = model(server.url, name="nope")
        seen = await ask(asked, request())
        assert seen.error is not None
        assert seen.error.failure.kind == "not_found"
        assert "nope" in seen.error.failure.message
        await asked.aclose()
