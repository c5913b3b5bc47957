"""A catalog of given models."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.usage import ModelInfo


class ListCatalog:
    """`Catalog` that knows the models it was given, by their exact names."""

    def __init__(self, *known: ModelInfo) -> None:
        self._known = {info.id: info for info in sorted(known, key=lambda info: info.id)}

    def find(self, provider: str, model: str) -> ModelInfo | None:
        return self._known.get(f"{provider}/{model}")

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        return [info for id, info in self._known.items() if provider is None or id.partition("/")[0] == provider]
