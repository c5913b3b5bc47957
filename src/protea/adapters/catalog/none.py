"""Knows no model: windows and prices come from config.toml alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.usage import ModelInfo


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoCatalog:
    def find(self, provider: str, model: str) -> ModelInfo | None:
        return None

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        return ()


def create(options: Options) -> NoCatalog:
    return NoCatalog()
