"""All sessions of this process: the driving port, implemented. Faces hold it as a `Gateway`."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from protea.application.lineup import needs_price
from protea.application.parts import Parts
from protea.application.past import Past, read_past
from protea.application.session import Session
from protea.application.undoing import changes_of, previews_of
from protea.domain.commands import AnyCommand, EndSession, Invoke, Swap
from protea.domain.errors import ConfigError, ProteaError, SessionError, UsageError
from protea.domain.events import (
    AnyEvent,
    LastingEvent,
    ModelSwitched,
    ProfileSwapped,
    SessionStarted,
)
from protea.domain.session import SessionSummary
from protea.ports.clock import Clock
from protea.ports.gateway import OpenSession, Topic
from protea.ports.ids import Ids
from protea.ports.model import Model
from protea.ports.session_store import EventLog, SessionStore

if TYPE_CHECKING:  # few sessions are ever exchanged, or send agents
    from protea.application.delegation import Child
    from protea.application.envelope import Envelope
    from protea.application.swapping import Assemble
    from protea.domain.swap import SwapPreview


class Sessions:
    """The `Gateway` of this process."""

    def __init__(
        self,
        *,
        assemble: Assemble,
        store: SessionStore,
        clock: Clock,
        ids: Ids,
        version: str,
        preload: Callable[[OpenSession], None] = lambda spec: None,
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`preload` reads and imports what `assemble` will need, in a thread. `warn` is told what no session is
        there to tell."""
        self._assemble = assemble
        self._preload = preload
        self._warn = warn
        self._store = store
        self._clock = clock
        self._ids = ids
        self._version = version
        self._open: dict[str, Session] = {}
        self._opening: dict[str, asyncio.Event] = {}
        """Sessions whose past is being read, and what is set once they are open or cannot be."""
        self._idle_parts: Parts | None = None

    async def open(self, spec: OpenSession) -> str:
        wanted = self._find(spec.resume) if spec.resume is not None else None
        if wanted is not None and not spec.fork:
            while (opening := self._opening.get(wanted)) is not None:
                await opening.wait()  # somebody else's is this one
            before = self._open.get(wanted)
            if before is not None and before.usable:
                return wanted
            self._opening[wanted] = done = asyncio.Event()
            try:
                if before is not None:
                    with suppress(ProteaError):  # who closed it, or followed it, was told
                        await before.close()
                return await self._reopen(wanted, spec)
            finally:
                del self._opening[wanted]
                done.set()
        return await self._begin(wanted, spec)

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        if isinstance(command, Invoke):
            await self._invoke(session, command)
            return None
        id = await self._session(session).submit(command)
        if isinstance(command, EndSession):
            self._forget_ended()
        return id

    def events(self, session: str, after: int = 0) -> AsyncIterator[AnyEvent]:
        return self._session(session).hub.follow(after)

    async def open_child(self, spec: OpenSession, envelope: Envelope) -> Session:
        """Open the session of an agent, a new one or one that goes on: where it was, unless `spec` names a folder or
        that is gone. Raises what `open` does."""
        if spec.resume is None:
            return self._open[await self._begin(None, spec, envelope)]
        id = self._find(spec.resume)
        known = next(iter(self._store_of(id).read(id, 0, 1)), None)
        if not isinstance(known, SessionStarted) or not known.agent:
            raise SessionError(f"{id} is no agent's session")
        if known.parent not in self._line(envelope.above.id):
            # What it has seen, maybe of another project, is nothing the sender may ask it for.
            raise SessionError(f"{id} was sent by another session")
        before = self._open.get(id)
        if before is not None and before.usable and before.working:
            raise SessionError(f"{id} is at work for somebody else")
        if before is not None:
            with suppress(ProteaError):
                await before.close()
        if not spec.cwd:
            with suppress(ConfigError):  # its worktree was removed, perhaps
                return self._open[await self._reopen(id, replace(spec, cwd=known.cwd), envelope)]
            spec = replace(spec, cwd=envelope.above.parts.surroundings.cwd)
        return self._open[await self._reopen(id, spec, envelope)]

    def agent_of(self, session: str) -> str:
        try:
            begun = next(iter(self._store_of(session).read(session, 0, 1)), None)
        except ProteaError:  # there is none of that name: opening it says so
            return ""
        return begun.agent if isinstance(begun, SessionStarted) else ""

    def _line(self, id: str) -> list[str]:
        """A session and those it was forked from, the nearest first."""
        line = [id]
        while True:
            try:
                begun = next(iter(self._store_of(line[-1]).read(line[-1], 0, 1)), None)
            except ProteaError:  # it was deleted meanwhile
                break
            if not isinstance(begun, SessionStarted) or begun.agent or not begun.parent or begun.parent in line:
                break
            line.append(begun.parent)
        return line

    async def end_child(self, child: Child) -> None:
        """Close the session of an agent, unless someone has told it to do more."""
        held = self._open.get(child.id)
        if held is not None and not held.working:
            del self._open[child.id]
            await held.close()

    async def sessions(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        found = {summary.id: summary for summary in self._store.list(cwd)}
        for store in self._other_stores():
            found |= {summary.id: summary for summary in store.list(cwd)}
        if cwd is not None:
            found = {id: summary for id, summary in found.items() if not summary.agent}
        # One that was opened and left without a word (or killed) is nothing to go on with.
        begun = (summary for id, summary in found.items() if summary.prompts or id in self._open)
        return sorted(begun, key=lambda summary: summary.updated, reverse=True)

    async def history(self, session: str, after: int = 0, limit: int | None = None) -> Sequence[LastingEvent]:
        id = self._find(session)
        store = self._store_of(id)
        if limit is not None and limit < 0:
            return store.tail(id, -limit)
        return list(store.read(id, after, limit))

    async def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        return self._store.search(text, limit)

    async def delete(self, session: str) -> None:
        id = self._find(session)
        if id in self._open and not self._open[id].hub.closed:
            raise SessionError(f"session {id} is open; close it first")
        self._store_of(id).delete(id)
        self._open.pop(id, None)
        idle = self._idle()
        if idle.checkpoint is not None:
            idle.checkpoint.forget(id)
        for line in idle.remains(id):
            self._warn(f"{id} is deleted; {line}")

    async def describe(self, topic: Topic, session: str | None = None) -> Any:
        from protea.application.description import describe, describe_parts  # a headless run asks nothing

        if topic in ("changes", "undo") and session is not None and session not in self._open:
            id = self._store.find(session)
            changes = (await read_past(lambda: self._store.read(id))).changes
            tell = changes_of if topic == "changes" else previews_of
            return await tell(changes, self._idle().checkpoint)
        if session is not None:
            return await describe(topic, self._session(session))
        idle = self._idle()
        if topic == "tools" and idle.prepare is not None:
            for problem in await idle.prepare():
                self._warn(problem)
        return describe_parts(topic, idle)

    def _idle(self) -> Parts:
        """What a session would be made of: for questions that need none."""
        if self._idle_parts is None:
            self._idle_parts = self._assemble(OpenSession(cwd=""), None)
        return self._idle_parts

    async def read(self, session: str, path: str, size: int, *, last: bool = False) -> bytes:
        parts = self._session(session).parts
        if parts.workspace is None:
            raise UsageError("nothing is there that files could be read from: the port workspace is not filled")
        workspace, whole = parts.workspace(), posixpath.join(parts.surroundings.cwd, path)
        start = max(0, (await workspace.stat(whole)).size - size) if last else 0
        return await workspace.read(whole, start=start, size=size)

    async def preview(self, session: str, swap: Swap) -> SwapPreview:
        return await self._session(session).preview(swap)

    def _forget_ended(self) -> None:
        """Of sessions that were ended the last few are kept, for whoever comes a little late; all others are in their
        logs, and whole conversations would add up."""
        ended = [id for id, session in self._open.items() if session.hub.closed]
        for id in ended[:-MOST_ENDED]:
            del self._open[id]

    def _find(self, session: str) -> str:
        return session if session in self._open else self._store.find(session)

    def _store_of(self, id: str) -> SessionStore:
        """Where a session is kept: one that was made to may lie elsewhere than all others."""
        return self._open[id].store if id in self._open else self._store

    def _other_stores(self) -> list[SessionStore]:
        stores = {id(each.store): each.store for each in self._open.values() if each.store is not self._store}
        return list(stores.values())

    async def _invoke(self, session: str, command: Invoke) -> None:
        from protea.application.slash_commands import invoke  # most runs are never given one

        held = self._session(session)
        load = held.parts.templates
        now, templates = self._clock.now(), load() if load else None
        held.hub.tell(await invoke(self, session, command, now, held.at_rest, templates))

    async def close(self) -> None:
        # Who sent an agent ends it, and says so: one that closed by itself would look as if it had ended its errand.
        senders = [session.close() for session in self._open.values() if not session.depth]
        ended = await asyncio.gather(*senders, return_exceptions=True)
        closing = [session.close() for session in self._open.values()]
        if self._idle_parts is not None:
            closing.append(self._idle_parts.aclose())
            self._idle_parts = None
        ended += await asyncio.gather(*closing, return_exceptions=True)
        self._open.clear()
        for failure in ended:
            if failure is not None:
                raise failure

    async def _begin(self, parent: str | None, spec: OpenSession, envelope: Envelope | None = None) -> str:
        """A new session; with a parent, one that begins with its history."""
        past = Past() if parent is None else await read_past(lambda: self._store_of(parent).read(parent))
        spec, parts = self._parts_of(spec, past)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(parts.aclose)
            if envelope is not None:
                parts = envelope.around(parts, parts.mode)
            model = await _open_model(parts, spec)
            store = parts.store or self._store
            id, log = await self._created(store, aside=envelope is not None)
            undo.callback(_discard, store, id, log)
            session = self._session_of(id, spec, parts, past, log, model, envelope)
            started = SessionStarted(
                version=self._version,
                cwd=parts.surroundings.cwd,
                profile=parts.profile,
                model=model.info.id,
                parent=parent if envelope is None else envelope.above.id,
                parent_seq=past.transcript.last if parent is not None else None,
                agent="" if envelope is None else envelope.agent,
            )
            if parent is None:
                session.hub.record(started)
            else:
                self._copy(parent, past.transcript.last, log, replace(started, session=id, seq=1, at=self._clock.now()))
                await session.end_what_a_crash_left(branched_off=True)
                await session.worker.withdraw_all()  # what waits there is run there
                _switched(session, past)
            undo.pop_all()
        self._open[id] = session
        if spec.interactive and envelope is None:
            session.warm()
        return id

    async def _created(self, store: SessionStore, *, aside: bool) -> tuple[str, EventLog]:
        """The log of a new session. Where the store has one of that name, which of hundreds that begin in one second
        some may get, it is another name. `aside`: in a thread, so that nobody waits for the disk."""
        for _ in range(ATTEMPTS - 1):
            id = self._ids.session()
            with suppress(SessionError):
                return id, await _aside(store, id) if aside else store.create(id)
        id = self._ids.session()
        return id, store.create(id)

    def _copy(self, parent: str, last: int, log: EventLog, started: SessionStarted) -> None:
        """The events of `parent` up to `last`: it may be running on. They keep their numbers, so all that refers to a
        number still means the same."""
        log.append([started], durable=False)
        copies = (
            replace(event, session=started.session)
            for event in self._store_of(parent).read(parent, after=1, limit=max(0, last - 1))
        )
        while page := list(islice(copies, _PAGE)):
            log.append(page, durable=False)
        log.sync()

    async def _reopen(self, id: str, spec: OpenSession, envelope: Envelope | None = None) -> str:
        async with AsyncExitStack() as undo:
            store = self._store_of(id)
            log = store.open(id)
            undo.callback(log.close)
            past = await read_past(log.read)
            await asyncio.sleep(0)  # what comes takes its time, too: keys and other sessions go first
            spec, parts = self._parts_of(spec, past)
            await asyncio.sleep(0)
            if (parts.store or self._store) is not store:
                parts = replace(parts, store=store)  # it is where it is; a swap can carry it elsewhere
            undo.push_async_callback(parts.aclose)
            if envelope is not None:
                parts = envelope.around(parts, parts.mode)
            model = await _open_model(parts, spec)
            session = self._session_of(id, spec, parts, past, log, model, envelope)
            await session.end_what_a_crash_left()
            _switched(session, past)
            undo.pop_all()
        self._open[id] = session
        if spec.interactive:
            session.warm()
        return id

    def _session_of(
        self,
        id: str,
        spec: OpenSession,
        parts: Parts,
        past: Past,
        log: EventLog,
        model: Model,
        envelope: Envelope | None = None,
    ) -> Session:
        session = Session(
            id,
            spec=spec,
            parts=parts,
            past=past,
            log=log,
            clock=self._clock,
            ids=self._ids,
            model=model,
            store=self._store,
            assemble=self._assemble,
            preload=self._preload,
            children=self,
            envelope=envelope,
        )
        if envelope is not None:
            # Two hundred agents need not find out one after the other.
            session.hub.pace = max((each.hub.pace for each in self._open.values()), default=0.0)
        return session

    def _parts_of(self, spec: OpenSession, past: Past) -> tuple[OpenSession, Parts]:
        """What a session is made of that goes on as it was, unless something else is asked for."""
        spec = _with_past_model(spec, past)
        if spec.profile is not None or not past.profile:
            return spec, self._assemble(spec, None)
        as_before = replace(spec, profile=past.profile, ports=past.ports)
        try:
            return as_before, self._assemble(as_before, None)
        except ConfigError as error:
            parts = self._assemble(spec, None)
            told = f"the session goes on as {parts.profile}: what it was cannot be had ({error})"
            return spec, replace(parts, warnings=(*parts.warnings, told))

    def _session(self, id: str) -> Session:
        if id not in self._open:
            raise SessionError(f"session {id} is not open here")
        return self._open[id]


async def _open_model(parts: Parts, spec: OpenSession) -> Model:
    """Raises `UsageError` where a budget was set that nobody could keep."""
    model = await parts.models.open(parts.model)
    if spec.max_budget_usd is not None or parts.budget_usd is not None or parts.budgets.any:
        needs_price(model)
    return model


def _switched(session: Session, past: Past) -> None:
    """Say so where the model is not the one that the log would have us believe."""
    model = session.lineup.current.info.id
    if session.parts.profile != past.profile or session.spec.ports != past.ports:
        session.hub.record(ProfileSwapped(profile=session.parts.profile, ports=session.spec.ports, by="resumed"))
    if past.model != model:
        session.hub.record(ModelSwitched(model=model, effort=session.lineup.effort, reason="resumed"))


async def _aside(store: SessionStore, id: str) -> EventLog:
    """In a thread: of many agents at once none is to wait for the folders of another. Cancelled, it leaves nothing."""
    making = asyncio.ensure_future(asyncio.to_thread(store.create, id))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        _discard(store, id, await making)
        raise


def _discard(store: SessionStore, id: str, log: EventLog) -> None:
    """Leave nothing of a session that could not begin."""
    log.close()
    with suppress(ProteaError):
        store.delete(id)


MOST_ENDED = 8
"""Sessions that have ended and can still be followed."""
ATTEMPTS = 5
"""Names a new session is given before it is a fault that each is taken."""
_PAGE = 1000
"""Events copied at a time."""


def _with_past_model(spec: OpenSession, past: Past) -> OpenSession:
    """A session goes on with the model it had, unless another is asked for or it only had the offline one."""
    if spec.model is not None or not past.model or past.model.startswith("offline/"):
        return spec
    return replace(spec, model=past.model)
