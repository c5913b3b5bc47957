"""What every `Compaction` keeps."""

from __future__ import annotations

from protea.domain.messages import UserMessage
from protea.ports.compaction import Compaction
from protea.testing.contracts.context import HISTORIES, ROOMS, count
from protea.testing.conversations import whole


class CompactionContract:
    def compaction(self) -> Compaction:
        """One that can do its work here; one that asks a model has a model that answers."""
        raise NotImplementedError

    async def test_what_is_shrunk_is_whole(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                shrunk = await self.compaction().shrink(history, room=room, count=count)
                assert whole(shrunk.messages)

    async def test_the_last_prompt_is_as_it_was(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                shrunk = await self.compaction().shrink(history, room=room, count=count)
                prompts = [message for message in history if isinstance(message, UserMessage)]
                assert not prompts or prompts[-1] in shrunk.messages

    async def test_while_there_is_room_the_very_messages_come_back(self) -> None:
        for history in HISTORIES:
            shrunk = await self.compaction().shrink(history, room=10**9, count=count)
            assert (shrunk.messages, shrunk.what) == (history, "")
            assert all(after is before for after, before in zip(shrunk.messages, history, strict=True))

    async def test_nothing_is_made_larger(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                shrunk = await self.compaction().shrink(history, room=room, count=count)
                assert sum(map(count, shrunk.messages)) <= sum(map(count, history))

    async def test_what_was_done_is_said(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                shrunk = await self.compaction().shrink(history, room=room, count=count)
                assert bool(shrunk.what) == (shrunk.messages != history)
                assert "\n" not in shrunk.what
