"""Empties the results of old calls once the window fills: they are what fills it, and can be had again."""

from __future__ import annotations

from typing import Annotated

import msgspec

from protea.adapters.compaction._results import old_results
from protea.domain.compaction import Conversation, Shrunk, last_resort
from protea.ports.compaction import Ask


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    above: Annotated[float, msgspec.Meta(ge=0.5, le=1)] = 0.6
    """Share of the room that must be full before anything is emptied."""
    keep: Annotated[int, msgspec.Meta(ge=0)] = 6
    """The latest results, which stay."""


class ClearResults:
    def __init__(self, options: Options) -> None:
        self._options = options

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        shrunk = old_results(conversation, "clear", above=self._options.above, keep=self._options.keep)
        return shrunk or last_resort(conversation)


def create(options: Options) -> ClearResults:
    return ClearResults(options)
