"""What every `PeerServer` keeps."""

from __future__ import annotations

from protea.ports.peer_server import PeerCard, PeerQuestion, PeerServer

CARD = PeerCard(name="Protea", description="An agent.", version="1", skills=("reading",))


async def echo(question: PeerQuestion) -> str:
    return f"You said {question.text}"


class PeerServerContract:
    def peer_server(self) -> PeerServer:
        raise NotImplementedError

    async def ask(self, address: str, text: str, *, known: bool) -> str | None:
        """The answer to a question that is asked with a proof of who asks, or without; None where it is refused."""
        raise NotImplementedError

    async def test_who_proves_who_they_are_is_answered_and_nobody_else(self) -> None:
        server = self.peer_server()
        address = await server.start(CARD, echo)
        if address:
            assert await self.ask(address, "hello", known=True) == "You said hello"
            assert await self.ask(address, "hello", known=False) is None
        await server.aclose()

    async def test_it_listens_no_longer_when_it_was_closed(self) -> None:
        server = self.peer_server()
        address = await server.start(CARD, echo)
        await server.aclose()
        await server.aclose()
        if address:
            lost = False
            try:
                lost = await self.ask(address, "hello", known=True) is None
            except OSError:
                lost = True
            assert lost
