"""Sessions: resuming, forking, what a crash leaves, following."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from protea.adapters.storage.memory import MemoryStore
from protea.domain.commands import Rewind, SetMode, SubmitPrompt, WithdrawPrompt
from protea.domain.errors import SessionError, UsageError
from protea.domain.events import (
    AnyEvent,
    MessageCompleted,
    PromptSubmitted,
    SessionStarted,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import ToolCall, ToolMessage, UserMessage
from protea.domain.usage import Usage
from protea.ports.gateway import OpenSession
from tests.application.world import World, calls, of, says


async def echo(text: str) -> str:
    """Give the text back."""
    return text


async def conversation(world: World, *prompts: str, **spec: object) -> str:
    session = await world.gateway.open(OpenSession(cwd="/w", **spec))  # type: ignore[arg-type]
    for prompt in prompts:
        async for _ in world.turn(session, SubmitPrompt(text=prompt)):
            pass
    await world.gateway.close()
    return session


async def test_a_resumed_session_shows_the_model_all_that_was_said() -> None:
    store = MemoryStore()
    session = await conversation(World(says("one"), store=store), "a")
    world = World(says("two"), store=store)
    assert await conversation(world, "b", resume=session) == session
    assert [type(message) for message in world.model.requests[0].messages].count(UserMessage) == 2


async def test_a_fork_has_the_history_and_leaves_the_original_alone() -> None:
    store = MemoryStore()
    first = await conversation(World(says("one"), store=store), "a")
    before = list(store.read(first))
    world = World(says("two"), store=store)
    second = await conversation(world, "b", resume=first, fork=True)
    assert second != first
    assert len(world.model.requests[0].messages) == 3
    assert list(store.read(first)) == before
    started = next(iter(store.read(second)))
    assert isinstance(started, SessionStarted)
    assert (started.parent, started.parent_seq) == (first, before[-1].seq)


def crashed(store: MemoryStore, *, answered: bool) -> str:
    """A log as a process leaves it that is killed with a call running."""
    call = ToolCall(id="c1", name="echo", arguments={"text": "x"})
    log = store.create("crashed")
    events = [
        SessionStarted(version="0", cwd="/w", model="test/one"),
        PromptSubmitted(id="p1", text="go"),
        TurnStarted(id="t1", prompt="p1", model="test/one"),
        MessageCompleted(model="test/one", content=(call,), stop="tool_calls", usage=Usage(), seen=3),
        ToolCallChanged(call=call, state="validating"),
        *((ToolCallChanged(call=call, state="awaiting_approval"),) if answered else ()),
    ]
    from msgspec.structs import replace

    numbered = [
        replace(event, session="crashed", seq=seq, at="2026-01-01T00:00:00.000Z") for seq, event in enumerate(events, 1)
    ]
    log.append(numbered, durable=True)  # type: ignore[arg-type]
    log.close()
    return "crashed"


@pytest.mark.parametrize("answered", [False, True])
async def test_what_a_crash_left_open_is_ended_when_the_session_opens(answered: bool) -> None:
    store = MemoryStore()
    crashed(store, answered=answered)
    world = World(says("go on"), store=store)
    await conversation(world, "and now", resume="crashed")
    events = list(store.read("crashed"))
    ends = of(events, ToolCallChanged)
    assert ends[-1].state == "cancelled"
    assert of(events, TurnFinished)[0].outcome == "interrupted"
    assert [type(m) for m in world.model.requests[0].messages][-2:] == [ToolMessage, UserMessage]


async def test_a_prompt_that_was_accepted_before_a_crash_is_still_run() -> None:
    store = MemoryStore()
    log = store.create("killed")
    started = SessionStarted(version="0", cwd="/w", model="test/one", session="killed", seq=1)
    log.append([started, PromptSubmitted(id="p1", text="first", session="killed", seq=2)], durable=True)
    log.close()
    world = World(says("one"), says("two"), store=store)
    session = await world.gateway.open(OpenSession(cwd="/w", resume="killed"))
    await world.gateway.submit(session, SubmitPrompt(text="second"))
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            if isinstance(event, TurnFinished) and len(world.model.requests) == 2:
                break
    assert [len(request.messages) for request in world.model.requests] == [1, 3]
    await world.gateway.close()


async def test_a_queued_prompt_can_be_taken_back() -> None:
    world = World(says("one"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SubmitPrompt(text="a"))
    id = await world.gateway.submit(session, SubmitPrompt(text="b"))
    assert id is not None
    await world.gateway.submit(session, WithdrawPrompt(id=id))
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            if isinstance(event, TurnFinished):
                break
    await world.gateway.close()
    assert len(world.model.requests) == 1


async def test_rewinding_forgets_a_turn() -> None:
    store = MemoryStore()
    world = World(says("one"), says("two"), says("three"), store=store)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    ends = []
    for prompt in ("a", "b"):
        async for event in world.turn(session, SubmitPrompt(text=prompt)):
            if isinstance(event, TurnFinished):
                ends.append(event.seq)
    await asyncio.sleep(0)
    await world.gateway.submit(session, Rewind(to=ends[0]))
    async for _ in world.turn(session, SubmitPrompt(text="c")):
        pass
    assert len(world.model.requests[-1].messages) == 3
    await world.gateway.close()


async def test_a_late_follower_sees_all_that_lasts_once_and_in_order() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo])
    session = await conversation_open(world)
    seen: list[AnyEvent] = []
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            seen.append(event)
            if isinstance(event, TurnFinished):
                break
    numbers = [event.seq for event in seen if event.seq]
    assert numbers == list(range(1, len(numbers) + 1))
    await world.gateway.close()


async def conversation_open(world: World) -> str:
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for _ in world.turn(session, SubmitPrompt(text="go")):
        pass
    return session


async def test_a_follower_that_fell_far_behind_misses_nothing_that_lasts() -> None:
    world = World(*(calls(("echo", {"text": str(i)})) for i in range(40)), says("ok"), tools=[echo])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    world.gateway._session(session).hub._ring = deque(maxlen=8)
    slow = world.gateway.events(session)
    first = await anext(slow)
    await world.gateway.submit(session, SubmitPrompt(text="go"))
    async for event in world.gateway.events(session):
        if isinstance(event, TurnFinished):
            break
    numbers = [first.seq]
    async with asyncio.timeout(10):
        async for event in slow:
            numbers.append(event.seq)
            if isinstance(event, TurnFinished):
                break
    lasting = [number for number in numbers if number]
    assert lasting == list(range(1, len(lasting) + 1))
    await world.gateway.close()


async def test_an_empty_prompt_is_refused() -> None:
    world = World()
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match="empty"):
        await world.gateway.submit(session, SubmitPrompt(text="  \n"))
    await world.gateway.close()


async def test_an_unknown_mode_is_refused_with_those_there_are() -> None:
    world = World()
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match="normal, plan, yolo"):
        await world.gateway.submit(session, SetMode(mode="reckless"))
    await world.gateway.close()


async def test_a_session_that_does_not_exist_is_named() -> None:
    with pytest.raises(SessionError, match="nowhere"):
        await World().gateway.open(OpenSession(cwd="/w", resume="nowhere"))
