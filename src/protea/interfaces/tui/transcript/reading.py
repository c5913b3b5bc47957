"""How much of a log is in memory: folded into blocks, read further back, let go of. Called by `widget`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from protea.domain.blocks import Forgotten
from protea.domain.events import AnyEvent, LastingEvent, SessionStarted
from protea.domain.folding import View, joined
from protea.domain.folding import advance as folded
from protea.interfaces.tui.transcript.entries import Entries
from protea.interfaces.tui.transcript.viewport import Viewport

Older = Callable[[int], Awaitable[Sequence[LastingEvent]]]
"""Given the number of an event, some of those before it; none where there are none."""

MOST = 6000
"""Blocks in memory; the first ones are let go of and read again when wanted."""


class Reading:
    """The log of one session, from some event on to its end."""

    def __init__(self, view: Viewport, older: Older | None, moved: Callable[[int], None]) -> None:
        """`moved` is called with how much higher the number of each block has become."""
        self._view = view
        self._older = older
        self._moved = moved
        self._folded = View()
        self._joint = View()
        """The view the next older page is joined to."""
        self._first = 1
        """The first event that was read."""
        self._coming: asyncio.Event | None = None
        """Set once the page that is being read is there."""
        self.cwd = ""

    @property
    def reads(self) -> bool:
        """Whether a page is being read."""
        return self._coming is not None

    @property
    def has_more(self) -> bool:
        """Whether there is anything before what was read, and a way to read it."""
        return self._older is not None and self._first > 1

    def begin(self, events: Sequence[LastingEvent]) -> None:
        """With the last events of a log, and nothing else."""
        self._view.begin()
        self._folded = View()
        self._first = events[0].seq or 1 if events else 1
        for event in events:
            self.advance(event)
        self._joint = self._folded

    def advance(self, event: AnyEvent) -> bool:
        """One more event; whether anything is another by it."""
        if isinstance(event, SessionStarted):
            self.cwd = event.cwd
        self._folded = folded(self._folded, event)
        if not self._folded.changes:
            return False
        self._view.entries.make(self._folded.changes, self._view.width)
        if not self._view.follow:
            self._view.below = True
        return True

    async def read_on(self) -> bool:
        """Read one page further back. False where there is nothing before, or no way to read it."""
        if self._older is None or self._first <= 1:
            return False
        if self._coming is not None:
            await self._coming.wait()
            return True
        self._coming = asyncio.Event()
        try:
            page = await self._older(self._first)
        finally:
            self._coming.set()
            self._coming = None
        if not page:
            self._first = 1
            return False
        self._put_before(page)
        return True

    def _put_before(self, page: Sequence[LastingEvent]) -> None:
        """Without moving what is seen."""
        width, entries = self._view.width, self._view.entries
        view, forgotten = View(), []
        held = Entries()
        for event in page:
            if isinstance(event, SessionStarted):
                self.cwd = event.cwd
            view = folded(view, event)
            held.make(view.changes, width)
            forgotten += [change for change in view.changes if isinstance(change, Forgotten)]
        self._joint, ends = joined(view, self._joint)
        first = entries.all[0] if entries.all else None
        gap = first.gap if first is not None else 0
        added = entries.before((entry.block for entry in held.all), width)
        entries.make(ends, width)
        entries.make(forgotten, width)
        self._first = page[0].seq or 1
        self._moved(added)
        if first is not None and entries.all[self._view.top] is first:
            self._view.off += first.gap - gap

    def let_go(self) -> None:
        """Where there are too many blocks, forget the first third: up to a prompt, where nothing is open."""
        if self._older is None or len(self._view.entries) <= MOST:
            return
        entries, count = self._view.entries.all, self._view.entries.a_third()
        if not count:
            return
        first = min((entry.block.seq for entry in entries[count + 1 :] if entry.block.seq), default=0)
        if first <= 1:
            return
        self._view.drop_first(count)
        self._first = first
        self._joint = View()
        self._moved(-count)
