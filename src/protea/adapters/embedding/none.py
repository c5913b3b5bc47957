"""No vectors: what is found is found by its words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.ports.embedding import Embedding


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoEmbedding:
    name = ""
    size = 0

    async def embed(self, texts: Sequence[str]) -> Sequence[tuple[float, ...]]:
        return [() for _ in texts]


def create(options: Options) -> Embedding:
    return NoEmbedding()
