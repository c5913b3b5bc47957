"""Those who only look on: telemetry, and the call for a person who looks elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from protea.application.parts import Parts
from protea.application.watching import LONG, PATIENCE
from protea.domain.commands import Copy, Invoke, ResolveApproval, SubmitPrompt
from protea.domain.errors import Failure, UsageError
from protea.domain.events import ApprovalRequested
from protea.ports.gateway import OpenSession
from protea.testing.clipboard import MemoryClipboard
from protea.testing.clock import FakeClock
from protea.testing.notifier import RecordingNotifier
from protea.testing.telemetry import RecordingTelemetry
from tests.application.world import NAME, Step, World, calls, says


def look() -> str:
    """Look."""
    return "a wall"


class Watched(World):
    def __init__(self, *steps: Step, ask: tuple[str, ...] = (), **parts: Any) -> None:
        super().__init__(*steps, tools=[look], ask=ask)
        self._parts = parts

    def _assemble(self, spec: OpenSession) -> Parts:
        return replace(super()._assemble(spec), **self._parts)


async def test_a_turn_is_a_span_with_its_replies_and_calls_within() -> None:
    telemetry = RecordingTelemetry()
    world = Watched(calls(("look", {}), ("look", {})), says("done"), telemetry=telemetry)
    await world.run("go")
    turn = telemetry.spans[0]
    assert [span.name for span in telemetry.spans] == ["turn", "reply", "call", "call", "reply"]
    assert all(span.within is turn and span.ended for span in telemetry.spans[1:])
    assert (turn.failed, turn.attributes["replies"]) == ("", 2)
    assert telemetry.spans[-1].attributes == {
        "model": NAME, "stop": "end_turn", "input": 10, "output": 5, "cache_read": 0,
    }  # fmt: skip
    assert telemetry.counts == {"calls": 2, "turns": 1, "tokens.input": 20, "tokens.output": 10}


async def test_a_reply_that_did_not_come_is_a_span_that_failed() -> None:
    """Else nobody would see it: that is the request one looks for."""
    telemetry = RecordingTelemetry()
    await Watched(Failure(kind="auth", message="no"), telemetry=telemetry).run("go")
    assert [(span.name, span.ended, span.failed) for span in telemetry.spans] == [
        ("turn", True, "error"), ("reply", True, "error"),
    ]  # fmt: skip


async def test_a_command_typed_by_hand_asks_for_no_reply() -> None:
    telemetry = RecordingTelemetry()
    world = Watched(telemetry=telemetry)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for _ in world.turn(session, SubmitPrompt(text="!ls", origin="shell")):
        pass
    assert [span.name for span in telemetry.spans if span.ended] == ["turn"]
    assert set(telemetry.counts) == {"calls", "turns"}
    await world.gateway.close()


async def test_no_text_of_the_conversation_is_told() -> None:
    telemetry = RecordingTelemetry()
    await Watched(calls(("look", {})), says("the secret"), telemetry=telemetry).run("my prompt")
    told = [str(value) for span in telemetry.spans for value in span.attributes.values()]
    assert told
    assert not any(word in value for value in told for word in ("secret", "prompt", "wall"))


async def passed(clock: FakeClock, seconds: float) -> None:
    """Let time pass once somebody waits for it."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert clock.sleeping
    clock.advance(seconds)
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_person_is_called_at_the_end_of_a_long_turn_only() -> None:
    clock, notifier = FakeClock(), RecordingNotifier()

    async def slow(request: Any) -> Any:
        clock.advance(LONG)
        return says("done")

    world = Watched(says("quick"), slow, notifier=notifier)
    world.use_clock(clock)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for prompt in ("one", "two"):
        async for _ in world.turn(session, SubmitPrompt(text=prompt)):
            pass
    await asyncio.sleep(0)
    assert [(each.title, each.body) for each in notifier.told] == [("Protea", "The turn is over.")]
    await world.gateway.close()


@pytest.mark.parametrize("answered", [True, False])
async def test_a_person_is_called_where_a_question_stays_open(answered: bool) -> None:
    clock, notifier = FakeClock(), RecordingNotifier()
    world = Watched(calls(("look", {})), says("done"), ask=("look",), notifier=notifier)
    world.use_clock(clock)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for event in world.turn(session, SubmitPrompt(text="go")):
        if isinstance(event, ApprovalRequested):
            if not answered:
                await passed(clock, PATIENCE)
            await world.gateway.submit(session, ResolveApproval(id=event.id, decision="once"))
    if answered:
        await passed(clock, PATIENCE)
    assert [each.body for each in notifier.told] == ([] if answered else ["may look run?"])
    await world.gateway.close()


async def test_the_last_answer_is_copied() -> None:
    clipboard = MemoryClipboard()
    world = Watched(says("forty-two"), clipboard=clipboard)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match="no answer yet"):
        await world.gateway.submit(session, Invoke(text="/copy"))
    async for _ in world.turn(session, SubmitPrompt(text="go")):
        pass
    await world.gateway.submit(session, Invoke(text="/copy"))
    assert clipboard.held == "forty-two"
    await world.gateway.close()


async def test_without_a_clipboard_it_is_told_what_to_set() -> None:
    world = Watched(says("x"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match=r"\[ports\.clipboard\]"):
        await world.gateway.submit(session, Copy(text="x"))
    await world.gateway.close()
