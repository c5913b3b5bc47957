"""The port that searches the web. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from protea.domain.errors import ProteaError


class SearchError(ProteaError):
    """The search could not be done. The message is one line, fit for the model."""


class Hit(msgspec.Struct, frozen=True):
    """One result. All of it was written by others."""

    title: str
    url: str
    """http or https."""
    snippet: str = ""


class Search(Protocol):
    """Asks others what they know of the web."""

    async def search(self, query: str, limit: int = 10) -> Sequence[Hit]:
        """At most `limit` hits, the best first, each address once. Raises `SearchError`, also where nothing can be
        asked; finding nothing is no error."""
        ...
