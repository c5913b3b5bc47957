"""What is taken back of a conversation together with something else that was taken back or waits."""

from __future__ import annotations

import asyncio

import pytest

from protea.adapters.compaction import levels
from protea.domain.commands import Compact, Interrupt, Rewind, SubmitPrompt, UndoCompaction
from protea.domain.errors import UsageError
from protea.domain.events import Compacted, CompactionUndone, PromptSubmitted, PromptWithdrawn
from protea.domain.messages import UserMessage, text_of
from protea.domain.reply import ModelRequest, Reply
from protea.ports.gateway import OpenSession
from tests.application.test_window import Windowed
from tests.application.world import World, of, says


@pytest.mark.parametrize(("before", "stands"), [(0, True), (1, False)])
async def test_a_compaction_stands_where_it_was_rewound_to_and_not_where_it_was_rewound_away(
    before: int, stands: bool
) -> None:
    world = Windowed(says("one"), says("two"), says("In short."), compaction=levels.create(levels.Options()))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        _ = [event async for event in world.turn(session, SubmitPrompt(text=text))]
    await world.gateway.submit(session, Compact())
    compacted = 0
    async with asyncio.timeout(30):
        async for event in world.gateway.events(session, 0):
            if isinstance(event, Compacted):
                compacted = event.seq or 0
                break
    await world.gateway.submit(session, Rewind(to=compacted - before))
    if stands:
        await world.gateway.submit(session, UndoCompaction())
        assert of(await world.gateway.history(session), CompactionUndone)[0].compacted == compacted
    else:
        with pytest.raises(UsageError, match="no compaction to undo"):
            await world.gateway.submit(session, UndoCompaction())
    await world.gateway.close()


async def test_a_prompt_that_waits_is_taken_back_with_the_conversation_it_belongs_to() -> None:
    asked = asyncio.Event()

    async def never(request: ModelRequest) -> Reply:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    world = World(never, says("anew"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SubmitPrompt(text="first"))
    await asyncio.wait_for(asked.wait(), 30)
    waits = len(await world.gateway.history(session)) + 1
    await world.gateway.submit(session, SubmitPrompt(text="later", delivery="queue"))
    _ = [event async for event in world.turn(session, Interrupt())]
    await world.gateway.submit(session, Rewind(to=waits))
    log = await world.gateway.history(session)
    ids = [event.id for event in of(log, PromptSubmitted) if event.text == "later"]
    assert [event.id for event in of(log, PromptWithdrawn)] == ids
    _ = [event async for event in world.turn(session, SubmitPrompt(text="another"))]
    await world.gateway.close()
    said = [text_of(each.content) for each in world.model.requests[-1].messages if isinstance(each, UserMessage)]
    assert "later" not in "".join(said)
    assert len(world.model.requests) == 2
