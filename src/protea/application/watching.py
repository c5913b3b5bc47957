"""What a session's events are to those who only look on: spans and counters for telemetry, a call for a person who
looks elsewhere. Held by `session`, told of every lasting event; nothing in a turn knows of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    MessageCompleted,
    Outcome,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import PERSON, calls_of
from protea.domain.tools import ENDED
from protea.ports.clock import Clock
from protea.ports.notifier import Notification, Notifier
from protea.ports.telemetry import Span, Telemetry

LONG = 15.0
"""Seconds. After a turn that took this long its person may be looking elsewhere."""
PATIENCE = 10.0
"""Seconds a question stays open before its person is called."""


class Spans:
    """A turn, within it each reply and each call: as the log has them, with names and figures and no text."""

    def __init__(self, telemetry: Telemetry, session: str) -> None:
        self._telemetry = telemetry
        self._session = session
        self._turn: Span | None = None
        self._reply: Span | None = None
        self._calls: dict[str, Span] = {}
        self._waiting: set[str] = set()
        """Calls of the last reply that have not ended: the next reply is asked for after them."""
        self._by_hand = False
        """Whether the turn is a person's own call, which asks no model."""

    def saw(self, event: LastingEvent) -> None:
        match event:
            case TurnStarted():
                self._turn = self._telemetry.begin("turn", session=self._session, model=event.model, mode=event.mode)
                self._reply = self._telemetry.begin("reply", self._turn, model=event.model)
                self._by_hand = False
            case MessageCompleted() if event.model == PERSON:
                self._by_hand, self._reply = True, None
            case MessageCompleted():
                self._replied(event)
            case ToolCallChanged(state="executing"):
                self._calls[event.call.id] = self._telemetry.begin("call", self._turn, tool=event.call.name)
            case ToolCallChanged() if event.state in ENDED:
                span = self._calls.pop(event.call.id, None)
                if span is not None:
                    span.end("" if event.state == "success" else event.state)
                self._telemetry.count("calls", tool=event.call.name, state=event.state)
                self._waiting.discard(event.call.id)
                if not self._waiting and not self._by_hand:
                    self._reply = self._telemetry.begin("reply", self._turn)
            case TurnFinished():
                if self._reply is not None and event.outcome in _CUT_SHORT:
                    self._reply.end(event.outcome)  # it did not come
                if self._turn is not None:
                    failed = "" if event.outcome == "finished" else event.outcome
                    self._turn.end(failed, replies=event.turns, cost_usd=event.cost_usd or 0.0)
                self._turn = self._reply = None
                self._calls.clear()
                self._telemetry.count("turns", outcome=event.outcome)
            case _:
                pass

    def _replied(self, event: MessageCompleted) -> None:
        usage = event.usage
        self._waiting = {call.id for call in calls_of(event.content)}
        if self._reply is not None:
            self._reply.end(
                "interrupted" if event.partial else "",
                model=event.model,
                stop=event.stop,
                input=usage.input,
                output=usage.output,
                cache_read=usage.cache_read,
            )
            self._reply = None
        self._telemetry.count("tokens.input", usage.input, model=event.model)
        self._telemetry.count("tokens.output", usage.output, model=event.model)


class Calls:
    """Calls a person at the end of a long turn, and where a question waits."""

    def __init__(self, notifier: Notifier, clock: Clock) -> None:
        self._notifier = notifier
        self._clock = clock
        self._began = clock.monotonic()
        self._open: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def saw(self, event: LastingEvent) -> None:
        match event:
            case TurnStarted():
                self._began = self._clock.monotonic()
            case ApprovalRequested():
                self._open.add(event.id)
                what = event.why if event.kind == "question" else f"may {event.call.name} run?"
                self._soon(self._ask(event.id, Notification("Protea has a question", what, "high")))
            case ApprovalResolved():
                self._open.discard(event.id)
            case TurnFinished():
                self._open.clear()
                if event.outcome != "interrupted" and self._clock.monotonic() - self._began >= LONG:
                    self._soon(self._tell(Notification("Protea", _ENDS[event.outcome])))
            case _:
                pass

    def close(self) -> None:
        """Nobody is called any more."""
        for task in self._tasks:
            task.cancel()

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="notify")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, question: str, notification: Notification) -> None:
        await self._clock.sleep(PATIENCE)
        if question in self._open:
            await self._notifier.notify(notification)

    async def _tell(self, notification: Notification) -> None:
        await self._notifier.notify(notification)


_CUT_SHORT: tuple[Outcome, ...] = ("error", "interrupted", "limit")
"""Ends of a turn before which a reply may have been waited for."""

_ENDS: dict[Outcome, str] = {
    "finished": "The turn is over.",
    "error": "The turn ended with an error.",
    "limit": "The turn was stopped by a limit.",
    "denied": "The turn is over; something it needed was not allowed.",
    "interrupted": "The turn was interrupted.",
}
