"""A store whose disk fails when it is told to, around a store that works."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protea.domain.errors import StoreError
from protea.domain.events import LastingEvent
from protea.domain.session import SessionSummary
from protea.ports.session_store import EventLog, SessionStore


class FailingStore:
    """Works until `fail` is called; then every write raises `StoreError`, until `recover`. `synced` counts syncs."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._failure: str | None = None
        self.synced = 0

    def fail(self, message: str = "no space left on device") -> None:
        self._failure = message

    def recover(self) -> None:
        self._failure = None

    def check(self) -> None:
        if self._failure is not None:
            raise StoreError(self._failure)

    def unusable(self) -> str | None:
        return self._failure or self._store.unusable()

    def create(self, session: str) -> EventLog:
        self.check()
        return _FailingLog(self, self._store.create(session))

    def open(self, session: str) -> EventLog:
        return _FailingLog(self, self._store.open(session))

    def read(self, session: str, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        return self._store.read(session, after, limit)

    def tail(self, session: str, count: int) -> Sequence[LastingEvent]:
        return self._store.tail(session, count)

    def list(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        return self._store.list(cwd)

    def find(self, wanted: str) -> str:
        return self._store.find(wanted)

    def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        return self._store.search(text, limit)

    def delete(self, session: str) -> None:
        self.check()
        self._store.delete(session)


class _FailingLog:
    def __init__(self, store: FailingStore, log: EventLog) -> None:
        self._store, self._log = store, log

    @property
    def last(self) -> int:
        return self._log.last

    @property
    def mended(self) -> str | None:
        return self._log.mended

    @property
    def folder(self) -> str:
        return self._log.folder

    def append(self, events: Sequence[LastingEvent], *, durable: bool) -> None:
        self._store.check()
        self._log.append(events, durable=durable)
        self._store.synced += durable

    def sync(self) -> None:
        self._store.check()
        self._log.sync()
        self._store.synced += 1

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        return self._log.read(after, limit)

    def tail(self, count: int) -> Sequence[LastingEvent]:
        return self._log.tail(count)

    def close(self) -> None:
        self._log.close()
