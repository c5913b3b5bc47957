"""Cuts the results of old calls to their beginning and end once the window fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from protea.domain.compaction import truncate_results
from protea.domain.messages import Message
from protea.ports.compaction import Shrunk


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    above: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.6
    """Share of the room that must be full before anything is cut."""
    keep: Annotated[int, msgspec.Meta(ge=0)] = 6
    """The latest results, which stay whole."""
    step: Annotated[int, msgspec.Meta(ge=1)] = 6
    """Results cut at a time, so that the requests in between begin alike."""
    longest: Annotated[int, msgspec.Meta(ge=200)] = 1000
    """Characters that stay of each."""


class Truncate:
    def __init__(self, options: Options) -> None:
        self._options = options

    async def shrink(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> Shrunk:
        options = self._options
        if room is None or sum(map(count, messages)) <= room * options.above:
            return Shrunk(messages)
        short = truncate_results(messages, keep=options.keep, step=options.step, longest=options.longest)
        changed = sum(before is not after for before, after in zip(messages, short, strict=True))
        return Shrunk(short, f"results of {changed} old calls cut") if changed else Shrunk(messages)


def create(options: Options) -> Truncate:
    return Truncate(options)
