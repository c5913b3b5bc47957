"""Pages over HTTP, by Protea's own client behind a guard that looks at every address before it is connected to."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from protea._version import __version__
from protea.domain.surroundings import Surroundings
from protea.ports.web import Page, Web, WebError

if TYPE_CHECKING:  # opened at the first page: most runs fetch none
    from protea.adapters.http.client import Client, Response

HOPS = 5
_SENDS_ON = frozenset({301, 302, 303, 307, 308})
_ACCEPT = (
    "text/markdown, text/html;q=0.9, application/xhtml+xml;q=0.9, text/plain;q=0.8, application/json;q=0.8, */*;q=0.5"
)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ports: tuple[int, ...] = (80, 443)
    """Ports of public hosts that may be connected to; a rule must name any other besides."""
    local_ports: tuple[int, ...] = ()
    """Ports of this machine's loopback that may be connected to all the same: tests, services of one's own."""
    max_bytes: int = 5_000_000
    """Of one answer, decompressed; what comes after them is left."""
    timeout: float = 30.0
    """Seconds for a page, redirects and all."""
    cache_minutes: float = 15.0
    cache_pages: int = 64
    cache_bytes: int = 20_000_000
    """Of text, for all pages that are kept."""


def create(options: Options, *, surroundings: Surroundings) -> Web:
    """Opens nothing before the first page."""
    return HttpWeb(options, surroundings)


class HttpWeb:
    """`Web` over HTTP/1.1. A proxy of the environment is used; then it resolves names, and the guard looks first."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._surroundings = surroundings
        self._client: Client | None = None
        self._cache: OrderedDict[str, tuple[float, Page]] = OrderedDict()

    @property
    def reaches(self) -> bool:
        return True

    async def fetch(self, url: str) -> Page:
        # Here and below: every session has this port, few fetch, and what takes URLs apart is 2 ms of a start.
        from urllib.parse import urldefrag, urlsplit

        from protea.adapters.http.errors import HttpError

        url = urldefrag(url.strip()).url
        if (kept := self._kept(url)) is not None:
            return kept
        host = urlsplit(url).hostname or url[:80]
        try:
            async with asyncio.timeout(self._options.timeout):
                page = await self._hops(url)
        except TimeoutError as error:
            seconds = self._options.timeout
            raise WebError("too_slow", f"{host} took longer than {seconds:g} s and was given up") from error
        except HttpError as error:
            refused = error.cause == "invalid_request"
            raise WebError("refused" if refused else "unreachable", f"{host}: {error.message}") from error
        if page.status < 400 and page.moved_to is None:
            self._keep(url, page)
        return page

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _hops(self, url: str) -> Page:
        from urllib.parse import urldefrag, urljoin, urlsplit

        first = urlsplit(url)
        for _ in range(HOPS + 1):
            self._refuse(url)
            async with await self._opened().request("GET", url, headers=_headers()) as response:
                location = response.headers.get("location")
                if response.status not in _SENDS_ON or not location:
                    return await self._page(url, response)
                following = urldefrag(urljoin(url, location)).url
                status = response.status
            target = urlsplit(following)
            if not _same_place(first, target):
                kind = "text/plain"
                return Page(url=url, status=status, kind=kind, moved_to=following[:2000])
            url = following
        raise WebError("unreachable", f"{first.hostname} sends from one address to the next without end")

    def _refuse(self, url: str) -> None:
        """What no permission can want: other schemes, credentials in the address, hosts nobody can read."""
        from urllib.parse import urlsplit

        from protea.domain.permission.address import read_address

        address = read_address(url)
        local = address.local and address.port in self._options.local_ports
        if "@" in urlsplit(url).netloc:
            raise WebError("refused", "the URL carries a name or password, which is not sent")
        if (address.verdict == "deny" and not local) or not address.host:
            raise WebError("refused", address.why or "it is not a whole URL")

    def _opened(self) -> Client:
        if self._client is None:
            from protea.adapters.http.client import Client, Settings
            from protea.adapters.http.guard import Guard

            options = self._options
            settings = Settings(connect_timeout=15.0, first_byte_timeout=options.timeout, idle_timeout=options.timeout)
            guard = Guard(frozenset(options.ports), frozenset(options.local_ports))
            self._client = Client(settings, self._surroundings.environment, guard)
        return self._client

    async def _page(self, url: str, response: Response) -> Page:
        from protea.adapters.web._text import shown  # only where a page has come

        limit = self._options.max_bytes
        blocks, size = [], 0
        while block := await response.read_block():
            blocks.append(block[: limit - size])
            size += len(block)
            if size > limit:
                break
        kind = response.headers.get("content-type", "")
        page = Page(url=url, status=response.status, kind=kind.partition(";")[0].strip().lower())
        title, text, kind = await asyncio.to_thread(shown, b"".join(blocks), kind, url, cut=size > limit)
        return replace(page, title=title, text=text, kind=kind, size=min(size, limit), cut=size > limit)

    def _kept(self, url: str) -> Page | None:
        since, page = self._cache.get(url, (0.0, None))
        if page is None:
            return None
        if time.monotonic() - since > 60 * self._options.cache_minutes:
            del self._cache[url]
            return None
        self._cache.move_to_end(url)
        return replace(page, cached=True)

    def _keep(self, url: str, page: Page) -> None:
        self._cache[url] = (time.monotonic(), page)
        while self._cache and (
            len(self._cache) > self._options.cache_pages
            or sum(len(each.text) for _, each in self._cache.values()) > self._options.cache_bytes
        ):
            self._cache.popitem(last=False)


def _headers() -> dict[str, str]:
    return {"Accept": _ACCEPT, "Accept-Language": "en, *;q=0.5", "User-Agent": f"Protea/{__version__}"}


def _same_place(first: object, second: object) -> bool:
    """Whether a redirect stays with whoever was asked: the host, but for `www.`, and never back to plain http."""
    one, two = first, second
    hosts = [str(getattr(each, "hostname", "") or "").removeprefix("www.").rstrip(".") for each in (one, two)]
    ports = [getattr(each, "port", None) for each in (one, two)]
    schemes = [str(getattr(each, "scheme", "")) for each in (one, two)]
    usual = all(port is None for port in ports) or ports[0] == ports[1]
    return hosts[0] == hosts[1] and usual and schemes in (["http", "http"], ["http", "https"], ["https", "https"])
