"""A recorded session, played."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from protea.application.replaying import Replay
from protea.domain.commands import SubmitPrompt
from protea.domain.errors import UsageError
from protea.domain.events import (
    AnyEvent,
    LastingEvent,
    MessageCompleted,
    Passing,
    PromptSubmitted,
    SessionStarted,
    TextDelta,
    ThinkingDelta,
    ToolCallChanged,
    ToolOutputDelta,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import Text, Thinking, ToolCall
from protea.domain.session import SessionSummary
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage
from protea.testing.clock import FakeClock
from protea.testing.gateway import ScriptedGateway

BASH = ToolCall(id="b", name="Bash", arguments={"command": "ls"})
SUMMARY = SessionSummary(id="s", cwd="/p", created="", updated="")


def log() -> list[LastingEvent]:
    def at(seconds: int) -> str:
        return f"2026-01-01T00:00:{seconds:02}Z"

    said = (Thinking("I think so."), Text("It is so, " * 40), BASH)
    return [
        SessionStarted(seq=1, session="s", at=at(0), version="1", cwd="/p"),
        PromptSubmitted(seq=2, session="s", at=at(0), id="p", text="Is it?"),
        TurnStarted(seq=3, session="s", at=at(1), id="t", prompt="p", model="m"),
        MessageCompleted(seq=4, session="s", at=at(31), model="m", content=said, stop="tool_calls", usage=Usage()),
        ToolCallChanged(seq=5, session="s", at=at(31), call=BASH, state="executing"),
        ToolCallChanged(seq=6, session="s", at=at(32), call=BASH, state="success", result=ToolResult("a\nb\n")),
        TurnFinished(seq=7, session="s", at=at(33), id="t", outcome="finished"),
    ]


def recording(speed: float, clock: FakeClock) -> Replay:
    return Replay(ScriptedGateway(lambda command: [], logs={"s": log()}), SUMMARY, clock, speed=speed)


async def played(replay: Replay, clock: FakeClock) -> list[AnyEvent]:
    """All of it, letting time pass whenever the recording waits for it."""
    events: list[AnyEvent] = []

    async def follow() -> None:
        async for event in replay.events("s"):
            events.append(event)

    async with asyncio.timeout(30):
        following = asyncio.ensure_future(follow())
        while not following.done():
            if clock.sleeping:
                clock.advance(min(clock.sleeping))
            await asyncio.sleep(0)
    await following
    return events


async def test_lasting_events_come_in_order_and_what_was_told_between_comes_again() -> None:
    clock = FakeClock()
    events = await played(recording(1, clock), clock)
    assert [event for event in events if not isinstance(event, Passing)] == log()
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "It is so, " * 40
    assert "".join(event.text for event in events if isinstance(event, ThinkingDelta)) == "I think so."
    assert "".join(event.text for event in events if isinstance(event, ToolOutputDelta)) == "a\nb\n"
    first = next(place for place, event in enumerate(events) if isinstance(event, TextDelta))
    whole = next(place for place, event in enumerate(events) if isinstance(event, MessageCompleted))
    assert first < whole


@pytest.mark.parametrize("speed", [1.0, 10.0])
async def test_it_takes_the_time_it_took_but_no_long_pause(speed: float) -> None:
    clock = FakeClock()
    await played(recording(speed, clock), clock)
    # One second, at most two (and 0.02 for each of 123 words), one, one.
    assert clock.monotonic() == pytest.approx((1 + max(2, 0.02 * 123) + 1 + 1) / speed, rel=0.01)


async def test_nothing_can_be_added_and_history_is_what_has_been_played() -> None:
    clock = FakeClock()
    replay = recording(1, clock)
    assert await replay.history("s") == []
    with pytest.raises(UsageError, match="this is a recording"):
        await replay.submit("s", SubmitPrompt(text="more"))
    await played(replay, clock)
    assert await replay.history("s") == log()
    tail: Sequence[LastingEvent] = await replay.history("s", limit=-2)
    assert [event.seq for event in tail] == [6, 7]
