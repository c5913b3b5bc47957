"""A process that dies after any event: the session opens again, ends what was open, and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from protea.adapters.storage.jsonl import JsonlStore
from protea.adapters.storage.memory import MemoryStore
from protea.application.past import read_past
from protea.domain.commands import Interrupt, Steer, SubmitPrompt
from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    NoticeGiven,
    PromptSubmitted,
    PromptWithdrawn,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.ports.gateway import OpenSession
from protea.ports.session_store import SessionStore
from tests.application.consistency import faults, unpaired
from tests.application.long_turn import LongTurn, texts
from tests.application.world import World, says


async def history(interrupted: bool = False) -> Sequence[LastingEvent]:
    """The log of a whole session, to be cut."""
    turn = LongTurn()
    await turn.open()
    await turn.submit(SubmitPrompt(text="go"))
    await turn.submit(SubmitPrompt(text="later"))
    for _ in range(30):
        await asyncio.sleep(0)
    await turn.submit(Steer(text="and mind the cat"))
    if interrupted:
        await turn.submit(Interrupt())
    await turn.at_rest()
    return await turn.close()


@pytest.fixture(params=["memory", "jsonl"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    return MemoryStore() if request.param == "memory" else JsonlStore(str(tmp_path / "sessions"))


def died(store: SessionStore, events: Sequence[LastingEvent], session: str) -> None:
    log = store.create(session)
    log.append([replace(event, session=session) for event in events], durable=False)
    log.close()


@pytest.mark.parametrize("interrupted", [False, True])
async def test_a_log_cut_after_any_event_opens_and_goes_on(store: SessionStore, interrupted: bool) -> None:
    events = await history(interrupted)
    assert len(events) > 30
    for end in range(1, len(events) + 1):
        await opens_and_goes_on(store, events[:end], f"cut-{end}")


async def opens_and_goes_on(store: SessionStore, cut: Sequence[LastingEvent], session: str) -> None:
    died(store, cut, session)
    turn = LongTurn(store, steps=[])
    await turn.open(session, watched=False)
    opened = turn.log()
    assert faults(opened) == []
    assert not answered(opened[len(cut) :])
    assert unpaired(turn.live_messages()) == []  # type: ignore[arg-type]  # messages
    assert (await read_past(lambda: iter(opened))).transcript.messages() == turn.live_messages()

    assert (await turn.go_on()).outcome == "finished"
    live = turn.live_messages()
    log = await turn.close()
    assert faults(log) == []
    assert [unpaired(request.messages) for request in turn.requests] == [[]] * len(turn.requests)
    assert run_once(log)
    said = texts(turn.requests[-1])
    for event in log:
        if isinstance(event, PromptSubmitted) and event.origin == "user":
            assert said.count(event.text) == 1, f"{event.text} is shown {said.count(event.text)} times"
    assert (await read_past(lambda: iter(log))).transcript.messages() == live


def answered(events: Sequence[LastingEvent]) -> list[LastingEvent]:
    """What would count as done or allowed by what opening alone has added."""
    return [
        event
        for event in events
        if (isinstance(event, ApprovalResolved) and event.decision != "deny")
        or (isinstance(event, ToolCallChanged) and event.state not in ("validating", "cancelled"))
        or (isinstance(event, TurnFinished) and event.outcome != "interrupted")
    ]


def run_once(log: Sequence[LastingEvent]) -> bool:
    accepted = [event.id for event in log if isinstance(event, PromptSubmitted) and event.delivery != "steer"]
    withdrawn = {event.id for event in log if isinstance(event, PromptWithdrawn)}
    started = [event.prompt for event in log if isinstance(event, TurnStarted)]
    return started == [id for id in accepted if id not in withdrawn]


async def test_a_question_that_was_open_is_closed_as_refused(store: SessionStore) -> None:
    events = await history()
    asked = next(event for event in events if isinstance(event, ApprovalRequested))
    died(store, events[: asked.seq], "asking")
    turn = LongTurn(store, steps=[])
    await turn.open("asking", watched=False)
    added = turn.log()[asked.seq or 0 :]
    closed = [event for event in added if isinstance(event, ApprovalResolved)]
    assert [(event.id, event.decision, event.by) for event in closed] == [(asked.id, "deny", "interrupt")]
    await turn.close()


async def test_opening_twice_ends_nothing_twice(store: SessionStore) -> None:
    events = await history()
    died(store, events[: len(events) // 2], "half")
    lengths = []
    for _ in range(3):
        turn = LongTurn(store, steps=[])
        await turn.open("half", watched=False)
        lengths.append(len(await turn.close()))
    assert len(set(lengths)) == 1


async def test_what_was_lost_of_a_log_is_told_when_it_is_opened(tmp_path: Path) -> None:
    store = JsonlStore(str(tmp_path))
    world = World(says("one"), store=store)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for _ in world.turn(session, SubmitPrompt(text="go")):
        pass
    await world.gateway.close()
    file = tmp_path / session / "events.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    world = World(store=JsonlStore(str(tmp_path)))
    await world.gateway.open(OpenSession(cwd="/w", resume=session))
    notices = [event for event in await world.gateway.history(session) if isinstance(event, NoticeGiven)]
    await world.gateway.close()
    assert [(notice.level, "lost" in notice.text or "damaged" in notice.text) for notice in notices] == [
        ("warning", True)
    ]
