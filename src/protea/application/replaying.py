"""A recorded session, played: a gateway that has one log and nothing behind it.

Any face can be handed it. Time passes as it did, quicker by a factor, and no pause is longer than `LONGEST`; replies
come in pieces again, as they did when they were made. Nothing can be submitted.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from protea.application.description import EMPTY
from protea.domain.commands import AnyCommand, Swap
from protea.domain.errors import SessionError, UsageError
from protea.domain.events import (
    AnyEvent,
    LastingEvent,
    MessageCompleted,
    TextDelta,
    ThinkingDelta,
    ToolCallChanged,
    ToolOutputDelta,
)
from protea.domain.messages import Text, Thinking
from protea.domain.session import SessionSummary
from protea.domain.swap import SwapPreview
from protea.ports.clock import Clock
from protea.ports.gateway import Gateway, OpenSession, Topic

LONGEST = 2.0
"""Seconds a pause of the recording takes at most, before the speed."""
QUICKEST = 0.02
"""Seconds between two pieces of a reply, before the speed."""
PIECES = 150
"""A reply comes in so many pieces at most."""
_WORDS = re.compile(r"\s*\S+|\s+")


class Replay:
    """`Gateway` over one session of another gateway, which is only read."""

    def __init__(self, inner: Gateway, summary: SessionSummary, clock: Clock, *, speed: float = 1.0) -> None:
        self._inner = inner
        self._summary = summary
        self._clock = clock
        self._speed = speed
        self._played = 0
        """The last event that has happened in the play."""

    async def open(self, spec: OpenSession) -> str:
        return self._summary.id

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        raise UsageError("this is a recording: nothing can be added to it; 'protea -r' goes on with a session")

    async def events(self, session: str, after: int = 0) -> AsyncIterator[AnyEvent]:
        before: LastingEvent | None = None
        while page := await self._read(after, 500):
            for event in page:
                if before is not None:
                    async for piece in self._between(before, event):
                        yield piece
                before, after = event, event.seq or after + 1
                self._played = max(self._played, after)
                yield event

    async def sessions(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        return [self._summary]

    async def history(self, session: str, after: int = 0, limit: int | None = None) -> Sequence[LastingEvent]:
        """What has been played."""
        if session != self._summary.id:
            raise SessionError(f"only {self._summary.id} is played here")
        if limit is not None and limit < 0:
            after, limit = max(after, self._played + limit), -limit
        most = self._played - after
        return await self._read(after, most if limit is None else min(limit, most)) if most > 0 else []

    async def _read(self, after: int, limit: int) -> Sequence[LastingEvent]:
        return await self._inner.history(self._summary.id, after, limit)

    async def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        return []

    async def delete(self, session: str) -> None:
        raise UsageError("a recording that is played is not deleted")

    async def describe(self, topic: Topic, session: str | None = None) -> Any:
        if topic == "session":
            return {"session": self._summary.id, "cwd": self._summary.cwd, "model": self._summary.model}
        return EMPTY.get(topic, [])

    async def read(self, session: str, path: str, size: int, *, last: bool = False) -> bytes:
        raise UsageError("a recording has no files")

    async def preview(self, session: str, swap: Swap) -> SwapPreview:
        raise UsageError("a recording has nothing that could be swapped")

    async def close(self) -> None:
        """Close the gateway it reads from."""
        await self._inner.close()

    async def _between(self, before: LastingEvent, event: LastingEvent) -> AsyncIterator[AnyEvent]:
        """The time from one event to the next, and what was told in it."""
        pieces = list(_pieces(event))
        pause = min(LONGEST, max(0.0, _seconds(before.at, event.at)))
        pause = max(pause, QUICKEST * len(pieces)) / self._speed
        for piece in pieces:
            await self._clock.sleep(pause / len(pieces))
            yield replace(piece, session=event.session, at=event.at, identity=event.identity)
        if not pieces and pause:
            await self._clock.sleep(pause)


def _pieces(event: LastingEvent) -> Iterator[TextDelta | ThinkingDelta | ToolOutputDelta]:
    match event:
        case MessageCompleted():
            for part in event.content:
                if isinstance(part, Text | Thinking):
                    kind = TextDelta if isinstance(part, Text) else ThinkingDelta
                    for text in _split(part.text):
                        yield kind(text=text)
        case ToolCallChanged(state="success" | "error", result=result, call=call) if result is not None:
            if not result.diff and call.name == "Bash":
                for text in _split(result.text):
                    yield ToolOutputDelta(call_id=call.id, text=text)
        case _:
            pass


def _split(text: str) -> Iterator[str]:
    words = _WORDS.findall(text)
    size = max(1, -(-len(words) // PIECES))
    for at in range(0, len(words), size):
        yield "".join(words[at : at + size])


def _seconds(begin: str, end: str) -> float:
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
    except (ValueError, TypeError):  # an event without a time
        return 0.0
