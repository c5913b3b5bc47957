"""By pressure: first the results of old calls go, and only when that is not enough is anything summed up."""

from __future__ import annotations

from typing import Annotated

import msgspec

from protea.adapters.compaction import summarise
from protea.adapters.compaction._results import old_results
from protea.domain.compaction import Conversation, Shrunk
from protea.ports.compaction import Ask


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clear_above: Annotated[float, msgspec.Meta(ge=0.5, le=1)] = 0.6
    """Share of the room from which results of old calls are emptied."""
    summarise_above: Annotated[float, msgspec.Meta(ge=0.5, le=1)] = 0.8
    """Share of the room from which the conversation is summed up."""
    keep_results: Annotated[int, msgspec.Meta(ge=0)] = 6
    """The latest results, which are not emptied."""
    keep: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.25
    """Share of the room whose latest messages are not summed up."""
    instructions: str = ""
    """What a summary should hold besides."""


class Levels:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._summarise = summarise.create(
            summarise.Options(above=options.summarise_above, keep=options.keep, instructions=options.instructions)
        )

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        options = self._options
        if not conversation.forced:
            shrunk = old_results(conversation, "clear", above=options.clear_above, keep=options.keep_results)
            if shrunk is not None:
                return shrunk
        return await self._summarise.shrink(conversation, ask)


def create(options: Options) -> Levels:
    return Levels(options)
