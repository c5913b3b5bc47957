"""Tasks that are run where they are started."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from protea.domain.errors import ProteaError, UsageError
from protea.ports.task_runner import Task, Work


class KeptTasks:
    """What several `MemoryTaskRunner`s share, as processes would a database."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}


class MemoryTaskRunner:
    """`TaskRunner` that keeps its tasks in `kept`. None of them is ever lost: there is no process to die."""

    def __init__(self, kept: KeptTasks | None = None) -> None:
        self.kept = kept or KeptTasks()
        self._kinds: dict[str, tuple[Work, ...]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def define(self, kind: str, *works: Work) -> None:
        self._kinds[kind] = works

    async def start(
        self, kind: str, input: Mapping[str, Any], *, title: str, session: str = "", again: bool = False
    ) -> Task:
        if kind not in self._kinds:
            raise UsageError(f"there is no kind of task called {kind}")
        number = len(self.kept.tasks) + 1
        started = f"2026-11-21T04:05:{number % 60:02d}.000Z"
        task = Task(
            id=f"k_{number}",
            kind=kind,
            title=title,
            state="running",
            input=dict(input),
            session=session,
            started=started,
            owner="memory",
            beat=started,
        )
        self.kept.tasks[task.id] = task
        self._running[task.id] = asyncio.create_task(self._run(task.id, self._kinds[kind]))
        return task

    async def get(self, id: str) -> Task:
        if id not in self.kept.tasks:
            raise UsageError(f"there is no task {id}")
        return self.kept.tasks[id]

    async def list(self, session: str | None = None) -> Sequence[Task]:
        found = [task for task in self.kept.tasks.values() if session in (None, task.session)]
        return sorted(found, key=lambda task: task.started, reverse=True)

    async def wait(self, id: str) -> Task:
        await self.get(id)
        if id in self._running:
            await asyncio.wait([self._running[id]])
        return await self.get(id)

    async def stop(self, id: str) -> Task:
        await self.get(id)
        if id in self._running:
            self._running[id].cancel()
            await asyncio.wait([self._running[id]])
            if self.kept.tasks[id].state == "running":  # cancelled before its first step
                self.kept.tasks[id] = replace(self.kept.tasks[id], state="stopped", ended="2026-11-21T05:00:00.000Z")
        return await self.get(id)

    async def recover(self, session: str | None = None) -> Sequence[Task]:
        return ()

    async def aclose(self) -> None:
        for id in list(self._running):
            await self.stop(id)

    async def _run(self, id: str, works: tuple[Work, ...]) -> None:
        def tell(progress: str) -> None:
            self.kept.tasks[id] = replace(self.kept.tasks[id], progress=progress)

        try:
            given, before = self.kept.tasks[id].input, ""
            for work in works:
                before = await work({**given, "before": before} if len(works) > 1 else given, tell)
            change: dict[str, Any] = {"state": "done", "result": before}
        except asyncio.CancelledError:
            change = {"state": "stopped"}
            raise
        except ProteaError as error:
            change = {"state": "failed", "result": str(error)}
        except Exception as fault:
            change = {"state": "failed", "result": f"{type(fault).__name__}: {fault}"}
        finally:
            self.kept.tasks[id] = replace(self.kept.tasks[id], ended="2026-11-21T05:00:00.000Z", **change)
