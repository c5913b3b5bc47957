"""What the adapters send: valid on their wire whoever spoke before, and the same bytes again from turn to turn."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.messages import (
    AssistantMessage,
    Image,
    Message,
    Native,
    Other,
    Text,
    Thinking,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolSpec
from protea.domain.usage import ModelInfo
from tests.adapters.models.recordings import surroundings

LOOK = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
PIXEL = Image("image/png", "aGVsbG8=")
CLAUDE = "anthropic/claude-sonnet-4-5"


def claude(name: str = "claude-sonnet-4-5", **more: Any) -> anthropic.AnthropicModel:
    return anthropic.create(anthropic.Options(model=name, **more), surroundings=surroundings())


def chat(dialect: str = "openai", name: str = "gpt-x", provider: str = "openai") -> openai_chat.OpenAIChatModel:
    options = openai_chat.Options(model=name, provider=provider, dialect=dialect)
    return openai_chat.create(options, surroundings=surroundings())


def responses() -> openai_responses.OpenAIResponsesModel:
    return openai_responses.create(openai_responses.Options(model="gpt-x"), surroundings=surroundings())


def google() -> gemini.GeminiModel:
    return gemini.create(gemini.Options(model="gemini-3-flash-preview"), surroundings=surroundings())


def local() -> ollama.OllamaModel:
    return ollama.create(ollama.Options(model="qwen3"), surroundings=surroundings())


ALL = {"anthropic": claude, "chat": chat, "responses": responses, "gemini": google, "ollama": local}
END = {
    "anthropic": b'],"max_tokens"',
    "chat": b'],"stream"',
    "responses": b'],"stream"',
    "gemini": b'],"generationConfig"',
    "ollama": b'],"stream"',
}


def conversation(turns: int, model: str = CLAUDE) -> tuple[Message, ...]:
    out: list[Message] = []
    for n in range(turns):
        out.append(UserMessage((Text(f"question {n}"),)))
        calls = (ToolCall(f"call_{n}a", "Look", {"path": f"{n}.txt"}), ToolCall(f"call_{n}b", "Look", {"path": "b"}))
        out.append(AssistantMessage((Thinking("hm", "sig"), Text("Let me look."), *calls), model))
        out.append(ToolMessage(f"call_{n}a", "Look", "full of stars"))
        out.append(ToolMessage(f"call_{n}b", "Look", "no such file", is_error=True))
        out.append(AssistantMessage((Text(f"answer {n}"),), model))
    return tuple(out[:-1])


def asked(messages: tuple[Message, ...], **more: Any) -> ModelRequest:
    return ModelRequest(messages, system=("Be kind.", "Be brief."), tools=(LOOK,), cache_key="s_1", **more)


def body(model: Any, request: ModelRequest) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(model.body(request))
    return decoded


@pytest.mark.parametrize("wire", ALL)
def test_a_turn_begins_with_the_bytes_of_the_turn_before(wire: str) -> None:
    model = ALL[wire](**({"cache": False} if wire == "anthropic" else {}))
    whole = conversation(6)
    before = b""
    for size in range(1, len(whole) + 1):
        if isinstance(whole[size - 1], AssistantMessage):
            continue
        if size < len(whole) and isinstance(whole[size], ToolMessage):
            continue  # the results of one reply are sent together
        data = model.body(asked(whole[:size], effort="high" if size % 2 else None))
        head, mark, _ = data.partition(END[wire])
        assert mark
        assert data.startswith(before)
        before = head


def test_breakpoints_do_not_change_what_is_sent_but_for_themselves() -> None:
    whole = asked(conversation(4))
    marked, plain = claude().body(whole), claude(cache=False).body(whole)
    assert marked.replace(b',"cache_control":{"type":"ephemeral"}', b"") == plain


def test_breakpoints_are_four_at_most_and_stand_where_this_and_the_last_request_end() -> None:
    sent = body(claude(), asked(conversation(4)))
    marks = [
        (place, at)
        for place in ("tools", "system", "messages")
        for at, item in enumerate(sent[place])
        if "cache_control" in json.dumps(item)
    ]
    assert len(marks) <= 4
    turns = sent["messages"]
    assert [at for place, at in marks if place == "messages"] == [len(turns) - 3, len(turns) - 1]
    assert "cache_control" in turns[-1]["content"][-1]
    assert ("system", len(sent["system"]) - 1) in marks


def test_one_system_part_leaves_a_breakpoint_for_the_tools() -> None:
    request = ModelRequest(conversation(1), system=("Be kind.",), tools=(LOOK,))
    sent = body(claude(), request)
    assert "cache_control" in sent["tools"][-1]
    assert json.dumps(sent).count("cache_control") <= 4


@pytest.mark.parametrize("wire", ALL)
def test_turn_200_costs_little_more_than_turn_20(wire: str) -> None:
    model = ALL[wire]()
    whole = conversation(220)

    def cost(turns: int) -> float:
        model.body(asked(whole[: turns * 5 - 1]))
        best = 9.0
        for _ in range(15):
            began = time.process_time()
            for _ in range(5):
                model.body(asked(whole[: turns * 5 - 1]))
            best = min(best, time.process_time() - began)
        return best / 5

    # 2 KB of new text in a turn costs a model adapter some 10 µs; a thousand old messages are looked up and copied.
    assert cost(200) - cost(20) < 0.003


def test_results_of_one_reply_are_one_turn_for_anthropic() -> None:
    turns = body(claude(), asked(conversation(1)))["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert [block["tool_use_id"] for block in turns[2]["content"]] == ["call_0a", "call_0b"]
    assert turns[2]["content"][1]["is_error"] is True
    assert turns[1]["content"][0] == {"type": "thinking", "thinking": "hm", "signature": "sig"}


def test_thinking_of_another_model_is_left_out() -> None:
    turns = body(claude("claude-opus-4-6"), asked(conversation(1)))["messages"]
    assert [block["type"] for block in turns[1]["content"]] == ["text", "tool_use", "tool_use"]


def test_thinking_with_a_signature_and_no_text_goes_back() -> None:
    said = AssistantMessage((Thinking("", "sig"), Text("Yes.")), CLAUDE)
    turns = body(claude(), asked((UserMessage((Text("?"),)), said, UserMessage((Text("!"),)))))["messages"]
    assert turns[1]["content"][0] == {"type": "thinking", "thinking": "", "signature": "sig"}


def test_native_blocks_go_back_to_their_provider_and_to_no_other() -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
    hidden = {"type": "redacted_thinking", "data": "opaque"}
    native = Native("anthropic", [hidden, search, {"type": "text", "text": "Yes."}])
    said = AssistantMessage((Other("redacted_thinking", hidden), Other("x", search), Text("Yes.")), CLAUDE, native)
    whole = asked((UserMessage((Text("?"),)), said, UserMessage((Text("!"),))))
    assert body(claude(), whole)["messages"][1]["content"] == native.content
    other_model = body(claude("claude-opus-4-6"), whole)["messages"][1]["content"]
    assert other_model == native.content[1:]
    elsewhere = body(claude(provider="acme"), whole)["messages"][1]["content"]
    assert elsewhere == [{"type": "text", "text": "Yes."}]
    assert body(chat(), whole)["messages"][2] == {"role": "assistant", "content": "Yes."}
    assert body(responses(), whole)["input"][1] == {"role": "assistant", "content": "Yes."}


def test_ids_that_a_wire_refuses_are_changed_alike_in_call_and_result() -> None:
    odd = "functions.Look:0 …" + "x" * 100
    whole = asked(
        (
            UserMessage((Text("?"),)),
            AssistantMessage((ToolCall(odd, "Look", {}),), "kimi/k"),
            ToolMessage(odd, "Look", "ok"),
        )
    )
    turns = body(claude(), whole)["messages"]
    assert turns[1]["content"][0]["id"] == turns[2]["content"][0]["tool_use_id"]
    assert turns[1]["content"][0]["id"].isalnum()
    sent = body(chat(), whole)["messages"]
    assert sent[2]["tool_calls"][0]["id"] == sent[3]["tool_call_id"]
    assert len(sent[3]["tool_call_id"]) <= 40
    sent = body(chat("mistral"), whole)["messages"]
    assert sent[2]["tool_calls"][0]["id"] == sent[3]["tool_call_id"]
    assert len(sent[3]["tool_call_id"]) == 9
    items = body(responses(), whole)["input"]
    assert items[1]["call_id"] == items[2]["call_id"]
    assert len(items[1]["call_id"]) <= 64


def test_mistral_keeps_ids_of_its_own_shape_only() -> None:
    for given, kept in (("abcDEF123", True), ("abcDEF12", False), ("abcDEF1234", False), ("abc-EF123", False)):
        call = (UserMessage((Text("?"),)), AssistantMessage((ToolCall(given, "Look", {}),), ""))
        sent = body(chat("mistral"), asked((*call, ToolMessage(given, "Look", "ok"))))["messages"]
        assert (sent[3]["tool_call_id"] == given) is kept


def test_mistral_hears_an_answer_between_a_result_and_a_person() -> None:
    whole = asked((*conversation(1), UserMessage((Text("wait"),))))
    roles = [message["role"] for message in body(chat("mistral"), whole)["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "assistant", "user"]
    assert "assistant" not in [message["role"] for message in body(chat(), whole)["messages"]][-2:]


def test_kimis_ids_stay_where_the_server_is_not_openai() -> None:
    call = (UserMessage((Text("?"),)), AssistantMessage((ToolCall("functions.Look:0", "Look", {}),), ""))
    whole = asked((*call, ToolMessage("functions.Look:0", "Look", "ok")))
    assert body(chat("generic"), whole)["messages"][3]["tool_call_id"] == "functions.Look:0"


def test_arguments_that_were_no_json_go_back_as_each_wire_can_take_them() -> None:
    call = ToolCall("c", "Look", arguments_text='{"path": "x')
    whole = asked(
        (UserMessage((Text("?"),)), AssistantMessage((call,), ""), ToolMessage("c", "Look", "not JSON", True))
    )
    assert body(claude(), whole)["messages"][1]["content"][0]["input"] == {"INVALID_JSON": '{"path": "x'}
    assert body(chat("openai"), whole)["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"path": "x'
    parsed = json.loads(body(chat("vllm"), whole)["messages"][2]["tool_calls"][0]["function"]["arguments"])
    assert parsed == {"INVALID_JSON": '{"path": "x'}
    assert body(responses(), whole)["input"][1]["arguments"] == '{"path": "x'


def test_images_of_people_and_of_tools_reach_every_wire() -> None:
    call = ToolCall("c", "Look", {})
    whole = asked(
        (
            UserMessage((Text("see"), PIXEL)),
            AssistantMessage((call,), ""),
            ToolMessage("c", "Look", "", images=(PIXEL,)),
        )
    )
    turns = body(claude(), whole)["messages"]
    assert turns[0]["content"][1]["source"]["data"] == PIXEL.data
    assert turns[2]["content"][0]["content"][0]["type"] == "image"
    sent = body(chat(), whole)["messages"]
    assert sent[1]["content"][1]["image_url"]["url"] == "data:image/png;base64,aGVsbG8="
    assert sent[3]["role"] == "tool"
    assert sent[4]["content"][1]["type"] == "image_url"
    items = body(responses(), whole)["input"]
    assert items[0]["content"][1]["image_url"].startswith("data:image/png")
    assert items[2]["output"][1]["type"] == "input_image"


def test_nothing_empty_is_sent_to_anthropic() -> None:
    whole = asked(
        (
            UserMessage((Text("?"),)),
            AssistantMessage((Text(""), ToolCall("c", "Look", {})), CLAUDE),
            ToolMessage("c", "Look", "", is_error=True),
            AssistantMessage((), CLAUDE),
            UserMessage((Text(" "), Text("go on"))),
        )
    )
    turns = body(claude(), whole)["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "user"]
    assert [block["type"] for block in turns[1]["content"]] == ["tool_use"]
    assert turns[2]["content"][0]["content"][0]["text"]
    assert [block["text"] for block in turns[3]["content"]] == ["go on"]


@pytest.mark.parametrize(
    ("name", "effort", "thinking", "output"),
    [
        ("claude-opus-4-8", "xhigh", {"type": "adaptive", "display": "summarized"}, {"effort": "xhigh"}),
        ("claude-sonnet-4-6", "xhigh", {"type": "adaptive"}, {"effort": "high"}),
        ("claude-fable-5", "max", {"type": "adaptive", "display": "summarized"}, {"effort": "max"}),
        ("claude-sonnet-4-5-20250929", "low", {"type": "enabled", "budget_tokens": 4096}, None),
        ("claude-3-7-sonnet-latest", "high", {"type": "enabled", "budget_tokens": 24000}, None),
        ("claude-3-5-haiku-latest", "high", None, None),
        ("claude-opus-4-8", None, None, None),
        ("claude-opus-4-8", "none", None, None),
    ],
)
def test_effort_is_said_as_each_claude_understands_it(name: str, effort: str, thinking: Any, output: Any) -> None:
    sent = body(claude(name), ModelRequest((UserMessage((Text("?"),)),), effort=effort))
    assert sent.get("thinking") == thinking
    assert sent.get("output_config") == output
    if thinking and "budget_tokens" in thinking:
        assert sent["max_tokens"] > thinking["budget_tokens"]


def test_a_thinking_budget_is_not_asked_for_in_a_tool_loop_that_began_without_thoughts() -> None:
    whole = conversation(1, CLAUDE)
    stripped = tuple(
        AssistantMessage(tuple(p for p in m.content if not isinstance(p, Thinking)), m.model)
        if isinstance(m, AssistantMessage)
        else m
        for m in whole
    )
    assert "thinking" not in body(claude(), asked(stripped, effort="high"))
    assert "thinking" in body(claude(), asked(whole, effort="high"))
    another_s = conversation(1, "openai/gpt-x")  # whose thoughts do not go out, signed or not
    assert "thinking" not in body(claude(), asked(another_s, effort="high"))


def test_a_schema_is_sent_by_each_wires_own_means() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    request = ModelRequest((UserMessage((Text("?"),)),), schema=schema)
    sent = body(claude(), request)["output_config"]["format"]
    assert sent["schema"]["additionalProperties"] is False
    assert "minimum" not in json.dumps(sent)
    assert body(chat(), request)["response_format"]["json_schema"]["schema"] == schema
    assert "strict" not in body(chat(), request)["response_format"]["json_schema"]
    assert body(chat("deepseek"), request)["response_format"] == {"type": "json_object"}
    assert body(responses(), request)["text"]["format"] == {
        "type": "json_schema",
        "name": "answer",
        "schema": schema,
        "strict": False,
    }
    closed = schema | {"additionalProperties": False}
    assert body(responses(), ModelRequest(request.messages, schema=closed))["text"]["format"]["strict"] is True
    free = ModelRequest(request.messages, schema={"type": "object"})
    assert "output_config" not in body(claude(), free)  # closed, it would allow nothing but {}


def test_a_schema_that_has_no_field_is_said_in_the_system_prompt() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    hello = (UserMessage((Text("?"),)),)
    plain, beside_tools = (ModelRequest(hello, ("Be kind.",), tools, schema=schema) for tools in ((), (LOOK,)))
    free = ModelRequest(hello, ("Be kind.",), schema={"type": "object"})
    older = gemini.create(gemini.Options(model="gemini-2.5-flash"), surroundings=surroundings())
    rows: list[tuple[Any, ModelRequest, bool]] = [
        (claude(), beside_tools, False),
        (claude(), free, True),
        (claude("claude-opus-4-1"), plain, True),
        (responses(), beside_tools, False),
        (google(), beside_tools, False),
        (older, plain, False),
        (older, beside_tools, True),
        (local(), plain, False),
        (local(), beside_tools, True),
    ]
    for model, request, said in rows:
        sent = json.dumps(body(model, request))
        assert ("valid by this JSON Schema" in sent) == said, (model.info.id, request)
    assert "format" not in body(local(), beside_tools)


def test_a_model_that_does_not_think_is_not_asked_for_its_thoughts() -> None:
    info = ModelInfo("openai/gpt-4.1", thinking=False)
    plain = openai_responses.create(openai_responses.Options(model="gpt-4.1", info=info), surroundings=surroundings())
    sent = body(plain, asked(conversation(1), effort="high"))
    assert "include" not in sent
    assert "reasoning" not in sent
    assert body(responses(), asked(conversation(1), effort="high"))["include"] == ["reasoning.encrypted_content"]


def test_the_cache_key_goes_to_openai_only() -> None:
    assert body(chat("openai"), asked(conversation(1)))["prompt_cache_key"] == "s_1"
    assert body(responses(), asked(conversation(1)))["prompt_cache_key"] == "s_1"
    for dialect in set(openai_chat.DIALECTS) - {"openai"}:
        assert "prompt_cache_key" not in body(chat(dialect), asked(conversation(1)))


def test_reasoning_that_led_nowhere_is_not_sent_back() -> None:
    items = [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}]
    said = AssistantMessage((Thinking("hm"),), "openai/gpt-x", Native("openai-responses", items))
    sent = body(responses(), asked((UserMessage((Text("?"),)), said, UserMessage((Text("go on"),)))))
    assert [item.get("type", "message") for item in sent["input"]] == ["message", "message"]


def test_deepseek_gets_its_thoughts_back_beside_its_calls() -> None:
    whole = asked(conversation(1, "deepseek/m"))
    sent = body(chat("deepseek", "m", "deepseek"), whole)["messages"]
    assert sent[2]["reasoning_content"] == "hm"
    assert "reasoning_content" not in body(chat("generic", "m", "deepseek"), whole)["messages"][2]


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://host", "https://host/v1/messages"),
        ("https://host/", "https://host/v1/messages"),
        ("https://host/v1", "https://host/v1/messages"),
        ("https://host/v1/messages", "https://host/v1/messages"),
        ("http://127.0.0.1:1/case/anthropic/x", "http://127.0.0.1:1/case/anthropic/x/v1/messages"),
        ("http://127.0.0.1:1/case/anthropic/x/v1/", "http://127.0.0.1:1/case/anthropic/x/v1/messages"),
    ],
)
def test_anthropics_address_may_have_its_version_or_not(base: str, url: str) -> None:
    assert claude(base_url=base)._url == url


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://host", "https://host/v1/chat/completions"),
        ("https://host/v1/", "https://host/v1/chat/completions"),
        ("https://host/v1beta/openai", "https://host/v1beta/openai/chat/completions"),
        ("https://host/v1/chat/completions", "https://host/v1/chat/completions"),
        ("https://host/openai/d?api-version=1", "https://host/openai/d/chat/completions?api-version=1"),
    ],
)
def test_chat_addresses_may_have_their_version_or_not(base: str, url: str) -> None:
    options = openai_chat.Options(model="m", base_url=base)
    assert openai_chat.create(options, surroundings=surroundings())._url == url


def test_text_that_is_no_text_can_still_be_sent() -> None:
    broken = "hall\udce9"
    for make in ALL.values():
        sent = make().body(asked((UserMessage((Text(broken),)),)))
        assert b"hall?" in sent
