"""Tasks in a PostgreSQL database that several machines share.

A process that runs tasks beats there, and counts as gone when it has been silent for a while. Times are the database's
own, so that no machine's clock matters. What a process writes is bound to its name and to how often the task was
begun: one that was given up, and comes back, changes nothing any more and is told so with its next beat.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypeVar

import msgspec
import psycopg
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from protea.adapters.task_runner._register import Claimed, Claims, Heard, Tasks
from protea.adapters.task_runner._table import LOST, read_task
from protea.domain.errors import StoreError
from protea.domain.event_codec import to_json
from protea.ports.task_runner import Task

Kind = TypeVar("Kind")
Connection = psycopg.Connection[Any]

BEATS = 5
"""Beats in the time after which a silent process counts as gone."""
TIMEOUT = 10
"""Seconds for a connection, and for an answer: a server that was suspended, or is behind a network that lets nothing
through, neither answers nor refuses."""
TABLES = (
    "SELECT pg_advisory_xact_lock(7072616)",  # two that make them at once would get in each other's way
    "CREATE SCHEMA IF NOT EXISTS protea",
    "CREATE TABLE IF NOT EXISTS protea.owners (name text PRIMARY KEY, beat timestamptz NOT NULL)",
    "CREATE TABLE IF NOT EXISTS protea.tasks (id text PRIMARY KEY, session text NOT NULL, started text NOT NULL,"
    " state text NOT NULL, owner text NOT NULL, runs integer NOT NULL, again boolean NOT NULL,"
    " stop boolean NOT NULL DEFAULT false, task text NOT NULL)",
)
COLUMNS = "id, session, started, state, owner, runs, again, stop, task"
"""Named wherever a row is written: a later version may have more."""
BEAT = (
    "INSERT INTO protea.owners (name, beat) VALUES (%s, clock_timestamp())"
    " ON CONFLICT (name) DO UPDATE SET beat = excluded.beat"
)  # fmt: skip
ALIVE = (
    "EXISTS (SELECT 1 FROM protea.owners o WHERE o.name = t.owner AND o.beat > clock_timestamp() - %s * interval '1 s')"
)


class PostgresTable:
    """One connection, made when first needed and again after it broke."""

    def __init__(self, url: str, owner: str, silence: float) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._owner = owner
        self.silence: float | None = silence
        self._silence = silence
        self.pause = silence / BEATS
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._owns = False
        self._away = 0.0
        """Until when it counts as away, since it gave no answer: what is asked meanwhile fails at once, beats apart."""

    def put(self, task: Task, *, again: bool) -> None:
        row = (task.id, task.session, task.started, task.state, self._owner, task.runs, again, _data(task))

        def work(db: Connection) -> None:
            db.execute(BEAT, (self._owner,))
            db.execute(
                f"INSERT INTO protea.tasks ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, false, %s)"
                " ON CONFLICT (id) DO UPDATE SET state = excluded.state, task = excluded.task",
                row,
            )

        self._do(work)
        self._owns = True

    def update(self, task: Task) -> bool:
        change = "UPDATE protea.tasks SET state = %s, task = %s WHERE id = %s AND owner = %s AND runs = %s"
        row = (task.state, _data(task), task.id, self._owner, task.runs)
        return self._do(lambda db: db.execute(change, row).rowcount == 1)

    def get(self, id: str) -> Task | None:
        found = self._tasks("WHERE t.id = %s", (id,))
        return found[0] if found else None

    def list(self, session: str | None) -> Tasks:
        if session is None:
            return self._tasks("ORDER BY started DESC, id DESC", ())
        return self._tasks("WHERE session = %s ORDER BY started DESC, id DESC", (session,))

    def beat(self, running: Collection[str]) -> Heard:
        def work(db: Connection) -> Heard:
            db.execute(BEAT, (self._owner,))
            rows = db.execute(
                "SELECT id, stop FROM protea.tasks WHERE owner = %s AND state = 'running'", (self._owner,)
            ).fetchall()
            mine = {id for id, _ in rows}
            # One that was just begun may not be written yet, one that has just ended is written already.
            known = db.execute(
                "SELECT id FROM protea.tasks WHERE id = ANY(%s) AND owner <> %s", ([*running], self._owner)
            ).fetchall()
            return Heard([id for id, stop in rows if stop], [id for (id,) in known if id not in mine])

        heard = self._do(work, anyway=True)
        self._owns = True
        return heard

    def ask(self, id: str, now: str) -> bool:
        def work(db: Connection) -> bool:
            row = db.execute(
                f"SELECT task, {ALIVE} FROM protea.tasks t WHERE id = %s AND state = 'running' FOR UPDATE",
                (self._silence, id),
            ).fetchone()
            if row is not None and not row[1]:
                _over(db, id, read_task(row[0]), "stopped", "", now)
                return True
            db.execute("UPDATE protea.tasks SET stop = true WHERE id = %s AND state = 'running'", (id,))
            return False

        return self._do(work)

    def withdraw(self, id: str) -> None:
        self._do(lambda db: db.execute("UPDATE protea.tasks SET stop = false WHERE id = %s", (id,)))

    def claim(self, kinds: Collection[str], session: str | None, now: str) -> Claims:
        def work(db: Connection) -> Claims:
            db.execute(BEAT, (self._owner,))
            # Rows that another process looks at just now are that one's.
            rows = db.execute(
                f"SELECT t.id, t.again, t.task FROM protea.tasks t WHERE t.state = 'running' AND t.owner <> %s"
                f" AND (t.session = %s OR %s::text IS NULL AND NOT {ALIVE}) FOR UPDATE SKIP LOCKED",
                (self._owner, session, session, self._silence),
            ).fetchall()
            found = []
            for id, again, data in rows:
                task = read_task(data)
                if task is None or not again:
                    ended = _over(db, id, task, "lost", LOST, now)
                    found += [] if ended is None else [Claimed(ended, False)]
                elif task.kind in kinds:
                    task = replace(task, runs=task.runs + 1, progress="")
                    db.execute(
                        "UPDATE protea.tasks SET owner = %s, runs = %s, task = %s, stop = false WHERE id = %s",
                        (self._owner, task.runs, _data(task), task.id),
                    )
                    found.append(Claimed(task, True))
            db.execute(
                "DELETE FROM protea.owners o WHERE o.beat < clock_timestamp() - %s * interval '1 s' AND NOT EXISTS"
                " (SELECT 1 FROM protea.tasks t WHERE t.owner = o.name AND t.state = 'running')",
                (self._silence,),
            )
            return found

        found = self._do(work)
        self._owns = True
        return found

    def close(self) -> None:
        if self._owns:
            with suppress(StoreError):  # then its silence tells
                self._do(lambda db: db.execute("DELETE FROM protea.owners WHERE name = %s", (self._owner,)))
        self._owns = False
        with self._lock:
            self._disconnect()

    def _tasks(self, rest: str, values: tuple[Any, ...]) -> Tasks:
        rows = self._do(
            lambda db: db.execute(
                f"SELECT t.task, t.state, t.owner, o.beat, {ALIVE} FROM protea.tasks t"
                f" LEFT JOIN protea.owners o ON o.name = t.owner {rest}",
                (self._silence, *values),
            ).fetchall()
        )
        found = []
        for data, state, owner, beat, alive in rows:
            task = read_task(data)
            if task is None:
                continue
            runs = state == "running"
            heard = _written(beat) if runs and beat is not None else ""
            found.append(replace(task, owner=owner if alive or not runs else "", beat=heard))
        return found

    def _do(self, work: Callable[[Connection], Kind], *, anyway: bool = False) -> Kind:
        with self._lock:
            if monotonic() < self._away and not anyway:
                raise StoreError("the database of tasks cannot be reached: it gives no answer")
            for attempt in (1, 2):
                begun = monotonic()
                try:
                    db = self._connected()
                    with answering(db), db.transaction():
                        found = work(db)
                    self._away = 0.0
                    return found
                except psycopg.OperationalError as error:  # it was restarted, or the network was away
                    self._disconnect()
                    silent = monotonic() - begun >= TIMEOUT
                    if silent:
                        self._away = monotonic() + self.pause
                    if attempt == 2 or silent:
                        raise StoreError(f"the database of tasks cannot be reached: {_line(error)}") from error
                except (psycopg.Error, msgspec.DecodeError) as error:
                    self._disconnect()
                    raise StoreError(f"the database of tasks cannot be used: {_line(error)}") from error
        raise AssertionError

    def _connected(self) -> Connection:
        if self._connection is None:
            try:
                made = psycopg.connect(self._url, connect_timeout=TIMEOUT, autocommit=True)
            except psycopg.OperationalError:
                if not self._made():
                    raise
                made = psycopg.connect(self._url, connect_timeout=TIMEOUT, autocommit=True)
            with answering(made), made.transaction():
                for statement in TABLES:
                    made.execute(statement)
            self._connection = made
        return self._connection

    def _made(self) -> bool:
        """Make the database, where it is all that is missing."""
        given = conninfo_to_dict(self._url)
        name = str(given.get("dbname") or given.get("user") or "")
        try:
            other = make_conninfo(self._url, dbname="postgres", connect_timeout=TIMEOUT)
            with psycopg.connect(other, autocommit=True) as db:
                if db.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                    return False
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    db.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        except psycopg.Error:
            return False
        return True

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def answering(db: Connection) -> Iterator[None]:
    """End the connection where what is asked meanwhile takes too long: whoever waits then fails."""

    def cut() -> None:
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(db.pgconn.socket)) as same:
            same.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _over(db: Connection, id: str, task: Task | None, state: Any, result: str, now: str) -> Task | None:
    """End a task whose process is gone; None where what is kept of it is damaged."""
    if task is None:
        db.execute("UPDATE protea.tasks SET state = %s, owner = '' WHERE id = %s", (state, id))
        return None
    task = replace(task, state=state, ended=now, result=result)
    db.execute("UPDATE protea.tasks SET state = %s, owner = '', task = %s WHERE id = %s", (state, _data(task), task.id))
    return task


def _data(task: Task) -> str:
    """Who runs it is a column of its own, or would be out of date."""
    return to_json(replace(task, owner="", beat="")).decode()


def _written(beat: datetime) -> str:
    return beat.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
