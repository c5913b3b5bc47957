"""Tasks of this process, kept in a database: when it dies, the next one begins them again or calls them lost."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from protea.adapters.task_runner._register import Heard, Register
from protea.adapters.task_runner._table import Table
from protea.domain.errors import ProteaError, StoreError, UsageError
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.task_runner import Progress, Task, Work, WorkState

Kind = TypeVar("Kind")
Running = list[asyncio.Task[None]]

PATIENCE = 15.0
"""Seconds another process is given to end one of its tasks."""
LOOK = 0.25
"""Seconds between two looks whether it has."""
ALONE = 0.6
"""Part of the silence after which others take over in which a process that reaches nobody gives its tasks up itself."""
LONGEST = 64_000
"""Characters of a result that are kept."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folder: str | None = None
    """Absolute; `tasks/` in Protea's home where it is left out."""


class TakenOverError(ProteaError):
    """Another process has taken the task over."""


class Pulse:
    """Beats in a thread of its own: a process lives also while its event loop is busy. Whether it is alone is looked at
    apart from that: a database that neither answers nor refuses keeps that thread waiting."""

    def __init__(
        self, register: Register, running: Callable[[], Sequence[str]], heard: Callable[[Heard | None], None]
    ) -> None:
        self._register = register
        self._running = running
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._end = threading.Event()
        self.last = monotonic()
        """When the last beat that arrived was begun."""
        self._thread = threading.Thread(target=self._beat, name="beats", daemon=True)
        self._thread.start()
        self._watch: asyncio.TimerHandle | None = None
        if register.silence is not None:
            self._look()

    @property
    def alone(self) -> bool:
        """Whether others may soon think that this process is gone."""
        silence = self._register.silence
        return silence is not None and monotonic() - self.last > silence * ALONE

    def _beat(self) -> None:
        while not self._end.wait(self._register.pause):
            begun = monotonic()
            try:
                heard = self._register.beat(self._running())
            except StoreError:
                continue
            self.last = begun
            if heard.asked or heard.taken:
                with suppress(RuntimeError):  # the loop was closed meanwhile
                    self._loop.call_soon_threadsafe(self._heard, heard)

    def _look(self) -> None:
        if self.alone:
            self._heard(None)
        self._watch = self._loop.call_later(self._register.pause, self._look)

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._end.set()
        await asyncio.to_thread(self._thread.join)


class InProcess:
    def __init__(self, register: Register, clock: Clock, ids: Ids) -> None:
        self._register = register
        self._clock = clock
        self._ids = ids
        self._kinds: dict[str, tuple[Work, ...]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._now: dict[str, Task] = {}
        """What runs here, as it stands this moment."""
        self._pulse: Pulse | None = None

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
        await asyncio.to_thread(self._register.put, task, again=again)
        self._begin(task)
        return task

    async def get(self, id: str) -> Task:
        found = self._now.get(id) or await asyncio.to_thread(self._register.get, id)
        if found is None:
            raise UsageError(f"there is no task {id}; `protea tasks list` shows them")
        return found

    async def list(self, session: str | None = None) -> Sequence[Task]:
        kept = await asyncio.to_thread(self._register.list, session)
        now = ((self._now.get(task.id), task) for task in kept)
        return [task if here is None else replace(here, owner=task.owner, beat=task.beat) for here, task in now]

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
        if await asyncio.to_thread(self._register.ask, id, self._clock.now()):
            return
        patience = max(PATIENCE, 2 * (self._register.silence or 0))
        for _ in range(int(patience / LOOK)):
            await asyncio.sleep(LOOK)
            if (await self.get(id)).state != "running":
                return
        await asyncio.to_thread(self._register.withdraw, id)
        raise UsageError(f"the process that runs the task {id} does not answer; its session tells what became of it")

    def _hear(self, heard: Heard | None) -> None:
        """What a beat brought; None: for long none has arrived."""
        if heard is not None:
            for id in heard.asked:
                if id in self._running:
                    self._running[id].cancel()
        for id in [*self._running] if heard is None else heard.taken:
            self._let_go(id)

    def _let_go(self, id: str) -> None:
        """End what another process does, or may soon do, without a word about it."""
        if self._now.pop(id, None) is not None:
            self._running[id].cancel()

    def _held(self, id: str) -> None:
        """Raises `TakenOverError` where the task is not this process's any more, or may not be."""
        if id not in self._now or (self._pulse is not None and self._pulse.alone):
            raise TakenOverError(f"another process has taken over the task {id}")

    async def recover(self, session: str | None = None) -> Sequence[Task]:
        claimed = await asyncio.to_thread(self._register.claim, [*self._kinds], session, self._clock.now())
        for each in claimed:
            if each.again:
                self._begin(each.task)
        return [each.task for each in claimed]

    async def aclose(self) -> None:
        await self._end([*self._running.values()])
        pulse, self._pulse = self._pulse, None
        with suppress(StoreError):
            for task in [*self._now.values()]:  # how it ended could not be written then
                await self._keep(task)
        if pulse is not None:
            await pulse.close()
        await asyncio.to_thread(self._register.close)

    async def _end(self, running: Running) -> None:
        for each in running:
            each.cancel()
        if running:
            await asyncio.wait(running)
        for task in [*self._now.values()]:
            if task.id not in self._running and task.state == "running":
                # It was cancelled before its first step, and could not say so itself.
                with suppress(StoreError):
                    await self._keep(self._ended(task, "stopped", ""))

    def _begin(self, task: Task) -> None:
        self._now[task.id] = task
        if self._pulse is None:
            self._pulse = Pulse(self._register, lambda: [*self._now], self._hear)
        works = self._kinds[task.kind]
        running = asyncio.get_running_loop().create_task(self._run(task, works), name=f"task {task.id}")
        self._running[task.id] = running
        running.add_done_callback(lambda _: self._running.pop(task.id, None))

    async def _run(self, task: Task, works: tuple[Work, ...]) -> None:
        def tell(progress: str) -> None:
            if task.id in self._now:
                self._now[task.id] = replace(self._now[task.id], progress=progress)

        state: WorkState
        try:
            result, state = await self._perform(task, works, tell), "done"
            if not isinstance(result, str):  # work comes from anywhere
                result, state = f"it gave {type(result).__name__} instead of text", "failed"
        except asyncio.CancelledError:
            if task.id in self._now:
                with suppress(StoreError):
                    await self._keep(self._ended(self._now[task.id], "stopped", ""))
            raise
        except TakenOverError:
            self._now.pop(task.id, None)
            return
        except ProteaError as error:
            result, state = str(error), "failed"
        except Exception as fault:  # what went wrong is what became of the task
            result, state = f"{type(fault).__name__}: {fault}", "failed"
        if task.id in self._now:
            with suppress(StoreError):
                await self._keep(self._ended(self._now[task.id], state, result))

    async def _perform(self, task: Task, works: tuple[Work, ...], tell: Progress) -> str:
        """Its steps, from the first that has not ended; what comes out of the last."""
        before = task.steps[-1] if task.steps else ""
        for work in works[len(task.steps) :]:
            self._held(task.id)
            before = await work({**task.input, "before": before} if len(works) > 1 else task.input, tell)
            if len(works) > 1:
                self._held(task.id)
                now = self._now[task.id]
                self._now[task.id] = now = replace(now, steps=(*now.steps, before))
                if not await asyncio.to_thread(self._register.update, now):
                    raise TakenOverError(f"another process has taken over the task {task.id}")
        return before

    async def _keep(self, ended: Task) -> None:
        """Write down how it ended, also while the task is cancelled. Where that cannot be done it is known here as long
        as this process lives, and tried again at its end."""
        self._now[ended.id] = ended
        await surely(asyncio.to_thread(self._write, ended))
        self._now.pop(ended.id, None)

    def _write(self, ended: Task) -> None:
        if not self._register.update(ended) and self._register.get(ended.id) is None:
            self._register.put(ended, again=False)  # somebody has removed what was known of it

    def _ended(self, task: Task, state: WorkState, result: str) -> Task:
        return replace(task, state=state, ended=self._clock.now(), result=result[:LONGEST])


async def surely(work: Awaitable[Kind]) -> Kind:
    """Wait for it, whoever else wants this task to end: who asked for that is told by whoever calls this."""
    doing = asyncio.ensure_future(work)
    while not doing.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([doing])
    return doing.result()


def owner_of(ids: Ids, worker: str | None = None) -> str:
    """The name of this process: where it runs, its number, and letters that nobody else has."""
    place = re.sub(r"[^A-Za-z0-9_.-]+", "-", worker or os.uname().nodename).strip("-.")[:60]
    return f"{place or 'here'}-{os.getpid()}-{ids.short('o')[2:]}"


def create(options: Options, *, clock: Clock, ids: Ids, surroundings: Surroundings) -> InProcess:
    folder = options.folder or os.path.join(surroundings.protea_home, "tasks")
    return InProcess(Table(folder, owner_of(ids)), clock, ids)
