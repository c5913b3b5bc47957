"""Work that goes on beside the turns of a session: begun by calls, kept by the task runner, told to the model.

Held by a session that has begun some, or was taken up again with some in its log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, Protocol

from msgspec.structs import replace

from protea.application.hub import Hub
from protea.domain.delegation import brief
from protea.domain.errors import ProteaError, StoreError, UsageError
from protea.domain.events import NoticeGiven, PromptSubmitted, TaskChanged
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.task_runner import Task, TaskRunner

NEWS = 1.0
"""Seconds that lie at least between two events on how a task stands."""
LONGEST = 4_000
"""Characters of what a task brought that the model is told; the whole is where the event says."""

Work = Callable[[Callable[[str], None]], Awaitable[str]]
States = Literal["done", "failed", "stopped"]


class Body(Protocol):
    """The session, as far as it is needed here."""

    @property
    def id(self) -> str: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def busy(self) -> bool: ...
    @property
    def wakes(self) -> bool: ...

    async def wake(self, text: str) -> None: ...


class Begun:
    """A task of this process, as it is known here."""

    def __init__(self, event: TaskChanged, work: Work, ended: str, begun: float) -> None:
        self.event = event
        self.work = work
        self.ended = ended
        """What the model is told before what it brought."""
        self.begun = begun
        self.told = 0.0
        self.quiet = False
        """Whether the model has ended it itself, and need not be told."""
        self.partial = ""
        """What there is of it where it was stopped."""
        self.done = asyncio.Event()


class Tasks:
    """The tasks of one session."""

    def __init__(self, body: Body, open_runner: Callable[[], TaskRunner]) -> None:
        self._body = body
        self._open = open_runner
        self._runner: TaskRunner | None = None
        self._begun: dict[str, Begun] = {}
        self._named: dict[str, Begun] = {}
        """By the name under which their work waits to be begun."""
        self._waiting: set[asyncio.Task[None]] = set()
        self._closing = False

    async def begin(
        self,
        kind: str,
        title: str,
        work: Work,
        *,
        call_id: str,
        log: str = "",
        ended: str = "",
        agent: str = "",
    ) -> str:
        """Begin work and keep it; its id. Raises `StoreError` or `UsageError` where it cannot be kept."""
        runner, body = self._opened(), self._body
        name = body.ids.short("w")
        event = TaskChanged(
            id="",
            title=brief(title, 200),
            state="running",
            kind=kind,
            call_id=call_id,
            log=log,
            agent=agent,
            background=True,
        )
        begun = Begun(event, work, ended, body.clock.monotonic())
        self._named[name] = begun
        runner.define(kind, self._run)
        given = {"name": name, "title": title, "log": log, "session": body.id}
        try:
            task = await runner.start(kind, given, title=event.title, session=body.id)
        except BaseException:
            del self._named[name]
            raise
        begun.event = replace(event, id=task.id)
        self._begun[task.id] = begun
        body.hub.record(begun.event)
        follower = asyncio.create_task(self._follow(task), name=f"follow {task.id}")
        self._waiting.add(follower)
        follower.add_done_callback(self._waiting.discard)
        return task.id

    def running(self) -> Sequence[TaskChanged]:
        return [each.event for each in self._begun.values() if not each.done.is_set()]

    def find(self, id: str) -> TaskChanged | None:
        """A task that was begun here, by its id or its agent's session."""
        found = (each.event for each in self._begun.values() if id in (each.event.id, each.event.child))
        return next(found, None)

    def take_down(self, id: str, *, child: str = "", partial: str = "") -> None:
        """Which session the agent of a task has; what it had brought when it was stopped."""
        begun = self._begun[id]
        begun.event = replace(begun.event, child=child or begun.event.child)
        begun.partial = partial or begun.partial

    async def stop(self, id: str, *, quiet: bool = False) -> str | None:
        """End one; how it stands then. None where there is none of that name. `quiet`: the model is not told."""
        event = self.find(id)
        if event is None:
            return None
        self._begun[event.id].quiet = quiet
        await self._opened().stop(event.id)
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self._begun[event.id].done.wait()
        event = self._begun[event.id].event
        return f"{event.id} ({event.title}): {event.state}" + (f", {event.detail}" if event.detail else "")

    async def recover(self, left: Mapping[str, TaskChanged]) -> None:
        """Say what became of tasks that ran when the last process that had this session ended."""
        lost = [replace(event, state="lost", detail=_lost(event), tool="") for event in left.values()]
        if any(event.background for event in lost):
            with suppress(ProteaError):  # what is lost is lost, whether or not that can be kept
                await self._opened().recover()
        names = "".join(f"\n- {event.title}: {event.detail}" for event in lost)
        text = f"{len(lost)} task{'' if len(lost) == 1 else 's'} ended with the process that ran them:{names}"
        body = self._body
        body.hub.record(*lost, NoticeGiven(level="warning", text=text))
        self.news(text)

    def news(self, text: str) -> None:
        """Let the model know: before its next request where a turn runs, else with the next prompt; or at once, where
        sessions are to be woken."""
        body = self._body
        if body.wakes and not body.busy:
            waking = asyncio.create_task(self._wake(f"[Protea] {text}"), name=f"wake {body.id}")
            self._waiting.add(waking)
            waking.add_done_callback(self._waiting.discard)
            return
        told = PromptSubmitted(id=body.ids.short("p"), text=f"[Protea] {text}", delivery="steer", origin="task")
        with suppress(StoreError):  # who reads the log will be told by the log itself
            body.hub.record(told)

    async def close(self) -> None:
        """End all that run here."""
        self._closing = True
        if self._runner is None:
            return
        for event in self.running():
            with suppress(ProteaError):
                await self._runner.stop(event.id)
        while self._waiting:
            await asyncio.wait(self._waiting)

    def _opened(self) -> TaskRunner:
        if self._runner is None:
            self._runner = self._open()
        return self._runner

    async def _run(self, given: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        begun = self._named.pop(str(given.get("name")), None)
        if begun is None:
            raise UsageError("its process ended, and it cannot be begun again")

        def progress(line: str) -> None:
            tell(line)
            now = self._body.clock.monotonic()
            if begun.event.kind != "agent" and now - begun.told >= NEWS and begun.event.id:
                begun.told = now
                begun.event = replace(begun.event, detail=line, seconds=round(now - begun.begun, 3))
                with suppress(StoreError):
                    self._body.hub.record(begun.event)

        return await begun.work(progress)

    async def _follow(self, task: Task) -> None:
        """Wait for its end and tell of it."""
        begun = self._begun[task.id]
        try:
            ended = await self._opened().wait(task.id)
            state, result = ended.state, ended.result
        except ProteaError as error:
            state, result = "failed", str(error)
        result = result or begun.partial
        seconds = round(self._body.clock.monotonic() - begun.begun, 3)
        known: States = "done" if state == "done" else "stopped" if state == "stopped" else "failed"
        begun.event = replace(begun.event, state=known, detail=brief(result, 200), seconds=seconds)
        begun.done.set()
        with suppress(StoreError):
            self._body.hub.record(begun.event)
        if self._closing or begun.quiet:
            return  # nobody will read it in this process, and the next one finds the event; or it is known
        whole = f"\nThe whole output is in {begun.event.log}." if begun.event.log else ""
        text = result if len(result) <= LONGEST else f"{result[:LONGEST]}\n[cut: {len(result) - LONGEST:,} more]"
        lead = begun.ended or f"The task {task.id} ({begun.event.title})"
        self.news(f"{lead} has ended: {known}.{whole}" + (f"\n{text}" if text else ""))

    async def _wake(self, text: str) -> None:
        with suppress(ProteaError):  # it was closed meanwhile, or cannot be written: who follows it is told
            await self._body.wake(text)


def _lost(event: TaskChanged) -> str:
    if event.child:
        return f"its session {event.child} is kept; Agent with resume={event.child} goes on with it"
    if event.log:
        return f"what it had written is in {event.log}"
    return "nothing of it is kept"
