"""Asks a SearXNG server, one's own or a friend's. Its `settings.yml` must allow the format `json`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from protea.adapters.http.client import Client, Settings
from protea.adapters.http.errors import HttpError
from protea.adapters.search._hits import hits
from protea.domain.surroundings import Surroundings
from protea.ports.search import Hit, SearchError

LARGEST = 4 << 20
"""Bytes of an answer."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    """`https://search.example.org`, or `http://127.0.0.1:8888`."""
    language: str = ""
    """`en`, `de` …; left to the server where it is empty."""
    timeout: float = 30.0
    """Seconds for a search."""


class _Result(msgspec.Struct):
    url: str | None = None
    title: str | None = None
    content: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result]
    unresponsive_engines: list[list[object]] = []
    """Name and reason of those that did not answer."""


class Searxng:
    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._surroundings = surroundings

    async def search(self, query: str, limit: int = 10) -> Sequence[Hit]:
        if not query.strip():
            return ()
        asked = {"q": query, "format": "json"} | (
            {"language": self._options.language} if self._options.language else {}
        )
        url = f"{self._options.url.rstrip('/')}/search?{urlencode(asked, errors='replace')}"
        client = Client(
            Settings(connect_timeout=10, first_byte_timeout=20, idle_timeout=20), self._surroundings.environment
        )
        try:
            async with (
                asyncio.timeout(self._options.timeout),
                await client.request("GET", url, headers={"Accept": "application/json"}) as response,
            ):
                if response.status != 200:
                    why = {403: "; does it allow the format json?", 429: ": too many searches, wait a while"}
                    status = response.status
                    raise SearchError(f"{self._options.url} answers {status}{why.get(status, '')}")
                body = await response.read(LARGEST)
            answer = msgspec.json.decode(body, type=_Answer)
        except TimeoutError:
            seconds = self._options.timeout
            raise SearchError(f"{self._options.url} took longer than {seconds:g} s and was given up") from None
        except HttpError as error:
            raise SearchError(f"{self._options.url}: {error.message}") from error
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise SearchError(f"{self._options.url} answers with something else than results") from None
        finally:
            await client.aclose()
        if not answer.results and answer.unresponsive_engines:
            silent = ", ".join(" ".join(map(str, each[:2])) for each in answer.unresponsive_engines[:5])
            raise SearchError(f"none of the engines of {self._options.url} answers: {silent}")
        return hits(((each.title, each.url, each.content) for each in answer.results), limit)


def create(options: Options, *, surroundings: Surroundings) -> Searxng:
    return Searxng(options, surroundings)
