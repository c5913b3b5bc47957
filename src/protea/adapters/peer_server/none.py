"""No other agent is let in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from protea.ports.peer_server import PeerCard, PeerQuestion


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoPeerServer:
    async def start(self, card: PeerCard, answer: Callable[[PeerQuestion], Awaitable[str]]) -> str:
        return ""

    async def aclose(self) -> None:
        """Nobody listens."""


def create(options: Options) -> NoPeerServer:
    return NoPeerServer()
