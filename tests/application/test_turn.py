"""One turn: asking, running tools, coming to an end in every way it can."""

from __future__ import annotations

import asyncio

import pytest

from protea.adapters.tools.functions import FunctionTool
from protea.application.turn import MOST_PAUSES
from protea.domain.commands import Interrupt, ResolveApproval, Steer, SubmitPrompt
from protea.domain.errors import Failure
from protea.domain.events import (
    Answer,
    ApprovalRequested,
    ApprovalResolved,
    MessageCompleted,
    ModelSwitched,
    NoticeGiven,
    PromptSubmitted,
    RetryScheduled,
    TextDelta,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import AssistantMessage, Text, ToolCall, ToolMessage, UserMessage
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import ModelInfo, Price, Usage
from protea.ports.gateway import OpenSession
from protea.ports.toolset import ToolContext
from tests.application.world import PlayedModel, World, calls, of, says


async def echo(text: str) -> str:
    """Give the text back."""
    return f"<{text}>"


def states(events: list, id: str = "c1") -> list[str]:  # type: ignore[type-arg]  # any events
    return [event.state for event in of(events, ToolCallChanged) if event.call.id == id]


async def test_a_prompt_is_answered() -> None:
    world = World(says("hello"))
    events = await world.run("hi")
    assert [type(event).__name__ for event in events] == [
        "PromptSubmitted",
        "TurnStarted",
        "TextDelta",
        "MessageCompleted",
        "TurnFinished",
    ]
    assert [event.seq for event in events if event.seq] == [2, 3, 4, 5]
    assert of(events, TextDelta)[0].seq is None
    finished = of(events, TurnFinished)[0]
    assert (finished.outcome, finished.turns, finished.usage) == ("finished", 1, Usage(input=10, output=5))


async def test_tools_run_until_the_model_has_no_more_calls() -> None:
    world = World(calls(("echo", {"text": "a"})), says("done"), tools=[echo])
    events = await world.run("go")
    assert states(events) == ["validating", "scheduled", "executing", "success"]
    assert of(events, ToolCallChanged)[-1].result.text == "<a>"  # type: ignore[union-attr]
    shown = world.model.requests[1].messages
    assert isinstance(shown[-1], ToolMessage)
    assert shown[-1].text == "<a>"


async def test_wrong_arguments_come_back_as_all_mistakes_at_once() -> None:
    world = World(calls(("echo", {"txt": 1})), says("sorry"), tools=[echo])
    events = await world.run("go")
    assert states(events) == ["validating", "error"]
    text = of(events, ToolCallChanged)[-1].result.text  # type: ignore[union-attr]
    assert "`text` is missing" in text
    assert "`txt` is not known" in text


async def test_arguments_that_are_no_json_never_run() -> None:
    broken = Reply(
        content=(ToolCall(id="c1", name="echo", arguments_text='{"text": "a'),),
        stop="tool_calls",
        usage=Usage(),
        model="test/one",
    )
    events = await World(broken, says("again"), tools=[echo]).run("go")
    assert states(events) == ["validating", "error"]


async def test_an_unknown_tool_is_told_with_the_nearest_name() -> None:
    events = await World(calls(("ecoh", {})), says("oh"), tools=[echo]).run("go")
    assert "Did you mean echo?" in of(events, ToolCallChanged)[-1].result.text  # type: ignore[union-attr]


async def test_a_fault_of_a_tool_is_told_to_the_model_and_the_turn_goes_on() -> None:
    async def broken() -> str:
        raise RuntimeError("oops")

    events = await World(calls(("broken", {})), says("fine"), tools=[broken]).run("go")
    assert states(events)[-1] == "error"
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_calls_that_only_read_run_side_by_side_and_results_keep_the_order() -> None:
    both = asyncio.Barrier(2)

    async def look(name: str) -> str:
        await both.wait()
        return name

    world = World(
        calls(("look", {"name": "a"}), ("look", {"name": "b"})), says("ok"), tools=[FunctionTool(look, parallel=True)]
    )
    await world.run("go")
    assert [message.text for message in world.model.requests[1].messages if isinstance(message, ToolMessage)] == [
        "a",
        "b",
    ]


async def test_other_calls_run_one_after_another() -> None:
    running = 0

    async def change(name: str) -> str:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        running -= 1
        return name

    events = await World(calls(("change", {"name": "a"}), ("change", {"name": "b"})), says("ok"), tools=[change]).run(
        "go"
    )
    assert states(events, "c1")[-1] == states(events, "c2")[-1] == "success"


@pytest.mark.parametrize(("stop", "limit"), [("length", "length"), ("refusal", "refusal")])
async def test_a_reply_that_was_cut_off_or_refused_ends_on_a_limit_and_runs_nothing(stop: str, limit: str) -> None:
    reply = Reply(
        content=(ToolCall(id="c1", name="echo", arguments={"text": "x"}),),
        stop=stop,  # type: ignore[arg-type]
        usage=Usage(),
        model="test/one",
    )
    events = await World(reply, tools=[echo]).run("go")
    assert not states(events)
    assert (of(events, TurnFinished)[0].outcome, of(events, TurnFinished)[0].limit) == ("limit", limit)


async def test_a_passing_fault_is_tried_again_and_shown() -> None:
    busy = Failure(kind="overloaded", message="busy", retryable=True)
    world = World(busy, busy, says("at last"))
    events = await world.run("go")
    assert [event.attempt for event in of(events, RetryScheduled)] == [2, 3]
    assert len(world.clock.slept) == 2
    assert len(of(events, MessageCompleted)) == 1


async def test_a_lasting_fault_ends_the_turn_with_its_cause() -> None:
    events = await World(Failure(kind="auth", message="wrong key", status=401)).run("go")
    finished = of(events, TurnFinished)[0]
    assert finished.outcome == "error"
    assert finished.error is not None
    assert finished.error.kind == "auth"
    assert not of(events, MessageCompleted)


async def test_the_number_of_replies_is_limited() -> None:
    world = World(*(calls(("echo", {"text": str(i)})) for i in range(9)), tools=[echo])
    events = await world.run("go", max_turns=3)
    finished = of(events, TurnFinished)[0]
    assert (finished.outcome, finished.limit, finished.turns) == ("limit", "turns", 3)


async def test_a_budget_stops_before_the_request_that_would_break_it() -> None:
    world = World(
        *(calls(("echo", {"text": str(i)})) for i in range(9)), tools=[echo], price=Price(input=1e4, output=1e5)
    )
    events = await world.run("go", max_budget_usd=1.0)
    finished = of(events, TurnFinished)[0]
    assert (finished.outcome, finished.limit) == ("limit", "budget")
    assert finished.cost_usd is not None
    assert finished.cost_usd <= 1.0


async def test_the_time_of_a_turn_is_limited_also_in_the_middle_of_a_call() -> None:
    async def forever() -> str:
        await asyncio.Event().wait()
        return ""

    events = await World(calls(("forever", {})), tools=[forever]).run("go", time_limit=0.05)
    assert states(events)[-1] == "cancelled"
    assert of(events, TurnFinished)[0].limit == "time"


async def test_going_in_circles_is_noticed_told_and_ended() -> None:
    world = World(*(calls(("echo", {"text": "same"})) for _ in range(20)), tools=[echo])
    events = await world.run("go")
    assert len(of(events, NoticeGiven)) == 1
    assert of(events, TurnFinished)[0].limit == "loop"
    assert len(world.model.requests) == 8
    told = [m for m in world.model.requests[-1].messages if isinstance(m, UserMessage)]
    assert any("in a row" in part.text for m in told for part in m.content if isinstance(part, Text))


async def test_an_interrupt_in_a_reply_keeps_what_was_said() -> None:
    hang = asyncio.Event()

    async def slow(request: ModelRequest) -> Reply:
        await hang.wait()
        return says("never")

    world = World(slow)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, TurnStarted):
            await world.gateway.submit(session, Interrupt())
    assert of(events, TurnFinished)[0].outcome == "interrupted"
    await world.gateway.close()


async def test_an_interrupt_in_a_call_ends_every_call_and_the_next_prompt_goes_on() -> None:
    ended = []

    async def forever(name: str) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)
        return ""

    world = World(calls(("forever", {"name": "a"}), ("forever", {"name": "b"})), says("on"), tools=[forever])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, ToolCallChanged) and event.state == "executing":
            await world.gateway.submit(session, Interrupt())
    assert ended == ["a"]
    assert states(events, "c1")[-1] == states(events, "c2")[-1] == "cancelled"
    again = [event async for event in world.turn(session, SubmitPrompt(text="go on"))]
    assert of(again, TurnFinished)[0].outcome == "finished"
    kinds = [type(message) for message in world.model.requests[-1].messages]
    assert kinds == [UserMessage, AssistantMessage, ToolMessage, ToolMessage, UserMessage]
    await world.gateway.close()


async def test_one_call_can_be_stopped_and_the_turn_goes_on() -> None:
    async def forever() -> str:
        await asyncio.Event().wait()
        return ""

    world = World(calls(("forever", {})), says("fine"), tools=[forever])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, ToolCallChanged) and event.state == "executing":
            await world.gateway.submit(session, Interrupt(call_id="c1"))
    assert states(events)[-1] == "cancelled"
    assert of(events, TurnFinished)[0].outcome == "finished"
    await world.gateway.close()


async def test_steering_joins_the_running_turn() -> None:
    asked, steered = asyncio.Event(), asyncio.Event()

    async def first(request: ModelRequest) -> Reply:
        asked.set()
        await steered.wait()
        return says("slow answer")

    world = World(first, says("fast answer"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, TurnStarted):
            await asked.wait()
            await world.gateway.submit(session, Steer(text="faster"))
            steered.set()
    assert len(of(events, MessageCompleted)) == 2
    last = world.model.requests[1].messages
    assert isinstance(last[-1], UserMessage)
    assert isinstance(last[-2], AssistantMessage)
    await world.gateway.close()


async def test_a_prompt_sent_while_busy_gets_a_turn_of_its_own() -> None:
    world = World(says("one"), says("two"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SubmitPrompt(text="a"))
    await world.gateway.submit(session, SubmitPrompt(text="b"))
    finished = 0
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            finished += isinstance(event, TurnFinished)
            if finished == 2:
                break
    assert [len(request.messages) for request in world.model.requests] == [1, 3]
    await world.gateway.close()


async def answered(world: World, decision: str, comment: str | None = None) -> list:  # type: ignore[type-arg]
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = []
    async for event in world.turn(session, SubmitPrompt(text="go")):
        events.append(event)
        if isinstance(event, ApprovalRequested):
            answer = ResolveApproval(id=event.id, decision=decision, comment=comment)  # type: ignore[arg-type]
            await world.gateway.submit(session, answer)
    await world.gateway.close()
    return events


async def test_a_call_that_asks_waits_for_the_answer() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])
    events = await answered(world, "once")
    assert states(events) == ["validating", "scheduled", "awaiting_approval", "executing", "success"]
    kinds = [type(event) for event in events if isinstance(event, (ApprovalRequested, ApprovalResolved))]
    assert kinds == [ApprovalRequested, ApprovalResolved]


async def test_a_refusal_reaches_the_model_with_its_reason() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])
    events = await answered(world, "deny", "use the other one")
    assert states(events)[-1] == "error"
    assert "use the other one" in world.model.requests[1].messages[-1].text  # type: ignore[union-attr]
    assert of(events, TurnFinished)[0].outcome == "denied"


async def test_what_is_said_with_a_permission_reaches_the_model_with_the_result() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])
    events = await answered(world, "once", "then tidy up")
    assert states(events)[-1] == "success"
    shown = world.model.requests[1].messages[-1].text  # type: ignore[union-attr]
    assert shown.endswith("[The person allowed this and said: then tidy up]")


async def test_allowed_for_the_session_does_not_ask_again() -> None:
    world = World(
        calls(("echo", {"text": "a"})), calls(("echo", {"text": "b"})), says("ok"), tools=[echo], ask=["echo"]
    )
    events = await answered(world, "session")
    assert len(of(events, ApprovalRequested)) == 1
    assert of(events, ApprovalResolved)[0].rules == ("echo",)
    assert world.fixed.saved == []


async def test_allowed_for_always_is_saved() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])
    await answered(world, "always")
    assert world.fixed.saved == ["echo"]


async def test_where_nobody_is_there_what_would_ask_is_denied_without_a_question() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])
    events = await world.run("go", interactive=False)
    assert states(events) == ["validating", "scheduled", "error"]
    assert not of(events, ApprovalRequested)
    assert of(events, TurnFinished)[0].outcome == "denied"


async def wonder(question: str, context: ToolContext) -> str:
    return context.answer or "nobody answered"


def wondering(world_says: str) -> World:
    tool = FunctionTool(wonder, effects=("ask",))
    return World(calls(("wonder", {"question": "Which one?"})), says(world_says), tools=[tool])


async def test_a_question_of_the_model_s_is_answered_by_a_person() -> None:
    world = wondering("thanks")
    events = await answered(world, "once", "the blue one")
    (asked,) = of(events, ApprovalRequested)
    assert (asked.kind, asked.why) == ("question", "Which one?")
    assert of(events, ToolCallChanged)[-1].result.text == "the blue one"  # type: ignore[union-attr]
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_a_question_that_nobody_can_answer_is_no_denial() -> None:
    events = await wondering("I assume blue").run("go", interactive=False)
    assert of(events, ApprovalResolved)[0].by == "policy"
    assert of(events, ToolCallChanged)[-1].result.text == "nobody answered"  # type: ignore[union-attr]
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_an_answer_that_does_not_fit_the_schema_is_sent_back() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    world = World(says("n is 3"), says('```json\n{"n": 3}\n```'))
    events = await world.run("go", schema=schema)
    assert of(events, TurnFinished)[0].structured == {"n": 3}
    assert [event.origin for event in of(events, PromptSubmitted)] == ["user", "schema"]


async def test_an_answer_that_never_fits_the_schema_is_an_error() -> None:
    world = World(says("a"), says("b"), says("c"))
    events = await world.run("go", schema={"type": "integer"})
    finished = of(events, TurnFinished)[0]
    assert (finished.outcome, finished.turns) == ("error", 3)


async def test_a_paused_reply_is_sent_back_to_go_on() -> None:
    world = World(says("searching", "pause"), says("found"))
    events = await world.run("go")
    assert of(events, TurnFinished)[0].turns == 2
    assert isinstance(world.model.requests[1].messages[-1], AssistantMessage)


BUSY = Failure(kind="billing", message="no credits", status=402)


def standing_in(*steps: Reply, context: int = 1000) -> PlayedModel:
    return PlayedModel(steps, info=ModelInfo(id="other/small", context=context))


async def test_where_a_provider_fails_the_next_model_of_the_chain_goes_on_and_it_is_said() -> None:
    other = standing_in(says("from the other"))
    events = await World(BUSY, others=[other]).run("go")
    (switched,) = of(events, ModelSwitched)
    assert switched.model == "other/small"
    assert "billing" in switched.reason
    assert "other/small goes on" in of(events, NoticeGiven)[0].text
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_a_request_that_is_wrong_is_wrong_with_any_model() -> None:
    other = standing_in(says("never"))
    events = await World(Failure(kind="invalid_request", message="bad"), others=[other]).run("go")
    assert of(events, TurnFinished)[0].outcome == "error"
    assert not other.requests


async def test_a_chain_that_fails_to_its_end_is_an_error() -> None:
    other = PlayedModel([BUSY], info=ModelInfo(id="other/small"))
    events = await World(BUSY, others=[other]).run("go")
    assert len(of(events, ModelSwitched)) == 1
    assert of(events, TurnFinished)[0].outcome == "error"


async def test_no_call_is_run_twice_when_the_model_changes_in_mid_turn() -> None:
    ran = []

    async def change(name: str) -> str:
        ran.append(name)
        return name

    other = standing_in(says("done"))
    world = World(calls(("change", {"name": "a"})), BUSY, tools=[change], others=[other])
    await world.run("go")
    assert ran == ["a"]
    assert isinstance(other.requests[0].messages[-1], ToolMessage)


async def test_what_was_waited_between_attempts_counts_against_the_patience_for_one_reply() -> None:
    slow = Failure(kind="rate_limit", message="later", retryable=True, retry_after=50.0)
    world = World(*[slow] * 9)
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "error"
    assert len(world.model.requests) == 3, "two waits of fifty seconds, and no third"


async def test_calls_in_between_make_pauses_begin_anew() -> None:
    pauses = [says("…", stop="pause")] * (MOST_PAUSES - 1)
    world = World(*pauses, calls(("echo", {"text": "a"})), *pauses, says("done"), tools=[echo])
    assert of(await world.run("go"), TurnFinished)[0].outcome == "finished"


async def test_a_time_that_ran_out_inside_an_adapter_is_not_the_turns() -> None:
    async def late(request: ModelRequest) -> Reply:
        raise TimeoutError("a socket of the adapter's")

    finished = of(await World(late).run("go", time_limit=1000.0), TurnFinished)[0]
    assert (finished.outcome, finished.limit) == ("error", None)
    assert finished.error is not None
    assert "a socket of the adapter's" in finished.error.message


async def test_a_call_that_was_stopped_before_it_began_never_runs() -> None:
    ran: list[str] = []

    async def work(name: str) -> str:
        ran.append(name)
        if name == "first":
            await world.gateway.submit(session, Interrupt(call_id="c2"))
        return name

    world = World(calls(("work", {"name": "first"}), ("work", {"name": "second"})), says("fine"), tools=[work])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
    assert ran == ["first"]
    ends = {event.call.id: event for event in of(events, ToolCallChanged) if event.result is not None}
    assert (ends["c1"].state, ends["c2"].state) == ("success", "cancelled")
    await world.gateway.close()


async def test_what_a_command_says_it_needs_holds_for_its_own_turn() -> None:
    world = World(*[calls(("echo", {"text": "a"})), says("done")] * 2, tools=[echo])
    session = await world.gateway.open(OpenSession(cwd="/w", interactive=False))
    outcomes = []
    for prompt in (SubmitPrompt(text="go", command="/look", only=("Read",)), SubmitPrompt(text="go on")):
        events = [event async for event in world.turn(session, prompt)]
        outcomes.append(of(events, TurnFinished)[0].outcome)
    assert outcomes == ["denied", "finished"]
    await world.gateway.close()


@pytest.mark.parametrize("decision", ["session", "always"])
async def test_the_answer_to_a_question_of_the_model_s_is_no_rule(decision: Answer) -> None:
    """Whatever a client sends: the answers that were offered would be kept as what is allowed."""

    async def choose(context: ToolContext, options: list[str]) -> str:
        return context.answer or "nothing"

    question = ("choose", {"options": ["Bash", "Edit"]})
    world = World(calls(question), says("thanks"), tools=[FunctionTool(choose, effects=("ask",))])
    events = await answered(world, decision, "Bash")
    assert of(events, ApprovalRequested)[0].proposals == ("Bash", "Edit")
    assert of(events, ApprovalResolved)[0].rules == ()
    assert world.fixed.saved == []
