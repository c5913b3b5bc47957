"""A disk that fails at any write: one clear error, nothing hangs, what runs is ended, the session can be resumed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from protea.adapters.storage.jsonl import JsonlStore
from protea.adapters.storage.memory import MemoryStore
from protea.adapters.tools.functions import FunctionTool
from protea.domain.commands import Interrupt, ResolveApproval, SubmitPrompt
from protea.domain.errors import StoreError
from protea.domain.events import ApprovalRequested, PromptSubmitted, ToolCallChanged
from protea.ports.gateway import OpenSession
from protea.ports.session_store import SessionStore
from protea.testing.session_store import FailingStore
from tests.application.consistency import faults
from tests.application.long_turn import LongTurn
from tests.application.world import World, calls, of, says


class FailsAt(FailingStore):
    """Fails at the write of a number, and the `times` after it."""

    def __init__(self, store: SessionStore, at: int, times: int) -> None:
        super().__init__(store)
        self._failing = range(at, at + times)
        self.writes = 0

    def check(self) -> None:
        self.writes += 1
        if self.writes in self._failing:
            raise StoreError("no space left on device")


@pytest.fixture(params=["memory", "jsonl"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    return MemoryStore() if request.param == "memory" else JsonlStore(str(tmp_path / "sessions"))


async def writes() -> int:
    counting = FailsAt(MemoryStore(), 0, 0)
    turn = LongTurn(counting)
    await turn.open()
    await turn.submit(SubmitPrompt(text="go"))
    await turn.until_finished()
    await turn.close()
    return counting.writes


@pytest.mark.parametrize("times", [1, 2, 10**9])
@pytest.mark.parametrize("interrupt", [False, True])
async def test_a_write_that_fails_anywhere_is_one_clear_error(kept: SessionStore, times: int, interrupt: bool) -> None:
    for at in range(1, await writes() + 1):
        turn = LongTurn(store := FailsAt(kept, at, times))
        try:
            await turn.open()
            await turn.submit(SubmitPrompt(text="go"))
            if interrupt:
                for _ in range(at):
                    await asyncio.sleep(0)
                await turn.submit(Interrupt())
            await turn.until_finished()
        except StoreError as error:
            turn.told.append(str(error))
        await turn.close_after_failure()
        assert set(turn.told) == ({"no space left on device"} if store.writes >= at else set())
        if turn.session:
            await resumes(kept, turn.session)


async def resumes(store: SessionStore, session: str) -> None:
    turn = LongTurn(store, steps=[])
    await turn.open(session, watched=False)
    assert faults(turn.log()) == []
    assert (await turn.go_on()).outcome == "finished"
    assert faults(await turn.close()) == []


async def test_a_prompt_that_cannot_be_kept_is_refused_and_can_be_sent_again() -> None:
    store = FailingStore(MemoryStore())
    world = World(says("hello"), store=store)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    store.fail()
    with pytest.raises(StoreError, match="no space"):
        await world.gateway.submit(session, SubmitPrompt(text="go"))
    store.recover()
    events = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
    assert len(of(events, PromptSubmitted)) == 1
    await world.gateway.close()


async def test_a_session_that_failed_says_so_to_everyone_until_it_is_opened_again() -> None:
    ended = []

    async def stay(name: str) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)
        return ""

    async def fill() -> str:
        store.fail()
        return "full"

    store = FailingStore(MemoryStore())
    tools = [FunctionTool(stay, parallel=True), FunctionTool(fill, parallel=True)]
    world = World(calls(("stay", {"name": "a"}), ("fill", {})), says("on"), tools=tools, store=store)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SubmitPrompt(text="go"))
    for _ in range(3):
        with pytest.raises(StoreError, match="no space"):
            async with asyncio.timeout(5):
                _ = [event async for event in world.gateway.events(session)]
    assert ended == ["a"]
    store.recover()
    with pytest.raises(StoreError, match="no space"):
        await world.gateway.submit(session, SubmitPrompt(text="again"))
    assert await world.gateway.open(OpenSession(cwd="/w", resume=session)) == session
    assert faults(list(store.read(session))) == []
    assert [event async for event in world.turn(session, SubmitPrompt(text="again"))]
    await world.gateway.close()


async def test_an_answer_that_cannot_be_kept_leaves_the_question_open() -> None:
    store = FailingStore(MemoryStore())
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"], store=store)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, ApprovalRequested):
            store.fail()
            with pytest.raises(StoreError, match="no space"):
                await world.gateway.submit(session, ResolveApproval(id=event.id, decision="session"))
            store.recover()
            await world.gateway.submit(session, ResolveApproval(id=event.id, decision="once"))
    assert of(events, ToolCallChanged)[-1].state == "success"
    assert faults(list(store.read(session))) == []
    await world.gateway.close()


async def echo(text: str) -> str:
    return text


async def test_a_session_that_cannot_begin_leaves_nothing() -> None:
    store = FailsAt(MemoryStore(), 2, 1)
    world = World(says("hello"), store=store)
    with pytest.raises(StoreError, match="no space"):
        await world.gateway.open(OpenSession(cwd="/w"))
    assert list(await world.gateway.sessions()) == []
    assert store._store._logs == {}  # type: ignore[attr-defined]  # a MemoryStore
    await world.gateway.close()
