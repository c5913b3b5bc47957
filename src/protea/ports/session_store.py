"""The port to lasting sessions: an append-only log of events per session. Swap class: warm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from protea.domain.events import LastingEvent
from protea.domain.session import SessionSummary


class EventLog(Protocol):
    """One session's log, opened for writing by one process at a time.

    Methods are blocking and quick; callers run slow ones in a thread. Any of them may raise `StoreError`.
    """

    @property
    def last(self) -> int:
        """The seq of the last event; 0 when empty."""
        ...

    @property
    def mended(self) -> str | None:
        """What was lost or set aside when the log was opened, in words for a person; None if nothing."""
        ...

    @property
    def folder(self) -> str:
        """An absolute folder for this session's files (outputs, activity.log), mode 0700. It exists."""
        ...

    def append(self, events: Sequence[LastingEvent], *, durable: bool) -> None:
        """Write the events, whose seqs follow `last`. After it returns they survive the death of this process;
        with `durable`, the loss of power as well. Either all are readable afterwards or none."""
        ...

    def sync(self) -> None:
        """Make all that was appended survive the loss of power."""
        ...

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        """Events with `seq > after`, in order. A reader that has begun goes on when the log is closed meanwhile."""
        ...

    def tail(self, count: int) -> Sequence[LastingEvent]:
        """The last `count` events, in order, without reading the rest of a long log."""
        ...

    def close(self) -> None: ...


class SessionStore(Protocol):
    """Where sessions are kept."""

    def unusable(self) -> str | None:
        """Why no session can be kept here, in words for a person; None where one can. May make what is missing."""
        ...

    def create(self, session: str) -> EventLog:
        """A new, empty log, locked for this process."""
        ...

    def open(self, session: str) -> EventLog:
        """An existing log, mended if its end is torn, locked for this process.

        Raises `SessionError` where there is none, or another process has it (the message names the pid).
        """
        ...

    def read(self, session: str, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        """Read without locking or mending; a torn last line is left out."""
        ...

    def tail(self, session: str, count: int) -> Sequence[LastingEvent]:
        """The last `count` events, in order, without reading the rest and without locking or mending."""
        ...

    def list(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        """All sessions, or those of a directory, the latest first, from an index that is rebuilt where it is
        missing, damaged or behind."""
        ...

    def find(self, wanted: str) -> str:
        """The full id for an id or a unique beginning of one. Raises `SessionError` naming the near ones."""
        ...

    def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        """(session, seq, snippet) where prompts, answers or tool results contain all words of `text`."""
        ...

    def delete(self, session: str) -> None:
        """Remove a session and its files. Raises `SessionError` where it is open elsewhere."""
        ...
