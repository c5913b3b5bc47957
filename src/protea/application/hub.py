"""One session's events: written first, then shown to whoever watches.

Watchers are cursors, not queues: each remembers how far it got, in a ring of recent events that all of them share. A
watcher that falls out of the ring reads what it missed from the log, so it loses passing events only and slows nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from protea.domain.errors import ProteaError, StoreError
from protea.domain.events import AnyEvent, Lasting, LastingEvent, Passing, PassingEvent
from protea.ports.clock import Clock
from protea.ports.session_store import EventLog

if TYPE_CHECKING:
    from protea.domain.looking_back import Recalled

RING = 8192
"""Recent events kept for watchers."""
SLOW_SYNC = 0.005
"""Seconds: a disk slower than this is synced in a thread, so that nothing else waits for it."""
OF_LATE = 4
"""About so many syncs tell how slow a disk is: one that was held up once is quick again soon."""


class Hub:
    """Publishes and follows the events of one session. Lives in one event loop; not for threads."""

    def __init__(
        self,
        session: str,
        log: EventLog,
        clock: Clock,
        on_event: Callable[[LastingEvent], None],
        read_closed: Callable[[int], Iterable[LastingEvent]] | None = None,
    ) -> None:
        """`read_closed` reads the log from after an event once `log` itself is closed."""
        self.session = session
        self.identity = ""
        """Stamped on every event: the profile in force."""
        self._log = log
        self._clock = clock
        self._on_event = on_event
        self._read_closed = read_closed or log.read
        self._ring: deque[AnyEvent] = deque(maxlen=RING)
        self._end = 0
        """How many events went through the ring so far: the position after its last."""
        self._waiting: set[asyncio.Future[None]] = set()
        self.pace = 0.0
        """Seconds that a sync takes of late."""
        self.closed = False
        self._failure: ProteaError | None = None

    @property
    def profile(self) -> str:
        """The profile in force, without what is not as it says."""
        return self.identity.partition("+")[0]

    @property
    def last(self) -> int:
        return self._log.last

    def move(self, log: EventLog, read_closed: Callable[[int], Iterable[LastingEvent]], clock: Clock) -> None:
        """Go on in another log, which holds all that this one does. Nobody who follows notices."""
        if log.last != self._log.last:
            raise StoreError(f"the other log ends at event {log.last}, and this one at {self._log.last}")
        self._log, self._read_closed, self._clock, self.pace = log, read_closed, clock, 0.0

    @property
    def slow_disk(self) -> bool:
        """Whether a sync is done in a thread, so that nothing else waits for it."""
        return self.pace > SLOW_SYNC

    @property
    def failure(self) -> ProteaError | None:
        """Why nothing can be recorded any more; None while it can."""
        return self._failure

    def record(self, *events: Lasting) -> tuple[LastingEvent, ...]:
        """Number and write lasting events, then show them. They survive the death of this process.

        Never waits, so it can be called while a task is being cancelled. Raises `StoreError`; then none is written.
        """
        stamped = self._write(events)
        self._show(stamped)
        return stamped

    async def commit(self, *events: Lasting) -> tuple[LastingEvent, ...]:
        """The same, and when it returns they survive the loss of power as well. Raises `StoreError`."""
        if self.slow_disk:
            stamped = self.record(*events)  # shown in the order of their numbers, whatever happens while we wait
            await self.sync()
            return stamped
        stamped = self._write(events)
        await self.sync()
        self._show(stamped)
        return stamped

    async def sync(self) -> None:
        """Let all that was recorded survive the loss of power. Raises `StoreError`; nothing is recorded after that.

        Waits only where the disk is slow.
        """
        try:
            begin = self._clock.monotonic()
            if self.slow_disk:
                await asyncio.to_thread(self._log.sync)
            else:
                self._log.sync()
            self.pace += (self._clock.monotonic() - begin - self.pace) / OF_LATE
        except StoreError as error:
            self.fail(error)
            raise

    def tell(self, event: Passing) -> None:
        """Show a passing event and forget it. Never waits."""
        self._ring.append(cast("PassingEvent", replace(event, session=self.session)))
        self._end += 1
        self._wake()

    async def follow(self, after: int = 0) -> AsyncIterator[AnyEvent]:
        """What the log has after event `after`, then everything as it happens, until the session closes."""
        seen = after
        at = -1  # not in the ring yet: read the log first
        while True:
            if at < self._end - len(self._ring):
                at = self._end
                for count, event in enumerate(self._since(seen)):
                    seen = event.seq or seen
                    yield event
                    if count % 256 == 255:
                        await asyncio.sleep(0)  # a long log must not hold up the loop
            while at < self._end:
                start = self._end - len(self._ring)
                if at < start:  # fell out of the ring, perhaps while it read the log: back to the log
                    break
                item = self._ring[at - start]
                at += 1
                if item.seq is None:
                    yield item
                elif item.seq > seen:
                    seen = item.seq
                    yield item
            if at >= self._end:
                if self._failure is not None:
                    raise self._failure
                if self.closed:
                    return
                await self._next()

    def _since(self, seen: int) -> Iterable[LastingEvent]:
        """What was shown after an event: out of the ring where that holds all of it, as it does of a new session."""
        lasting = (cast("LastingEvent", event) for event in reversed(self._ring) if event.seq is not None)
        held = list(takewhile(lambda event: (event.seq or 0) > seen, lasting))
        if held and held[-1].seq == seen + 1:
            return reversed(held)
        # A follower may come so late, or be so slow, that the log is closed: it misses nothing all the same.
        return self._read_closed(seen) if self.closed else self._log.read(seen)

    async def recall(self, wanted: str, limit: int) -> Sequence[Recalled]:
        """Places of the log where all words of `wanted` stand, the latest first; or all that the call of that id gave,
        or that stands at the place of that number."""
        from protea.domain.looking_back import as_sent, by_id, by_number, places  # when somebody looks back

        events = as_sent(await self._in_pieces())
        whole = by_id(events, wanted) or by_number(events, wanted)
        if whole is not None:
            return (whole,)
        found: deque[Recalled] = deque(places(events, wanted), maxlen=max(1, limit))
        return tuple(reversed(found))

    async def _in_pieces(self) -> list[LastingEvent]:
        """The whole log; reading a long one does not hold up the loop."""
        events: list[LastingEvent] = []
        for event in self._log.read(0):
            events.append(event)
            if len(events) % 256 == 0:
                await asyncio.sleep(0)
        return events

    def close(self) -> None:
        """Let every watcher come to its end."""
        self.closed = True
        self._wake()

    def fail(self, error: ProteaError) -> None:
        """Tell every watcher that the log can no longer be written: it raises `error` at the end of what there is."""
        self._failure = error
        self._wake()

    def _write(self, events: Sequence[Lasting]) -> tuple[LastingEvent, ...]:
        if self._failure is not None:
            raise self._failure
        stamped = self._stamp(events)
        self._log.append(stamped, durable=False)
        return stamped

    def _stamp(self, events: Sequence[Lasting]) -> tuple[LastingEvent, ...]:
        at = self._clock.now()
        first = self._log.last + 1
        stamped = (
            replace(event, session=self.session, seq=first + index, at=at, identity=self.identity)
            for index, event in enumerate(events)
        )
        return cast("tuple[LastingEvent, ...]", tuple(stamped))  # the base's subclasses are the union's members

    def _show(self, events: Sequence[LastingEvent]) -> None:
        for event in events:
            self._on_event(event)
            self._ring.append(event)
            self._end += 1
        self._wake()

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def _next(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
