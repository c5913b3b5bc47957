"""Tasks of this process, kept in a database: when it dies, the next one begins them again or calls them lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.task_runner._table import Owner, Table, lives
from protea.domain.errors import ProteaError, StoreError, UsageError
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.task_runner import Task, Work, WorkState

Running = list[asyncio.Task[None]]

LONGEST = 64_000
"""Characters of a result that are kept."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folder: str | None = None
    """Absolute; `tasks/` in Protea's home where it is left out."""


class InProcess:
    def __init__(self, folder: str, clock: Clock, ids: Ids) -> None:
        self._folder = folder
        self._clock = clock
        self._ids = ids
        self._table = Table(os.path.join(folder, "tasks.sqlite"))
        self._kinds: dict[str, Work] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._now: dict[str, Task] = {}
        """What runs here, as it stands this moment."""
        self._owner: Owner | None = None

    def define(self, kind: str, work: Work) -> None:
        self._kinds[kind] = work

    async def start(
        self, kind: str, input: Mapping[str, Any], *, title: str, session: str = "", again: bool = False
    ) -> Task:
        if kind not in self._kinds:
            raise UsageError(f"there is no kind of task called {kind}; there are {', '.join(self._kinds) or 'none'}")
        task = Task(
            id=self._ids.short("k"),
            kind=kind,
            title=title,
            state="running",
            input=dict(input),
            session=session,
            started=self._clock.now(),
        )
        await self._begin(task, again=again)
        return task

    async def get(self, id: str) -> Task:
        found = self._now.get(id) or await asyncio.to_thread(self._table.get, id)
        if found is None:
            raise UsageError(f"there is no task {id}")
        return found

    async def list(self, session: str | None = None) -> Sequence[Task]:
        kept = await asyncio.to_thread(self._table.list, session)
        return [self._now.get(task.id, task) for task in kept]

    async def wait(self, id: str) -> Task:
        running = self._running.get(id)
        if running is None:
            return await self.get(id)
        await asyncio.wait([running])
        return await self.get(id)

    async def stop(self, id: str) -> Task:
        task, running = await self.get(id), self._running.get(id)
        if running is not None:
            await self._end([running])
        elif task.state == "running":
            raise UsageError(f"the task {id} runs in another process; stop it there")
        return await self.get(id)

    async def recover(self) -> Sequence[Task]:
        found: list[Task] = []
        own = self._owner.name if self._owner is not None else ""
        for owner in await asyncio.to_thread(self._table.owners):
            if owner == own or (owner and await asyncio.to_thread(lives, self._folder, owner)):
                continue
            for task, again in await asyncio.to_thread(self._table.left_by, owner):
                if again and task.kind in self._kinds:
                    task = replace(task, runs=task.runs + 1, progress="")
                    await self._begin(task, again=True)
                else:
                    task = self._ended(task, "lost", "its process ended before it did")
                    await asyncio.to_thread(self._table.update, task)
                found.append(task)
        return found

    async def aclose(self) -> None:
        await self._end([*self._running.values()])
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    async def _end(self, running: Running) -> None:
        for each in running:
            each.cancel()
        if running:
            await asyncio.wait(running)
        for task in [*self._now.values()]:
            if task.id not in self._running:  # it was cancelled before its first step, and could not say so itself
                self._keep(self._ended(task, "stopped", ""))

    async def _begin(self, task: Task, *, again: bool) -> None:
        await asyncio.to_thread(self._put, task, again=again)
        self._now[task.id] = task
        work = self._kinds[task.kind]
        running = asyncio.get_running_loop().create_task(self._run(task, work), name=f"task {task.id}")
        self._running[task.id] = running
        running.add_done_callback(lambda _: self._running.pop(task.id, None))

    def _put(self, task: Task, *, again: bool) -> None:
        if self._owner is None:
            try:
                self._owner = Owner(self._folder, f"{os.getpid()}-{self._ids.short('o')}")
            except OSError as error:
                raise StoreError(f"{self._folder} cannot be used: {(error.strerror or '').lower()}") from error
        self._table.put(task, self._owner.name, again=again)

    async def _run(self, task: Task, work: Work) -> None:
        def tell(progress: str) -> None:
            self._now[task.id] = replace(self._now[task.id], progress=progress)

        state: WorkState
        try:
            result, state = await work(task.input, tell), "done"
        except asyncio.CancelledError:
            self._keep(self._ended(self._now[task.id], "stopped", ""))
            raise
        except ProteaError as error:
            result, state = str(error), "failed"
        except Exception as fault:  # work comes from anywhere; what went wrong is what became of the task
            result, state = f"{type(fault).__name__}: {fault}", "failed"
        ended = self._ended(self._now[task.id], state, result)
        self._keep(ended)

    def _keep(self, ended: Task) -> None:
        # Not in a thread: a task that was cancelled must not wait, and it is one small row.
        self._table.update(ended)
        del self._now[ended.id]

    def _ended(self, task: Task, state: WorkState, result: str) -> Task:
        return replace(task, state=state, ended=self._clock.now(), result=result[:LONGEST])


def create(options: Options, *, clock: Clock, ids: Ids, surroundings: Surroundings) -> InProcess:
    return InProcess(options.folder or os.path.join(surroundings.protea_home, "tasks"), clock, ids)
