"""Protea's own adapters talking to a loopback provider, for the tests beside this file."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.errors import Failure, ModelError
from protea.domain.messages import AssistantMessage, Message, Text, ToolMessage, UserMessage, calls_of
from protea.domain.reply import ModelRequest, Reply
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolSpec
from protea.testing.loopback import LoopbackProvider

ADAPTERS: dict[str, tuple[Any, str]] = {
    "anthropic": (anthropic, "claude-sonnet-4-5"),
    "openai-chat": (openai_chat, "gpt-4.1"),
    "openai-responses": (openai_responses, "gpt-5.1"),
    "gemini": (gemini, "gemini-3-pro"),
    "ollama": (ollama, "qwen3"),
}
"""The adapters there are, and a model for each."""
NAMES = tuple(ADAPTERS)

READ = ToolSpec("Read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
NOW = ToolSpec("Now", "Tell the time.", {"type": "object", "properties": {}})
HELLO = UserMessage((Text("Hello."),))

EMPTY = Surroundings(cwd="/", root="/", user_home="/", protea_home="/", environment={})


def model_of(wire: str, provider: LoopbackProvider, **options: Any) -> Any:
    adapter, name = ADAPTERS[wire]
    given = {"model": name, "base_url": provider.url(wire), "key": "sk-this-is-secret", "idle_timeout": 0.3} | options
    return adapter.create(adapter.Options(**given), surroundings=EMPTY)


class Said(msgspec.Struct):
    pieces: int = 0
    reply: Reply | None = None
    failure: Failure | None = None


async def ask(model: Any, *messages: Message, **more: Any) -> Said:
    """Ask once; what came. Every test of a fault ends by itself, for this waits ten seconds at most."""
    said = Said()
    request = ModelRequest(messages or (HELLO,), system=("Be kind.",), tools=(READ, NOW), **more)
    async with asyncio.timeout(10):
        try:
            async for piece in model.stream(request):
                if isinstance(piece, Reply):
                    said.reply = piece
                else:
                    said.pieces += 1
        except ModelError as exc:
            said.failure = exc.failure
    return said


def answered(reply: Reply) -> list[Message]:
    """The reply as it enters the history, with a result for each call."""
    results = [ToolMessage(call.id, call.name, f"result of {call.name}") for call in calls_of(reply.content)]
    return [AssistantMessage(reply.content, reply.model, reply.native), *results]
