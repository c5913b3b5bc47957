"""Tasks whose steps are kept by a durable engine: what died in the midst of a step goes on with that step elsewhere.

The engine is DBOS, on SQLite here or on PostgreSQL by its URL; it is started with the first task, not before. What
tasks there are is kept as by `in_process`; the engine keeps what each step brought.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable
from concurrent.futures import Future
from importlib.util import find_spec
from typing import Any

import msgspec

from protea.adapters.task_runner.in_process import InProcess
from protea.domain.errors import ConfigError, StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.task_runner import Progress, Task, Work

VERSION = "protea-1"
"""Of the way tasks are made of steps: what was begun under another is not gone on with."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    database: str | None = None
    """`postgresql://…`; SQLite in `tasks/` of Protea's home where it is left out."""
    folder: str | None = None
    """Absolute; `tasks/` in Protea's home where it is left out."""


class Durable(InProcess):
    """One per process at a time: the engine is the process's."""

    def __init__(self, folder: str, database: str, clock: Clock, ids: Ids) -> None:
        super().__init__(folder, clock, ids)
        self._database = database
        self._loop: asyncio.AbstractEventLoop | None = None
        self._steps: dict[str, tuple[tuple[Work, ...], Progress]] = {}
        self._doing: dict[str, Future[str]] = {}

    async def _perform(self, task: Task, works: tuple[Work, ...], tell: Progress) -> str:
        await self._launched()
        self._steps[task.id] = (works, tell)
        try:
            return await asyncio.to_thread(self._through, task, len(works))
        except asyncio.CancelledError:
            doing = self._doing.get(task.id)
            await asyncio.to_thread(_ENGINE.dbos.cancel_workflow, task.id)
            if doing is not None:
                doing.cancel()
            raise
        finally:
            self._steps.pop(task.id, None)

    def _through(self, task: Task, count: int) -> str:
        """In a thread."""
        return _ENGINE.through(task.id, count, new=task.runs == 1)

    async def _taken_over(self, owner: str) -> None:
        await self._launched()
        await asyncio.to_thread(_ENGINE.dbos._recover_pending_workflows, [owner])

    def step(self, id: str, number: int, before: str) -> str:
        """Do one step, in the event loop of whoever began the task. In a thread of the engine's."""
        works, tell = self._steps[id]
        assert self._loop is not None
        task = self._now[id]
        given = {**task.input, "before": before}
        self._doing[id] = doing = asyncio.run_coroutine_threadsafe(_awaited(works[number](given, tell)), self._loop)
        try:
            return doing.result()
        finally:
            self._doing.pop(id, None)

    async def _launched(self) -> None:
        if _ENGINE.runner is self:
            return
        self._loop = asyncio.get_running_loop()
        if self._owner is None:
            await asyncio.to_thread(self._own)
        try:
            await asyncio.to_thread(_ENGINE.launch, self, self._database, self._owner.name if self._owner else "")
        except Exception as fault:  # whatever a database, or its driver, has to say
            raise StoreError(f"the durable engine cannot begin: {type(fault).__name__}: {fault}") from fault

    async def aclose(self) -> None:
        await super().aclose()
        if _ENGINE.runner is self:
            await asyncio.to_thread(_ENGINE.end)


async def _awaited(work: Awaitable[str]) -> str:
    return await work


class _Engine:
    """The engine of this process, and whose tasks it runs. Importing it starts a program, so that waits for a task."""

    def __init__(self) -> None:
        self.runner: Durable | None = None
        self.dbos: Any = None
        self._workflow: Any = None

    def launch(self, runner: Durable, database: str, owner: str) -> None:
        if self.runner is not None:
            self.end()
        if self._workflow is None:
            from dbos import DBOS, WorkflowSerializationFormat  # see above

            self.dbos = DBOS
            portable = WorkflowSerializationFormat.PORTABLE
            self._workflow = DBOS.workflow(name="protea_task", serialization_type=portable)(_steps_of)
        logging.getLogger("dbos").setLevel(logging.ERROR)
        self.dbos(
            config={
                "name": "protea",
                "system_database_url": database,
                "executor_id": owner,
                "application_version": VERSION,
                "log_level": "ERROR",
                "notification_listener_polling_interval_sec": 1.0,
            }
        )
        self.dbos.launch()
        self.runner = runner

    def through(self, id: str, count: int, *, new: bool) -> str:
        """Begin, or find what was begun before, and wait for its end."""
        from dbos import SetWorkflowID  # loaded by now

        if new:
            with SetWorkflowID(id):
                handle = self.dbos.start_workflow(self._workflow, id, count)
        else:
            handle = self.dbos.retrieve_workflow(id)
        result: str = handle.get_result(polling_interval_sec=0.2)
        return result

    def end(self) -> None:
        self.dbos.destroy(workflow_completion_timeout_sec=0)
        self.runner = None


_ENGINE = _Engine()


def _steps_of(id: str, count: int) -> str:
    before = ""
    for number in range(count):
        before = _ENGINE.dbos.run_step({"name": f"step {number}"}, _step, id, number, before)
    return before


def _step(id: str, number: int, before: str) -> str:
    runner = _ENGINE.runner
    if runner is None:
        raise StoreError("the durable engine has ended")
    return runner.step(id, number, before)


def create(options: Options, *, clock: Clock, ids: Ids, surroundings: Surroundings) -> Durable:
    if find_spec("dbos") is None:
        raise ConfigError("the adapter durable of task_runner needs the package dbos: pip install 'protea[durable]'")
    folder = options.folder or os.path.join(surroundings.protea_home, "tasks")
    return Durable(folder, options.database or f"sqlite:///{folder}/durable.sqlite", clock, ids)
