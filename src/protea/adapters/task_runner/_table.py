"""Tasks in a database of this machine, `tasks.sqlite`. Whether a process lives is told by the lock of a file, which no
death leaves locked: nobody is given up who lives, however busy, and a death is seen at once."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from protea.adapters.task_runner._register import Claimed, Claims, Heard, Tasks
from protea.domain.errors import StoreError
from protea.domain.event_codec import to_json
from protea.ports.task_runner import Task

Kind = TypeVar("Kind")
_log = logging.getLogger("protea.tasks")

LOST = "its process ended before it did"
_LOOK = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""Not waiting, as a pipe in the place of a file would make us."""
TIMEOUT = 10
"""Seconds another process may keep the database to itself."""
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_COLUMNS = "id, session, started, state, owner, again, task"
"""Named wherever a row is written: a later version may have more."""
_TABLE = """
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, started TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL,
    again INTEGER NOT NULL, task BLOB NOT NULL
)
"""


class Table:
    """A connection for each question, so that any thread may ask."""

    pause = 0.5
    silence = None

    def __init__(self, folder: str, owner: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "tasks.sqlite")
        self._owner = owner
        self._held: int | None = None

    def put(self, task: Task, *, again: bool) -> None:
        self._own()
        row = (task.id, task.session, task.started, task.state, self._owner, again, _data(task))
        insert = f"INSERT OR REPLACE INTO tasks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._do(lambda db: db.execute(insert, row))

    def update(self, task: Task) -> bool:
        row = (task.state, _data(task), task.id, self._owner)
        change = "UPDATE tasks SET state = ?, task = ? WHERE id = ? AND owner = ?"
        return self._do(lambda db: db.execute(change, row).rowcount == 1)

    def get(self, id: str) -> Task | None:
        found = self._tasks("WHERE id = ?", (id,))
        return found[0] if found else None

    def list(self, session: str | None) -> Tasks:
        if session is None:
            return self._tasks("ORDER BY started DESC, id DESC", ())
        return self._tasks("WHERE session = ? ORDER BY started DESC, id DESC", (session,))

    def beat(self, running: Collection[str]) -> Heard:
        with suppress(OSError):  # nothing hangs on it: that the lock is held is what counts
            os.utime(self._lock(self._owner))
        return Heard([id for id in running if _taken(self._asked(id))], [])

    def ask(self, id: str, now: str) -> bool:
        owner = self._do(lambda db: db.execute("SELECT owner FROM tasks WHERE id = ?", (id,)).fetchone())
        if owner is not None and not self._lives(owner[0]):
            return self._do(lambda db: _over(db, id, owner[0], "stopped", "", now))
        try:
            os.close(os.open(self._asked(id), _LOOK | os.O_CREAT, 0o600))
        except (OSError, ValueError) as error:
            raise StoreError(f"{self._folder} cannot be used: {error}") from error
        return False

    def withdraw(self, id: str) -> None:
        _taken(self._asked(id))

    def claim(self, kinds: Collection[str], session: str | None, now: str) -> Claims:
        def work(db: sqlite3.Connection) -> Claims:
            db.execute("BEGIN IMMEDIATE")
            rows = db.execute("SELECT id, session, owner, again, task FROM tasks WHERE state = 'running'").fetchall()
            owners = {owner for _, _, owner, _, _ in rows}
            gone = {owner for owner in owners if owner != self._owner and not self._lives(owner)}
            found = []
            for id, belongs, owner, again, data in rows:
                if owner not in gone or session not in (None, belongs):
                    continue
                task = read_task(data)
                if task is None:
                    db.execute("UPDATE tasks SET state = 'lost', owner = '' WHERE id = ?", (id,))
                elif not again:
                    _over(db, id, owner, "lost", LOST, now)
                    found.append(Claimed(replace(task, state="lost", ended=now, result=LOST), False))
                elif task.kind in kinds:
                    task = replace(task, runs=task.runs + 1, progress="")
                    db.execute("UPDATE tasks SET owner = ?, task = ? WHERE id = ?", (self._owner, _data(task), id))
                    found.append(Claimed(task, True))
            return found

        if not os.path.exists(self._path):
            return []
        self._own()
        return self._do(work)

    def close(self) -> None:
        if self._held is not None:
            with suppress(OSError):
                os.unlink(self._lock(self._owner))
            os.close(self._held)
            self._held = None

    # ── who lives ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _lock(self, owner: str) -> str:
        return os.path.join(self._folder, f"{os.path.basename(owner)}.lock")

    def _asked(self, id: str) -> str:
        """A file that asks for the end of a task: its process looks for it."""
        return os.path.join(self._folder, f"{os.path.basename(id)}.stop")

    def _own(self) -> None:
        """Hold the lock of this process."""
        if self._held is not None:
            return
        try:
            os.makedirs(self._folder, 0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            held = os.open(self._lock(self._owner), flags, 0o600)
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be used: {(error.strerror or '').lower()}") from error
        fcntl.flock(held, fcntl.LOCK_EX)
        self._held = held

    def _lives(self, owner: str) -> bool:
        """Whether the process of that name holds its lock."""
        if owner == self._owner:
            return self._held is not None
        try:
            descriptor = os.open(self._lock(owner), _LOOK)
        except (OSError, ValueError):  # no name of a file
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        with suppress(OSError):
            os.unlink(self._lock(owner))
        return False

    def _heard(self, owner: str) -> str:
        """When that process was last heard of; empty where it is gone."""
        try:
            seconds = os.stat(self._lock(owner)).st_mtime
        except (OSError, ValueError):
            return ""
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # ── the database ───────────────────────────────────────────────────────────────────────────────────────────────

    def _tasks(self, rest: str, values: tuple[Any, ...]) -> Tasks:
        if not os.path.exists(self._path):
            return []  # looking makes nothing
        rows = self._do(lambda db: db.execute(f"SELECT task, state, owner FROM tasks {rest}", values).fetchall())
        alive: dict[str, str] = {}
        for owner in {owner for _, state, owner in rows if state == "running"}:
            alive[owner] = self._heard(owner) if owner and self._lives(owner) else ""
        found = []
        for data, state, owner in rows:
            task = read_task(data)
            if task is None:
                continue
            beat = alive.get(owner, "") if state == "running" else ""
            found.append(replace(task, owner=owner if beat or state != "running" else "", beat=beat))
        return found

    def _do(self, work: Callable[[sqlite3.Connection], Kind]) -> Kind:
        try:
            os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
            try:
                return self._done(work)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname not in DAMAGED:
                    raise
                self._set_aside()
                return self._done(work)
        except (OSError, ValueError, sqlite3.Error, msgspec.DecodeError) as error:
            raise StoreError(f"{self._path} cannot be used: {error}") from error

    def _done(self, work: Callable[[sqlite3.Connection], Kind]) -> Kind:
        # SQLite would let others read it; what it keeps beside it has the mode of this file.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600))
        with closing(sqlite3.connect(self._path, timeout=TIMEOUT)) as database:
            database.execute(_TABLE)
            with database:
                return work(database)

    def _set_aside(self) -> None:
        """Keep a damaged database under another name, and go on with a new one: what is known of tasks in it is less
        than what comes. Of several processes that find it one does that."""
        with open(os.path.join(self._folder, "tasks.sqlite.mending"), "a", opener=_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                self._done(lambda database: database.execute("SELECT * FROM tasks").fetchall())
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname not in DAMAGED:
                    raise
                kept = f"{self._path}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
                os.rename(self._path, kept)
                with suppress(OSError):
                    os.unlink(f"{self._path}-journal")
                _log.warning("%s was damaged: a new one was begun, and the old one is %s", self._path, kept)


def _over(db: sqlite3.Connection, id: str, owner: str, state: Any, result: str, now: str) -> bool:
    """End a task whose process is gone; whether it was still that process's."""
    row = db.execute("SELECT task FROM tasks WHERE id = ? AND owner = ? AND state = 'running'", (id, owner)).fetchone()
    if row is None:
        return False
    known = read_task(row[0])
    if known is None:
        db.execute("UPDATE tasks SET state = ?, owner = '' WHERE id = ?", (state, id))
        return True
    task = replace(known, state=state, ended=now, result=result)
    db.execute("UPDATE tasks SET state = ?, owner = '', task = ? WHERE id = ?", (state, _data(task), id))
    return True


def read_task(data: bytes | str) -> Task | None:
    """None where it is damaged: the others are none the worse."""
    try:
        return msgspec.json.decode(data, type=Task)
    except (msgspec.DecodeError, UnicodeError):
        return None


def _data(task: Task) -> bytes:
    """Who runs it is a column of its own, or would be out of date."""
    return to_json(replace(task, owner="", beat=""))


def _taken(path: str) -> bool:
    """Whether the file was there; it is gone now."""
    try:
        os.unlink(path)
    except (OSError, ValueError):
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
