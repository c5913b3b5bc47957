"""Models by name, from a table."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.errors import UsageError
from protea.domain.usage import ModelInfo
from protea.ports.model import Model


class TableModelSource:
    """`ModelSource` over given models; the first is the default. `closed` tells whether it was closed."""

    def __init__(self, first: Model, *others: Model) -> None:
        self._models = {model.info.id: model for model in (first, *others)}
        self.closed = False

    def default(self) -> str:
        return next(iter(self._models))

    async def open(self, name: str) -> Model:
        if name not in self._models:
            raise UsageError(f"there is no model {name}; there are {', '.join(self._models)}")
        return self._models[name]

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        infos = [model.info for model in self._models.values()]
        return [info for info in infos if provider is None or info.id.partition("/")[0] == provider]

    def lacks(self, provider: str) -> str:
        return ""

    async def refresh(self, provider: str | None = None) -> Sequence[str]:
        return ()

    async def aclose(self) -> None:
        for model in self._models.values():
            await model.aclose()
        self.closed = True
