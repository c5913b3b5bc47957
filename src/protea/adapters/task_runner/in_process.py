"""Tasks of this process, kept in a database: when it dies, the next one begins them again or calls them lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.task_runner._table import Owner, Table, lives
from protea.domain.errors import ProteaError, StoreError, UsageError
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.task_runner import Progress, Task, Work, WorkState

Running = list[asyncio.Task[None]]

LOOK = 0.5
"""Seconds between two looks whether another process asks for an end."""
PATIENCE = 15.0
"""Seconds another process is given to end one of its tasks."""
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
        self._kinds: dict[str, tuple[Work, ...]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._now: dict[str, Task] = {}
        """What runs here, as it stands this moment."""
        self._owner: Owner | None = None
        self._listening: asyncio.Task[None] | None = None

    def define(self, kind: str, *works: Work) -> None:
        self._kinds[kind] = works

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
            await self._ask_its_process(id)
        return await self.get(id)

    async def _ask_its_process(self, id: str) -> None:
        """It looks for such a file while it runs tasks."""
        asked = self._asked(id)
        await asyncio.to_thread(_touch, asked)
        for _ in range(int(PATIENCE / LOOK)):
            await asyncio.sleep(LOOK)
            if (await self.get(id)).state != "running":
                return
        with suppress(FileNotFoundError):
            await asyncio.to_thread(os.unlink, asked)
        raise UsageError(f"the process that runs the task {id} does not answer; its session tells what became of it")

    def _asked(self, id: str) -> str:
        return os.path.join(self._folder, f"{id}.stop")

    async def _listen(self) -> None:
        """End what others ask to be ended, while anything runs."""
        while self._running:
            await asyncio.sleep(LOOK)
            for id, running in [*self._running.items()]:
                if _taken(self._asked(id)):
                    running.cancel()

    async def recover(self) -> Sequence[Task]:
        found: list[Task] = []
        own = self._owner.name if self._owner is not None else ""
        for owner in await asyncio.to_thread(self._table.owners):
            if owner == own or (owner and await asyncio.to_thread(lives, self._folder, owner)):
                continue
            left = await asyncio.to_thread(self._table.left_by, owner)
            if any(again and task.kind in self._kinds for task, again in left):
                await self._taken_over(owner)
            for task, again in left:
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
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
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
        works = self._kinds[task.kind]
        running = asyncio.get_running_loop().create_task(self._run(task, works), name=f"task {task.id}")
        self._running[task.id] = running
        running.add_done_callback(lambda _: self._running.pop(task.id, None))
        if self._listening is None or self._listening.done():
            self._listening = asyncio.get_running_loop().create_task(self._listen(), name="ends that are asked for")

    def _put(self, task: Task, *, again: bool) -> None:
        self._table.put(task, self._own().name, again=again)

    def _own(self) -> Owner:
        if self._owner is None:
            try:
                self._owner = Owner(self._folder, f"{os.getpid()}-{self._ids.short('o')}")
            except OSError as error:
                raise StoreError(f"{self._folder} cannot be used: {(error.strerror or '').lower()}") from error
        return self._owner

    async def _run(self, task: Task, works: tuple[Work, ...]) -> None:
        def tell(progress: str) -> None:
            self._now[task.id] = replace(self._now[task.id], progress=progress)

        state: WorkState
        try:
            result, state = await self._perform(task, works, tell), "done"
        except asyncio.CancelledError:
            self._keep(self._ended(self._now[task.id], "stopped", ""))
            raise
        except ProteaError as error:
            result, state = str(error), "failed"
        except Exception as fault:  # work comes from anywhere; what went wrong is what became of the task
            result, state = f"{type(fault).__name__}: {fault}", "failed"
        ended = self._ended(self._now[task.id], state, result)
        self._keep(ended)

    async def _perform(self, task: Task, works: tuple[Work, ...], tell: Progress) -> str:
        """Its steps, from the first that has not ended; what comes out of the last."""
        before = task.steps[-1] if task.steps else ""
        for work in works[len(task.steps) :]:
            before = await work({**task.input, "before": before} if len(works) > 1 else task.input, tell)
            if len(works) > 1:
                now = self._now[task.id]
                self._now[task.id] = now = replace(now, steps=(*now.steps, before))
                await asyncio.to_thread(self._table.update, now)
        return before

    async def _taken_over(self, owner: str) -> None:
        """Tasks of another process, which has died, are about to be begun again here."""

    def _keep(self, ended: Task) -> None:
        # Not in a thread: a task that was cancelled must not wait, and it is one small row.
        self._table.update(ended)
        del self._now[ended.id]

    def _ended(self, task: Task, state: WorkState, result: str) -> Task:
        return replace(task, state=state, ended=self._clock.now(), result=result[:LONGEST])


def _taken(path: str) -> bool:
    """Whether the file was there; it is gone now."""
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def create(options: Options, *, clock: Clock, ids: Ids, surroundings: Surroundings) -> InProcess:
    return InProcess(options.folder or os.path.join(surroundings.protea_home, "tasks"), clock, ids)
