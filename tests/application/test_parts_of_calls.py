"""A tool that calls others: each part permitted, told and recorded like any call."""

from __future__ import annotations

import asyncio
from typing import Any

from protea.domain.commands import Interrupt, SubmitPrompt
from protea.domain.events import Event, ToolCallChanged
from protea.domain.messages import ToolMessage
from protea.domain.tools import ToolResult
from protea.ports.gateway import OpenSession
from protea.ports.toolset import ToolContext
from tests.application.world import World, calls, of, says


async def echo(text: str) -> str:
    """Give the text back."""
    return f"<{text}>"


async def slow() -> str:
    """Take for ever."""
    await asyncio.Event().wait()
    return "never"


async def through(name: str, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
    """Call another tool."""
    return await context.call(name, arguments)


def story(events: list[Any]) -> list[tuple[str, str, str | None]]:
    return [(event.call.id, event.state, event.parent) for event in of(events, ToolCallChanged)]


async def test_a_part_is_recorded_within_the_call_it_belongs_to() -> None:
    world = World(calls(("through", {"name": "echo", "arguments": {"text": "a"}})), says("done"), tools=[echo, through])
    events = await world.run("go")
    assert story(events) == [
        ("c1", "validating", None),
        ("c1", "scheduled", None),
        ("c1", "executing", None),
        ("c1.1", "validating", "c1"),
        ("c1.1", "scheduled", "c1"),
        ("c1.1", "executing", "c1"),
        ("c1.1", "success", "c1"),
        ("c1", "success", None),
    ]
    results = [message for message in world.model.requests[-1].messages if isinstance(message, ToolMessage)]
    assert [(result.call_id, result.text) for result in results] == [("c1", "<a>")]


async def test_a_part_is_validated_and_permitted_by_its_own_name() -> None:
    world = World(
        calls(
            ("through", {"name": "echo", "arguments": {"txt": 1}}),
            ("through", {"name": "echo", "arguments": {"text": "a"}}),
            ("through", {"name": "ehco", "arguments": {}}),
        ),
        says("done"),
        tools=[echo, through],
        ask=["echo"],
    )
    events = await world.run("go", interactive=False)
    wrong, denied, unknown = (e.result for e in of(events, ToolCallChanged) if e.parent is None and e.result)
    assert "text" in wrong.text
    assert "is missing" in wrong.text
    assert denied.denied is not None
    assert "Did you mean echo?" in unknown.text


async def test_parts_of_parts_end_somewhere() -> None:
    inner: dict[str, Any] = {"name": "echo", "arguments": {"text": "deep"}}
    for _ in range(3):
        inner = {"name": "through", "arguments": inner}
    world = World(calls(("through", inner)), says("done"), tools=[echo, through])
    events = await world.run("go")
    outer = [event.result for event in of(events, ToolCallChanged) if event.call.id == "c1" and event.result]
    assert outer[0].is_error
    assert "A part of a part" in outer[0].text


async def test_an_interrupt_ends_the_part_and_then_the_call() -> None:
    world = World(calls(("through", {"name": "slow", "arguments": {}})), says("done"), tools=[slow, through])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events: list[Event] = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, ToolCallChanged) and (event.call.id, event.state) == ("c1.1", "executing"):
            await world.gateway.submit(session, Interrupt())
    await world.gateway.close()
    assert story(events)[-2:] == [("c1.1", "cancelled", "c1"), ("c1", "cancelled", None)]


async def test_stopping_the_call_alone_ends_its_part_as_well() -> None:
    world = World(calls(("through", {"name": "slow", "arguments": {}})), says("done"), tools=[slow, through])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events: list[Event] = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, ToolCallChanged) and (event.call.id, event.state) == ("c1.1", "executing"):
            await world.gateway.submit(session, Interrupt(call_id="c1"))
    await world.gateway.close()
    assert story(events)[-2:] == [("c1.1", "cancelled", "c1"), ("c1", "cancelled", None)]


async def test_what_a_crash_left_open_is_ended_with_its_parts() -> None:
    world = World(calls(("through", {"name": "slow", "arguments": {}})), tools=[slow, through])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for event in world.turn(session, SubmitPrompt(text="go")):
        if isinstance(event, ToolCallChanged) and (event.call.id, event.state) == ("c1.1", "executing"):
            break
    crashed = list(await world.gateway.history(session))
    await world.gateway.close()
    later = World(says("again"), tools=[slow, through])
    log = later.store.create(session)
    log.append(crashed, durable=True)
    log.close()
    assert await later.gateway.open(OpenSession(cwd="/w", resume=session)) == session
    after = [event for event in await later.gateway.history(session) if (event.seq or 0) > len(crashed)]
    await later.gateway.close()
    assert story(list(after)) == [("c1.1", "cancelled", "c1"), ("c1", "cancelled", None)]


async def back(wanted: str, context: ToolContext) -> str:
    """Look back."""
    return " | ".join(f"{each.seq} {each.what}: {each.text}" for each in await context.recall(wanted, 2))


async def once(wanted: str, context: ToolContext) -> str:
    """Look back for one place."""
    return " | ".join([each.text for limit in (1, 0) for each in await context.recall(wanted, limit)])


async def test_no_more_places_are_given_back_than_were_wanted_and_always_one() -> None:
    asked = [calls(("echo", {"text": f"needle {n}"})) for n in ("one", "two")]
    world = World(*asked, calls(("once", {"wanted": "needle"})), says("done"), tools=[echo, once])
    events = await world.run("find it")
    (found,) = [e.result.text for e in of(events, ToolCallChanged) if e.call.name == "once" and e.result]
    assert len(found.split(" | ")) == 2


async def test_a_tool_looks_back_into_its_session() -> None:
    world = World(
        calls(("echo", {"text": "needle one"})),
        calls(("echo", {"text": "needle two"})),
        calls(("back", {"wanted": "NEEDLE"})),
        says("done"),
        tools=[echo, back],
    )
    events = await world.run("find a needle")
    (by_words,) = [e.result.text for e in of(events, ToolCallChanged) if e.call.name == "back" and e.result]
    assert by_words.count("needle") >= 2
    assert "needle two" in by_words.split(" | ")[0]
