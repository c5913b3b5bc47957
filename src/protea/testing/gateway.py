"""A gateway that plays given events: a face can be tested, or shown, without the application behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import reduce
from typing import Any

from msgspec.structs import replace

from protea.domain.commands import AnyCommand, EndSession, Steer, SubmitPrompt, Swap
from protea.domain.errors import SessionError, UsageError
from protea.domain.events import (
    AnyEvent,
    Event,
    Lasting,
    LastingEvent,
    MessageCompleted,
    PromptSubmitted,
    SessionEnded,
    SessionStarted,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import Text
from protea.domain.profile import identity_of
from protea.domain.session import SessionSummary
from protea.domain.summary import advance, begin
from protea.domain.swap import PortChange, SwapPreview
from protea.domain.usage import Usage
from protea.ports.gateway import OpenSession, Topic

Script = Callable[[AnyCommand], Sequence[Event]]
"""What each command brings about."""

AT = "2025-01-01T00:00:00Z"


class ScriptedGateway:
    """`Gateway` over a script.

    Events get their session and number here. A prompt is followed by its `prompt_submitted` by itself; what the script
    gives for it comes after. Every command is kept in `commands`, every `OpenSession` in `opened`.
    """

    def __init__(
        self,
        script: Script,
        *,
        sessions: Sequence[SessionSummary] = (),
        logs: dict[str, list[LastingEvent]] | None = None,
        described: dict[str, Any] | None = None,
    ) -> None:
        self.commands: list[AnyCommand] = []
        self.opened: list[OpenSession] = []
        self.closed = False
        self.files: dict[str, bytes] = {}
        """What `read` gives."""
        self._script = script
        self._sessions = list(sessions)
        self._logs: dict[str, list[LastingEvent]] = logs or {}
        self._described = described or {}
        self._shown: dict[str, list[AnyEvent]] = {id: [*log] for id, log in self._logs.items()}
        self._in_use: set[str] = set()
        self._changed = asyncio.Event()

    async def open(self, spec: OpenSession) -> str:
        self.opened.append(spec)
        parent = None if spec.resume is None else self._log(spec.resume)
        if spec.resume is not None and not spec.fork:
            self._in_use.add(spec.resume)
            return spec.resume
        session = f"session-{len(self.opened)}"
        self._logs[session] = []
        self._in_use.add(session)
        started = SessionStarted(version="0", cwd=spec.cwd, model=spec.model or "scripted/one")
        if parent is None:
            self.publish(session, started)
        else:
            self.publish(session, replace(started, parent=spec.resume, parent_seq=len(parent)))
            for event in parent[1:]:
                self.publish(session, event)
        return session

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        self._log(session)
        if session not in self._in_use and not isinstance(command, EndSession):
            raise SessionError(f"session {session} is closed")
        self.commands.append(command)
        prompt = None
        if isinstance(command, (SubmitPrompt, Steer)):
            prompt = f"p{len(self.commands)}"
            delivery = "steer" if isinstance(command, Steer) else command.delivery
            self.publish(session, PromptSubmitted(id=prompt, text=command.text, delivery=delivery))
        for event in self._script(command):
            if isinstance(event, TurnStarted) and not event.prompt:
                event = replace(event, prompt=prompt or "")
            self.publish(session, event)
        if isinstance(command, EndSession) and session in self._in_use:
            self._end(session, command.reason)
        return prompt

    def publish(self, session: str, event: Event) -> None:
        """Let an event happen."""
        log = self._log(session)
        event = replace(event, session=session)
        if isinstance(event, Lasting):
            event = replace(event, seq=len(log) + 1, at=AT)
            log.append(event)  # type: ignore[arg-type]  # a base of the union
        self._shown.setdefault(session, []).append(event)  # type: ignore[arg-type]  # a base of the union
        self._wake()

    async def events(self, session: str, after: int = 0) -> AsyncIterator[AnyEvent]:
        self._log(session)
        shown = self._shown[session]
        at = 0
        while True:
            while at < len(shown):
                event = shown[at]
                at += 1
                if event.seq is None or event.seq > after:
                    yield event
            if self.closed or session not in self._in_use:
                return
            await self._changed.wait()

    async def sessions(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        given = {each.id for each in self._sessions}
        begun = [reduce(advance, log, begin(id)) for id, log in self._logs.items() if id not in given]
        return [each for each in (*begun[::-1], *self._sessions) if cwd is None or each.cwd == cwd]

    async def history(self, session: str, after: int = 0, limit: int | None = None) -> Sequence[LastingEvent]:
        events = [event for event in self._log(session) if (event.seq or 0) > after]
        return events if limit is None else events[:limit] if limit >= 0 else events[limit:]

    async def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        found = []
        for summary in await self.sessions():
            for event in self._logs.get(summary.id, ()):
                said = event.text if isinstance(event, PromptSubmitted) else ""
                if said and all(word.lower() in said.lower() for word in text.split()):
                    found.append((summary, event.seq or 0, said))
        return found[:limit]

    async def delete(self, session: str) -> None:
        self._log(session)
        if session in self._in_use:
            raise SessionError(f"session {session} is open; close it first")
        del self._logs[session], self._shown[session]
        self._sessions = [each for each in self._sessions if each.id != session]

    async def describe(self, topic: Topic, session: str | None = None) -> Any:
        return self._described.get(topic, [])

    async def read(self, session: str, path: str, size: int, *, last: bool = False) -> bytes:
        self._log(session)
        if path not in self.files:
            raise UsageError(f"{path} does not exist.")
        return self.files[path][-size:] if last else self.files[path][:size]

    async def preview(self, session: str, swap: Swap) -> SwapPreview:
        self._log(session)
        name = swap.profile or "scripted"
        changed = tuple(PortChange(port, "", adapter, "hot") for port, adapter in swap.ports.items())
        return SwapPreview(
            profile=name,
            identity=identity_of(name, swap.ports),
            swap_class="hot",
            changes=changed,
            model="scripted/one",
            mode="normal",
        )

    async def close(self) -> None:
        for session in [*self._in_use]:
            self._end(session, "closed")
        self.closed = True
        self._wake()

    def _end(self, session: str, reason: str) -> None:
        shown = self._shown[session]
        if not shown or not isinstance(shown[-1], SessionEnded):
            self.publish(session, SessionEnded(reason=reason))
        self._in_use.discard(session)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _log(self, session: str) -> list[LastingEvent]:
        if session not in self._logs:
            raise SessionError(f"there is no session {session}")
        return self._logs[session]


def saying(text: str, *pieces: str) -> Script:
    """A script that answers every prompt with `text`, streamed in `pieces` where they are given."""

    def script(command: AnyCommand) -> Sequence[Event]:
        if not isinstance(command, SubmitPrompt):
            return ()
        usage = Usage(input=10, output=2)
        return (
            TurnStarted(id="t1", prompt="", model="scripted/one"),
            *(TextDelta(text=piece) for piece in pieces or (text,)),
            MessageCompleted(model="scripted/one", content=(Text(text),), stop="end_turn", usage=usage),
            TurnFinished(id="t1", outcome="finished", turns=1, usage=usage, cost_usd=0.0),
        )

    return script
