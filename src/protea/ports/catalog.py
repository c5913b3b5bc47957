"""The port to what is known of models before they are asked: windows and prices. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protea.domain.usage import ModelInfo


class Catalog(Protocol):
    """Knows models without asking their provider."""

    def find(self, provider: str, model: str) -> ModelInfo | None:
        """What is known of a model; dated and aliased names are found by the name they extend. None where nothing."""
        ...

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        """All that is known, of one provider or of all, in the order of their names."""
        ...
