"""Followers: many, slow, late, leaving in the middle; what they see when a session closes."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

import pytest

from protea.adapters.storage.jsonl import JsonlStore
from protea.adapters.storage.memory import MemoryLog, MemoryStore
from protea.adapters.tools.functions import FunctionTool
from protea.application.hub import Hub
from protea.domain.commands import EndSession, Interrupt, ResolveApproval, SetMode, SubmitPrompt
from protea.domain.errors import SessionError, StoreError
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    NoticeGiven,
    SessionEnded,
    TextDelta,
    ToolCallChanged,
    TurnFinished,
)
from protea.ports.gateway import OpenSession
from protea.ports.session_store import SessionStore
from tests.application.consistency import faults, lasting
from tests.application.long_turn import LongTurn, PatientClock
from tests.application.world import World, calls, of, says
from tests.counting import counted


@pytest.fixture(params=["memory", "jsonl"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    return MemoryStore() if request.param == "memory" else JsonlStore(str(tmp_path / "sessions"))


async def followed(turn: LongTurn, *, after: int = 0, late: int = 0, pause: int = 0) -> list[AnyEvent]:
    """What one watcher sees that comes after `late` steps and takes `pause` steps over each event."""
    for _ in range(late):
        await asyncio.sleep(0)
    seen = []
    async for event in turn.world.gateway.events(turn.session, after):
        seen.append(event)
        for _ in range(pause):
            await asyncio.sleep(0)
    return seen


@pytest.mark.parametrize("ring", [2, 16, 8192])
async def test_every_watcher_sees_all_that_lasts_once_and_in_order(store: SessionStore, ring: int) -> None:
    turn = LongTurn(store)
    await turn.open()
    turn.world.gateway._session(turn.session).hub._ring = deque(maxlen=ring)
    watchers = [
        asyncio.create_task(followed(turn, after=after, late=late, pause=pause))
        for after in (0, 1, 7)
        for late in (0, 5, 40)
        for pause in (0, 1, 50)
    ]
    leaving = [asyncio.create_task(followed(turn, pause=pause)) for pause in (0, 1, 3)]
    await turn.submit(SubmitPrompt(text="go"))
    for task in leaving:
        for _ in range(9):
            await asyncio.sleep(0)
        task.cancel()
    await turn.until_finished()
    log = await turn.close()
    async with asyncio.timeout(20):
        seen = await asyncio.gather(*watchers)
    for index, events in enumerate(seen):
        after = (0, 1, 7)[index // 9]
        assert list(lasting(events)) == list(range(after + 1, len(log) + 1))
    assert all(task.cancelled() for task in leaving)


async def test_a_watcher_that_comes_when_all_is_over_sees_all_of_it(store: SessionStore) -> None:
    turn = LongTurn(store)
    await turn.open(watched=False)
    late = turn.world.gateway.events(turn.session)
    await turn.submit(EndSession())
    async with asyncio.timeout(5):
        assert [type(event).__name__ async for event in late] == ["SessionStarted", "SessionEnded"]
        again = turn.world.gateway.events(turn.session, 1)
        assert [type(event) async for event in again] == [SessionEnded]


async def test_what_happens_while_a_watcher_reads_the_log_is_not_lost() -> None:
    log = MemoryStore().create("s")
    hub = Hub("s", log, PatientClock(), lambda event: None)
    hub._ring = deque(maxlen=4)
    hub.record(*(NoticeGiven(level="info", text=str(number)) for number in range(600)))
    seen: list[AnyEvent] = []

    async def watch() -> None:
        async for event in hub.follow():
            seen.append(event)

    watching = asyncio.create_task(watch())
    for number in range(20):
        await asyncio.sleep(0)
        hub.record(*(NoticeGiven(level="info", text=f"{number}") for _ in range(number)))
        hub.tell(TextDelta(text="x"))
    hub.close()
    async with asyncio.timeout(5):
        await watching
    assert list(lasting(seen)) == list(range(1, log.last + 1))


async def test_who_follows_a_new_session_reads_nothing_from_the_disk(tmp_path: Path) -> None:
    log = JsonlStore(str(tmp_path)).create("20250101-000000-new")
    hub = Hub("20250101-000000-new", log, PatientClock(), lambda event: None)
    told = hub.record(*(NoticeGiven(level="info", text=f"{number}") for number in range(20)))
    hub.close()
    with counted() as calls:
        for after in (0, 7, 20):
            assert [event async for event in hub.follow(after)] == list(told[after:])
    assert calls["decode"] == 0
    log.close()


async def test_a_disk_that_was_held_up_once_is_not_slow_for_ever(tmp_path: Path) -> None:
    log = JsonlStore(str(tmp_path)).create("20250101-000000-new")
    hub = Hub("20250101-000000-new", log, PatientClock(), lambda event: None)
    hub.pace = 0.02
    assert hub.slow_disk
    for _ in range(8):
        await hub.commit(NoticeGiven(level="info", text="x"))
    assert not hub.slow_disk
    log.close()


async def test_a_watcher_that_never_comes_back_slows_nobody() -> None:
    world = World(says("quick"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    stuck = world.gateway.events(session)
    await anext(stuck)
    assert of([event async for event in world.turn(session, SubmitPrompt(text="go"))], TurnFinished)
    await world.gateway.close()


async def test_closing_while_a_question_is_open_closes_it_as_refused() -> None:
    world = World(calls(("echo", {"text": "a"})), tools=[echo], ask=["echo"])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for event in world.turn(session, SubmitPrompt(text="go")):
        if isinstance(event, ApprovalRequested):
            break
    await world.gateway.close()
    log = list(world.store.read(session))
    assert faults(log) == []
    assert [(event.decision, event.by) for event in of(log, ApprovalResolved)] == [("deny", "interrupt")]


async def echo(text: str) -> str:
    return text


class Stubborn:
    """A tool that takes its time over ending, and must not be hurried."""

    def __init__(self) -> None:
        self.ended = 0
        self.hurried = False

    async def stay(self) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                for _ in range(30):
                    await asyncio.sleep(0)
            except asyncio.CancelledError:
                self.hurried = True
                raise
            self.ended += 1
            raise
        return ""


async def staying(*more: str) -> tuple[World, str, Stubborn]:
    """A world in which calls stay, and the first of them is running."""
    stubborn = Stubborn()
    named = [("stay", {}), *((name, {}) for name in more)]
    world = World(calls(*named), says("on"), tools=[FunctionTool(stubborn.stay, parallel=True)])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for event in world.turn(session, SubmitPrompt(text="go")):
        if isinstance(event, ToolCallChanged) and event.state == "executing":
            return world, session, stubborn
    raise AssertionError("it did not run")


async def test_closing_waits_for_a_call_that_takes_its_time_to_end_and_refuses_prompts_meanwhile() -> None:
    world, session, stubborn = await staying()
    closing = asyncio.create_task(world.gateway.close())
    again = asyncio.create_task(world.gateway.close())
    for _ in range(3):
        await asyncio.sleep(0)
    with pytest.raises(SessionError, match="closed"):
        await world.gateway.submit(session, SubmitPrompt(text="one more"))
    await asyncio.gather(closing, again)
    assert (stubborn.ended, stubborn.hurried) == (1, False)
    assert faults(list(world.store.read(session))) == []


async def test_a_client_that_stops_waiting_does_not_leave_a_session_half_closed() -> None:
    world, session, _ = await staying()
    closing = asyncio.create_task(world.gateway.submit(session, EndSession()))
    await asyncio.sleep(0)
    closing.cancel()
    async with asyncio.timeout(5):
        seen = [event async for event in world.gateway.events(session)]
    assert isinstance(seen[-1], SessionEnded)
    await world.gateway.close()


@pytest.mark.parametrize("steps", range(0, 8))
async def test_ending_again_does_not_hurry_the_clean_up(steps: int) -> None:
    world, session, stubborn = await staying("stay")
    for command in (Interrupt(call_id="c1"), Interrupt(call_id="c1"), Interrupt(), Interrupt()):
        await world.gateway.submit(session, command)
        for _ in range(steps):
            await asyncio.sleep(0)
    await world.gateway.close()
    assert (stubborn.ended, stubborn.hurried) == (2, False)
    assert faults(list(world.store.read(session))) == []


@pytest.mark.parametrize(
    "command",
    [SubmitPrompt(text="a"), SetMode(mode="plan"), ResolveApproval(id="a_1", decision="once")],
    ids=lambda command: type(command).__name__,
)
async def test_a_session_that_has_ended_takes_no_more_commands(store: SessionStore, command: object) -> None:
    world = World(store=store)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, EndSession())
    await world.gateway.submit(session, EndSession())
    await world.gateway.submit(session, Interrupt())
    with pytest.raises(SessionError, match="closed"):
        await world.gateway.submit(session, command)  # type: ignore[arg-type]  # a command
    assert len(list(world.store.read(session))) == 2
    assert await world.gateway.open(OpenSession(cwd="/w", resume=session)) == session
    await world.gateway.close()


async def test_what_one_session_raises_on_closing_does_not_keep_others_open(store: SessionStore) -> None:
    world = World(store=store)
    sessions = [await world.gateway.open(OpenSession(cwd="/w")) for _ in range(3)]

    async def broken() -> None:
        raise RuntimeError("cannot close")

    world.gateway._session(sessions[0]).parts.toolsets[0].aclose = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="cannot close"):
        await world.gateway.close()
    for session in sessions:
        store.open(session).close()


class Lost(MemoryLog):
    """On a disk that takes what is written and cannot keep it."""

    def sync(self) -> None:
        raise StoreError("the disk is gone")


async def test_what_could_not_be_made_safe_was_shown_to_nobody() -> None:
    shown: list[LastingEvent] = []
    hub = Hub("s", Lost("s"), PatientClock(), shown.append)
    with pytest.raises(StoreError, match="the disk is gone"):
        await hub.commit(NoticeGiven(level="info", text="x"))
    assert shown == []
    with pytest.raises(StoreError, match="the disk is gone"):
        [event async for event in hub.follow(1)]


async def test_events_go_on_in_no_log_that_ends_elsewhere() -> None:
    store = MemoryStore()
    log, other = store.create("s"), store.create("t")
    hub = Hub("s", log, PatientClock(), lambda event: None)
    hub.record(NoticeGiven(level="info", text="x"))
    with pytest.raises(StoreError, match="the other log ends at event 0, and this one at 1"):
        hub.move(other, other.read, PatientClock())
