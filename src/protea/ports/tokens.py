"""The port that counts tokens. Swap class: hot."""

from __future__ import annotations

from typing import Protocol

from protea.domain.messages import Message
from protea.domain.reply import ModelRequest
from protea.domain.usage import Usage


class Tokens(Protocol):
    """How much a text is for a model, before it is sent.

    Never waits, never raises. What it gives is an estimate: at least 1, more for more text, and the same for the same
    question until `learn` has told it better.
    """

    def message(self, message: Message, model: str) -> int:
        """Tokens of one message for `model` (`provider/model`)."""
        ...

    def request(self, request: ModelRequest, model: str) -> int:
        """Tokens of a whole request: its system prompt, tools and messages."""
        ...

    def learn(self, request: ModelRequest, model: str, usage: Usage) -> None:
        """What the provider counted for a request. Costs next to nothing: it is called after every reply."""
        ...
