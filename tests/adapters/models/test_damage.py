"""Damaged replies: whatever is wrong with what comes, it ends in one Reply or one ModelError, and never in a crash."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from protea.adapters.models import _exchange, anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.domain.reply import ModelRequest
from tests.adapters.http.loopback import Asked, Writer, serving
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, replay, surroundings

WIRES = {
    "anthropic": (anthropic, ("anthropic/",)),
    "chat": (openai_chat, ("openai_chat/", "openrouter/")),
    "responses": (openai_responses, ("openai_responses/",)),
    "gemini": (gemini, ("gemini/",)),
    "ollama": (ollama, ("ollama/l", "ollama/m", "ollama/n", "ollama/t")),
}
ODD = [None, True, 0, -1, 1e300, "", "x", [], [None], ["x"], {}, {"type": "x"}, [{"type": []}], {"error": {}}]


def damaged(value: Any, rnd: random.Random) -> Any:
    """`value` with one thing in it changed into another, dropped or doubled."""
    places = list(_places(value))
    if not places:
        return rnd.choice(ODD)
    holder, key = rnd.choice(places)
    match rnd.randrange(3):
        case 0:
            holder[key] = rnd.choice(ODD)
        case 1:
            del holder[key]
        case _ if isinstance(holder, list):
            holder.insert(key, holder[key])
        case _:
            holder[f"{key}2"] = holder.pop(key)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def damage(body: bytes, rnd: random.Random) -> bytes:
    lines = body.split(b"\n")
    at = [n for n, line in enumerate(lines) if line.lstrip().startswith((b"data: {", b"{"))]
    if not at or rnd.random() < 0.2:
        noise = bytearray(body)
        for _ in range(3):
            noise[rnd.randrange(len(noise))] = rnd.randrange(256)
        return bytes(noise)
    for n in rnd.sample(at, min(len(at), 2)):
        mark, _, text = lines[n].rpartition(b"data: ")
        try:
            value = json.loads(text)
        except ValueError:
            continue
        prefix = b"data: " if b"data: " in lines[n] else mark
        lines[n] = prefix + json.dumps(damaged(value, rnd)).encode()
    return b"\n".join(lines)


@recordings.needed
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wire", WIRES)
async def test_damaged_recordings_end_in_a_reply_or_an_error(wire: str, seed: int) -> None:
    module, prefixes = WIRES[wire]
    rnd = random.Random(f"{wire} {seed}")
    body, status = b"", 200

    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()

    async with serving(answer) as server:
        model = module.create(module.Options(model="m", base_url=server.url), surroundings=surroundings())
        for name in recordings.cases(*prefixes):
            case = replay.load_case(name)
            if case["response"]["bytes"] > 60_000:
                continue
            body, status = damage(replay.body_bytes(case), rnd), case["response"]["status"]
            hello = UserMessage((Text("hello"),))
            seen = await ask(model, ModelRequest((hello,), stream=case["request"]["stream"]))
            seen.text.encode()
            if seen.reply is not None:  # and what was taken for a reply can be sent back
                said = AssistantMessage(seen.reply.content, seen.reply.model, seen.reply.native)
                json.loads(model.body(ModelRequest((hello, said, hello))))
        await model.aclose()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("words", "why"), [(b" " * 65536, "nothing but blanks"), (b": still here\n" * 5000, "not end")]
)
async def test_what_never_ends_is_given_up(wire: str, words: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, _ = WIRES[wire]
    monkeypatch.setattr(_exchange, "MAX_REPLY", 4 * 1024 * 1024)
    if wire == "ollama" and why == "not end":
        words = b'{"message": {"role": "assistant", "content": "and"}, "done": false}\n' * 1000

    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(words)
            await writer.drain()

    async with serving(answer) as server:
        model = module.create(module.Options(model="m", base_url=server.url), surroundings=surroundings())
        async with asyncio.timeout(60):
            seen = await ask(model, ModelRequest((UserMessage((Text("hello"),)),)))
        await model.aclose()
    assert seen.reply is None
    assert seen.error is not None
    assert why in str(seen.error)
