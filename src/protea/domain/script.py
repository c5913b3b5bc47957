"""Replies written beforehand, in words no provider owns.

Played by the scripted adapter (from a file), by `protea.testing.model.ScriptedModel` (in memory) and by the loopback
provider (over HTTP). The functions here are what the three share.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from protea.domain.errors import Failure
from protea.domain.messages import Content, Text, Thinking, ToolCall
from protea.domain.reply import Reply, ReplyPiece, Stop, TextPiece, ThinkingPiece, UsageSeen
from protea.domain.usage import Usage

WORD = "word "
"""What `words` repeats."""


class ScriptedCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    name: str
    arguments: dict[str, object] = {}
    id: str | None = None
    """Made up, and always the same for the same place of the script, where it is left out."""
    arguments_text: str | None = None
    """Instead of `arguments`: what a model wrote that is no JSON object."""
    signature: str | None = None


class ScriptedReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One reply: thinking, text and calls in this order, then its end; or an error instead of the end."""

    text: str = ""
    words: int = 0
    """So many times `word ` instead of `text`, each a piece of its own: a long answer, written short."""
    thinking: str = ""
    signature: str | None = None
    """Of the thinking."""
    tool_calls: tuple[ScriptedCall, ...] = ()
    stop: Stop | None = None
    """`tool_calls` where there are calls, else `end_turn`, where it is left out."""
    usage: Usage | None = None
    """A rough count of `text` and `thinking` where it is left out."""
    pieces: int | None = None
    """How many pieces text and thinking are streamed in each; one per word where it is left out."""
    delay: float = 0.0
    """Seconds before the reply begins."""
    error: Failure | None = None
    """How it breaks off: after what stands before it was streamed, nothing becomes a reply."""


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Replies in the order they are given."""

    replies: tuple[ScriptedReply, ...]
    after: str = "repeat"
    """What follows the last reply: `repeat` it, begin again (`cycle`), or `fail`."""

    def __post_init__(self) -> None:
        if not self.replies:
            raise ValueError("a script has at least one reply")
        if self.after not in ("repeat", "cycle", "fail"):
            raise ValueError(f"after is repeat, cycle or fail, not {self.after!r}")


def at(script: Script, number: int) -> ScriptedReply | None:
    """The reply to request `number`, counted from 0; None where the script is over and says `fail`."""
    last = len(script.replies) - 1
    if number <= last or script.after == "cycle":
        return script.replies[number % (last + 1)]
    return script.replies[last] if script.after == "repeat" else None


def spoken(reply: ScriptedReply) -> str:
    """The text of the reply."""
    return WORD * reply.words if reply.words else reply.text


def cut(text: str, pieces: int | None) -> list[str]:
    """`text` in so many pieces of about one size; None: a piece per word, with the blanks behind it."""
    if not text:
        return []
    if pieces is None:
        # By hand, for a regular expression is slower over long texts.
        words = text.split(" ")
        out = [word + " " for word in words[:-1]]
        return [*out, words[-1]] if words[-1] else out
    size = -(-len(text) // max(1, pieces))
    return [text[start : start + size] for start in range(0, len(text), size)]


def usage_of(reply: ScriptedReply) -> Usage:
    """What the script says, or a word for a token."""
    if reply.usage is not None:
        return reply.usage
    reasoning = len(reply.thinking.split())
    written = reply.words or len(reply.text.split())
    calls = sum(1 + len(call.arguments) for call in reply.tool_calls)
    return Usage(input=10, output=max(1, written + reasoning + calls), reasoning=reasoning)


def stop_of(reply: ScriptedReply) -> Stop:
    return reply.stop or ("tool_calls" if reply.tool_calls else "end_turn")


def call_id(number: int, place: int) -> str:
    """Of the call at `place` of reply `number`, both counted from 0, where the script gives none."""
    return f"call_{number + 1}_{place + 1}"


def reply_of(reply: ScriptedReply, number: int, model: str) -> Reply:
    """The reply as a model gives it. `number` tells its place in the conversation, for the ids of its calls."""
    content: list[Content] = []
    if reply.thinking or reply.signature:
        content.append(Thinking(reply.thinking, reply.signature))
    if text := spoken(reply):
        content.append(Text(text))
    for place, call in enumerate(reply.tool_calls):
        arguments = UNSET if call.arguments_text is not None else call.arguments
        made = ToolCall(
            call.id or call_id(number, place), call.name, arguments, call.arguments_text, signature=call.signature
        )
        content.append(made)
    return Reply(tuple(content), stop_of(reply), usage_of(reply), model, wire_stop=stop_of(reply))


def pieces_of(reply: ScriptedReply) -> Iterator[ReplyPiece]:
    """What is streamed before the end."""
    for piece in cut(reply.thinking, reply.pieces):
        yield ThinkingPiece(piece)
    for piece in cut(spoken(reply), reply.pieces):
        yield TextPiece(piece)
    yield UsageSeen(usage_of(reply))
