"""The port from text to vectors. Swap class: warm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Embedding(Protocol):
    """Vectors of one name can be compared with one another, and with no others."""

    @property
    def name(self) -> str:
        """What made them, with all that changes them: `hashing-512`. Empty where there are none."""
        ...

    @property
    def size(self) -> int:
        """Numbers in a vector; 0 where there are none: then nothing should be asked for."""
        ...

    async def embed(self, texts: Sequence[str]) -> Sequence[tuple[float, ...]]:
        """A vector for each text, in order: of length 1, or all zeros where the text says nothing.

        Raises `ModelError` where a provider or a local model fails.
        """
        ...
