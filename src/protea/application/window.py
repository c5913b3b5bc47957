"""What of the conversation a request shows: shrunk, then chosen, to fit what its model can see. Held by `session`,
asked by `turn` before every request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from protea.application.hub import Hub
from protea.domain.errors import ModelError
from protea.domain.events import NoticeGiven
from protea.domain.messages import Message
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolSpec
from protea.domain.usage import ModelInfo, Usage
from protea.ports.compaction import Compaction
from protea.ports.context import Context
from protea.ports.tokens import Tokens

ANSWER = 0.25
"""Of a model's window: what an answer is given at most, where nobody knows how long it may be."""


class Window:
    """The three ports that decide it. Each may be exchanged between two requests."""

    def __init__(self, context: Context | None, compaction: Compaction | None, tokens: Tokens, hub: Hub) -> None:
        self.context = context
        self.compaction = compaction
        self.tokens = tokens
        self._hub = hub
        self._said = ""
        """The last notice: what is so for many requests in a row is told once."""

    async def of(
        self, messages: tuple[Message, ...], model: ModelInfo, system: tuple[str, ...], tools: tuple[ToolSpec, ...]
    ) -> tuple[Message, ...]:
        """The messages to send. Never raises for a compaction that fails: that is told, and all is sent."""

        def count(message: Message) -> int:
            return self.tokens.message(message, model.id)

        room = None
        if model.context is not None:
            around = self.tokens.request(ModelRequest((), system=system, tools=tools), model.id)
            answer = min(model.max_output or model.context, int(model.context * ANSWER))
            room = max(1, model.context - around - answer)
        if self.compaction is not None:
            messages = await self._shrunk(self.compaction, messages, room, count)
        return messages if self.context is None else self.context.choose(messages, room=room, count=count)

    async def _shrunk(
        self, compaction: Compaction, messages: tuple[Message, ...], room: int | None, count: Callable[[Message], int]
    ) -> tuple[Message, ...]:
        try:
            shrunk = await compaction.shrink(messages, room=room, count=count)
        except ModelError as error:
            self._tell("warning", f"the conversation could not be made smaller: {error}")
            return messages
        if shrunk.what:
            self._tell("info", f"the conversation was made smaller: {shrunk.what}")
        return shrunk.messages

    def learn(self, request: ModelRequest, model: ModelInfo, usage: Usage) -> None:
        """What the provider counted."""
        self.tokens.learn(request, model.id, usage)

    def _tell(self, level: Literal["info", "warning"], text: str) -> None:
        if text != self._said:
            self._said = text
            self._hub.record(NoticeGiven(level=level, text=text))
