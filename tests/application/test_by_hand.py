"""A shell command of the person's own."""

from __future__ import annotations

import asyncio

from protea.domain.commands import Interrupt, SubmitPrompt
from protea.domain.events import ApprovalResolved, ToolCallChanged, TurnFinished
from protea.ports.gateway import OpenSession
from tests.application.world import World, calls, says


def bash(command: str) -> str:
    """Runs it."""
    return f"ran {command}"


def typed(text: str) -> SubmitPrompt:
    return SubmitPrompt(text=text, origin="shell")


def named(tool: object, name: str) -> object:
    tool.__name__ = name  # type: ignore[attr-defined]  # a function
    return tool


Bash = named(bash, "Bash")


async def test_it_runs_without_asking_a_model_and_the_next_request_shows_it() -> None:
    world = World(says("I see"), tools=[Bash])  # type: ignore[list-item]  # a function
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = [event async for event in world.turn(session, typed("!ls"))]
    assert world.model.requests == []
    ended = [event for event in events if isinstance(event, ToolCallChanged) and event.state == "success"]
    assert [event.result.text for event in ended if event.result] == ["ran ls"]
    assert [event async for event in world.turn(session, SubmitPrompt(text="what was that?"))]
    shown = [type(message).__name__ for message in world.model.requests[0].messages]
    assert shown == ["UserMessage", "AssistantMessage", "ToolMessage", "UserMessage"]
    await world.gateway.close()


async def test_what_would_be_asked_was_answered_by_typing_it() -> None:
    world = World(tools=[Bash], ask=["Bash"])  # type: ignore[list-item]  # a function
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = [event async for event in world.turn(session, typed("! make"))]
    assert [event.decision for event in events if isinstance(event, ApprovalResolved)] == ["once"]
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].outcome == "finished"
    await world.gateway.close()


async def test_what_a_rule_denies_does_not_run() -> None:
    world = World(tools=[Bash], deny=["Bash"])  # type: ignore[list-item]  # a function
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = [event async for event in world.turn(session, typed("!rm -rf x"))]
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].outcome == "denied"
    await world.gateway.close()


async def test_it_can_be_interrupted() -> None:
    begun = asyncio.Event()

    async def slow(command: str) -> str:
        """Never ends."""
        begun.set()
        await asyncio.Event().wait()
        return ""

    world = World(tools=[named(slow, "Bash")])  # type: ignore[list-item]  # a function
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, typed("!sleep"))
    await asyncio.wait_for(begun.wait(), 30)
    await world.gateway.submit(session, Interrupt())
    async for event in world.gateway.events(session):
        if isinstance(event, TurnFinished):
            assert event.outcome == "interrupted"
            break
    await world.gateway.close()


async def test_who_types_a_command_is_not_taken_to_be_there_for_what_the_model_calls_later() -> None:
    def race(task: str) -> str:
        """Races."""
        return "raced"

    world = World(calls(("Race", {"task": "x"})), says("done"), tools=[Bash, named(race, "Race")])  # type: ignore[list-item]  # functions
    session = await world.gateway.open(OpenSession(cwd="/w", interactive=False))
    assert [event async for event in world.turn(session, typed("!ls"))]
    assert [event async for event in world.turn(session, SubmitPrompt(text="race"))]
    assert [request.interactive for request in world.rules.requests if request.tool == "Race"] == [False]
    await world.gateway.close()
