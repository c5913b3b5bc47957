"""Makes a conversation smaller: what may be done, as values, and how the messages look after it. Pure.

What is done to a conversation is an event (`Compacted`), so what the model was shown stays a function of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from protea.domain.cut import cut, shorten
from protea.domain.messages import (
    OWN,
    AssistantMessage,
    Message,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    is_own,
    length_of,
    text_of,
)
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.view import call_object, result_summary

How = Literal["clear", "shorten", "summarise"]

SMALL = 200
"""Characters. A shorter result costs less than the words that would stand in its place."""
LONGEST_PROMPT = 2_000
"""Characters of one prompt that survive word for word."""
LONGEST_DIGEST = 8_000
"""Characters of what is told of the work itself, without a model."""
SKILL = "Skill"
"""The tool whose results are instructions that hold as long as the work goes on."""
LONGEST_SKILL = 20_000
"""Characters of a skill that survive; in a result of this length nothing is touched."""
_AN_IMAGE = "[an image stood here]"
_DONE = "## What was done\n"
LEAST_LEFT = 500
"""Characters that stay of a result, however little room there is."""


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
    """A result without its text; any other message as it is, a skill too."""
    if not isinstance(message, ToolMessage) or _stays(message) or (len(message.text) <= SMALL and not message.images):
        return message
    lost = f"{len(message.text)} characters" + (f" and {len(message.images)} images" if message.images else "")
    words = f"[The result of this call, {lost}, was cleared. Recall gives it again by the id {message.call_id}.]"
    return replace(message, text=words, images=())


def shortened(message: Message, longest: int) -> Message:
    """A result with its beginning and its end, and where little is to stay without its images; any other message as it
    is."""
    if not isinstance(message, ToolMessage) or _stays(message):
        return message
    text = cut(message.text, longest) if len(message.text) > max(longest, SMALL) else message.text
    if message.images and longest <= LEAST_LEFT:
        text += f"\n[{len(message.images)} images stood here. Recall gives them again by the id {message.call_id}.]"
        return replace(message, text=text.strip(), images=())
    return replace(message, text=text) if len(text) < len(message.text) else message


def _stays(message: ToolMessage) -> bool:
    return message.name == SKILL and not message.is_error and len(message.text) <= LONGEST_SKILL


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

    0 where nothing is to be done: one message summed up is no smaller, unless it is a prompt of great length.
    """
    if not conversation.forced and conversation.used <= conversation.room * above:
        return 0
    messages = conversation.messages
    kept = int(min(conversation.room, conversation.used) * keep)
    before = border(messages, conversation.sizes, kept)
    long = before == 1 and not is_own(messages[0]) and length_of(messages[0]) > 4 * LONGEST_PROMPT
    return before if before > 1 or long else 0


def last_resort(conversation: Conversation) -> Shrunk | None:
    """Cut every result, the latest too, to as many characters as the room allows: where all else was done and the
    conversation would be refused. None where it fits, or no result is long."""
    if not conversation.forced and conversation.used <= conversation.room:
        return None
    messages, sizes = conversation.messages, conversation.sizes
    wanted = min(conversation.room, conversation.used // 2 if conversation.forced else conversation.room) * 0.8
    results = [each for each in messages if isinstance(each, ToolMessage)]
    longest = max((len(each.text) + (LEAST_LEFT + 1) * bool(each.images) for each in results), default=0)
    found = None
    while longest > LEAST_LEFT:
        longest = max(LEAST_LEFT, longest // 2)
        shrunk = Shrunk(how="shorten", before=len(messages), longest=longest)
        left = scaled(messages, applied(messages, shrunk), sizes)
        found = shrunk if left < conversation.used else None
        if left <= wanted:
            break
    return found


def scaled(before: Sequence[Message], after: Sequence[Message], sizes: Sequence[int]) -> float:
    """About how many tokens messages have after some of them became shorter: they follow characters closely."""
    return sum(
        size if now is then else size * length_of(now) / max(1, length_of(then))
        for then, now, size in zip(before, after, sizes, strict=True)
    )


def askable(messages: Sequence[Message], longest: int = 4 * LONGEST_PROMPT) -> tuple[Message, ...]:
    """The messages as who sums them up can be shown them where they are too many: no results, no images, and of every
    long prompt its beginning and its end."""
    return tuple(_cut_down(cleared(message), longest) for message in messages)


def _cut_down(message: Message, longest: int) -> Message:
    if not isinstance(message, UserMessage):
        return message
    content = (Text(cut(part.text, longest) if isinstance(part, Text) else _AN_IMAGE) for part in message.content)
    return replace(message, content=tuple(content))


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


def survivors(
    prompts: Sequence[str],
    pins: Sequence[str],
    todo: Sequence[str],
    *,
    longest: int,
    skills: dict[str, str] | None = None,
) -> str:
    """What stays word for word whatever is summed up: what the person said (up to `longest` characters, the latest
    first), what was pinned, what is to be done, the skills that were read (as much again, the latest first).
    """
    said: list[str] = []
    left = longest
    for prompt in reversed(prompts):
        if left < min(len(prompt), SMALL) and said:
            said.append(f"[{len(prompts) - len(said)} earlier prompts: Recall finds them]")
            break
        said.append(cut(prompt, min(LONGEST_PROMPT, max(left, SMALL))))
        left -= len(said[-1])
    parts = ["## What the person said", *(f"> {_indented(text)}" for text in reversed(said))] if said else []
    if pins:
        parts += ["## Pinned", *(f"- {_indented(pin)}" for pin in pins)]
    if todo:
        parts += ["## To do", *todo]
    if skills:
        parts += ["## Skills in use", *_skills(skills, longest)]
    return "\n".join(parts)


def _skills(skills: dict[str, str], longest: int) -> list[str]:
    told: list[str] = []
    for name, text in reversed(skills.items()):
        text = cut(text, min(LONGEST_SKILL, longest))
        longest -= len(text)
        told.append(text if longest >= 0 else f"[{name} was read before; read it again where it is needed]")
    return told[::-1]


def summed_up(survived: str, told: str) -> str:
    """The message that stands in the place of what was summed up."""
    head = (
        f"{OWN}The conversation up to here was summed up to make room. Nothing is lost: Recall searches all that "
        "was said and done, word for word."
    )
    return "\n\n".join(part for part in (head, survived, f"{_DONE}{told}" if told else "") if part)


def told_in(summary: str) -> str:
    """What a summary says of itself: without what survived word for word, which stands in the log at its own place."""
    head, _, told = summary.partition(f"\n\n{_DONE}")
    return told if head.startswith(OWN) else summary


def todo_lines(items: Iterable[TodoItem]) -> list[str]:
    marks = {"done": "x", "in_progress": "~", "pending": " "}
    return [f"- [{marks[item.status]}] {item.text}" for item in items]


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n  ")
