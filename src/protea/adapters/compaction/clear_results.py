"""Empties the results of old calls once the window fills: they are what fills it, and can be had again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from protea.domain.compaction import clear_results
from protea.domain.messages import Message
from protea.ports.compaction import Shrunk


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    above: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.6
    """Share of the room that must be full before anything is emptied."""
    keep: Annotated[int, msgspec.Meta(ge=0)] = 6
    """The latest results, which stay."""
    step: Annotated[int, msgspec.Meta(ge=1)] = 6
    """Results emptied at a time, so that the requests in between begin alike."""


class ClearResults:
    def __init__(self, options: Options) -> None:
        self._options = options

    async def shrink(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> Shrunk:
        options = self._options
        if room is None or sum(map(count, messages)) <= room * options.above:
            return Shrunk(messages)
        cleared = clear_results(messages, keep=options.keep, step=options.step)
        changed = sum(before is not after for before, after in zip(messages, cleared, strict=True))
        return Shrunk(cleared, f"results of {changed} old calls cleared") if changed else Shrunk(messages)


def create(options: Options) -> ClearResults:
    return ClearResults(options)
