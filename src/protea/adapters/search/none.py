"""The web is not searched."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.ports.search import Hit, SearchError


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoSearch:
    async def search(self, query: str, limit: int = 10) -> Sequence[Hit]:
        raise SearchError('the web cannot be searched: set [ports.search] adapter = "searxng" or "metasearch"')


def create(options: Options) -> NoSearch:
    return NoSearch()
