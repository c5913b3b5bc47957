"""A web of a few pages."""

from __future__ import annotations

from collections.abc import Sequence

from protea.ports.search import Hit, SearchError


class ListSearch:
    """`Search` that gives its hits to any question; with `down` nobody answers. `asked` keeps the questions."""

    def __init__(self, *hits: Hit, down: bool = False) -> None:
        self._hits = hits
        self._down = down
        self.asked: list[str] = []

    async def search(self, query: str, limit: int = 10) -> Sequence[Hit]:
        self.asked.append(query)
        if self._down:
            raise SearchError("nobody answers")
        return self._hits[:limit]
