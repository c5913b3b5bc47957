"""Asks several engines of the web at once, without a key, by the package ddgs (the extra `web`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from ddgs import DDGS
from ddgs.engines import ENGINES
from ddgs.exceptions import DDGSException

from protea.adapters.guests.thread import in_own_thread
from protea.adapters.search._hits import hits
from protea.domain.errors import ConfigError
from protea.domain.spelling import nearest
from protea.domain.surroundings import Surroundings
from protea.ports.search import Hit, SearchError


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    region: str = "us-en"
    engines: str = "auto"
    """As ddgs names them, with commas between."""
    timeout: Annotated[int, msgspec.Meta(ge=1)] = 10
    """Seconds for each engine."""


class Metasearch:
    def __init__(self, options: Options, proxy: str | None) -> None:
        self._options = options
        self._proxy = proxy

    async def search(self, query: str, limit: int = 10) -> Sequence[Hit]:
        if not query.strip() or limit < 1:
            return ()
        found = await in_own_thread(self._asked, query, limit)
        return hits(((each.get("title"), each.get("href"), each.get("body")) for each in found), limit)

    def _asked(self, query: str, limit: int) -> list[dict[str, str]]:
        options = self._options
        try:
            with DDGS(proxy=self._proxy, timeout=options.timeout) as engines:
                return list(engines.text(query, region=options.region, max_results=limit, backend=options.engines))
        except DDGSException as error:
            if "No results" in str(error):
                return []
            raise SearchError(f"no engine answers: {' '.join(str(error).split())[:200]}") from error


def create(options: Options, *, surroundings: Surroundings) -> Metasearch:
    """Raises `ConfigError` for an engine there is not: ddgs would ask all of them instead."""
    known = sorted(ENGINES["text"])
    for name in (each.strip() for each in options.engines.split(",")):
        if name not in ("auto", "all", *known):
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else f"there are auto, {', '.join(known)}"
            raise ConfigError(f"[ports.search] engines: there is no engine {name!r}; {hint}")
    environment = surroundings.environment
    return Metasearch(options, environment.get("HTTPS_PROXY") or environment.get("https_proxy"))
