"""The port that makes a conversation smaller. Swap class: hot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from protea.domain.compaction import Conversation, Shrunk
from protea.domain.messages import Message

Ask = Callable[[Sequence[Message], str], Awaitable[str]]
"""(what it is shown, what it is asked) → the answer's text. Raises `ModelError`; it may not be there at all."""


class Compaction(Protocol):
    """Decides what is done to a conversation that fills its room; the log keeps all of it."""

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        """The next thing to do, None where there is nothing to do (any more). It is asked again after each.

        While the conversation takes less than half of its room and is not `forced`, the answer is None. What it gives
        makes the conversation smaller. `ask` is there where a model can be asked; `ModelError` may be raised.
        """
        ...
