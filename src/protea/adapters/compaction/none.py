"""Nothing is shrunk."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from protea.domain.messages import Message
from protea.ports.compaction import Shrunk


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoCompaction:
    async def shrink(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> Shrunk:
        return Shrunk(messages)


def create(options: Options) -> NoCompaction:
    return NoCompaction()
