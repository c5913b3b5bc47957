"""A compaction that drops results, and can be made to fail."""

from __future__ import annotations

from protea.domain.compaction import Conversation, Shrunk, applied, behind_results
from protea.domain.errors import ModelError
from protea.ports.compaction import Ask


class ClearingCompaction:
    """`Compaction` that empties all results once half the room is taken; with `fails` it raises as one whose model
    does."""

    def __init__(self, *, fails: ModelError | None = None) -> None:
        self._fails = fails

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        if not conversation.forced and conversation.used <= conversation.room / 2:
            return None
        if self._fails is not None:
            raise self._fails
        shrunk = Shrunk(how="clear", before=behind_results(conversation.messages, 0))
        return shrunk if applied(conversation.messages, shrunk) != conversation.messages else None
