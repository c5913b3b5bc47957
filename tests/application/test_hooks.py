"""Hooks around tools, prompts and turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protea.domain.commands import EndSession, Steer, SubmitPrompt
from protea.domain.events import (
    ApprovalRequested,
    HookRan,
    MessageCompleted,
    SessionEnded,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.hooks import HookMoment, HookSaid, Moment
from protea.domain.messages import ToolMessage, UserMessage, text_of
from protea.domain.usage import Usage
from protea.ports.gateway import OpenSession
from protea.testing.hooks import TableHooks
from tests.application.world import World, calls, of, says


async def echo(text: str) -> str:
    """Give the text back."""
    return f"<{text}>"


def world(*steps: Any, ask: tuple[str, ...] = (), **says: HookSaid) -> tuple[World, TableHooks]:
    made = World(*steps, tools=[echo], ask=ask)
    table: dict[Moment, tuple[HookSaid, ...]] = {moment: (said,) for moment, said in says.items()}  # type: ignore[misc]
    made.hooks = hooks = TableHooks(table)
    return made, hooks


def result(events: list[Any]) -> Any:
    return next(event.result for event in of(events, ToolCallChanged) if event.result)


async def test_a_hook_may_refuse_a_call() -> None:
    told, _ = world(
        calls(("echo", {"text": "a"})), says("ok"), before_tool=HookSaid(hook="h", verdict="deny", why="not today")
    )
    events = await told.run("go")
    assert result(events).denied is not None
    assert "the hook h says deny: not today" in result(events).text
    assert [(ran.hook, ran.moment, ran.call_id, ran.verdict) for ran in of(events, HookRan)] == [
        ("h", "before_tool", "c1", "deny")
    ]
    assert of(events, TurnFinished)[0].outcome == "denied"


async def test_a_hook_may_have_a_person_asked() -> None:
    told, _ = world(calls(("echo", {"text": "a"})), says("ok"), before_tool=HookSaid(hook="h", verdict="ask", why="hm"))
    events = await told.run("go", interactive=False)
    assert of(events, ApprovalRequested)[0].why == "the hook h says ask: hm"


async def test_a_hook_may_allow_what_would_have_been_asked() -> None:
    told, _ = world(
        calls(("echo", {"text": "a"})), says("ok"), ask=("echo",), before_tool=HookSaid(hook="h", verdict="allow")
    )
    events = await told.run("go")
    assert of(events, ApprovalRequested) == []
    assert result(events).text == "<a>"


async def test_a_rewriting_is_run_shown_and_validated() -> None:
    told, hooks = world(
        calls(("echo", {"text": "a"})), says("ok"), before_tool=HookSaid(hook="h", arguments={"text": "b"})
    )
    hooks.says["after_tool"] = ()
    events = await told.run("go")
    assert result(events).text == "<b>"
    assert of(events, HookRan)[0].arguments == {"text": "b"}
    assert hooks.told[-1].arguments == {"text": "b"}
    told, _ = world(calls(("echo", {"text": "a"})), says("ok"), before_tool=HookSaid(hook="h", arguments={"txt": 1}))
    assert "rewrote the arguments of echo wrongly" in result(await told.run("go")).text


async def test_what_a_hook_says_of_a_result_reaches_the_model() -> None:
    told, _ = world(
        calls(("echo", {"text": "a"})),
        says("ok"),
        after_tool=HookSaid(hook="lint", verdict="deny", why="line 3 is too long", context="see the style guide"),
    )
    await told.run("go")
    (message,) = (m for m in told.model.requests[-1].messages if isinstance(m, ToolMessage))
    assert message.is_error
    assert message.text == "<a>\n[hook] see the style guide\n[hook] The hook lint objects: line 3 is too long"


async def test_a_hook_that_failed_is_seen_and_does_no_harm() -> None:
    told, _ = world(calls(("echo", {"text": "a"})), says("ok"), before_tool=HookSaid(hook="h", failed="it broke"))
    events = await told.run("go")
    assert of(events, HookRan)[0].failed == "it broke"
    assert result(events).text == "<a>"


async def test_one_that_only_looks_on_leaves_no_trace() -> None:
    told, hooks = world(calls(("echo", {"text": "a"})), says("ok"), before_tool=HookSaid(hook="h"))
    assert of(await told.run("go"), HookRan) == []
    assert [moment.moment for moment in hooks.told] == ["before_tool"]


async def test_a_prompt_may_be_refused_or_added_to() -> None:
    told, _ = world(says("ok"), prompt=HookSaid(hook="h", verdict="deny", why="no secrets please"))
    finished = of(await told.run("go"), TurnFinished)[0]
    assert finished.outcome == "denied"
    assert finished.error is not None
    assert "no secrets please" in finished.error.message
    assert told.model.requests == []
    told, _ = world(says("ok"), prompt=HookSaid(hook="h", context="It is Monday."))
    await told.run("go")
    assert "[hook] It is Monday." in str(told.model.requests[0].messages[-1])


async def test_an_answer_is_sent_back_a_few_times_at_most() -> None:
    told, hooks = world(
        *(says(f"done {number}") for number in range(9)),
        turn_end=HookSaid(hook="h", verdict="deny", why="the tests fail"),
    )
    events = await told.run("go")
    assert len(of(events, MessageCompleted)) == 4
    finished = of(events, TurnFinished)
    assert (len(finished), finished[0].outcome, finished[0].turns) == (1, "finished", 4)
    assert finished[0].usage == Usage(input=40, output=20)
    assert [(moment.text, moment.repeated) for moment in hooks.told] == [
        ("done 0", False),
        ("done 1", True),
        ("done 2", True),
    ]


async def test_a_session_begins_and_ends_with_its_hooks() -> None:
    told, hooks = world(
        says("ok"), session_start=HookSaid(hook="h", context="Be kind."), session_end=HookSaid(hook="h")
    )
    await told.run("go")
    assert "[hook] Be kind." in str(told.model.requests[0].messages)
    assert [moment.moment for moment in hooks.told] == ["session_start", "session_end"]
    assert hooks.closed


async def test_what_a_person_says_while_hooks_look_at_the_answer_is_answered_in_the_same_turn() -> None:
    told = World(says("done"), says("that, too"))

    class Slow(TableHooks):
        async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
            if not self.told:
                await told.gateway.submit(session, Steer(text="and the tests"))
            return await super().run(moment)

    told.hooks = hooks = Slow({"turn_end": (HookSaid(hook="h"),)})
    session = await told.gateway.open(OpenSession(cwd="/w"))
    events = [event async for event in told.turn(session, SubmitPrompt(text="go"))]
    last = told.model.requests[-1].messages[-1]
    assert isinstance(last, UserMessage)
    assert text_of(last.content) == "and the tests"
    assert [(moment.text, moment.repeated) for moment in hooks.told] == [("done", False), ("that, too", False)]
    assert of(events, TurnFinished)[0].turns == 2
    await told.gateway.close()


async def test_what_hooks_say_at_the_end_of_a_session_is_in_its_log() -> None:
    told, _ = world(says("ok"), session_end=HookSaid(hook="h", failed="it broke"))
    session = await told.gateway.open(OpenSession(cwd="/w"))
    async for _ in told.turn(session, SubmitPrompt(text="go")):
        pass
    await told.gateway.submit(session, EndSession(reason="left"))
    log = await told.gateway.history(session)
    assert [type(event) for event in log[-2:]] == [HookRan, SessionEnded]
    assert (of(log, HookRan)[0].moment, of(log, HookRan)[0].failed) == ("session_end", "it broke")
    await told.gateway.close()


async def test_where_nobody_can_be_asked_whether_the_work_is_done_it_is() -> None:
    told, _ = world(*(says(f"{number}") for number in range(5)), turn_end=HookSaid(hook="h", verdict="ask"))
    events = await told.run("go", interactive=False)
    assert [text_of(event.content) for event in of(events, MessageCompleted)] == ["0"]
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_a_session_that_may_not_begin_is_asked_about_with_every_prompt() -> None:
    told, hooks = world(says("ok"), session_start=HookSaid(hook="h", verdict="deny", why="not on Sundays"))
    session = await told.gateway.open(OpenSession(cwd="/w"))
    outcomes = []
    for prompt in ("one", "two", "three"):
        if prompt == "three":
            hooks.says["session_start"] = (HookSaid(hook="h", context="It is Monday."),)
        events = [event async for event in told.turn(session, SubmitPrompt(text=prompt))]
        outcomes += [event.outcome for event in of(events, TurnFinished)]
    await told.gateway.close()
    assert outcomes == ["denied", "denied", "finished"]
    assert len(told.model.requests) == 1


async def test_of_several_hooks_that_rewrite_a_result_each_is_recorded_with_what_it_found() -> None:
    told, hooks = world(calls(("echo", {"text": "a"})), says("ok"))
    hooks.says["after_tool"] = (HookSaid(hook="h", text="second"), HookSaid(hook="i", text="third"))
    events = await told.run("go")
    assert [(ran.hook, ran.was, ran.text) for ran in of(events, HookRan)] == [
        ("h", "<a>", "second"),
        ("i", "second", "third"),
    ]
    assert result(events).text == "third"
