"""The port to the web: fetch one page. Swap class: hot."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from protea.domain.errors import ProteaError

Trouble = Literal["refused", "unreachable", "too_large", "too_slow", "unreadable", "off"]
"""`refused`: it may not be fetched, and nothing was sent. `unreadable`: what came cannot be shown as text."""


class WebError(ProteaError):
    """A page could not be had. The message is one line, names the host, and is fit for the model."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What an address gave. All of it comes from somebody else: data, never instructions."""

    url: str
    """Where it was found in the end: redirects within one host are followed."""
    status: int
    kind: str
    """The media type: `text/html`, `application/json` …"""
    title: str = ""
    text: str = ""
    """Markdown, where it was HTML."""
    size: int = 0
    """Bytes that came."""
    cut: bool = False
    """Whether more came than is kept."""
    moved_to: str | None = None
    """Another host it sends to; nothing was fetched from there, because who may be asked is decided by host."""
    cached: bool = False


class Web(Protocol):
    """Fetches pages by GET. Only public addresses are connected to, each hop and each address looked at, whatever the
    names say; but for those of this machine that a setting names."""

    @property
    def reaches(self) -> bool:
        """Whether it can fetch at all; tools that need it are not offered where it cannot."""
        ...

    async def fetch(self, url: str) -> Page:
        """Any status is a page. Raises `WebError`. Ends in bounded time, memory and bytes."""
        ...

    async def aclose(self) -> None:
        """Close its connections; it is not used afterwards."""
        ...
