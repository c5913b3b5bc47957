"""Tasks whose steps are kept by a durable engine: what died in the midst of a step goes on with that step elsewhere.

The engine is DBOS, on SQLite here or on PostgreSQL by its URL; it is started with the first task, not before. Which
tasks there are, and whose, is kept beside it: on SQLite for this machine, on PostgreSQL for all that share it.
Each time a task is begun it is a workflow of its own, `<task>.<how often>`, which is handed what the one before had
done. So a process that was given up, and comes back, can write only into a workflow that nobody reads any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Annotated, Any

import msgspec

from protea.adapters.guests.thread import in_own_thread
from protea.adapters.task_runner._register import Register
from protea.adapters.task_runner._table import Table
from protea.adapters.task_runner.in_process import InProcess, owner_of, surely
from protea.domain.errors import ConfigError, StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.task_runner import Progress, Task, Work

VERSION = "protea-2"
"""Of the way tasks are made of steps."""
PATIENCE = 3.0
"""Seconds the engine is given to write down that a task was ended, and to end itself."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    database: str | None = None
    """`postgresql://…`; SQLite in `tasks/` of Protea's home where it is left out."""
    folder: str | None = None
    """Absolute; `tasks/` in Protea's home where it is left out. Not used with PostgreSQL."""
    worker: str | None = None
    """What this machine is called in lists; its host name where it is left out."""
    silence: Annotated[float, msgspec.Meta(ge=1)] = 20.0
    """Seconds without a sign of life after which another process takes over what one ran. Only with PostgreSQL, and to
    be the same on all machines: on SQLite a death is seen at once."""


class Durable(InProcess):
    """Several may be open in a process; they share its engine, and so have to share its database."""

    def __init__(self, register: Register, database: str, clock: Clock, ids: Ids) -> None:
        super().__init__(register, clock, ids)
        self._database = database

    async def _perform(self, task: Task, works: tuple[Work, ...], tell: Progress) -> str:
        await self._launched()
        job = Job(task, works, tell, asyncio.get_running_loop(), lambda: self._held(task.id))
        try:
            # Nobody waits for that thread at the end of the process: the engine waits for a database that is away for
            # as long as it is, and cannot be told not to.
            result: str = await in_own_thread(_ENGINE.through, job)
            return result
        except asyncio.CancelledError:
            # What it does ends whether or not the engine's database can be told of it.
            await surely(job.cancel())
            with suppress(TimeoutError):
                await surely(asyncio.wait_for(in_own_thread(_ENGINE.cancel, job), PATIENCE))
            raise

    async def _launched(self) -> None:
        if self in _ENGINE.users:
            return
        try:
            await in_own_thread(_ENGINE.launch, self, self._database, owner_of(self._ids))
        except StoreError:
            raise
        except Exception as fault:  # whatever a database, or its driver, has to say
            raise StoreError(f"the durable engine cannot begin: {type(fault).__name__}: {fault}") from fault

    async def aclose(self) -> None:
        await super().aclose()
        with suppress(TimeoutError):
            await asyncio.wait_for(in_own_thread(_ENGINE.leave, self), PATIENCE)


class Job:
    """A task that runs here: its steps are done in the event loop of whoever began it, the engine waits in a thread."""

    def __init__(
        self,
        task: Task,
        works: tuple[Work, ...],
        tell: Progress,
        loop: asyncio.AbstractEventLoop,
        held: Callable[[], None],
    ) -> None:
        self.task = task
        self.works = works
        self._tell = tell
        self._loop = loop
        self._held = held
        """Raises where the task is not this process's any more."""
        self._doing: asyncio.Task[str] | None = None
        self._over = False
        """Whether it is to do no more."""

    @property
    def name(self) -> str:
        """Of its workflow."""
        return f"{self.task.id}.{self.task.runs}"

    def step(self, number: int, before: str) -> str:
        """In a thread of the engine's."""
        self._held()
        given = {**self.task.input, "before": before} if len(self.works) > 1 else self.task.input
        result = asyncio.run_coroutine_threadsafe(self._do(self.works[number], given), self._loop).result()
        self._held()
        return result

    async def _do(self, work: Work, given: Mapping[str, Any]) -> str:
        """In the event loop, as what follows."""
        self._doing = asyncio.current_task()
        if self._over:
            raise asyncio.CancelledError
        return await work(given, self._tell)

    async def cancel(self) -> None:
        """End the step that is done, and wait until it has ended; none follows."""
        self._over = True
        if self._doing is not None and not self._doing.done():
            self._doing.cancel()
            await asyncio.wait([self._doing])


class _Engine:
    """The engine of this process and the jobs that run in it. Importing it starts a program, so that waits for a task.
    Everything here blocks."""

    def __init__(self) -> None:
        self.users: set[Durable] = set()
        self.jobs: dict[str, Job] = {}
        self._dbos: Any = None
        self._workflow: Any = None
        self._database = ""
        self._lock = threading.Lock()

    def launch(self, user: Durable, database: str, owner: str) -> None:
        with self._lock:
            if self.users and database != self._database:
                raise StoreError("this process runs tasks in another database already")
            if not self.users:
                self._begin(database, owner)
            self.users.add(user)

    def _begin(self, database: str, owner: str) -> None:
        if self._workflow is None:
            from dbos import DBOS, WorkflowSerializationFormat  # see above

            self._dbos = DBOS
            portable = WorkflowSerializationFormat.PORTABLE
            self._workflow = DBOS.workflow(name="protea_task", serialization_type=portable)(_steps_of)
        try:
            self._launch(database, owner)
        except BaseException:
            self._end()  # else the next one would be this, half begun
            raise
        self._database = database

    def _launch(self, database: str, owner: str) -> None:
        scheme, _, path = database.partition(":///")
        if scheme == "sqlite":  # which would let others read it
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        # It would write over the screen whenever a task fails or is stopped; both are told by the task itself.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        self._dbos(
            config={
                "name": "protea",
                "system_database_url": database,
                "executor_id": owner,
                "application_version": VERSION,
                "log_level": "CRITICAL",
                "notification_listener_polling_interval_sec": 1.0,
            }
        )
        self._dbos.launch()

    def through(self, job: Job) -> str:
        """Begin where the last one that ran the task came to, and wait for the end."""
        from dbos import SetWorkflowID  # loaded by now

        done = self._done(job.task)
        self.jobs[job.name] = job
        try:
            with SetWorkflowID(job.name):  # done in this thread, and not in one that the end of the process waits for
                result: str = self._workflow(job.name, len(job.works), done)
        finally:
            self.jobs.pop(job.name, None)
        return result

    def _done(self, task: Task) -> list[str]:
        """What its steps gave when it was last run; that run can do no more."""
        for runs in range(task.runs - 1, 0, -1):
            name = f"{task.id}.{runs}"
            before = self._dbos.get_workflow_status(name)
            if before is None:
                continue  # its process died before the engine had heard of it
            self._dbos.cancel_workflow(name)
            done = list(before.input["args"][2])
            for step in self._dbos.list_workflow_steps(name):
                if not isinstance(step["output"], str):
                    break
                done.append(step["output"])
            return done
        return []

    def cancel(self, job: Job) -> None:
        if self._dbos is not None and self.users:
            self._dbos.cancel_workflow(job.name)

    def leave(self, user: Durable) -> None:
        with self._lock:
            if user in self.users:
                self.users.discard(user)
                if not self.users:
                    self._end()

    def _end(self) -> None:
        self._dbos.destroy(workflow_completion_timeout_sec=0)

    def run_step(self, name: str, number: int, before: str) -> str:
        result: str = self._dbos.run_step({"name": f"step {number}"}, _step, name, number, before)
        return result


_ENGINE = _Engine()


def _steps_of(name: str, count: int, done: list[str]) -> str:
    before = done[-1] if done else ""
    for number in range(len(done), count):
        before = _ENGINE.run_step(name, number, before)
    return before


def _step(name: str, number: int, before: str) -> str:
    job = _ENGINE.jobs.get(name)
    if job is None:
        raise StoreError("the process that ran the task has let go of it")
    return job.step(number, before)


def create(options: Options, *, clock: Clock, ids: Ids, surroundings: Surroundings) -> Durable:
    if find_spec("dbos") is None:
        raise ConfigError("the adapter durable of task_runner needs the package dbos: pip install 'protea[durable]'")
    folder = options.folder or os.path.join(surroundings.protea_home, "tasks")
    owner, database = owner_of(ids, options.worker), options.database
    if database is None:
        return Durable(Table(folder, owner), f"sqlite:///{folder}/durable.sqlite", clock, ids)
    if not database.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ConfigError(f"the database of tasks is a PostgreSQL URL, postgresql://…, or left out; not {database!r}")
    from protea.adapters.task_runner._postgres import PostgresTable  # SQLite needs no driver

    return Durable(PostgresTable(database, owner, options.silence), database, clock, ids)
