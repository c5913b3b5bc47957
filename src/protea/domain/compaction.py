"""Makes a conversation smaller without asking anybody: results of old calls, emptied or cut. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from protea.domain.cut import cut
from protea.domain.messages import Message, ToolMessage

SMALL = 200
"""Characters. A shorter result costs less than the words that would stand in its place."""


def clear_results(messages: Sequence[Message], *, keep: int, step: int) -> tuple[Message, ...]:
    """Results without their text, but for the last `keep` to `keep + step` of them.

    What is emptied moves on by `step` results at a time, so that requests in between begin alike.
    """
    clear = _old(messages, keep, step)
    return tuple(_cleared(message) if at in clear else message for at, message in enumerate(messages))


def truncate_results(messages: Sequence[Message], *, keep: int, step: int, longest: int) -> tuple[Message, ...]:
    """The same, but with `longest` characters of each, of its beginning and its end."""
    short = _old(messages, keep, step)
    return tuple(_shortened(message, longest) if at in short else message for at, message in enumerate(messages))


def _old(messages: Sequence[Message], keep: int, step: int) -> set[int]:
    results = [at for at, message in enumerate(messages) if isinstance(message, ToolMessage)]
    gone = max(0, len(results) - keep) // max(1, step) * max(1, step)
    return set(results[:gone])


def _cleared(message: Message) -> Message:
    if not isinstance(message, ToolMessage) or (len(message.text) <= SMALL and not message.images):
        return message
    lost = f"{len(message.text)} characters" + (f" and {len(message.images)} images" if message.images else "")
    return replace(
        message, text=f"[The result of this call, {lost}, was cleared. Call again if you need it.]", images=()
    )


def _shortened(message: Message, longest: int) -> Message:
    if not isinstance(message, ToolMessage) or len(message.text) <= max(longest, SMALL):
        return message
    text = cut(message.text, longest)
    return replace(message, text=text) if len(text) < len(message.text) else message
