"""What every `Compaction` keeps."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.compaction import Conversation, Shrunk, applied
from protea.domain.messages import Message
from protea.ports.compaction import Compaction
from protea.testing.contracts.context import HISTORIES, count
from protea.testing.conversations import whole

ROOMS = (100_000, 1500, 300, 40, 1)
MOST_STEPS = 8
"""How often it may find something to do to one conversation."""


async def _answer(shown: Sequence[Message], question: str) -> str:
    return "All went well."


def conversation(messages: tuple[Message, ...], room: int, *, forced: bool = False) -> Conversation:
    return Conversation(messages=messages, sizes=tuple(map(count, messages)), room=room, forced=forced)


class CompactionContract:
    def compaction(self) -> Compaction:
        raise NotImplementedError

    async def _all(self, messages: tuple[Message, ...], room: int) -> list[tuple[Shrunk, tuple[Message, ...]]]:
        """Everything it does to a conversation, with what came of it."""
        done: list[tuple[Shrunk, tuple[Message, ...]]] = []
        compaction = self.compaction()
        while (shrunk := await compaction.shrink(conversation(messages, room), _answer)) is not None:
            messages = applied(messages, shrunk)
            done.append((shrunk, messages))
            assert len(done) <= MOST_STEPS
        return done

    async def test_what_is_shrunk_is_whole(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                assert all(whole(after) for _, after in await self._all(history, room))

    async def test_it_comes_to_an_end_and_each_step_makes_it_smaller(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                before = sum(map(count, history))
                for shrunk, after in await self._all(history, room):
                    now = sum(map(count, after))
                    assert now < before or shrunk.how == "summarise"
                    before = now

    async def test_what_comes_last_is_as_it_was(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                for shrunk, after in await self._all(history, room):
                    assert shrunk.how != "summarise" or after[-1] is history[-1]

    async def test_while_there_is_room_there_is_nothing_to_do(self) -> None:
        for history in HISTORIES:
            assert await self.compaction().shrink(conversation(history, 10**9), _answer) is None

    async def test_no_model_to_ask_is_no_harm(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                shrunk = await self.compaction().shrink(conversation(history, room, forced=True), None)
                assert shrunk is None or whole(applied(history, shrunk))
