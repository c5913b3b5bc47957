"""The port that opens models by name. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protea.domain.usage import ModelInfo
from protea.ports.model import Model


class ModelSource(Protocol):
    """From `provider/model` to a model that can be asked."""

    def default(self) -> str:
        """The model to use where nobody named one: from settings, from the keys at hand, else the offline one."""
        ...

    async def open(self, name: str) -> Model:
        """The model, opened once for each name; its key may come from a command that takes a while.

        Raises `UsageError` for an unknown provider (naming the near ones), `ConfigError` for a missing key.
        """
        ...

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        """Models that are known without asking anybody: from the catalog, from settings, from lists that were kept."""
        ...

    def lacks(self, provider: str) -> str:
        """What must be there before its models can be asked, in a few words; empty where nothing is known to be
        missing. Asks nobody."""
        ...

    async def refresh(self, provider: str | None = None) -> Sequence[str]:
        """Ask providers for their own lists, which `list` then has: one, or all whose key or server is at hand.

        A line for each that could not be asked; what was known of it stays. Raises `UsageError` for an unknown one.
        """
        ...

    async def aclose(self) -> None:
        """Close all that was opened."""
        ...
