"""Whole conversations with tools: Protea's adapters against a strict loopback provider, on every wire."""

from __future__ import annotations

import itertools

import pytest

from protea.domain.messages import Message, Text, Thinking, UserMessage, calls_of, text_of
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.domain.usage import Usage
from protea.testing.loopback import LoopbackProvider, LoopbackReply
from tests.testing.loopback.talking import ADAPTERS, HELLO, NAMES, answered, ask, model_of

TURNS = [
    LoopbackReply(
        thinking="They greet me. I look around.",
        text="Let me look.",
        tool_calls=(ScriptedCall("Read", {"path": "a ü 漢.txt"}), ScriptedCall("Now")),
    ),
    ScriptedReply(text="", tool_calls=(ScriptedCall("Read", {"path": "b.txt", "lines": [1, {"deep": None}]}),)),
    "It says hello.",
    ScriptedReply(thinking="Goodbye, then.", text="Bye \u2028 now."),
]

every_wire = pytest.mark.parametrize("wire", NAMES)
streamed_or_not = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@every_wire
@streamed_or_not
@pytest.mark.parametrize("chunk", [None, 7], ids=["events", "chunks-of-7"])
async def test_a_conversation_with_tools_comes_out_as_it_was_written(
    wire: str, stream: bool, chunk: int | None
) -> None:
    turns = [LoopbackReply(**{f: getattr(t, f) for f in t.__struct_fields__ if f != "chunk"}, chunk=chunk)
             if isinstance(t, ScriptedReply) else t for t in TURNS]  # fmt: skip
    async with LoopbackProvider(turns, strict=True, after="fail") as provider:
        model = model_of(wire, provider)
        history: list[Message] = [HELLO]
        said = []
        for turn in range(4):
            told = await ask(model, *history, stream=stream)
            assert told.failure is None
            assert told.reply is not None
            said.append(told.reply)
            history += answered(told.reply)
            if not calls_of(told.reply.content):
                history.append(UserMessage((Text(f"Go on, {turn}."),)))
        await model.aclose()
    assert [text_of(reply.content) for reply in said] == ["Let me look.", "", "It says hello.", "Bye \u2028 now."]
    assert [[(c.name, c.arguments) for c in calls_of(r.content)] for r in said] == [
        [("Read", {"path": "a ü 漢.txt"}), ("Now", {})],
        [("Read", {"path": "b.txt", "lines": [1, {"deep": None}]})],
        [],
        [],
    ]
    assert ["".join(p.text for p in r.content if isinstance(p, Thinking)) for r in said] == [
        "They greet me. I look around.",
        "",
        "",
        "Goodbye, then.",
    ]
    assert [reply.stop for reply in said] == ["tool_calls", "tool_calls", "end_turn", "end_turn"]
    assert provider.prefix_kept()
    assert provider.connections == 1
    assert [(r.wire, r.stream, r.status) for r in provider.requests] == [(wire, stream, 200)] * 4


@pytest.mark.parametrize("pair", list(itertools.permutations(NAMES, 2)), ids="-".join)
async def test_a_conversation_may_change_its_wire_at_every_turn(pair: tuple[str, str]) -> None:
    reply = ScriptedReply(thinking="Hm.", text="Look:", tool_calls=(ScriptedCall("Read", {"path": "a"}),))
    async with LoopbackProvider(reply, strict=True) as provider:
        models = [model_of(wire, provider) for wire in pair]
        history: list[Message] = [HELLO]
        for turn in range(10):
            told = await ask(models[turn % 2], *history)
            assert told.failure is None
            assert told.reply is not None
            history += answered(told.reply)
            if turn % 3 == 2:
                history.append(UserMessage((Text("Go on."),)))
        for model in models:
            await model.aclose()
    assert [request.status for request in provider.requests] == [200] * 10


@every_wire
@streamed_or_not
async def test_figures_arrive_as_the_script_gives_them(wire: str, stream: bool) -> None:
    usage = Usage(input=1000, output=50, cache_read=600, cache_write=100, reasoning=20)
    async with LoopbackProvider(ScriptedReply(text="Hello.", usage=usage)) as provider:
        model = model_of(wire, provider)
        told = await ask(model, stream=stream)
        await model.aclose()
    assert told.reply is not None
    expected = {
        "gemini": Usage(input=1000, output=50, cache_read=600, reasoning=20),  # writing its cache costs nothing
        "ollama": Usage(input=0, output=50),  # it counts no parts, and not the prompt it had cached
    }.get(wire, usage)
    assert told.reply.usage == expected


STOPS = [
    ("anthropic", "length", "length"),
    ("anthropic", "stop_sequence", "stop_sequence"),
    ("anthropic", "refusal", "refusal"),
    ("anthropic", "pause", "pause"),
    ("openai-chat", "length", "length"),
    ("openai-chat", "refusal", "refusal"),
    ("openai-chat", "content_filter", "content_filter"),
    ("openai-responses", "length", "length"),
    ("openai-responses", "refusal", "refusal"),
    ("openai-responses", "content_filter", "content_filter"),
    ("gemini", "length", "length"),
    ("gemini", "content_filter", "content_filter"),
    ("ollama", "length", "length"),
]


@pytest.mark.parametrize(("wire", "stop", "expected"), STOPS)
@streamed_or_not
async def test_each_stop_is_said_in_the_words_of_the_wire(wire: str, stop: str, expected: str, stream: bool) -> None:
    async with LoopbackProvider(ScriptedReply(text="I would", stop=stop)) as provider:  # type: ignore[arg-type]
        model = model_of(wire, provider)
        told = await ask(model, stream=stream)
        await model.aclose()
    assert told.reply is not None
    assert told.reply.stop == expected


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses"])
async def test_arguments_that_are_no_json_pass_as_they_are(wire: str) -> None:
    call = ScriptedCall("Read", arguments_text='{"path": "a')
    async with LoopbackProvider(ScriptedReply(tool_calls=(call,), stop="length")) as provider:
        model = model_of(wire, provider)
        told = await ask(model)
        await model.aclose()
    assert told.reply is not None
    assert calls_of(told.reply.content)[0].arguments_text == '{"path": "a'


@every_wire
async def test_twenty_thousand_words_come_whole(wire: str) -> None:
    async with LoopbackProvider(ScriptedReply(words=20_000)) as provider:
        model = model_of(wire, provider)
        told = await ask(model)
        await model.aclose()
    assert told.reply is not None
    assert text_of(told.reply.content) == "word " * 20_000
    assert told.reply.usage.output == 20_000


@every_wire
@streamed_or_not
async def test_an_answer_that_was_prepared_is_not_made_again(wire: str, stream: bool) -> None:
    async with LoopbackProvider(["one", "two"], after="cycle") as provider:
        model = model_of(wire, provider)
        provider.prepare(wire, ADAPTERS[wire][1], stream=stream)
        held = provider.held
        said = [(await ask(model, stream=stream)).reply for _ in range(4)]
        await model.aclose()
    assert [text_of(reply.content) for reply in said if reply] == ["one", "two", "one", "two"]
    assert held >= 2
    assert provider.held == held


async def test_a_step_may_be_a_function_of_the_request() -> None:
    async def echo(request: object) -> str:
        body = request.json  # type: ignore[attr-defined]
        return f"You said {body['messages'][-1]['content']}"

    async with LoopbackProvider([echo, lambda request: ScriptedCall("Now")], after="cycle") as provider:
        model = model_of("openai-chat", provider)
        first, second = await ask(model), await ask(model)
        await model.aclose()
    assert first.reply is not None
    assert text_of(first.reply.content) == "You said Hello."
    assert second.reply is not None
    assert calls_of(second.reply.content)[0].name == "Now"


async def test_what_follows_the_last_step_is_told() -> None:
    texts = {}
    for after in ("repeat", "cycle", "fail"):
        async with LoopbackProvider(["one", "two"], after=after) as provider:
            model = model_of("openai-chat", provider)
            told = [await ask(model) for _ in range(4)]
            await model.aclose()
        texts[after] = [text_of(t.reply.content) if t.reply else t.failure and t.failure.kind for t in told]
    assert texts == {
        "repeat": ["one", "two", "two", "two"],
        "cycle": ["one", "two", "one", "two"],
        "fail": ["one", "two", "server", "server"],
    }


async def test_a_mistake_in_a_function_of_the_script_is_told_to_whoever_asks() -> None:
    def wrong(request: object) -> str:
        raise KeyError("no such thing")

    async with LoopbackProvider(wrong) as provider:
        model = model_of("anthropic", provider)
        told = await ask(model)
        await model.aclose()
    assert told.failure is not None
    assert "no such thing" in told.failure.message
