"""Windows and prices as they were when this version was made: `data/*.json`, written by `scripts/prices.py`.

Prices are those of the lowest tier; where a provider charges more for long inputs the real bill is higher.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from protea.domain.families import able
from protea.domain.usage import ModelInfo, Price

_DATA = os.path.join(os.path.dirname(__file__), "data")
_BORDERS = "-@:/"
"""What may follow a known name in a longer one that means the same model: a date, a region, a variant."""


Row = list[float | None]
"""[context, input, output, cache_read, cache_write], cut after the last that is known."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class SnapshotCatalog:
    """Reads a provider's file when it is first asked for."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Row]] = {}

    def find(self, provider: str, model: str) -> ModelInfo | None:
        table = self._table(provider)
        name = model if model in table else _extended(model, table) or _alias(model, table)
        return None if name is None else _info(f"{provider}/{model}", table[name])

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        providers = [provider] if provider is not None else self._providers()
        return [_info(f"{name}/{model}", row) for name in providers for model, row in self._table(name).items()]

    def _providers(self) -> Sequence[str]:
        return sorted(name[:-5] for name in os.listdir(_DATA) if name.endswith(".json") and name != "about.json")

    def _table(self, provider: str) -> dict[str, Row]:
        if provider not in self._tables:
            path = os.path.join(_DATA, f"{provider}.json")
            known = provider in self._providers()
            self._tables[provider] = _read(path) if known else {}
        return self._tables[provider]


def _read(path: str) -> dict[str, Row]:
    with open(path, "rb") as file:
        return msgspec.json.decode(file.read(), type=dict[str, Row])


def _extended(model: str, table: dict[str, Row]) -> str | None:
    known = [name for name in table if model.startswith(name) and model[len(name)] in _BORDERS]
    known = [name for name in known if model[len(name) + 1 :][:1].isdigit() or model[len(name)] != "-"]
    return max(known, key=len, default=None)


def _alias(model: str, table: dict[str, Row]) -> str | None:
    """The row that `NAME-latest`, or `NAME` for the last of `NAME-0709`, means."""
    bare = model.removesuffix("-latest")
    if bare in table:
        return bare
    dated = [name for name in table if name.startswith(bare + "-") and name[len(bare) + 1 :].isdigit()]
    return max(dated, default=None)


def _info(id: str, row: Row) -> ModelInfo:
    context, price_in, price_out, read, write = (*row, None, None)[:5]
    price = Price(input=price_in or 0.0, output=price_out or 0.0, cache_read=read, cache_write=write)
    return able(ModelInfo(id=id, context=None if context is None else int(context), price=price))


def create(options: Options) -> SnapshotCatalog:
    return SnapshotCatalog()
