"""Sums up without a model: a line for each call, what the answers said. Quick, free, and the same every time."""

from __future__ import annotations

from typing import Annotated

import msgspec

from protea.domain.compaction import LONGEST_DIGEST, Conversation, Shrunk, digest, last_resort, to_sum_up
from protea.ports.compaction import Ask


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    above: Annotated[float, msgspec.Meta(ge=0.5, le=1)] = 0.8
    """Share of the room that must be full before anything is summed up."""
    keep: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.25
    """Share of the room whose latest messages stay as they are."""
    longest: Annotated[int, msgspec.Meta(ge=500)] = LONGEST_DIGEST
    """Characters of the summary."""


class Digest:
    def __init__(self, options: Options) -> None:
        self._options = options

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        options = self._options
        before = to_sum_up(conversation, options.above, options.keep)
        if not before:
            return last_resort(conversation)
        text = digest(conversation.messages[:before], options.longest)
        return Shrunk(how="summarise", before=before, text=text)


def create(options: Options) -> Digest:
    return Digest(options)
