"""What a conversation is made of, in words no provider owns.

A model adapter turns its wire into these parts and back. `Native` carries what cannot be said in them (see its
docstring); everything else in Protea reads only the neutral parts.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

PERSON = "person/shell"
"""Who said it, where a model would stand: a person who typed a command of their own."""


OWN = "[Protea] "
"""Begins what Protea says where a person would: news of tasks, instructions of folders, a summary."""


class Part(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """One piece of a message. `type` tells the pieces apart in JSON."""


class Text(Part, frozen=True, tag="text"):
    text: str
    signature: str | None = None
    """Opaque proof some wires (Gemini) hang on a part; it goes back where it was."""


class Thinking(Part, frozen=True, tag="thinking"):
    text: str
    """May be empty while `signature` is not: such a part must still be sent back."""
    signature: str | None = None


class ToolCall(Part, frozen=True, tag="tool_call"):
    id: str
    name: str
    arguments: dict[str, Any] | UnsetType = UNSET
    """Absent exactly when what the model wrote is no JSON object; then `arguments_text` has it, and it never runs."""
    arguments_text: str | None = None
    signature: str | None = None


class Image(Part, frozen=True, tag="image"):
    media_type: str
    """`image/png`, `image/jpeg`, `image/gif` or `image/webp`."""
    data: str
    """Base64."""


class Other(Part, frozen=True, tag="other"):
    """A block this version has no word for (server tools, redacted thinking, citations …), kept whole."""

    kind: str
    data: dict[str, Any]


Content = Text | Thinking | ToolCall | Other
"""What an assistant message may hold."""


class Native(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reply exactly as its wire wants it back.

    Set by an adapter only when the neutral parts alone could not rebuild it (encrypted reasoning items, unknown
    blocks, reasoning_details). The same wire sends `content` back unchanged; every other wire ignores it and
    translates the neutral parts.
    """

    wire: str
    """`anthropic`, `openai-chat`, `openai-responses`, `gemini` or `ollama`."""
    content: Any


class UserMessage(msgspec.Struct, frozen=True, tag="user", tag_field="role"):
    content: tuple[Text | Image, ...]


class AssistantMessage(msgspec.Struct, frozen=True, tag="assistant", tag_field="role"):
    content: tuple[Content, ...]
    model: str = ""
    """`provider/model` that said it: a wire may keep signatures of its own model and must drop those of others."""
    native: Native | None = None


class ToolMessage(msgspec.Struct, frozen=True, tag="tool", tag_field="role"):
    """The result of one call. Every call of an assistant message has exactly one, right after it, in call order."""

    call_id: str
    name: str
    text: str
    is_error: bool = False
    images: tuple[Image, ...] = ()


Message = UserMessage | AssistantMessage | ToolMessage


def is_own(message: Message) -> bool:
    """Whether it stands where a person would speak and is Protea's own."""
    if not isinstance(message, UserMessage) or not message.content:
        return False
    first = message.content[0]
    return isinstance(first, Text) and first.text.startswith(OWN)


def length_of(message: Message) -> int:
    """Characters of its texts and arguments, and what an image and the words around it are worth: a rough measure that
    costs nothing."""
    match message:
        case ToolMessage():
            return 50 + len(message.text) + 4_000 * len(message.images)
        case UserMessage():
            return 20 + sum(len(part.text) if isinstance(part, Text) else 4_000 for part in message.content)
        case AssistantMessage():
            return 20 + sum(map(_length_of_part, message.content))


def _length_of_part(part: Content) -> int:
    match part:
        case Text() | Thinking():
            return len(part.text) + len(part.signature or "")
        case ToolCall():
            return 100 + len(part.arguments_text or "") + (len(str(part.arguments)) if part.arguments else 0)
        case Other():
            return len(str(part.data))


def text_of(content: tuple[Content, ...]) -> str:
    """The answer text of a message, its text parts joined without separators."""
    return "".join(part.text for part in content if isinstance(part, Text))


def calls_of(content: tuple[Content, ...]) -> tuple[ToolCall, ...]:
    """The tool calls of a message, in the model's order."""
    return tuple(part for part in content if isinstance(part, ToolCall))
