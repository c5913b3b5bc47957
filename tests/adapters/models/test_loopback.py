"""The adapters against the project's own provider, over HTTP and strict: ten turns with tools, and faults by script."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.messages import AssistantMessage, Message, Text, ToolMessage, UserMessage, calls_of
from protea.domain.reply import ModelRequest
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.domain.tools import ToolSpec
from protea.testing.loopback import (
    Cut,
    ErrorInside,
    Fault,
    LoopbackProvider,
    Malformed,
    MidError,
    Reset,
    Stall,
    Status,
)
from tests.adapters.models.recordings import ask, surroundings

LOOK = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
SPEAKERS: dict[str, tuple[Any, str, str, dict[str, Any]]] = {
    "anthropic": (anthropic, "anthropic", "claude-sonnet-4-5", {}),
    "responses": (openai_responses, "openai-responses", "gpt-5.1", {}),
    "chat": (openai_chat, "openai-chat", "gpt-4.1", {"dialect": "openai", "provider": "openai2"}),
    "gemini-2.5": (gemini, "gemini", "gemini-2.5-flash", {}),
    "gemini-3": (gemini, "gemini", "gemini-3-flash-preview", {}),
    "ollama": (ollama, "ollama", "qwen3", {}),
}


def speaker(name: str, provider: LoopbackProvider, **more: Any) -> Any:
    module, wire, model, usual = SPEAKERS[name]
    options = module.Options(model=model, key="secret", base_url=provider.url(wire), **usual, **more)
    return module.create(options, surroundings=surroundings())


SAID = [
    ScriptedReply(thinking="Where to look?", text="Let me look.", tool_calls=(ScriptedCall("Look", {"path": "a"}),)),
    ScriptedReply(
        thinking="More.",
        tool_calls=(ScriptedCall("Look", {"path": "b"}), ScriptedCall("Look", {}), ScriptedCall("Look", {})),
    ),
    ScriptedReply(thinking="So it is.", text="Stars."),
]
STEPS = list(itertools.islice(itertools.cycle(SAID), 10))
"""Not cycled by the provider, which would give the ids of one place again."""


@pytest.mark.parametrize("pair", list(itertools.product(SPEAKERS, SPEAKERS)), ids="/".join)
async def test_ten_turns_that_change_their_provider_are_never_refused(pair: tuple[str, str]) -> None:
    history: list[Message] = [UserMessage((Text("What is in the sky?"),))]
    async with LoopbackProvider(STEPS, after="fail", strict=True) as provider:
        models = [speaker(name, provider) for name in pair]
        for turn in range(10):
            asking = ModelRequest(
                tuple(history), ("Be kind.",), (LOOK,), effort=("high", None)[turn % 2], stream=turn % 3 != 2
            )
            seen = await ask(models[turn % 2], asking)
            assert seen.error is None, f"turn {turn}: {seen.error}"
            assert seen.reply is not None
            history.append(AssistantMessage(seen.reply.content, seen.reply.model, seen.reply.native))
            calls = calls_of(seen.reply.content)
            assert len(calls) == len(STEPS[turn].tool_calls)
            history += [ToolMessage(call.id, call.name, "" if n else "stars") for n, call in enumerate(calls)]
            if not calls:
                history.append(UserMessage((Text("Go on."),)))
        for model in models:
            await model.aclose()


FAULTS: list[tuple[Fault, str, bool]] = [
    (Status(status=400, reason="context_length"), "context_length", False),
    (Status(status=400), "invalid_request", False),
    (Status(status=401), "auth", False),
    (Status(status=402), "billing", False),
    (Status(status=403), "auth", False),
    (Status(status=404), "not_found", False),
    (Status(status=408), "timeout", True),
    (Status(status=409), "server", True),
    (Status(status=413), "too_large", False),
    (Status(status=429), "rate_limit", True),
    (Status(status=500), "server", True),
    (Status(status=502), "server", True),
    (Status(status=503), "overloaded", True),
    (Status(status=529), "overloaded", True),
    (ErrorInside(reason="server"), "server", True),
    (MidError(reason="server"), "server", True),
    (Malformed(), "malformed", True),
    (Reset(after=0), "connection", True),
    (Reset(), "truncated", True),
    (Stall(after=0), "timeout", True),
    (Stall(), "timeout", True),
    (Cut(), "truncated", True),
    (Cut(after=0), "truncated", True),
]


@pytest.mark.parametrize("name", ["gemini-2.5", "ollama"])
@pytest.mark.parametrize(("fault", "kind", "retryable"), FAULTS, ids=str)
async def test_faults_are_told_apart_and_say_whether_waiting_helps(
    name: str, fault: Fault, kind: str, retryable: bool
) -> None:
    async with LoopbackProvider([fault, "Orion."]) as provider:
        model = speaker(name, provider, idle_timeout=0.2, first_byte_timeout=0.2)
        asking = ModelRequest((UserMessage((Text("hello"),)),))
        seen = await ask(model, asking)
        assert seen.error is not None
        failure = seen.error.failure
        assert (failure.kind, failure.retryable) == (kind, retryable), failure.message
        assert "secret" not in failure.message
        again = await ask(model, asking)
        assert again.reply is not None
        assert again.text == "Orion."
        await model.aclose()


@pytest.mark.parametrize("shape", ["bare", "data"])
async def test_gemini_breaks_off_in_two_shapes(shape: str) -> None:
    async with LoopbackProvider([MidError(reason="overloaded", shape=shape)]) as provider:
        model = speaker("gemini-2.5", provider)
        seen = await ask(model, ModelRequest((UserMessage((Text("hello"),)),)))
        assert seen.error is not None
        assert (seen.error.failure.kind, seen.error.failure.retryable) == ("overloaded", True)
        await model.aclose()


async def test_gemini_says_in_the_body_how_long_to_wait() -> None:
    async with LoopbackProvider([Status(status=429, retry_after=48)]) as provider:
        model = speaker("gemini-2.5", provider)
        seen = await ask(model, ModelRequest((UserMessage((Text("hello"),)),)))
        assert seen.error is not None
        assert seen.error.failure.retry_after == 48
        await model.aclose()
