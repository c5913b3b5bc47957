"""The built-in model that answers with no key and no server: a small command grammar, and it says so.

What a prompt means is told by `_grammar`, how it is done by `_steps`. Here the two are played over a
conversation: the steps of the last prompt run from the beginning each time, with the results that are there already,
until they ask for one that is not. So nothing is remembered, and a session can be resumed anywhere. The manual is
`docs/offline.md`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from protea.adapters.models._carrying import Call, Given, Past, Tools
from protea.adapters.models._grammar import Understood, read
from protea.adapters.models._steps import carry_out, unclear
from protea.adapters.models._wanted import BESIDE, Run, Search
from protea.domain.messages import (
    AssistantMessage,
    Content,
    Image,
    Message,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    calls_of,
)
from protea.domain.reply import ModelRequest, Reply, ReplyPiece, Stop, TextPiece, UsageSeen
from protea.domain.usage import ModelInfo, Price, Usage

NAME = "offline/grammar"
NEWS = "[Protea] "
"""Begins what nobody typed."""
_INFO = ModelInfo(NAME, price=Price(0.0, 0.0))
_MOST_PIECES = 200
_LOOK_BACK = 20
"""Prompts before the last one that `which file has the most?` may speak of."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None: there is one grammar."""


def create(options: Options) -> OfflineModel:
    return OfflineModel()


class OfflineModel:
    """A `Model` without a model. Usage is an estimate, four bytes for a token; it costs nothing."""

    @property
    def info(self) -> ModelInfo:
        return _INFO

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece, None]:
        answer = _answer(request)
        content: tuple[Content, ...]
        if isinstance(answer, str):
            if request.stream:
                for piece in _pieces(answer):
                    yield TextPiece(piece)
            content, written = (Text(answer),), answer
        else:
            content = tuple(ToolCall("call_" + os.urandom(9).hex(), call.name, call.arguments) for call in answer)
            written = msgspec.json.encode([call.arguments for call in answer]).decode("utf-8", "replace")
        usage = Usage(input=_tokens(_texts(request)), output=_tokens([written]))
        yield UsageSeen(usage)
        stop: Stop = "end_turn" if isinstance(answer, str) else "tool_calls"
        yield Reply(content, stop, usage, NAME, wire_stop="answered" if isinstance(answer, str) else "called")

    async def warm(self) -> None:
        """Nothing is opened ahead."""

    async def aclose(self) -> None:
        """Nothing is open."""


# -- from a conversation to what comes next


class _Round(msgspec.Struct, frozen=True):
    """Calls of one reply, and what they gave."""

    names: tuple[str, ...]
    given: tuple[Given, ...]


def _answer(request: ModelRequest) -> str | tuple[Call, ...]:
    """The text that ends the turn, or the calls that are still to be made."""
    last = max((n for n, m in enumerate(request.messages) if isinstance(m, UserMessage) and _prompt(m)), default=-1)
    behind = request.messages[last + 1 :]
    answered = any(isinstance(m, AssistantMessage) and m.model == NAME and not calls_of(m.content) for m in behind)
    if news := [text for m in behind if isinstance(m, UserMessage) for text in _news(m)]:
        if last < 0 or answered:
            return "\n\n".join(news)  # it was woken by them
    elif last < 0:
        return unclear(())
    prompt = _prompt(request.messages[last])
    understood = read(prompt)
    past = Past(
        search=None if any(isinstance(s, Search) for s, _ in understood.steps) else _earlier(request.messages[:last])
    )
    work = _work(understood, Tools(request.tools), past, request)
    try:
        calls = next(work)
        for made in _rounds(request.messages[last + 1 :]):
            if made.names != tuple(call.name for call in calls):
                return "What the tools gave does not fit what I asked for, so I stopped here. Ask again."
            calls = work.send(made.given)
    except StopIteration as end:
        return str(end.value)
    return calls


def _prompt(message: Message) -> str:
    if not isinstance(message, UserMessage):
        return ""
    texts = [part.text for part in message.content if isinstance(part, Text) and not part.text.startswith(NEWS)]
    if not texts and any(isinstance(part, Image) for part in message.content):
        return "(a picture)"
    return "\n".join(texts)


def _news(message: UserMessage) -> list[str]:
    """What is told of tasks that go on beside the turns."""
    return [part.text for part in message.content if isinstance(part, Text) and part.text.startswith(NEWS)]


def _rounds(messages: Sequence[Message]) -> Iterator[_Round]:
    """What this model asked for since the prompt; another model's calls (it was switched) are passed over."""
    results = {m.call_id: Given(m.text, m.is_error) for m in messages if isinstance(m, ToolMessage)}
    for message in messages:
        if isinstance(message, AssistantMessage) and message.model == NAME:
            calls = calls_of(message.content)
            if calls:
                missing = Given("the call gave nothing", True)
                yield _Round(tuple(call.name for call in calls), tuple(results.get(call.id, missing) for call in calls))


def _earlier(messages: Sequence[Message]) -> Search | None:
    """The search a prompt before this one asked for: `find every TODO`, and next `which file has the most?`."""
    prompts = [_prompt(message) for message in messages if isinstance(message, UserMessage)]
    for prompt in reversed(prompts[-_LOOK_BACK:]):
        found = [step for step, _ in read(prompt).steps if isinstance(step, Search)]
        if found:
            return found[-1]
    return None


def _work(
    understood: Understood, tools: Tools, past: Past, request: ModelRequest
) -> Generator[tuple[Call, ...], tuple[Given, ...], str]:
    """All steps, one after the other; returns the answer. After one that failed, the rest is left undone."""
    if not understood.steps:
        return unclear(understood.unclear)
    texts: list[str] = []
    facts: dict[str, Any] = {}
    steps = understood.steps
    do = carry_out
    if any(isinstance(step, BESIDE) or (isinstance(step, Run) and step.behind) for step, _ in steps):
        from protea.adapters.models._beside import carry_out as do  # seldom asked for
    for place, (step, _) in enumerate(steps):
        following = steps[place + 1][0] if place + 1 < len(steps) else None
        done = yield from do(step, tools, past, following)
        texts.append(done.text)
        facts |= done.facts
        if done.failed:
            undone = [f"“{said}”" for _, said in steps[place + 1 :]]
            if undone:
                texts.append("I stopped there. Not done: " + ", ".join(undone) + ".")
            break
    text = "\n\n".join(texts)
    return text if request.schema is None else _shaped(request.schema, facts, text)


# -- answers that must have a shape

_STRINGS = {
    "file": "file",
    "path": "file",
    "filename": "file",
    "winner": "file",
    "output": "output",
    "command": "command",
}
_NUMBERS = ("count", "most", "total")


def _shaped(schema: Mapping[str, Any], facts: Mapping[str, Any], text: str) -> str:
    """The answer as JSON, as far as what was found fills the schema; else the text, which says what there is."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return text
    out: dict[str, Any] = {}
    for name, wanted in properties.items():
        kind = wanted.get("type") if isinstance(wanted, dict) else None
        value = _fact(name.lower(), kind, facts, text)
        if value is not None:
            out[name] = value
    needed = schema.get("required")
    if not out or (isinstance(needed, list) and any(name not in out for name in needed)):
        return text
    return msgspec.json.encode(out).decode()


def _fact(name: str, kind: Any, facts: Mapping[str, Any], text: str) -> Any:
    match kind:
        case "string":
            known = _STRINGS.get(name)
            value = facts.get(known) if known is not None else text
            return value if isinstance(value, str) else None
        case "integer" | "number":
            value = facts.get(name if name in _NUMBERS else "count")
            return value if isinstance(value, int) else None
        case "boolean":
            return bool(facts.get("ok", True))
        case "array":
            value = facts.get("items" if name == "items" else "files")
            return value if isinstance(value, list) else None
        case _:
            return None


# -- pieces and figures


def _pieces(text: str) -> Iterator[str]:
    """The text word by word; of a long one, several words at a time."""
    words = text.split(" ")
    size = -(-len(words) // _MOST_PIECES)
    for start in range(0, len(words), size):
        end = start + size
        yield " ".join(words[start:end]) + (" " if end < len(words) else "")


def _texts(request: ModelRequest) -> Iterator[str]:
    yield from request.system
    for tool in request.tools:
        yield tool.name + tool.description + msgspec.json.encode(tool.parameters).decode()
    for message in request.messages:
        match message:
            case UserMessage(content):
                yield from (part.text for part in content if isinstance(part, Text))
            case AssistantMessage(content=said):
                yield from (part.text for part in said if isinstance(part, Text))
            case ToolMessage(text=text):
                yield text


def _tokens(texts: Iterator[str] | Sequence[str]) -> int:
    size = sum(len(text) if text.isascii() else len(text.encode("utf-8", "replace")) for text in texts)
    return -(-size // 4)
