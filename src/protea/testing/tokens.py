"""Tokens by words."""

from __future__ import annotations

from protea.domain.messages import AssistantMessage, Message, Text, UserMessage
from protea.domain.reply import ModelRequest
from protea.domain.usage import Usage


class WordTokens:
    """`Tokens` that counts a word as one; `learned` keeps what it was told."""

    def __init__(self) -> None:
        self.learned: list[tuple[str, Usage]] = []

    def message(self, message: Message, model: str) -> int:
        if isinstance(message, UserMessage | AssistantMessage):
            return 1 + sum(len(part.text.split()) if isinstance(part, Text) else 1 for part in message.content)
        return 1 + len(message.text.split())

    def request(self, request: ModelRequest, model: str) -> int:
        around = sum(len(part.split()) for part in request.system) + sum(len(t.description) for t in request.tools)
        return 1 + around + sum(self.message(message, model) for message in request.messages)

    def learn(self, request: ModelRequest, model: str, usage: Usage) -> None:
        self.learned.append((model, usage))
