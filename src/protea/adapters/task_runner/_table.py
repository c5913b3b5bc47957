"""Tasks in a database, `tasks.sqlite`, and which process each belongs to."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

import msgspec

from protea.domain.errors import StoreError
from protea.ports.task_runner import Task

Kind = TypeVar("Kind")

Tasks = list[Task]
Names = list[str]
Left = list[tuple[Task, bool]]

_TABLE = """
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, started TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL,
    again INTEGER NOT NULL, task BLOB NOT NULL
)
"""


class Owner:
    """This process, as others can tell whether it lives: it holds the lock of a file, which no death leaves locked."""

    def __init__(self, folder: str, name: str) -> None:
        self.name = name
        self._path = os.path.join(folder, f"{name}.lock")
        os.makedirs(folder, 0o700, exist_ok=True)
        self._held = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def close(self) -> None:
        os.unlink(self._path)
        os.close(self._held)


def lives(folder: str, name: str) -> bool:
    """Whether the owner of that name holds its lock."""
    path = os.path.join(folder, f"{name}.lock")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    os.unlink(path)
    return False


class Table:
    """Blocking, and quick: a connection for each question, so that any thread may ask."""

    def __init__(self, path: str) -> None:
        self._path = path

    def put(self, task: Task, owner: str, *, again: bool) -> None:
        row = (task.id, task.session, task.started, task.state, owner, again, msgspec.json.encode(task))
        self._do(lambda db: db.execute("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)", row))

    def update(self, task: Task) -> None:
        row = (task.state, msgspec.json.encode(task), task.id)
        self._do(lambda db: db.execute("UPDATE tasks SET state = ?, task = ? WHERE id = ?", row))

    def get(self, id: str) -> Task | None:
        found = self._tasks("WHERE id = ?", (id,))
        return found[0] if found else None

    def list(self, session: str | None) -> Tasks:
        if session is None:
            return self._tasks("ORDER BY started DESC, id DESC", ())
        return self._tasks("WHERE session = ? ORDER BY started DESC, id DESC", (session,))

    def owners(self) -> Names:
        """Of tasks that are said to run."""
        return self._do(
            lambda db: [name for (name,) in db.execute("SELECT DISTINCT owner FROM tasks WHERE state = 'running'")]
        )

    def left_by(self, owner: str) -> Left:
        """(task, whether it may be begun again) of those that ran when `owner` died. Nobody else gets them."""

        def work(db: sqlite3.Connection) -> Left:
            db.execute("BEGIN IMMEDIATE")
            rows = db.execute(
                "SELECT task, again FROM tasks WHERE owner = ? AND state = 'running'", (owner,)
            ).fetchall()
            db.execute("UPDATE tasks SET owner = '' WHERE owner = ? AND state = 'running'", (owner,))
            return [(msgspec.json.decode(data, type=Task), bool(again)) for data, again in rows]

        return self._do(work)

    def _tasks(self, rest: str, values: tuple[Any, ...]) -> Tasks:
        def work(db: sqlite3.Connection) -> Tasks:
            return [
                msgspec.json.decode(data, type=Task) for (data,) in db.execute(f"SELECT task FROM tasks {rest}", values)
            ]

        return self._do(work)

    def _do(self, work: Callable[[sqlite3.Connection], Kind]) -> Kind:
        try:
            os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=10)) as database:
                database.execute(_TABLE)
                with database:
                    return work(database)
        except (OSError, sqlite3.Error, msgspec.DecodeError) as error:
            raise StoreError(f"{self._path} cannot be used: {error}") from error
