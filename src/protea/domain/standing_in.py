"""When another model may help, what it cannot do that the first could, and what it is shown instead. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from protea.domain.errors import Failure
from protea.domain.messages import Image, Message, Text, ToolMessage, UserMessage
from protea.domain.usage import ModelInfo

_ELSEWHERE = frozenset(
    {
        "auth",
        "billing",
        "connection",
        "malformed",
        "not_found",
        "overloaded",
        "rate_limit",
        "server",
        "timeout",
        "tls",
        "truncated",
    }
)
"""Causes that lie with one provider. A request that is wrong, too long or refused stays so with any."""


def helps(failure: Failure) -> bool:
    """Whether another model may answer where this one failed."""
    return failure.kind in _ELSEWHERE


def lost(before: ModelInfo, after: ModelInfo) -> tuple[str, ...]:
    """What the second model is known to lack of what the first is known to have."""
    found = []
    if before.images and after.images is False:
        found.append("images")
    if before.thinking and after.thinking is False:
        found.append("thinking")
    if before.context and after.context and after.context < before.context:
        found.append(f"window ({after.context:,} tokens instead of {before.context:,})")
    return tuple(found)


def without_images(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages as a model is shown them that sees no images: a word where each was. Others stay what they are."""
    if not any(map(_pictures, messages)):
        return messages
    return tuple(_told(message) if _pictures(message) else message for message in messages)


_LEFT_OUT = "[an image stood here; this model sees none]"


def _pictures(message: Message) -> bool:
    match message:
        case UserMessage(content=content):
            return any(isinstance(part, Image) for part in content)
        case ToolMessage(images=images):
            return bool(images)
        case _:
            return False


def _told(message: Message) -> Message:
    if isinstance(message, UserMessage):
        return UserMessage(tuple(Text(_LEFT_OUT) if isinstance(part, Image) else part for part in message.content))
    if isinstance(message, ToolMessage):
        text = "\n".join([*([message.text] if message.text else []), *[_LEFT_OUT] * len(message.images)])
        return replace(message, text=text, images=())
    return message
