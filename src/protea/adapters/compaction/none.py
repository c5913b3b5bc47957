"""Nothing is shrunk."""

from __future__ import annotations

import msgspec

from protea.domain.compaction import Conversation, Shrunk
from protea.ports.compaction import Ask


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoCompaction:
    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        return None


def create(options: Options) -> NoCompaction:
    return NoCompaction()
