"""A web of a few pages."""

from __future__ import annotations

from collections.abc import Mapping

from protea.ports.web import Page, WebError


class ScriptedWeb:
    """`Web` that has the pages it was given, and keeps in `asked` what it was asked for."""

    def __init__(self, pages: Mapping[str, Page] | None = None) -> None:
        self.asked: list[str] = []
        self._pages = dict(pages or {})

    @property
    def reaches(self) -> bool:
        return True

    async def fetch(self, url: str) -> Page:
        self.asked.append(url)
        if url not in self._pages:
            raise WebError("unreachable", f"{url} is not among the pages of this web")
        return self._pages[url]

    async def aclose(self) -> None:
        return None
