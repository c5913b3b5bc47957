"""Calls that a person lets go on behind the turn: any that may take long, and why the others stay."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from protea.adapters.tools.functions import FunctionTool
from protea.application.parts import Parts
from protea.domain.commands import Background, Interrupt, SubmitPrompt
from protea.domain.errors import UsageError
from protea.domain.events import AnyEvent, ApprovalRequested, TaskChanged, ToolCallChanged, TurnFinished
from protea.domain.messages import ToolMessage, UserMessage, text_of
from protea.domain.tools import Effect, ToolResult
from protea.ports.gateway import OpenSession
from protea.ports.task_runner import Task
from protea.ports.toolset import ToolContext
from protea.testing.task_runner import MemoryTaskRunner
from tests.application.world import Step, World, calls, of, says

WITHIN = 30


class Slow:
    """A tool that is at work until it may end, and what became of it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.ended = asyncio.Event()
        self.result: ToolResult | None = None

    def tool(self, *effects: Effect) -> FunctionTool:
        async def dig(context: ToolContext) -> ToolResult:
            """Dig."""
            context.say("deeper")
            self.begun.set()
            try:
                async with asyncio.timeout(WITHIN):
                    await self.may_end.wait()
            finally:
                self.ended.set()
            context.say("deepest")
            return self.result or ToolResult("a treasure")

        return FunctionTool(dig, effects=effects)


async def follow(world: World, session: str, events: list[AnyEvent], prompt: str) -> None:
    async for event in world.turn(session, SubmitPrompt(text=prompt)):
        events.append(event)


async def at_work(world: World, begun: asyncio.Event) -> tuple[str, list[AnyEvent], asyncio.Task[None]]:
    """A session whose first turn goes on, in which something has begun; what it tells; the turn."""
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events: list[AnyEvent] = []
    turn = asyncio.create_task(follow(world, session, events, "go"))
    await asyncio.wait_for(begun.wait(), WITHIN)
    return session, events, turn


class Kept(World):
    """Its tasks are kept by another runner."""

    keeper: type[MemoryTaskRunner] = MemoryTaskRunner

    def _assemble(self, spec: OpenSession) -> Parts:
        return replace(super()._assemble(spec), task_runner=lambda: self.keeper(self.tasks))


async def let_go(
    slow: Slow,
    *steps: Step,
    effects: tuple[Effect, ...] = (),
    keeper: type[MemoryTaskRunner] = MemoryTaskRunner,
) -> tuple[World, str, list[AnyEvent]]:
    """A world in whose session the call of the first turn was let go."""
    world = Kept(calls(("dig", {})), says("on my way"), *steps, tools=[slow.tool(*effects)])
    world.keeper = keeper
    session, events, turn = await at_work(world, slow.begun)
    async with asyncio.timeout(WITHIN):
        await world.gateway.submit(session, Background())
        await turn
    return world, session, events


async def task_ends(world: World, session: str) -> TaskChanged:
    async with asyncio.timeout(WITHIN):
        async for event in world.gateway.events(session):
            if isinstance(event, TaskChanged) and event.state != "running":
                return event
    raise AssertionError


async def test_any_call_that_takes_long_goes_on_and_its_result_is_told() -> None:
    slow = Slow()
    slow.result = ToolResult("a treasure: " + "gold " * 2000 + "and silver")
    world, session, events = await let_go(slow, says("thanks"))
    assert of(events, TurnFinished)[-1].outcome == "finished"
    (result,) = [event.result for event in of(events, ToolCallChanged) if event.state == "success"]
    assert result is not None
    assert result.text.startswith("The person let this call go on in the background, as task ")
    assert not slow.ended.is_set()
    slow.may_end.set()
    ended = await task_ends(world, session)
    assert (ended.kind, ended.state, ended.title) == ("call", "done", "dig")
    await follow(world, session, events, "and?")
    told = [text_of(each.content) for each in world.model.requests[-1].messages if isinstance(each, UserMessage)]
    assert any("dig has ended: done." in text and "and silver" in text for text in told), "all of it"
    await world.gateway.close()


@pytest.mark.parametrize(
    ("result", "state"), [(ToolResult("it fell in", is_error=True), "failed"), (ToolResult("gold"), "done")]
)
async def test_how_it_ends_is_how_the_task_ends(result: ToolResult, state: str) -> None:
    slow = Slow()
    slow.result = result
    world, session, _ = await let_go(slow)
    slow.may_end.set()
    ended = await task_ends(world, session)
    assert (ended.state, ended.detail) == (state, result.text)
    await world.gateway.close()


async def test_the_end_of_the_session_ends_it() -> None:
    slow = Slow()
    world, _, _ = await let_go(slow)
    assert not slow.ended.is_set()
    async with asyncio.timeout(WITHIN):
        await world.gateway.close()
    assert slow.ended.is_set()


class Stuck(MemoryTaskRunner):
    """Ends nothing."""

    async def stop(self, id: str) -> Task:
        raise RuntimeError("the engine is gone")


async def test_a_session_whose_tasks_cannot_be_ended_is_closed_all_the_same() -> None:
    slow = Slow()
    world, session, _ = await let_go(slow, keeper=Stuck)
    with pytest.raises(RuntimeError, match="the engine is gone"):
        await world.gateway.close()
    world.store.open(session).close()  # nobody holds its log any more
    slow.may_end.set()
    async with asyncio.timeout(WITHIN):
        await slow.ended.wait()


async def test_what_came_from_the_net_is_known_to_come() -> None:
    world, session, _ = await let_go(Slow(), effects=("net.egress",))
    (answer,) = [
        event.result
        for event in of(list(await world.gateway.history(session)), ToolCallChanged)
        if event.state == "success"
    ]
    assert answer is not None
    assert answer.taint == ("web",)
    await world.gateway.close()


async def test_an_interrupt_before_that_ends_it_as_ever() -> None:
    slow = Slow()
    world = World(calls(("dig", {})), tools=[slow.tool()])
    session, events, turn = await at_work(world, slow.begun)
    async with asyncio.timeout(WITHIN):
        await world.gateway.submit(session, Interrupt())
        await turn
    assert slow.ended.is_set()
    assert [event.state for event in of(events, ToolCallChanged)][-1] == "cancelled"
    await world.gateway.close()


async def through(name: str, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
    """Call another tool."""
    return await context.call(name, arguments)


@pytest.mark.parametrize(
    ("effects", "called", "why"),
    [
        (("fs.write",), ("dig", {}), "dig: what it writes belongs to this turn"),
        ((), ("through", {"name": "dig", "arguments": {}}), ""),
        (("fs.write",), ("through", {"name": "dig", "arguments": {}}), "through: the calls it makes are part of this"),
    ],
)
async def test_why_a_call_stays_is_said(effects: tuple[Effect, ...], called: tuple[str, Any], why: str) -> None:
    slow = Slow()
    world = World(calls(called), says("done"), tools=[slow.tool(*effects), through])
    session, _, turn = await at_work(world, slow.begun)
    async with asyncio.timeout(WITHIN):
        if why:
            with pytest.raises(UsageError, match=why):
                await world.gateway.submit(session, Background())
            slow.may_end.set()
        else:  # the part goes on, and the call it is of has its answer
            await world.gateway.submit(session, Background())
        await turn
    results = [each.text for each in world.model.requests[-1].messages if isinstance(each, ToolMessage)]
    assert results == ["a treasure"] if why else results[0].startswith("The person let this call go on")
    await world.gateway.close()


async def test_a_call_that_is_asked_about_waits_for_the_answer_and_nothing_else() -> None:
    world = World(calls(("dig", {})), tools=[Slow().tool()], ask=["dig"])
    session = await world.gateway.open(OpenSession(cwd="/w", interactive=True))
    await world.gateway.submit(session, SubmitPrompt(text="go"))
    async with asyncio.timeout(WITHIN):
        async for event in world.gateway.events(session):
            if isinstance(event, ApprovalRequested):
                break
    with pytest.raises(UsageError, match="dig: it waits for your answer"):
        await world.gateway.submit(session, Background())
    await world.gateway.submit(session, Interrupt())
    await world.gateway.close()


async def test_where_nothing_runs_that_is_said() -> None:
    world = World()
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match="no call runs"):
        await world.gateway.submit(session, Background())
    await world.gateway.close()


async def test_what_it_says_behind_the_turn_is_not_drawn_into_it_and_it_calls_nothing_more() -> None:
    begun, may_go_on, got = asyncio.Event(), asyncio.Event(), list[ToolResult]()

    async def dig(context: ToolContext) -> str:
        """Dig."""
        begun.set()
        await may_go_on.wait()
        got.append(await context.call("dig", {}))
        return got[0].text

    world = World(calls(("dig", {})), says("on my way"), tools=[dig])
    session, _, turn = await at_work(world, begun)
    async with asyncio.timeout(WITHIN):
        await world.gateway.submit(session, Background())
        await turn
    may_go_on.set()
    ended = await task_ends(world, session)
    assert ended.detail == "A call that goes on in the background can make no further ones."
    await world.gateway.close()


async def test_a_task_of_many_lines_is_called_by_the_first() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def run(code: str, context: ToolContext) -> str:
        """Run code."""
        begun.set()
        async with asyncio.timeout(WITHIN):
            await may_end.wait()
        return code

    world = World(calls(("run", {"code": "import time\ntime.sleep(9)\n"})), says("on my way"), tools=[run])
    session, _, turn = await at_work(world, begun)
    async with asyncio.timeout(WITHIN):
        await world.gateway.submit(session, Background())
        await turn
    may_end.set()
    assert (await task_ends(world, session)).title == "run import time …"
    await world.gateway.close()
