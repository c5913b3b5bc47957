"""Exchanging what a session is made of while it runs. Held by `session`; the rules of it are in `domain.swap`.

    plan      read the profile, find and open what is new: what cannot be had is refused here, and nothing has changed
    wait      for the point where it is safe: between two requests of a turn (hot, warm), between two turns (cold)
    exchange  at once: nothing else runs between the first part that is exchanged and the event that says so
    close     what nobody uses any more, behind everyone's back

Only one swap waits at a time: a later one takes its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Literal, Protocol

import msgspec
from msgspec.structs import replace

from protea.application.hub import Hub
from protea.application.lineup import Lineup, needs_price
from protea.application.parts import Close, Parts, close_all
from protea.domain.commands import Swap
from protea.domain.errors import ConfigError, ProteaError, SessionError, StoreError, UsageError
from protea.domain.events import NoticeGiven
from protea.domain.profile import identity_of, model_named
from protea.domain.swap import PortChange, SwapClass, SwapPreview, changes, come_and_go, cost_of_reading_anew, strictest
from protea.domain.usage import Usage
from protea.ports.gateway import OpenSession
from protea.ports.model import Model
from protea.ports.session_store import EventLog, SessionStore

Assemble = Callable[[OpenSession, Parts | None], Parts]
"""Chooses and opens what one session is made of; from parts that are in force it takes over what stays the same.

Raises `UsageError` or `ConfigError`."""

Point = Literal["step", "idle"]
"""Where a session is: between two requests of a turn, or in no turn."""

PAGE = 200
"""Events that are carried to another log at a time; others run in between."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A swap that is ready to take hold."""

    spec: OpenSession
    before: Parts
    parts: Parts
    changes: tuple[PortChange, ...]
    swap_class: SwapClass
    by: str
    model: Model | None = None
    """Opened anew; None where the one in force goes on."""
    effort: str | None = None
    mode: str | None = None
    """None where the one in force stays."""

    @property
    def identity(self) -> str:
        return identity_of(self.parts.profile, self.spec.ports)

    @property
    def changes_anything(self) -> bool:
        return bool(self.changes) or self.model is not None or self.mode is not None

    async def give_up(self) -> None:
        """Close what was opened for it."""
        fresh = list(self.parts.opened.fresh(self.before.opened)) if self.parts.opened and self.before.opened else []
        if self.parts.models is not self.before.models:
            fresh.append(self.parts.models.aclose)
        # It was never used: why it is given up is what a person should hear, not how it went.
        await asyncio.gather(close_all(fresh), return_exceptions=True)


class Body(Protocol):
    """The session, as far as it is needed here."""

    @property
    def id(self) -> str: ...
    @property
    def parts(self) -> Parts: ...
    @property
    def spec(self) -> OpenSession: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def lineup(self) -> Lineup: ...
    @property
    def log(self) -> EventLog: ...
    @property
    def store(self) -> SessionStore: ...
    @property
    def last_usage(self) -> Usage: ...
    @property
    def busy(self) -> bool: ...
    @property
    def running(self) -> tuple[str, ...]: ...
    @property
    def mode(self) -> str: ...

    def store_of(self, parts: Parts) -> SessionStore: ...
    def wear(self, planned: Planned, log: EventLog | None) -> None: ...


class Swapping:
    """The swaps of one session."""

    def __init__(self, body: Body, assemble: Assemble, preload: Callable[[OpenSession], None]) -> None:
        self._body = body
        self._assemble = assemble
        self._preload = preload
        """Reads and imports what `assemble` will need; runs in a thread, so that nobody waits for a disk."""
        self._waiting: Planned | None = None
        self._exchange: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> Planned | None:
        """A swap that is ready and waits for its point."""
        return self._waiting

    async def swap(self, command: Swap) -> None:
        """Plan it, and let it take hold where that is safe now. Raises `UsageError` or `ConfigError`."""
        planned = await self._plan(command, command.by)
        if not planned.changes_anything and planned.identity == self._body.hub.identity:
            await planned.give_up()
            raise UsageError(f"that is what it is already: {planned.identity}")
        before, self._waiting = self._waiting, planned
        if before is not None:
            await before.give_up()
        if not self._body.busy:
            await self.settle("idle")

    async def renew(self, by: str) -> None:
        """The same again from what is configured now; to be called where no turn runs. Raises `UsageError` or
        `ConfigError` where that cannot be had; then all is as it was."""
        planned = await self._plan(None, by)
        before, self._waiting = self._waiting, planned
        if before is not None:
            await before.give_up()
        await self.settle("idle")

    async def settle(self, point: Point) -> None:
        """Let a swap take hold, if one waits that may here; returns once none is being made any more."""
        while self._exchange is not None or self._may(point):
            if self._exchange is None and self._waiting is not None:
                self._exchange = asyncio.create_task(self._make(self._waiting), name=f"swap {self._body.id}")
            if self._exchange is not None:
                # Shielded: an interrupt must not stop it half-way.
                await asyncio.shield(self._exchange)

    async def preview(self, command: Swap) -> SwapPreview:
        planned = await self._plan(command, command.by)
        try:
            return self._seen(planned)
        finally:
            await planned.give_up()

    async def close(self) -> None:
        """Give up what waits, and wait until everything that was exchanged is closed."""
        if self._exchange is not None:
            await asyncio.wait([self._exchange])
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            await waiting.give_up()
        if self._closing:
            await asyncio.wait(self._closing)

    # ── plan ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _plan(self, command: Swap | None, by: str) -> Planned:
        """With a command, what it asks for; without one, what there would be now."""
        try:
            return await self._looked_into(command, by)
        except ConfigError as error:
            if command is None:
                raise
            raise ConfigError(str(error).removeprefix("flag --profile: ")) from error  # nobody has typed a flag

    async def _looked_into(self, command: Swap | None, by: str) -> Planned:
        while True:
            before = self._body.parts
            spec = self._waiting.spec if self._waiting is not None else self._body.spec
            spec = spec if command is None else _after(spec, command)
            await asyncio.to_thread(self._preload, spec)
            if self._body.parts is not before:
                continue  # another one took hold meanwhile
            planned = self._planned(spec, before, by)
            try:
                planned = await self._with_model(planned)
                for parts in (before, planned.parts):
                    if parts.prepare is not None:
                        for problem in await parts.prepare():
                            self._body.hub.record(NoticeGiven(level="warning", text=problem))
            except BaseException:
                await planned.give_up()
                raise
            if self._body.parts is before:
                return planned
            await planned.give_up()

    def _planned(self, spec: OpenSession, before: Parts, by: str) -> Planned:
        parts = self._assemble(spec, before)
        found = changes(before.choices, parts.choices, parts.classes)
        swap_class = strictest(each.swap_class for each in found)
        if parts.checkpoint is not before.checkpoint:
            swap_class = "cold"  # what a turn does to files is kept in one place, from its beginning to its end
        return Planned(
            spec=spec,
            before=before,
            parts=parts,
            changes=found,
            swap_class=swap_class,
            by=by,
            effort=parts.effort if parts.effort != before.effort else self._body.lineup.effort,
            mode=parts.mode if parts.mode != before.mode else None,
        )

    async def _with_model(self, planned: Planned) -> Planned:
        """The model, where it is another one or has to be opened anew."""
        parts, before, current = planned.parts, planned.before, self._body.lineup.current.info.id
        name = None
        if planned.spec.model is not None and planned.spec.model != self._body.spec.model:
            name = planned.spec.model
        elif parts.configured != before.configured:
            name = parts.configured or parts.models.default()
        elif parts.models is not before.models or planned.effort != self._body.lineup.effort:
            name = current
        if name is None:
            return planned
        model = await parts.models.open(name)
        if planned.spec.max_budget_usd is not None or parts.budget_usd is not None or parts.budgets.any:
            needs_price(model)
        return replace(planned, model=model)

    # ── exchange ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _may(self, point: Point) -> bool:
        return self._waiting is not None and (point == "idle" or self._waiting.swap_class != "cold")

    async def _make(self, planned: Planned) -> None:
        body, old_log, store = self._body, self._body.log, self._body.store_of(planned.parts)
        log, created = None, False
        try:
            if store is not body.store:
                log, created = await _carried(body.id, old_log, store)
            if self._waiting is planned:
                body.wear(planned, log)
        except Exception as error:
            _leave(store, body.id, log, created)
            if self._waiting is planned:
                self._waiting = None
            told = str(error) if isinstance(error, ProteaError) else f"{type(error).__name__}: {error}"
            with suppress(ProteaError):  # where nothing can be written any more, that has been told
                body.hub.record(NoticeGiven(level="error", text=f"it stays {body.hub.identity}: {told}"))
            await planned.give_up()
        else:
            if self._waiting is not planned:  # another one has taken its place meanwhile
                _leave(store, body.id, log, created)
                return
            self._waiting = None
            self._close_behind(planned, old_log if log is not None else None)
            with suppress(StoreError):  # the hub has told everyone who follows
                await body.hub.sync()
        finally:
            self._exchange = None

    def _close_behind(self, planned: Planned, log: EventLog | None) -> None:
        before, after = planned.before, planned.parts
        left = list(after.opened.replace(before.opened)) if after.opened and before.opened else []
        if before.models is not after.models:
            left.append(before.models.aclose)
        if after.entered is not None:
            after.entered()
        if left or log is not None:
            task = asyncio.create_task(self._close_all(left, log), name=f"close parts {self._body.id}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close_all(self, left: Sequence[Close], log: EventLog | None) -> None:
        try:
            if log is not None:
                log.close()
            await close_all(left)
        except Exception as error:
            with suppress(ProteaError):
                text = f"what was exchanged could not be closed: {type(error).__name__}: {error}"
                self._body.hub.record(NoticeGiven(level="warning", text=text))

    # ── preview ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _seen(self, planned: Planned) -> SwapPreview:
        body, parts, before = self._body, planned.parts, planned.before
        info = (planned.model or body.lineup.current).info
        mode = planned.mode or body.mode
        added, removed = come_and_go(_tools(before), _tools(parts))
        changed = (
            (planned.model is not None and info.id != body.lineup.current.info.id)
            or bool(added or removed)
            or parts.system(info.id, mode) != before.system(body.lineup.current.info.id, body.mode)
        )
        seen = body.last_usage
        lost = seen.cache_read + seen.cache_write if changed else 0
        waits: tuple[str, ...] = ()
        if body.busy:
            waits = ("turn",) if planned.swap_class == "cold" else body.running or ("reply",)
        moves = [each for each in planned.changes if each.port == "session_store"]
        return SwapPreview(
            profile=parts.profile,
            identity=planned.identity,
            swap_class=planned.swap_class,
            changes=planned.changes,
            model=info.id,
            mode=mode,
            tools_added=added,
            tools_removed=removed,
            cached_tokens_lost=lost,
            cost_usd=cost_of_reading_anew(lost, info.price),
            waits_for=waits,
            warnings=tuple(
                f"the session moves from {each.before} to {each.after}; what {each.before} has of it stays as it is"
                for each in moves
            ),
        )


def _after(spec: OpenSession, command: Swap) -> OpenSession:
    """What the session would be opened with."""
    if command.profile is None and not command.ports:
        raise UsageError("a swap names a profile or ports: /profile NAME, /swap PORT=ADAPTER")
    ports = dict(command.ports)
    chosen = ports.pop("model", None)
    model = spec.model if chosen is None else chosen if "/" in chosen else model_named({"adapter": chosen})
    kept = {} if command.profile is not None else spec.ports
    return replace(spec, profile=command.profile or spec.profile, ports={**kept, **ports}, model=model)


def _tools(parts: Parts) -> tuple[str, ...]:
    return tuple(spec.name for toolset in parts.toolsets for spec in toolset.specs())


async def _carried(session: str, log: EventLog, store: SessionStore) -> tuple[EventLog, bool]:
    """A log of `store` that holds all of `log`, and whether it is new there.

    What is written while it is made is carried, too: the last page is taken when nobody else runs. Raises `StoreError`
    or `SessionError`; then `store` is as it was.
    """
    new, created = await asyncio.to_thread(_opened, store, session)
    try:
        if new.last:
            _same(new, log)
        while page := list(islice(log.read(new.last), PAGE)):
            new.append(page, durable=False)
            await asyncio.sleep(0)
        await asyncio.to_thread(new.sync)
        for event in log.read(new.last):
            new.append([event], durable=False)
    except BaseException:
        _leave(store, session, new, created)
        raise
    return new, created


def _opened(store: SessionStore, session: str) -> tuple[EventLog, bool]:
    try:
        return store.open(session), False
    except SessionError:
        return store.create(session), True


def _same(new: EventLog, log: EventLog) -> None:
    """Raises `StoreError` unless what a store has from before is the beginning of what there is now."""
    (mine,), theirs = new.tail(1), next(log.read(new.last - 1), None)
    if mine != theirs:
        raise StoreError("the other store has another session of that name")


def _leave(store: SessionStore, session: str, log: EventLog | None, created: bool) -> None:
    """Leave a store that is not moved to as it was."""
    if log is not None:
        log.close()
    if created:
        with suppress(ProteaError):
            store.delete(session)
