"""What each provider can do through its adapter, proven by doing it: the table of `docs/providers.md`.

    python -m tests.adapters.models.capabilities      # writes the tables into the page anew

Each cell is what a proof found on the loopback provider, which refuses what the real API refuses. A proof that fails
raises; one that finds the thing absent gives `-`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from protea.adapters.catalog import provider as lists
from protea.adapters.catalog import snapshot
from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.families import able
from protea.domain.messages import (
    AssistantMessage,
    Image,
    Message,
    Text,
    Thinking,
    ToolMessage,
    UserMessage,
    calls_of,
    text_of,
)
from protea.domain.providers import PROVIDERS
from protea.domain.reply import ModelRequest, Reply, TextPiece, ThinkingPiece
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolSpec
from protea.domain.usage import ModelInfo, Usage
from protea.testing.loopback import LoopbackProvider, MidError, Status
from protea.testing.loopback.script import LoopbackReply
from tests.adapters.models.recordings import Seen, ask

PAGE = Path(__file__).parents[3] / "docs/providers.md"
MODULES: dict[str, Any] = {
    "anthropic": anthropic,
    "openai-responses": openai_responses,
    "openai-chat": openai_chat,
    "gemini": gemini,
    "ollama": ollama,
}
NONE = "-"
LOOK = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
PIXEL = Image("image/png", "aVZCT1J3MEtHZ29BQUFBTlNVaEVVZw==")
SCHEMA = {
    "type": "object",
    "properties": {"count_of_stars": {"type": "integer"}},
    "required": ["count_of_stars"],
    "additionalProperties": False,
}


class Row(NamedTuple):
    title: str
    provider: str
    """A row of `domain.providers`."""
    model: str
    api: str = ""
    """Another wire than the row's own."""


ROWS = [
    Row("Anthropic", "anthropic", "claude-sonnet-4-5"),
    Row("OpenAI, Responses", "openai", "gpt-5.2"),
    Row("OpenAI, Chat Completions", "openai", "gpt-5.2", "openai-chat"),
    Row("Google Gemini", "gemini", "gemini-3-flash-preview"),
    Row("OpenRouter", "openrouter", "anthropic/claude-sonnet-4.5"),
    Row("Ollama", "ollama", "gpt-oss:20b"),
    Row("Azure", "azure", "gpt-5.2"),
    Row("Groq", "groq", "openai/gpt-oss-120b"),
    Row("DeepSeek", "deepseek", "deepseek-chat"),
    Row("Mistral", "mistral", "mistral-medium-3-1"),
    Row("xAI", "xai", "grok-3-mini"),
    Row("vLLM", "vllm", "qwen3"),
    Row("llama.cpp", "llamacpp", "qwen3"),
    Row("LM Studio, any other", "lmstudio", "qwen3"),
]


class Bench:
    """One row's model, beside a provider that says what a proof needs."""

    def __init__(self, row: Row, home: str) -> None:
        self.row = row
        self.known = PROVIDERS[row.provider]
        self.api = row.api or self.known.api
        self.around = Surroundings(cwd=home, root=home, user_home=home, protea_home=home, environment={})
        self.name = f"{row.provider}/{row.model}"

    def model(self, provider: LoopbackProvider) -> Any:
        more = {"dialect": self.known.dialect or "generic"} if self.api == "openai-chat" else {}
        options = MODULES[self.api].Options(
            model=self.row.model,
            provider=self.row.provider,
            key="a-key",
            base_url=provider.url(self.api),
            info=able(ModelInfo(self.name)),
            **more,
        )
        return MODULES[self.api].create(options, surroundings=self.around)

    async def asked(self, script: Any, *requests: ModelRequest, strict: bool = True) -> tuple[list[Seen], list[Any]]:
        """What came of each request, and the bodies that arrived."""
        async with LoopbackProvider(script, strict=strict) as provider:
            model = self.model(provider)
            seen = [await ask(model, request) for request in requests]
            await model.aclose()
            return seen, [request.json for request in provider.requests]


def request(*messages: Message, **more: Any) -> ModelRequest:
    return ModelRequest(messages or (UserMessage((Text("hello"),)),), ("Be kind.",), **more)


def reply_in(seen: Seen) -> Reply:
    assert seen.error is None, seen.error
    assert seen.reply is not None
    return seen.reply


async def streamed(bench: Bench) -> str:
    (seen,), _ = await bench.asked(LoopbackReply(text="one two three", chunk=40, pace=0.001), request())
    assert text_of(reply_in(seen).content) == seen.text == "one two three"
    assert len([piece for piece in seen.pieces if isinstance(piece, TextPiece)]) > 1
    return "yes"


async def whole(bench: Bench) -> str:
    (seen,), (body,) = await bench.asked("one two three", request(stream=False))
    assert text_of(reply_in(seen).content) == "one two three"
    assert body.get("stream", False) is False
    return "yes"


def answered(reply: Reply, *, images: tuple[Image, ...] = ()) -> tuple[Message, ...]:
    said = AssistantMessage(reply.content, reply.model, reply.native)
    results = [ToolMessage(call.id, call.name, "stars", images=images) for call in calls_of(reply.content)]
    return (UserMessage((Text("hello"),)), said, *results)


async def calls(bench: Bench) -> str:
    two = ScriptedReply(tool_calls=(ScriptedCall("Look", {"path": "a"}), ScriptedCall("Look", {"path": "b"})))
    (first,), _ = await bench.asked([two], request(tools=(LOOK,)))
    made = calls_of(reply_in(first).content)
    assert [call.arguments for call in made] == [{"path": "a"}, {"path": "b"}]
    assert len({call.id for call in made}) == 2
    async with LoopbackProvider([two, "Stars."], strict=True) as provider:
        model = bench.model(provider)
        again = reply_in(await ask(model, request(tools=(LOOK,))))
        last = reply_in(await ask(model, request(*answered(again), tools=(LOOK,))))
        await model.aclose()
    assert text_of(last.content) == "Stars."
    return "yes"


async def thoughts(bench: Bench) -> str:
    """Shown, and whether they go back to the model that had them."""
    marked = "Thinking about 7f3a9c."
    script = [
        ScriptedReply(thinking=marked, signature="c2lnbmF0dXJl", tool_calls=(ScriptedCall("Look", {}),)),
        "Stars.",
    ]
    async with LoopbackProvider(script, strict=True) as provider:
        model = bench.model(provider)
        seen = await ask(model, request(tools=(LOOK,), effort="high"))
        reply = reply_in(seen)
        shown = any(isinstance(piece, ThinkingPiece) for piece in seen.pieces)
        assert shown == any(isinstance(part, Thinking) for part in reply.content)
        reply_in(await ask(model, request(*answered(reply), tools=(LOOK,), effort="high")))
        sent = provider.requests[-1].json
        await model.aclose()
    said = json.dumps(sent)
    returned = marked in said or "signature" in said.lower() or "encrypted_content" in json.dumps(sent.get("input", ""))
    return ("shown, sent back" if returned else "shown") if shown else NONE


async def images(bench: Bench) -> str:
    if able(ModelInfo(bench.name)).images is False:
        return NONE  # it is told that an image stood there
    picture = UserMessage((Text("What is this?"), PIXEL))
    (seen,), (body,) = await bench.asked("A star.", request(picture))
    reply_in(seen)
    assert PIXEL.data in json.dumps(body)
    two = [ScriptedCall("Look", {}), "A star."]
    async with LoopbackProvider(two, strict=True) as provider:
        model = bench.model(provider)
        called = reply_in(await ask(model, request(tools=(LOOK,))))
        reply_in(await ask(model, request(*answered(called, images=(PIXEL,)), tools=(LOOK,))))
        assert PIXEL.data in json.dumps(provider.requests[-1].json)
        await model.aclose()
    return "yes"


def _fields(body: dict[str, Any]) -> dict[str, str]:
    flat = dict(body) | body.get("generationConfig", {})
    return {name: json.dumps(value, sort_keys=True) for name, value in flat.items()}


async def effort(bench: Bench) -> str:
    _, (without, high) = await bench.asked("Stars.", request(), request(effort="high"))
    before, after = _fields(without), _fields(high)
    changed = sorted(name for name in after if after[name] != before.get(name) and name != "generationConfig")
    return ", ".join(f"`{name}`" for name in changed if name != "max_tokens") or NONE


async def schema(bench: Bench) -> str:
    _, (body,) = await bench.asked('{"count_of_stars": 1}', request(schema=SCHEMA))
    words = "valid by this JSON Schema" in json.dumps(body)
    system = json.dumps([body.pop(name, None) for name in ("system", "instructions", "systemInstruction", "messages")])
    assert ("count_of_stars" in system) == words
    field = "count_of_stars" in json.dumps(body)
    return {(True, False): "field", (True, True): "field and words", (False, True): "words"}[field, words]


async def stops(bench: Bench) -> str:
    (seen,), (body,) = await bench.asked("one two END three", request(stop_sequences=("END",)))
    if "END" in json.dumps(body):
        return "field"
    reply = reply_in(seen)
    assert (text_of(reply.content), reply.stop) == ("one two ", "stop_sequence")
    return "by Protea"


async def cache(bench: Bench) -> str:
    _, (body,) = await bench.asked("Stars.", request(cache_key="s_1", tools=(LOOK,)))
    told = []
    if "cache_control" in json.dumps(body.get("messages", [])):
        told.append("breakpoints")
    elif "cache_control" in body:
        told.append("`cache_control`")
    if "prompt_cache_key" in body:
        told.append("`prompt_cache_key`")
    (seen,), _ = await bench.asked(ScriptedReply(text="a", usage=Usage(100, 5, cache_read=80)), request())
    figures = reply_in(seen).usage
    assert figures.input in (100, 0)
    return (", ".join(told) or "stable prefix") + ("; share shown" if figures.cache_read == 80 else "")


async def failures(bench: Bench) -> str:
    """A wait that is asked for, and an error in the middle of a stream."""
    (busy, broken), _ = await bench.asked(
        [Status(status=429, retry_after=3), LoopbackReply(text="half of it", fault=MidError(reason="server"))],
        request(),
        request(),
    )
    assert busy.error is not None
    assert broken.error is not None
    assert (busy.error.failure.kind, busy.error.failure.retry_after) == ("rate_limit", 3)
    assert broken.error.failure.retryable
    return "yes"


async def models(bench: Bench) -> str:
    async with LoopbackProvider(models=("one",)) as provider:
        options = lists.Options(
            api=bench.api,
            provider=bench.row.provider,
            base_url=provider.url(bench.api),
            key="a-key",
            dialect=bench.known.dialect or "generic",
        )
        catalog = lists.create(options, surroundings=bench.around)
        await catalog.refresh()
        assert [info.id for info in catalog.list()] == [f"{bench.row.provider}/one"]
    shipped = snapshot.create(snapshot.Options()).list(bench.row.provider)
    return "live" + (", prices shipped" if shipped else "")


COLUMNS: dict[str, Callable[[Bench], Awaitable[str]]] = {
    "streamed": streamed,
    "whole": whole,
    "calls in parallel": calls,
    "thinking": thoughts,
    "images, of people and tools": images,
    "effort is said in": effort,
    "JSON by a schema": schema,
    "stop sequences": stops,
    "cache": cache,
    "waits as asked, errors in mid-stream": failures,
    "list of models": models,
}


async def proven(row: Row) -> list[str]:
    """The cells of one row."""
    with tempfile.TemporaryDirectory() as home:
        return [await proof(Bench(row, home)) for proof in COLUMNS.values()]


async def table() -> str:
    """Providers downwards, what they can do across: as two tables, since one would be too wide to read."""
    cells = {row.title: await proven(row) for row in ROWS}
    half = (len(COLUMNS) + 1) // 2
    out = []
    for chosen in (range(half), range(half, len(COLUMNS))):
        names = list(COLUMNS)
        out.append("| provider | " + " | ".join(names[n] for n in chosen) + " |")
        out.append("|---" * (len(chosen) + 1) + "|")
        out += ["| " + " | ".join([title, *(row[n] for n in chosen)]) + " |" for title, row in cells.items()]
        out.append("")
    return "\n".join(out)


def providers() -> str:
    """The providers that are known by name."""
    out = ["| name | wire | key | address | model where none is named |", "|---|---|---|---|---|"]
    for row in PROVIDERS.values():
        wire = row.api + (f" ({row.elsewhere} at another address)" if row.elsewhere else "")
        keys = " or ".join(f"`{name}`" for name in row.key_env) + ("" if row.key_needed else ", if it wants one")
        usual = f"`{row.base_url}`, " if row.base_url else ""
        address = usual + " or ".join(f"`{name}`" for name in row.base_url_env)
        out.append(f"| `{row.name}` | {wire} | {keys} | {address} | {f'`{row.model}`' if row.model else NONE} |")
    return "\n".join(out) + "\n"


def filled(page: str, parts: dict[str, str]) -> str:
    """The page with what stands between its marks replaced."""
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        head, mark, rest = page.partition(begin)
        assert mark, f"the page has no mark {begin!r}"
        page = head + begin + text + end + rest.partition(end)[2]
    return page


async def parts() -> dict[str, str]:
    return {"capabilities": await table(), "providers": providers()}


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(), asyncio.run(parts())))
