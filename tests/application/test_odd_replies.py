"""What models really send: ids twice or not at all, sixty-four calls, nothing, half of it, and tools that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from protea.adapters.tools.functions import FunctionTool, FunctionToolset
from protea.domain.commands import Interrupt, SetMode, SetModel, Steer, SubmitPrompt
from protea.domain.errors import Failure, ModelError, UsageError
from protea.domain.events import (
    AnyEvent,
    MessageCompleted,
    ModelSwitched,
    NoticeGiven,
    TextDelta,
    ToolCallChanged,
    ToolOutputDelta,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import Native, Text, Thinking, ToolCall, ToolMessage, calls_of
from protea.domain.reply import ModelRequest, Reply, own_ids
from protea.domain.tools import TodoItem, ToolResult, ToolSpec
from protea.domain.usage import ModelInfo, Price, Usage
from protea.ports.gateway import OpenSession
from protea.ports.toolset import Tool, ToolContext
from tests.application.consistency import faults, unpaired
from tests.application.long_turn import SIX, LongTurn, sound, texts
from tests.application.world import Held, PlayedModel, World, calls, of, says


async def echo(text: str) -> str:
    await asyncio.sleep(0)
    return f"<{text}>"


ECHO = FunctionTool(echo, parallel=True)


def calling(*ids: str, stop: str = "tool_calls") -> Reply:
    content = tuple(ToolCall(id=id, name="echo", arguments={"text": str(at)}) for at, id in enumerate(ids))
    return Reply(content=content, stop=stop, usage=Usage(), model="test/one")  # type: ignore[arg-type]  # a stop


async def ran(world: World, **spec: Any) -> tuple[list[AnyEvent], TurnFinished]:
    """A run whose log and requests are checked: all events and the last of them."""
    events = await world.run("go", **spec)
    session = events[0].session
    assert faults(list(world.store.read(session))) == []
    for request in world.model.requests:
        assert unpaired(request.messages) == []
    finished = events[-1]
    assert isinstance(finished, TurnFinished)
    return events, finished


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("ids", [("c", "c"), ("", ""), ("", "call_2", ""), ("c", "c_2", "c", "c"), ("x",) * 64])
async def test_calls_with_ids_that_are_not_their_own_all_run_and_get_their_own_results(
    ids: tuple[str, ...], parallel: bool
) -> None:
    world = World(calling(*ids), says("ok"), tools=[FunctionTool(echo, parallel=parallel)])
    _, finished = await ran(world)
    assert finished.outcome == "finished"
    results = [message for message in world.model.requests[1].messages if isinstance(message, ToolMessage)]
    assert [result.text for result in results] == [f"<{at}>" for at in range(len(ids))]
    assert len({result.call_id for result in results}) == len(ids)


def test_ids_that_are_a_reply_s_own_are_left_alone_with_what_its_wire_wants_back() -> None:
    reply = replace(calling("a", "b"), native=Native("anthropic", []))
    assert own_ids(reply) is reply
    doubled = own_ids(replace(calling("a", "a"), native=Native("anthropic", [])))
    assert [call.id for call in calls_of(doubled.content)] == ["a", "a_2"]
    assert doubled.native is None


async def test_the_same_id_in_a_later_reply_is_another_call() -> None:
    world = World(calling("c"), calling("c"), says("ok"), tools=[ECHO])
    events, finished = await ran(world)
    assert finished.outcome == "finished"
    assert [event.state for event in of(events, ToolCallChanged)].count("success") == 2


async def test_sixty_four_calls_run_side_by_side() -> None:
    all_there = asyncio.Barrier(64)

    async def meet(text: str) -> str:
        await all_there.wait()
        return text

    many = calls(*(("meet", {"text": str(at)}) for at in range(64)))
    world = World(many, says("ok"), tools=[FunctionTool(meet, parallel=True)])
    await ran(world)
    assert len([m for m in world.model.requests[1].messages if isinstance(m, ToolMessage)]) == 64


async def test_calls_of_a_reply_that_was_cut_off_never_run_and_the_session_goes_on() -> None:
    world = World(calling("c1", "c2", stop="length"), says("ok"), tools=[ECHO])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    first = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
    assert not of(first, ToolCallChanged)
    again = [event async for event in world.turn(session, SubmitPrompt(text="go on"))]
    assert of(again, TurnFinished)[0].outcome == "finished"
    assert unpaired(world.model.requests[1].messages) == []
    assert [m.is_error for m in world.model.requests[1].messages if isinstance(m, ToolMessage)] == [True, True]
    await world.gateway.close()


@pytest.mark.parametrize("content", [(), (Thinking("hm"),), (Thinking("", signature="s"),), (Text(""),)])
async def test_a_reply_without_words_ends_the_turn_and_the_next_prompt_works(content: tuple[Any, ...]) -> None:
    world = World(Reply(content=content, stop="end_turn", usage=Usage(), model="test/one"), says("ok"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for _ in range(2):
        events = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
        assert of(events, TurnFinished)[0].outcome == "finished"
    await world.gateway.close()


class Odd:
    """A toolset whose tool is what it is given."""

    cwd = None

    def __init__(self, tool: Any) -> None:
        self._tool = tool

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        return None

    def specs(self) -> tuple[ToolSpec, ...]:
        return (ToolSpec("odd", "Odd.", {"type": "object", "properties": {}}, parallel=True),)

    def tool(self, name: str) -> Tool | None:
        if isinstance(self._tool, Exception):
            raise self._tool
        return self._tool  # type: ignore[no-any-return]  # whatever it is

    async def aclose(self) -> None:
        """Nothing is open."""


class OddTool:
    def __init__(self, given: Any) -> None:
        self.spec = Odd(None).specs()[0]
        self._given = given

    async def run(self, arguments: Any, context: ToolContext) -> Any:
        if isinstance(self._given, BaseException):
            raise self._given
        return self._given


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        (None, "not available"),
        (ImportError("no module named x"), "cannot be opened: ImportError"),
        (OddTool(None), "NoneType instead of a ToolResult"),
        (OddTool(asyncio.CancelledError()), "was cancelled"),
        (OddTool(TimeoutError("too slow")), "TimeoutError"),
        (OddTool(RecursionError("deep")), "RecursionError"),
        (OddTool(SystemExit(3)), "it raised SystemExit"),
        (OddTool(KeyboardInterrupt()), "it raised KeyboardInterrupt"),
        (OddTool(GeneratorExit()), "it raised GeneratorExit"),
    ],
)
async def test_a_tool_that_misbehaves_is_told_to_the_model_and_the_others_run(tool: Any, told: str) -> None:
    both = calls(("odd", {}), ("echo", {"text": "a"}))
    world = World(both, says("fine"))
    world.toolsets = (FunctionToolset([ECHO]), Odd(tool))
    _, finished = await ran(world, time_limit=60.0)
    assert finished.outcome == "finished"
    odd, fine = (m for m in world.model.requests[1].messages if isinstance(m, ToolMessage))
    assert told in odd.text
    assert odd.is_error
    assert fine.text == "<a>"


async def test_a_result_longer_than_any_model_could_read_is_cut() -> None:
    world = World(calls(("odd", {})), says("fine"))
    world.toolsets = (Odd(OddTool(ToolResult("x" * 5_000_000))),)
    await ran(world)
    (told,) = (m for m in world.model.requests[1].messages if isinstance(m, ToolMessage))
    assert len(told.text) < 500_000
    assert "bytes left out" in told.text


async def test_a_result_that_cannot_be_written_ends_the_turn_and_not_the_session() -> None:
    world = World(calls(("odd", {}), ("echo", {"text": "a"})), says("fine"))
    world.toolsets = (FunctionToolset([ECHO]), Odd(OddTool(ToolResult("ok", diff=object()))))  # type: ignore[arg-type]
    _, finished = await ran(world)
    assert finished.outcome == "error"


async def test_a_todo_list_is_told_before_its_call_ends() -> None:
    world = World(calls(("odd", {})), says("fine"))
    world.toolsets = (Odd(OddTool(ToolResult("ok", todo=(TodoItem("a"),)))),)
    events, _ = await ran(world)
    names = [type(event).__name__ for event in events if event.seq]
    assert names[-4:] == ["TodoChanged", "ToolCallChanged", "MessageCompleted", "TurnFinished"]


@pytest.mark.parametrize("fault", [ValueError("not mine"), TimeoutError("slow"), OSError("gone"), AssertionError()])
async def test_a_fault_of_an_adapter_ends_the_turn_with_an_error_and_the_session_goes_on(fault: Exception) -> None:
    async def broken(request: ModelRequest) -> Reply:
        raise fault

    world = World(broken, says("fine"))
    session = await world.gateway.open(OpenSession(cwd="/w", time_limit=60.0))
    outcomes = []
    for _ in range(2):
        events = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
        outcomes.append(of(events, TurnFinished)[0])
    assert [finished.outcome for finished in outcomes] == ["error", "finished"]
    assert outcomes[0].error is not None
    assert type(fault).__name__ in outcomes[0].error.message
    await world.gateway.close()


async def test_a_persona_that_fails_ends_the_turn_with_an_error() -> None:
    world = World(says("fine"))

    def system(**_: object) -> tuple[str, ...]:
        raise UsageError("no such template")

    world.fixed.system = system  # type: ignore[method-assign,assignment]
    _, finished = await ran(world)
    assert finished.error is not None
    assert finished.error.message == "no such template"


# ── one call of several ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", ["validating", "scheduled", "executing"])
@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("id", ["c1", "c2"])
async def test_one_call_can_be_stopped_in_any_state_and_the_turn_goes_on(state: str, parallel: bool, id: str) -> None:
    async def wait(name: str) -> str:
        for _ in range(20):
            await asyncio.sleep(0)
        return name

    both = calls(("wait", {"name": "a"}), ("wait", {"name": "b"}))
    world = World(both, says("fine"), tools=[FunctionTool(wait, parallel=parallel)])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    stopped = False
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, ToolCallChanged) and (event.call.id, event.state) == (id, state):
            await world.gateway.submit(session, Interrupt(call_id=id))
            stopped = True
    assert stopped
    ends = {event.call.id: event.state for event in of(events, ToolCallChanged)}
    assert ends == {"c1": "success", "c2": "success", id: "cancelled"}
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert faults(list(world.store.read(session))) == []
    with pytest.raises(UsageError, match="no call c1"):
        await world.gateway.submit(session, Interrupt(call_id="c1"))
    await world.gateway.close()


# ── changes in mid-turn ────────────────────────────────────────────────────────────────────────────────────────────


def other(*steps: Any, price: Price | None = None) -> PlayedModel:
    return PlayedModel(steps, info=ModelInfo(id="other/one", price=price))


async def test_a_reply_costs_what_the_model_costs_that_gave_it() -> None:
    slow = Held(calls(("echo", {"text": "a"})))
    dear = other(says("dear"), price=Price(input=1e6, output=0))
    world = World(slow, tools=[ECHO], price=Price(input=0, output=0), others=[dear])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, TurnStarted):
            await slow.asked()
            await world.gateway.submit(session, SetModel(model="other/one", effort="high"))
            slow.come()
    assert [event.cost_usd for event in of(events, MessageCompleted)] == [0.0, 10.0]
    assert dear.requests[0].effort == "high"
    await world.gateway.close()


async def test_a_person_s_choice_is_not_undone_by_the_failure_of_the_model_before() -> None:
    slow = Held(ModelError(Failure(kind="billing", message="no credits")))
    chosen = other(says("chosen"), says("again"))
    world = World(slow, others=[chosen])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, TurnStarted):
            await slow.asked()
            await world.gateway.submit(session, SetModel(model="other/one"))
            slow.come()
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert [event.reason for event in of(events, ModelSwitched)] == ["asked"]
    await world.gateway.close()


async def test_a_budget_is_kept_through_every_change_of_model() -> None:
    price = Price(input=1, output=1)
    unpriced = other(says("free?"))
    world = World(Failure(kind="billing", message="no credits"), price=price, others=[unpriced])
    session = await world.gateway.open(OpenSession(cwd="/w", max_budget_usd=1.0))
    with pytest.raises(UsageError, match="a budget needs the price of other/one"):
        await world.gateway.submit(session, SetModel(model="other/one"))
    events = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
    assert "cannot stand in" in of(events, NoticeGiven)[0].text
    assert of(events, TurnFinished)[0].outcome == "error"
    assert not unpriced.requests
    await world.gateway.close()


async def test_a_mode_set_in_mid_turn_holds_for_the_next_call() -> None:
    world = World(calls(("echo", {"text": "a"})), calls(("echo", {"text": "b"})), says("ok"), tools=[ECHO])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for event in world.turn(session, SubmitPrompt(text="go")):
        if isinstance(event, ToolCallChanged) and event.state == "success":
            await world.gateway.submit(session, SetMode(mode="plan"))
    assert [request.mode for request in world.rules.requests] == ["normal", "plan"]
    await world.gateway.close()


@pytest.mark.parametrize("index", range(0, 45, 2))
async def test_steering_at_any_event_is_shown_exactly_once(index: int) -> None:
    turn = LongTurn()
    await turn.open()
    await turn.submit(SubmitPrompt(text="go"))
    seen = 0
    async for event in turn.world.gateway.events(turn.session):
        if seen == index:
            await turn.submit(Steer(text="mind the cat"))
        seen += 1
        if isinstance(event, TurnFinished) and seen > index:
            break
    await turn.at_rest()
    await turn.go_on()
    assert texts(turn.requests[-1]).count("mind the cat") == 1
    sound(await turn.close(), turn.requests)


async def test_two_sessions_of_one_gateway_know_nothing_of_each_other() -> None:
    both = asyncio.Barrier(2)

    async def meet(request: ModelRequest) -> Reply:
        await both.wait()
        return replace(SIX, content=SIX.content[:3])

    world = World(meet, meet, says("a"), says("b"), tools=[FunctionTool(look, parallel=True)])
    sessions = [await world.gateway.open(OpenSession(cwd="/w")) for _ in range(2)]

    async def run(session: str) -> list[AnyEvent]:
        return [event async for event in world.turn(session, SubmitPrompt(text=f"in {session}"))]

    seen = await asyncio.gather(*map(run, sessions))
    for session, events in zip(sessions, seen, strict=True):
        assert {event.session for event in events} == {session}
        assert of(events, TurnFinished)[0].outcome == "finished"
        assert faults(list(world.store.read(session))) == []
    for request in world.model.requests:
        assert len([text for text in texts(request) if text.startswith("in ")]) == 1
    await world.gateway.close()


async def look(name: str) -> str:
    return name


async def test_what_is_told_and_what_lasts_of_a_call_come_in_their_order() -> None:
    async def talk(context: ToolContext) -> str:
        context.say("one")
        context.say("two", "stderr")
        return "done"

    events, _ = await ran(World(calls(("talk", {}), text="Now."), says("ok"), tools=[talk]))
    told = [
        event.text
        if isinstance(event, (TextDelta, ToolOutputDelta))
        else event.state
        if isinstance(event, ToolCallChanged)
        else type(event).__name__
        for event in events
    ]
    assert told == [
        *("PromptSubmitted", "TurnStarted", "Now.", "MessageCompleted"),
        *("validating", "scheduled", "executing", "one", "two", "success"),
        *("ok", "MessageCompleted", "TurnFinished"),
    ]
