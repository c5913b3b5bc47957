"""All sessions of this process: the driving port, implemented. Faces hold it as a `Gateway`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace

from protea.application.description import describe
from protea.application.parts import Parts
from protea.application.past import Past, past_of
from protea.application.session import Session
from protea.domain.commands import AnyCommand
from protea.domain.errors import SessionError, UsageError
from protea.domain.events import (
    AnyEvent,
    LastingEvent,
    ModelSwitched,
    SessionStarted,
)
from protea.domain.session import SessionSummary
from protea.ports.clock import Clock
from protea.ports.gateway import OpenSession, Topic
from protea.ports.ids import Ids
from protea.ports.model import Model
from protea.ports.session_store import EventLog, SessionStore

Assemble = Callable[[OpenSession], Parts]
"""Chooses and opens what one session is made of. Raises `UsageError` or `ConfigError`."""


class Sessions:
    """The `Gateway` of this process."""

    def __init__(self, *, assemble: Assemble, store: SessionStore, clock: Clock, ids: Ids, version: str) -> None:
        self._assemble = assemble
        self._store = store
        self._clock = clock
        self._ids = ids
        self._version = version
        self._open: dict[str, Session] = {}
        self._idle_parts: Parts | None = None

    async def open(self, spec: OpenSession) -> str:
        wanted = self._store.find(spec.resume) if spec.resume is not None else None
        if wanted is not None and not spec.fork:
            if wanted in self._open and not self._open[wanted].hub.closed:
                return wanted
            return await self._reopen(wanted, spec)
        return await self._begin(wanted, spec)

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        return await self._session(session).submit(command)

    def events(self, session: str, after: int = 0) -> AsyncIterator[AnyEvent]:
        return self._session(session).hub.follow(after)

    async def sessions(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        return self._store.list(cwd)

    async def history(self, session: str, after: int = 0, limit: int | None = None) -> Sequence[LastingEvent]:
        id = self._store.find(session)
        if limit is not None and limit < 0:
            return self._store.tail(id, -limit)
        return list(self._store.read(id, after, limit))

    async def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        return self._store.search(text, limit)

    async def delete(self, session: str) -> None:
        id = self._store.find(session)
        if id in self._open and not self._open[id].hub.closed:
            raise SessionError(f"session {id} is open; close it first")
        self._store.delete(id)

    async def describe(self, topic: Topic, session: str | None = None) -> Any:
        if session is not None:
            open_session = self._session(session)
            return describe(topic, open_session.parts, open_session.describe())
        if self._idle_parts is None:
            self._idle_parts = self._assemble(OpenSession(cwd=""))
        return describe(topic, self._idle_parts, None)

    async def close(self) -> None:
        for session in list(self._open.values()):
            await session.close()
        self._open.clear()
        if self._idle_parts is not None:
            for toolset in self._idle_parts.toolsets:
                await toolset.aclose()
            await self._idle_parts.models.aclose()
            self._idle_parts = None

    async def _begin(self, parent: str | None, spec: OpenSession) -> str:
        """A new session; with a parent, one that begins with its history."""
        id = self._ids.session()
        past = Past() if parent is None else past_of(lambda: self._store.read(parent))
        parts = self._assemble(_with_past_model(spec, past))
        model = await _open_model(parts, spec)
        log = self._store.create(id)
        session = self._add(id, spec, parts, past, log, model)
        started = SessionStarted(
            version=self._version,
            cwd=parts.surroundings.cwd,
            profile=parts.profile,
            model=model.info.id,
            parent=parent,
            parent_seq=past.transcript.last if parent is not None else None,
        )
        if parent is None:
            session.hub.record(started)
            return id
        # The copies keep the numbers of the originals, so all that refers to a number still means the same.
        copies = (replace(event, session=id) for event in self._store.read(parent, after=1))
        log.append([replace(started, session=id, seq=1, at=self._clock.now())], durable=False)
        while page := list(islice(copies, _PAGE)):
            log.append(page, durable=False)
        log.sync()
        session.end_what_a_crash_left()
        return id

    async def _reopen(self, id: str, spec: OpenSession) -> str:
        log = self._store.open(id)
        try:
            past = past_of(log.read)
            parts = self._assemble(_with_past_model(spec, past))
            model = await _open_model(parts, spec)
        except BaseException:
            log.close()
            raise
        session = self._add(id, spec, parts, past, log, model)
        session.end_what_a_crash_left()
        if past.model != model.info.id:
            session.hub.record(ModelSwitched(model=model.info.id, effort=parts.effort, reason="resumed"))
        return id

    def _add(self, id: str, spec: OpenSession, parts: Parts, past: Past, log: EventLog, model: Model) -> Session:
        session = Session(id, spec=spec, parts=parts, past=past, log=log, clock=self._clock, ids=self._ids, model=model)
        self._open[id] = session
        return session

    def _session(self, id: str) -> Session:
        if id not in self._open:
            raise SessionError(f"session {id} is not open here")
        return self._open[id]


async def _open_model(parts: Parts, spec: OpenSession) -> Model:
    """Raises `UsageError` where a budget was set that nobody could keep."""
    model = await parts.models.open(parts.model)
    if (spec.max_budget_usd is not None or parts.budget_usd is not None) and model.info.price is None:
        provider, _, name = model.info.id.partition("/")
        raise UsageError(
            f"a budget needs the price of {model.info.id}, which is not known: give it in config.toml as "
            f'[providers.{provider}.models."{name}"] price = {{ input = …, output = … }}'
        )
    return model


_PAGE = 1000
"""Events copied at a time."""


def _with_past_model(spec: OpenSession, past: Past) -> OpenSession:
    """A session goes on with the model it had, unless another is asked for or it only had the offline one."""
    if spec.model is not None or not past.model or past.model.startswith("offline/"):
        return spec
    return replace(spec, model=past.model)
