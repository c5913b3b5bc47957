"""A compaction that drops results, and can be made to fail."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.compaction import clear_results
from protea.domain.errors import ModelError
from protea.domain.messages import Message
from protea.ports.compaction import Shrunk


class ClearingCompaction:
    """`Compaction` that empties all results once `room` is passed; with `fails` it raises as one whose model does."""

    def __init__(self, *, fails: ModelError | None = None) -> None:
        self._fails = fails

    async def shrink(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> Shrunk:
        if room is None or sum(map(count, messages)) <= room:
            return Shrunk(messages)
        if self._fails is not None:
            raise self._fails
        cleared = clear_results(messages, keep=0, step=1)
        return Shrunk(cleared, "all results cleared") if cleared != messages else Shrunk(messages)
