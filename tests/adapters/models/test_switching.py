"""One conversation, another provider at each turn: every request is valid on its wire, whatever was said on others.

The replies are the recorded ones of every wire, read by their own adapters, so that signatures, redacted thinking,
server tools, encrypted reasoning and reasoning_details are all in the history somewhere.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.adapters.models._sse import EventReader, JsonLineReader
from protea.domain.messages import AssistantMessage, Message, Native, Text, ToolCall, ToolMessage, UserMessage, calls_of
from protea.domain.reply import ModelRequest, Reply
from protea.domain.tools import ToolSpec
from tests.adapters.models import recordings, strict
from tests.adapters.models.recordings import replay, surroundings

LOOK = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {}})


def claude() -> Any:
    options = anthropic.Options(model="claude-sonnet-4-5")
    return anthropic.create(options, surroundings=surroundings())


def chat(provider: str, dialect: str) -> Any:
    options = openai_chat.Options(model="m", provider=provider, dialect=dialect)
    return openai_chat.create(options, surroundings=surroundings())


def gpt() -> Any:
    return openai_responses.create(openai_responses.Options(model="gpt-5.1"), surroundings=surroundings())


def google(name: str) -> Any:
    return gemini.create(gemini.Options(model=name), surroundings=surroundings())


def local() -> Any:
    return ollama.create(ollama.Options(model="qwen3"), surroundings=surroundings())


class Speaker(msgspec.Struct):
    """A model, what its wire refuses, and the recordings whose replies it gives in turn."""

    model: Any
    check: Callable[[dict[str, Any]], list[str]]
    assembly: Any
    recorded: tuple[str, ...]
    reader: Any = EventReader


def speakers() -> dict[str, Speaker]:
    nine = r"[a-zA-Z0-9]{9}"
    return {
        "anthropic": Speaker(claude(), strict.anthropic, anthropic._Assembly, ("anthropic/",)),
        "openai": Speaker(gpt(), strict.responses, openai_responses.ResponsesAssembly, ("openai_responses/",)),
        "chat": Speaker(chat("azure", "azure"), strict.chat, openai_chat.ChatAssembly, ("openai_chat/",)),
        "openrouter": Speaker(
            chat("openrouter", "openrouter"),
            lambda sent: strict.chat(sent, id_pattern=r".+"),
            openai_chat.ChatAssembly,
            ("openrouter/",),
        ),
        "mistral": Speaker(
            chat("mistral", "mistral"),
            lambda sent: strict.chat(sent, id_pattern=nine),
            openai_chat.ChatAssembly,
            ("openai_chat/tools", "ollama/openai_compat"),
        ),
        "gemini": Speaker(google("gemini-2.5-flash"), strict.gemini, gemini.GeminiAssembly, ("gemini/",)),
        "gemini3": Speaker(
            google("gemini-3-flash-preview"),
            lambda sent: strict.gemini(sent, version=3),
            gemini.GeminiAssembly,
            ("gemini/",),
        ),
        "ollama": Speaker(
            local(),
            strict.ollama,
            ollama.OllamaAssembly,
            ("ollama/length", "ollama/line", "ollama/no_final", "ollama/thinking", "ollama/tool"),
            JsonLineReader,
        ),
    }


NAMES = ("anthropic", "openai", "chat", "openrouter", "mistral", "gemini", "gemini3", "ollama")


def replies(speaker: Speaker) -> list[Reply]:
    out = []
    for name in recordings.cases(*speaker.recorded):
        case = replay.load_case(name)
        if case["expect"]["outcome"] != "ok":
            continue
        provider, _, _ = speaker.model.info.id.partition("/")
        assembly = speaker.assembly(provider, speaker.model.info.id)
        body = replay.body_bytes(case)
        if case["request"]["stream"]:
            reader = speaker.reader()
            for data in [*reader.feed(body), *reader.finish()]:
                assembly.feed(data)
        else:
            assembly.whole(body.strip())
        out.append(assembly.reply())
    return out


def answered(reply: Reply) -> list[Message]:
    """The reply as a message, its calls answered, and a person going on."""
    said = AssistantMessage(reply.content, reply.model, reply.native)
    results = [
        ToolMessage(call.id, call.name, "" if n % 2 else "stars", is_error=n % 3 == 1)
        for n, call in enumerate(calls_of(reply.content))
    ]
    return [said, *results, *(() if results else (UserMessage((Text("Go on."),)),))]


def problems(speaker: Speaker, history: list[Message], effort: str | None = None) -> list[str]:
    request = ModelRequest(tuple(history), system=("Be kind.",), tools=(LOOK,), effort=effort)
    return speaker.check(json.loads(speaker.model.body(request)))


@recordings.needed
@pytest.mark.parametrize("pair", list(itertools.product(NAMES, NAMES)), ids="-".join)
def test_a_conversation_that_changes_its_provider_at_each_turn_stays_valid(pair: tuple[str, str]) -> None:
    by_name = speakers()
    first, second = by_name[pair[0]], by_name[pair[1]]
    supply = [itertools.cycle(replies(first)), itertools.cycle(replies(second))]
    longest = max(len(replies(first)), len(replies(second)))
    history: list[Message] = [UserMessage((Text("Hello."),))]
    for turn in range(2 * longest):
        speaker = (first, second)[turn % 2]
        assert problems(speaker, history, ("high", None)[turn // 2 % 2]) == [], f"turn {turn}"
        history += answered(_anew(next(supply[turn % 2]), turn))
    for speaker in by_name.values():
        assert problems(speaker, history) == []


def _anew(reply: Reply, turn: int) -> Reply:
    """`reply` with call ids no other turn has: a recording that is said twice would repeat them."""
    ids = {call.id: f"{call.id[:-4]}{turn:03d}{n}" for n, call in enumerate(calls_of(reply.content))}

    def renamed(value: Any) -> Any:
        match value:
            case str():
                return ids.get(value, value)
            case list():
                return [renamed(item) for item in value]
            case dict():
                return {key: renamed(item) for key, item in value.items()}
            case _:
                return value

    content = tuple(
        msgspec.structs.replace(part, id=ids[part.id]) if isinstance(part, ToolCall) else part for part in reply.content
    )
    native = Native(reply.native.wire, renamed(reply.native.content)) if reply.native is not None else None
    return msgspec.structs.replace(reply, content=content, native=native)


@recordings.needed
@pytest.mark.parametrize("name", NAMES)
def test_what_its_own_model_said_goes_back_with_all_its_proofs(name: str) -> None:
    speaker = speakers()[name]
    for reply in replies(speaker):
        if reply.native is None:
            continue
        history = [UserMessage((Text("Hello."),)), *answered(reply)]
        sent = json.dumps(json.loads(speaker.model.body(ModelRequest(tuple(history)))), sort_keys=True)
        content = reply.native.content
        for block in content if isinstance(content, list) else content.get("reasoning_details", []):
            proof = block.get("signature") or block.get("data") or block.get("encrypted_content")
            assert proof is None or json.dumps(proof) in sent
