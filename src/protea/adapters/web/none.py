"""No web: nothing is fetched, and no tool that would is offered."""

from __future__ import annotations

import msgspec

from protea.ports.web import Page, Web, WebError


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoWeb:
    """`Web` that refuses."""

    @property
    def reaches(self) -> bool:
        return False

    async def fetch(self, url: str) -> Page:
        raise WebError("off", "fetching pages is switched off ([ports.web] adapter = none)")

    async def aclose(self) -> None:
        return None


def create(options: Options) -> Web:
    return NoWeb()
