"""What is asked of a model and what comes back, piece by piece and whole."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from protea.domain.messages import Content, Message, Native, ToolCall, calls_of
from protea.domain.tools import ToolSpec
from protea.domain.usage import Usage

Stop = Literal[
    "end_turn",
    "tool_calls",
    "length",
    "stop_sequence",
    "refusal",
    "content_filter",
    "pause",
    "malformed_tool_call",
    "error",
    "other",
]


class ModelRequest(msgspec.Struct, frozen=True):
    """One request, complete in itself. Two requests of one session share as long a prefix as the log allows."""

    messages: tuple[Message, ...]
    system: tuple[str, ...] = ()
    """Parts of the system prompt, the most stable first."""
    tools: tuple[ToolSpec, ...] = ()
    effort: str | None = None
    """`low`, `medium`, `high` …; None leaves it to the provider."""
    max_output: int | None = None
    schema: dict[str, Any] | None = None
    """JSON Schema the answer should follow, by the wire's own means where it has them."""
    stop_sequences: tuple[str, ...] = ()
    cache_key: str | None = None
    """Stable per session."""
    stream: bool = True


class TextPiece(msgspec.Struct, frozen=True):
    text: str


class ThinkingPiece(msgspec.Struct, frozen=True):
    text: str


class UsageSeen(msgspec.Struct, frozen=True):
    usage: Usage
    """Figures so far in this reply; they replace earlier ones."""


class Reply(msgspec.Struct, frozen=True):
    """A reply that came to its end mark. Always the last thing a stream yields, exactly once."""

    content: tuple[Content, ...]
    stop: Stop
    usage: Usage
    model: str
    """`provider/model`."""
    native: Native | None = None
    detail: str | None = None
    """The provider's own words on why it stopped, if any (a refusal's reason, a finish message)."""
    wire_stop: str | None = None
    """The wire's own stop reason."""


ReplyPiece = TextPiece | ThinkingPiece | UsageSeen | Reply


def own_ids(reply: Reply) -> Reply:
    """The reply with an id of its own for each of its calls: some servers give all the same one, or none.

    What its wire wanted back names the ids that were there before, so it is left out where they change.
    """
    calls = calls_of(reply.content)
    given = {call.id for call in calls}
    if len(given) == len(calls) and "" not in given:
        return reply
    taken: set[str] = set()
    content: list[Content] = []
    for part in reply.content:
        if isinstance(part, ToolCall):
            id, number = part.id, 1
            while not id or id in taken or (number > 1 and id in given):
                number += 1
                id = f"{part.id or 'call'}_{number}"
            taken.add(id)
            part = replace(part, id=id)
        content.append(part)
    return replace(reply, content=tuple(content), native=None)
