"""Sessions that live as long as this process: for a home that cannot be written, for programs that want no files,
and for tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from protea.adapters.storage._matching import matching, words_of
from protea.adapters.storage._names import check_order, near, proper
from protea.domain.errors import SessionError
from protea.domain.event_codec import decode, encode
from protea.domain.events import LastingEvent
from protea.domain.session import SessionSummary
from protea.domain.summary import advance, begin


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


def create(options: Options) -> MemoryStore:
    return MemoryStore()


class MemoryLog:
    """One session's events as lines, so that what comes out is what a file would have given."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._lines: list[bytes] = []
        self._folder: str | None = None
        self._summary = begin(session)
        self.in_use = True

    @property
    def last(self) -> int:
        return len(self._lines)

    @property
    def mended(self) -> str | None:
        return None

    @property
    def folder(self) -> str:
        if self._folder is None:
            # Only a session with large outputs or tools that write needs one.
            import atexit
            import tempfile

            self._folder = tempfile.mkdtemp(prefix=f"protea-{self._session}-")
            atexit.register(self.discard)
        return self._folder

    @property
    def summary(self) -> SessionSummary:
        unfinished = self._summary.state != "idle" and not self.in_use
        return msgspec.structs.replace(self._summary, state="interrupted") if unfinished else self._summary

    def append(self, events: Sequence[LastingEvent], *, durable: bool) -> None:
        if not self.in_use:
            raise SessionError(f"session {self._session} is closed")
        check_order(events, self.last)
        self._lines += [encode(event) for event in events]
        for event in events:
            self._summary = advance(self._summary, event)

    def sync(self) -> None:
        """Nothing here survives the loss of power."""

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        after = max(after, 0)
        end = None if limit is None else after + max(limit, 0)
        for line in self._lines[after:end]:
            yield decode(line)

    def tail(self, count: int) -> Sequence[LastingEvent]:
        return [*self.read(max(0, self.last - max(count, 0)))]

    def close(self) -> None:
        self.in_use = False

    def discard(self) -> None:
        if self._folder is not None:
            import shutil

            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


class MemoryStore:
    def __init__(self) -> None:
        self._logs: dict[str, MemoryLog] = {}

    def unusable(self) -> str | None:
        return None

    def create(self, session: str) -> MemoryLog:
        proper(session)
        if session in self._logs:
            raise SessionError(f"session {session} exists already")
        log = self._logs[session] = MemoryLog(session)
        return log

    def open(self, session: str) -> MemoryLog:
        log = self._known(session)
        if log.in_use:
            import os

            raise SessionError(f"session {session} is in use by process {os.getpid()}; end that, or branch off")
        log.in_use = True
        return log

    def read(self, session: str, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        yield from self._known(session).read(after, limit)

    def tail(self, session: str, count: int) -> Sequence[LastingEvent]:
        return self._known(session).tail(count)

    def list(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        summaries = [log.summary for log in self._logs.values() if log.last]
        chosen = [summary for summary in summaries if cwd is None or summary.cwd == cwd]
        return sorted(chosen, key=lambda summary: (summary.updated, summary.id), reverse=True)

    def find(self, wanted: str) -> str:
        return near(wanted, [*self._logs])

    def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        return matching(self.list(), self.read, words_of(text), limit)

    def delete(self, session: str) -> None:
        log = self._known(session)
        if log.in_use:
            raise SessionError(f"session {session} is in use; end it first")
        log.discard()
        del self._logs[session]

    def _known(self, session: str) -> MemoryLog:
        proper(session)
        if session not in self._logs:
            raise SessionError(f"there is no session {session}")
        return self._logs[session]
