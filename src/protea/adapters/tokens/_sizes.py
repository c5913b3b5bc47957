"""How many bytes a request has, as its wire would roughly write it."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from protea.domain.messages import AssistantMessage, Image, Message, ToolMessage, UserMessage
from protea.domain.reply import ModelRequest

IMAGE = 6000
"""Bytes of text that an image counts for: providers bill pictures by their size on the screen, not by their bytes."""
FRAME = 16
"""Bytes that a message costs whatever is in it."""


def of_message(message: Message) -> int:
    match message:
        case UserMessage():
            pictures = sum(isinstance(part, Image) for part in message.content)
            words = UserMessage(tuple(part for part in message.content if not isinstance(part, Image)))
            return FRAME + len(msgspec.json.encode(words)) + IMAGE * pictures
        case AssistantMessage():
            return FRAME + len(msgspec.json.encode(replace(message, native=None)))
        case ToolMessage():
            return FRAME + len(message.text.encode("utf-8", "replace")) + IMAGE * len(message.images)


def of_request(request: ModelRequest) -> int:
    around = sum(len(part.encode("utf-8", "replace")) for part in request.system)
    around += len(msgspec.json.encode((request.tools, request.schema)))
    return around + sum(map(of_message, request.messages))
