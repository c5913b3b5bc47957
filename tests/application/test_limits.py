"""Nothing goes on for ever, nothing costs more than it may, and a turn late in a session no more than an early one."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

import pytest

from protea.adapters.tools.functions import FunctionTool
from protea.domain.commands import SubmitPrompt
from protea.domain.errors import Failure
from protea.domain.events import ApprovalResolved, MessageCompleted, NoticeGiven, ToolCallChanged, TurnFinished
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import Price
from protea.ports.clock import Clock
from protea.ports.gateway import OpenSession
from tests.application.consistency import faults
from tests.application.world import World, calls, of, says


async def echo(text: str) -> str:
    return text


def call(text: str) -> Reply:
    return calls(("echo", {"text": text}))


@pytest.mark.parametrize("most", [1, 2, 5])
async def test_the_number_of_replies_is_exact(most: int) -> None:
    world = World(*(call(str(at)) for at in range(9)), tools=[echo])
    events = await world.run("go", max_turns=most)
    finished = of(events, TurnFinished)[0]
    assert (finished.limit, finished.turns, len(world.model.requests)) == ("turns", most, most)


async def test_an_answer_within_the_number_of_replies_is_no_limit() -> None:
    events = await World(call("a"), says("done"), tools=[echo]).run("go", max_turns=2)
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_a_budget_is_per_prompt_and_stops_before_the_request() -> None:
    world = World(*(call(str(at)) for at in range(90)), tools=[echo], price=Price(input=0, output=1e5))
    session = await world.gateway.open(OpenSession(cwd="/w", max_budget_usd=2.0))
    for _ in range(2):
        before = len(world.model.requests)
        events = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
        finished = of(events, TurnFinished)[0]
        assert finished.limit == "budget"
        assert finished.cost_usd is not None
        assert finished.cost_usd == 2.0
        assert len(world.model.requests) - before == finished.turns == 4
    await world.gateway.close()


async def test_a_request_that_alone_would_break_the_budget_is_never_sent() -> None:
    world = World(says("no"), price=Price(input=1e6, output=0))
    events = await world.run("long " * 1000, max_budget_usd=0.5)
    assert of(events, TurnFinished)[0].limit == "budget"
    assert not world.model.requests


async def forever() -> str:
    await asyncio.Event().wait()
    return ""


async def hang(request: ModelRequest) -> Reply:
    await asyncio.Event().wait()
    raise AssertionError


class Sleepy:
    """Really waits, however long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> str:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("steps", "ask"),
    [
        ([hang], ()),
        ([Failure(kind="overloaded", message="busy", retryable=True)], ()),
        ([calls(("forever", {}))], ()),
        ([calls(("forever", {}), ("forever", {}))], ()),
        ([calls(("forever", {}))], ("forever",)),
    ],
    ids=["asking", "waiting to ask again", "running", "running in line", "a question"],
)
async def test_the_time_of_a_turn_ends_it_in_any_phase(steps: Any, ask: tuple[str, ...]) -> None:
    world = World(*steps, tools=[forever], ask=ask)
    world.use_clock(Sleepy(world.clock))
    async with asyncio.timeout(10):
        events = await world.run("go", time_limit=0.05)
    finished = of(events, TurnFinished)[0]
    assert (finished.outcome, finished.limit) == ("limit", "time")
    assert faults(list(world.store.read(events[0].session))) == []
    assert {event.by for event in of(events, ApprovalResolved)} <= {"interrupt"}


@pytest.mark.parametrize("circle", ["a", "ab", "abc"])
async def test_a_circle_is_told_once_and_ended(circle: str) -> None:
    world = World(*(call(circle[at % len(circle)]) for at in range(99)), tools=[echo])
    events = await world.run("go")
    assert of(events, TurnFinished)[0].limit == "loop"
    assert len(of(events, NoticeGiven)) == 1
    assert len(world.model.requests) == 8 * len(circle)


async def test_a_model_that_left_its_circle_is_told_anew_when_it_enters_another() -> None:
    world = World(*(call(text) for text in "aaaaXbbbbY"), says("done"), tools=[echo])
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert len(of(events, NoticeGiven)) == 2


async def test_work_that_moves_on_is_no_circle() -> None:
    count = 0

    async def poll() -> str:
        nonlocal count
        count += 1
        return f"{count} of 40"

    world = World(*(calls(("poll", {})) for _ in range(40)), says("done"), tools=[poll])
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert not of(events, NoticeGiven)


@pytest.mark.parametrize("stop", ["pause", "end_turn", "other", "tool_calls", "stop_sequence"])
async def test_a_model_that_says_nothing_for_ever_is_not_asked_for_ever(stop: Any) -> None:
    world = World(*(says("", stop) for _ in range(500)))
    events = await world.run("go")
    assert len(world.model.requests) < 50
    assert of(events, TurnFinished)[0].outcome in ("finished", "limit")


async def test_mistakes_repeated_for_ever_are_a_circle() -> None:
    world = World(*(calls(("nosuch", {})) for _ in range(500)), tools=[echo])
    assert of(await world.run("go"), TurnFinished)[0].limit == "loop"


async def test_refusals_repeated_for_ever_are_a_circle() -> None:
    world = World(*(call("a") for _ in range(500)), tools=[echo], deny=["echo"])
    events = await world.run("go")
    assert of(events, TurnFinished)[0].limit == "loop"
    assert {event.state for event in of(events, ToolCallChanged)} == {"validating", "scheduled", "error"}


async def test_a_provider_that_is_always_busy_is_not_asked_for_ever() -> None:
    world = World(*(Failure(kind="overloaded", message="busy", retryable=True, retry_after=-5.0) for _ in range(500)))
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "error"
    assert len(world.model.requests) == 5
    assert all(seconds >= 0 for seconds in world.clock.slept)


async def test_a_turn_late_in_a_session_of_ten_thousand_events_costs_what_an_early_one_costs() -> None:
    world = World(tools=[FunctionTool(echo, parallel=True)])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    spent = []
    last = 1
    for _ in range(1300):
        world.model.steps[:] = [call("a"), says("ok")]
        world.model.requests.clear()
        begin = perf_counter()
        await world.gateway.submit(session, SubmitPrompt(text="go"))
        async for event in world.gateway.events(session, last):
            last = event.seq or last
            if isinstance(event, TurnFinished):
                break
        spent.append(perf_counter() - begin)
    assert last > 10_000
    # The quickest of a hundred: what else the machine does is not measured.
    assert min(spent[-100:]) < 3 * min(spent[50:150])
    await world.gateway.close()


async def test_what_a_turn_cost_is_the_sum_of_its_replies() -> None:
    world = World(call("a"), says("b"), tools=[echo], price=Price(input=1e6, output=0))
    events = await world.run("go")
    assert of(events, TurnFinished)[0].cost_usd == sum(event.cost_usd or 0 for event in of(events, MessageCompleted))
