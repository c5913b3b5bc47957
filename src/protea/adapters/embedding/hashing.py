"""Vectors of words and pieces of words, by hashing: the same everywhere, without a model, a download or a key.

It knows letters and not meaning: it finds `configure` by `configuration` and a word by its misspelling, and knows
nothing of `car` and `automobile`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

from protea.ports.embedding import Embedding


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: Annotated[int, msgspec.Meta(ge=32, le=8192)] = 512
    """Numbers in a vector. More of them mix fewer words up."""


class HashingEmbedding:
    def __init__(self, options: Options) -> None:
        self.size = options.size

    @property
    def name(self) -> str:
        return f"hashing-{self.size}"

    async def embed(self, texts: Sequence[str]) -> Sequence[tuple[float, ...]]:
        return [vector(text, self.size) for text in texts]


def vector(text: str, size: int) -> tuple[float, ...]:
    """Each feature adds to one place, up or down, by the logarithm of how often it occurs."""
    sums = [0.0] * size
    for feature, count in Counter(_features(text)).items():
        digest = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest())
        weight = (1 + math.log(count)) * (1.0 if feature[0] == "w" else 0.3)
        sums[(digest >> 1) % size] += weight if digest & 1 else -weight
    length = math.sqrt(sum(value * value for value in sums))
    return tuple(value / length for value in sums) if length else tuple(sums)


def _features(text: str) -> Iterator[str]:
    """Words, and their pieces of three letters."""
    for word in re.findall(r"\w+", text.casefold()):
        yield f"w{word}"
        if len(word) > 3:
            edged = f"<{word}>"
            yield from (f"p{edged[at : at + 3]}" for at in range(len(edged) - 2))


def create(options: Options) -> Embedding:
    return HashingEmbedding(options)
