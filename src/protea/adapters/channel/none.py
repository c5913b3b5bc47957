"""Nobody outside is heard or spoken to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from protea.domain.errors import UsageError
from protea.ports.channel import Incoming


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoChannel:
    async def open(self) -> None:
        """There is nothing to listen to."""

    async def incoming(self) -> AsyncIterator[Incoming]:
        nothing: tuple[Incoming, ...] = ()
        for each in nothing:
            yield each

    async def send(self, conversation: str, text: str) -> None:
        raise UsageError("there is no channel to send by; set [ports.channel]")

    async def aclose(self) -> None:
        """Nothing is open."""


def create(options: Options) -> NoChannel:
    return NoChannel()
