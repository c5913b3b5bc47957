"""Cuts the results of old calls to their beginning and end once the window fills."""

from __future__ import annotations

from typing import Annotated

import msgspec

from protea.adapters.compaction._results import old_results
from protea.domain.compaction import Conversation, Shrunk, last_resort
from protea.ports.compaction import Ask


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    above: Annotated[float, msgspec.Meta(ge=0.5, le=1)] = 0.6
    """Share of the room that must be full before anything is cut."""
    keep: Annotated[int, msgspec.Meta(ge=0)] = 6
    """The latest results, which stay whole."""
    longest: Annotated[int, msgspec.Meta(ge=200)] = 1000
    """Characters that stay of each."""


class Truncate:
    def __init__(self, options: Options) -> None:
        self._options = options

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        options = self._options
        shrunk = old_results(conversation, "shorten", above=options.above, keep=options.keep, longest=options.longest)
        return shrunk or last_resort(conversation)


def create(options: Options) -> Truncate:
    return Truncate(options)
