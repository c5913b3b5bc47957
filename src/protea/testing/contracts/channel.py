"""What every `Channel` keeps."""

from __future__ import annotations

import asyncio

from protea.domain.errors import UsageError
from protea.ports.channel import Channel, Incoming

WITHIN = 30.0
"""Seconds a message may take."""


class ChannelContract:
    def channel(self) -> Channel:
        """The same other side at every call within one test."""
        raise NotImplementedError

    async def write(self, conversation: str, text: str) -> bool:
        """Someone outside writes; False where nobody can, as with the null adapter."""
        return False

    async def said(self) -> list[tuple[str, str]] | None:
        """(conversation, text) of all that arrived outside; None where that cannot be known."""
        return None

    async def _hear(self, channel: Channel, count: int) -> list[Incoming]:
        heard: list[Incoming] = []
        async with asyncio.timeout(WITHIN):
            async for message in channel.incoming():
                heard.append(message)
                if len(heard) == count:
                    break
        return heard

    async def test_what_was_written_while_nobody_listened_comes_in_once(self) -> None:
        channel = self.channel()
        await channel.open()
        if not await self.write("garden", "water the roses"):
            await channel.aclose()
            return
        (message,) = await self._hear(channel, 1)
        assert (message.conversation, message.text) == ("garden", "water the roses")
        assert message.sender
        assert message.at.endswith("Z")
        await self.write("garden", "and the figs")
        (following,) = await self._hear(channel, 1)
        assert following.text == "and the figs"
        assert following.id != message.id
        await channel.aclose()

    async def test_listening_ends_when_it_is_closed(self) -> None:
        channel = self.channel()
        await channel.open()

        async def listen() -> list[Incoming]:
            return [message async for message in channel.incoming()]

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await channel.aclose()
        async with asyncio.timeout(WITHIN):
            assert await listening == []

    async def test_what_is_said_arrives(self) -> None:
        channel = self.channel()
        await channel.open()
        if await self.write("garden", "hello"):
            await self._hear(channel, 1)
            await channel.send("garden", "ünï ✓\nin two lines")
            arrived = await self.said()
            assert arrived is None or arrived == [("garden", "ünï ✓\nin two lines")]
        await channel.aclose()

    async def test_a_conversation_that_cannot_be_is_refused(self) -> None:
        channel = self.channel()
        await channel.open()
        for conversation in ("", "../up"):
            refused = False
            try:
                await channel.send(conversation, "x")
            except UsageError:
                refused = True
            assert refused
        await channel.aclose()
