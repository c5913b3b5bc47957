"""A server that a test asks directly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from protea.ports.peer_server import PeerCard, PeerQuestion


class DirectPeerServer:
    """`PeerServer` without a socket: `ask` is what a peer would do."""

    def __init__(self) -> None:
        self.card: PeerCard | None = None
        self._answer: Callable[[PeerQuestion], Awaitable[str]] | None = None

    async def start(self, card: PeerCard, answer: Callable[[PeerQuestion], Awaitable[str]]) -> str:
        self.card, self._answer = card, answer
        return "test://here"

    async def aclose(self) -> None:
        self._answer = None

    async def ask(self, text: str, *, known: bool = True) -> str | None:
        if self._answer is None or not known:
            return None
        return await self._answer(PeerQuestion(peer="a test", text=text))
