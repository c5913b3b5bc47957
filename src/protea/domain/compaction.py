"""Makes a conversation smaller: what may be done, as values, and how the messages look after it. Pure.

What is done to a conversation is an event (`Compacted`), so what the model was shown stays a function of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from protea.domain.cut import cut, shorten
from protea.domain.messages import AssistantMessage, Message, Text, ToolCall, ToolMessage, UserMessage, text_of
from protea.domain.tools import ToolResult
from protea.domain.view import call_object, result_summary

How = Literal["clear", "shorten", "summarise"]

SMALL = 200
"""Characters. A shorter result costs less than the words that would stand in its place."""
LONGEST_PROMPT = 2_000
"""Characters of one prompt that survive word for word."""
LONGEST_DIGEST = 8_000
"""Characters of what is told of the work itself, without a model."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made smaller."""

    messages: tuple[Message, ...]
    sizes: tuple[int, ...]
    """Tokens of each message."""
    room: int
    """Tokens all of them may take together."""
    forced: bool = False
    """It has to become smaller although it would fit: a person asked, or the provider refused it."""
    focus: str = ""
    """What a person wants kept above all."""

    @property
    def used(self) -> int:
        return sum(self.sizes)


class Shrunk(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done to the messages before `before`."""

    how: How
    before: int
    """An index: never between a call and its result."""
    text: str = ""
    """To summarise: what stands in their place."""
    longest: int = 0
    """To shorten: characters that stay of each result."""


def applied(messages: Sequence[Message], shrunk: Shrunk) -> tuple[Message, ...]:
    """The messages after it."""
    before, rest = messages[: shrunk.before], messages[shrunk.before :]
    match shrunk.how:
        case "clear":
            return (*map(cleared, before), *rest)
        case "shorten":
            return (*(shortened(message, shrunk.longest) for message in before), *rest)
        case "summarise":
            return (UserMessage(content=(Text(text=shrunk.text),)), *rest)


def cleared(message: Message) -> Message:
    """A result without its text; any other message as it is."""
    if not isinstance(message, ToolMessage) or (len(message.text) <= SMALL and not message.images):
        return message
    lost = f"{len(message.text)} characters" + (f" and {len(message.images)} images" if message.images else "")
    words = f"[The result of this call, {lost}, was cleared. Recall gives it again by the id {message.call_id}.]"
    return replace(message, text=words, images=())


def shortened(message: Message, longest: int) -> Message:
    """A result with its beginning and its end; any other message as it is."""
    if not isinstance(message, ToolMessage) or len(message.text) <= max(longest, SMALL):
        return message
    text = cut(message.text, longest)
    return replace(message, text=text) if len(text) < len(message.text) else message


def behind_results(messages: Sequence[Message], keep: int) -> int:
    """The index from which on the last `keep` results lie, or a few more: it parts no results of one reply."""
    results = [at for at, message in enumerate(messages) if isinstance(message, ToolMessage)]
    if len(results) <= keep:
        return 0
    at = results[len(results) - keep - 1] + 1
    if at < len(messages) and isinstance(messages[at], ToolMessage):
        while isinstance(messages[at], ToolMessage):
            at -= 1
    return at


def to_sum_up(conversation: Conversation, above: float, keep: float) -> int:
    """How many messages are to be summed up once so much of the room is full, when so much of it is kept as it is.

    0 where nothing is to be done: one message summed up is no smaller.
    """
    if not conversation.forced and conversation.used <= conversation.room * above:
        return 0
    kept = int(min(conversation.room, conversation.used) * keep)
    before = border(conversation.messages, conversation.sizes, kept)
    return before if before > 1 else 0


def border(messages: Sequence[Message], sizes: Sequence[int], keep: int) -> int:
    """The first index of the end that stays when about `keep` tokens of it are kept.

    It never parts a call from its result. The last prompt stays if it is the last message, the last reply with its
    results in any case; 0 where nothing could go.
    """
    starts = [at for at, message in enumerate(messages) if not isinstance(message, ToolMessage)]
    if len(starts) < 2:
        return 0
    kept = sizes[starts[-1] :]
    best, total = starts[-1], sum(kept)
    for start, following in zip(reversed(starts[:-1]), reversed(starts), strict=False):
        total += sum(sizes[start:following])
        if total > keep:
            break
        best = start
    return best


def digest(messages: Iterable[Message], longest: int = LONGEST_DIGEST) -> str:
    """What was done, without asking a model: a line for each call, and what the answers said.

    What comes late is told in full before what came early: of a long history the beginning is thinned out.
    """
    lines: list[str] = []
    calls: dict[str, ToolCall] = {}
    for message in messages:
        match message:
            case AssistantMessage():
                said = " ".join(text_of(message.content).split())
                if said:
                    lines.append(f"- said: {shorten(said, 600)}")
                calls = {part.id: part for part in message.content if isinstance(part, ToolCall)}
            case ToolMessage():
                call = calls.get(message.call_id)
                about = shorten(" ".join(call_object(call).split()), 200) if call is not None else ""
                result = ToolResult(text=message.text, is_error=message.is_error)
                failed = "failed: " if message.is_error else ""
                lines.append(f"- {message.name} {about} → {failed}{shorten(result_summary(result), 200)}")
            case UserMessage():
                pass  # what a person said stands by itself
    kept: list[str] = []
    size = 0
    for line in reversed(lines):
        size += len(line) + 1
        if size > longest:
            kept.append(f"- [{len(lines) - len(kept)} earlier steps]")
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def survivors(prompts: Sequence[str], pins: Sequence[str], todo: Sequence[str], *, longest: int) -> str:
    """What stays word for word whatever is summed up: what the person said (up to `longest` characters, the latest
    first), what was pinned, the list of what is to be done."""
    said: list[str] = []
    size = 0
    for prompt in reversed(prompts):
        text = cut(prompt, LONGEST_PROMPT)
        size += len(text)
        if size > longest and said:
            said.append(f"[{len(prompts) - len(said)} earlier prompts: Recall finds them]")
            break
        said.append(text)
    parts = ["## What the person said", *(f"> {_indented(text)}" for text in reversed(said))] if said else []
    if pins:
        parts += ["## Pinned", *(f"- {_indented(pin)}" for pin in pins)]
    if todo:
        parts += ["## To do", *todo]
    return "\n".join(parts)


def summed_up(survived: str, told: str) -> str:
    """The message that stands in the place of what was summed up."""
    head = (
        "[Protea] The conversation up to here was summed up to make room. Nothing is lost: Recall searches all that "
        "was said and done, word for word."
    )
    return "\n\n".join(part for part in (head, survived, f"## What was done\n{told}" if told else "") if part)


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n  ")
