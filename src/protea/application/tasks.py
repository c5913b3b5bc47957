"""Work that goes on beside the turns of a session: begun by calls, kept by the task runner, told to the model.

Held by a session that has begun some, or was taken up again with some in its log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any, Literal, Protocol

from msgspec.structs import replace

from protea.application.hub import Hub
from protea.application.tool_runner import ToolRunner
from protea.domain.delegation import brief, spoken_of
from protea.domain.errors import ProteaError, StoreError, TaskFailedError, UsageError
from protea.domain.events import NoticeGiven, PromptSubmitted, TaskChanged
from protea.domain.messages import OWN, ToolCall
from protea.domain.plain import quoted
from protea.domain.tools import Taint
from protea.domain.transcript import Transcript
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.task_runner import Task, TaskRunner
from protea.ports.toolset import Beside

NEWS = 1.0
"""Seconds that lie at least between two events on how a task stands."""
LONGEST = 4_000
"""Characters of what a task brought that the model is told; the whole is where the event says."""

GO_ON = (
    f"{OWN}The process that ran you ended, and you go on in a new one. What was under way then was cut off and may "
    "be half done: look at how things stand, then do the rest of what you were sent for."
)
"""What an agent is told that is brought back."""

THEIRS = "it is of the session that this one was branched off from, and no task of this one"

Work = Callable[[Callable[[str], None]], Awaitable[str]]
States = Literal["done", "failed", "stopped", "lost"]


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
    @property
    def runner(self) -> ToolRunner: ...
    @property
    def transcript(self) -> Transcript: ...
    @property
    def repeatable(self) -> Sequence[str]:
        """Commands that may be run again where their process died, `*` for anything."""
        ...

    def going_again(self, event: TaskChanged) -> Going: ...
    def calls_behind(self, tasks: Iterable[str]) -> Mapping[str, tuple[ToolCall, bool]]:
        """The calls that set tasks going, as the log has them, and whether a person said yes to each."""
        ...

    def going_on(self, event: TaskChanged, text: str) -> dict[str, Any]:
        """The arguments that let an agent go on in its own session."""
        ...

    def last_words(self, child: str) -> tuple[str, tuple[Taint, ...]]:
        """What an agent of it said last, and whose words it had heard."""
        ...

    async def wake(self, text: str, origin: str) -> None: ...


class Going(Beside, Protocol):
    """Takes what a call sets going, instead of letting it go."""

    @property
    def work(self) -> Work | None: ...
    @property
    def log(self) -> str: ...


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
        self.taint: tuple[Taint, ...] = ()
        """Whose words are in what it brings."""
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
        self._unread: list[tuple[str, tuple[Taint, ...]]] = []
        """News for which the session is about to be woken, and whose words they bring."""
        self._waking = False
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
        call: ToolCall | None = None,
        cwd: str = "",
    ) -> str:
        """Begin work and keep it; its id. `call` is what set it going, and `cwd` where: with them another process may
        bring it back. Raises `StoreError` or `UsageError` where it cannot be kept."""
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
        given: dict[str, Any] = {"name": name, "title": title, "log": log, "session": body.id, "cwd": cwd}
        if call is not None:
            given |= {"tool": call.name, "arguments": call.arguments}
        again = call is not None and (kind == "agent" or repeatable(call, body.repeatable))
        try:
            task = await runner.start(kind, given, title=event.title, session=body.id, again=again)
        except BaseException:
            del self._named[name]
            raise
        begun.event = replace(event, id=task.id)
        self._begun[task.id] = begun
        body.hub.record(begun.event)
        self._watch(task)
        return task.id

    def _watch(self, task: Task) -> None:
        follower = asyncio.create_task(self._follow(task), name=f"follow {task.id}")
        self._waiting.add(follower)
        follower.add_done_callback(self._waiting.discard)

    def running(self) -> Sequence[TaskChanged]:
        return [each.event for each in self._begun.values() if not each.done.is_set()]

    def find(self, id: str) -> TaskChanged | None:
        """A task that was begun here, by its id or its agent's session."""
        found = (each.event for each in self._begun.values() if id in (each.event.id, each.event.child))
        return next(found, None)

    def take_down(self, id: str, *, child: str = "", partial: str = "", heard: Sequence[Taint] = ()) -> None:
        """Which session the agent of a task has; what it had brought when it was stopped; whose words it has heard."""
        begun = self._begun[id]
        begun.event = replace(begun.event, child=child or begun.event.child)
        begun.partial = partial or begun.partial
        begun.taint = tuple(dict.fromkeys((*begun.taint, *heard)))

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

    async def recover(self, left: Mapping[str, TaskChanged], *, branched_off: bool = False) -> None:
        """Bring back, of the tasks that ran when the last process that had this session ended, those that can be; say
        what became of each. `branched_off`: they are those of another session, and nothing becomes of them here."""
        if branched_off:
            theirs = [replace(event, state="lost", detail=THEIRS, tool="") for event in left.values()]
            text = "What runs in the session that this one was branched off from is not this one's:"
            text += "".join(f"\n- {event.title}" for event in theirs)
            self._body.hub.record(*theirs, NoticeGiven(level="info", text=text))
            self.news(text)
            return
        back: dict[str, TaskChanged] = {}
        kept: dict[str, Task] = {}
        if any(event.background for event in left.values()):
            with suppress(ProteaError):  # what is lost is lost, whether or not that can be kept
                kept = {task.id: task for task in await self._opened().list(self._body.id) if task.state == "running"}
                back = await self._begun_again({id: event for id, event in left.items() if event.background}, kept)
        body = self._body
        gone = {id: event for id, event in left.items() if id not in back}
        behind = body.calls_behind(gone) if kept else {}
        lost = [
            replace(event, state="lost", detail=self._lost(event, kept.get(id), behind.get(id)), tool="")
            for id, event in gone.items()
        ]
        for goes_on, events in ((False, lost), (True, [*back.values()])):
            if not events:
                continue
            names = "".join(f"\n- {event.title}: {event.detail}" for event in events)
            one = len(events) == 1
            what = f"{len(events)} task{'' if one else 's'}"
            if goes_on:
                lead = f"The process that ran {'it' if one else 'them'} ended; {what} {'goes' if one else 'go'} on"
            else:
                lead = f"{what} ended with the process that ran {'it' if one else 'them'}"
            text = f"{lead}:{names}"
            body.hub.record(*events, NoticeGiven(level="info" if goes_on else "warning", text=text))
            children = () if goes_on else [event.child for event in events if event.child]
            self.news(text, [*dict.fromkeys(kind for child in children for kind in body.last_words(child)[1])])

    async def _begun_again(self, left: Mapping[str, TaskChanged], kept: Mapping[str, Task]) -> dict[str, TaskChanged]:
        """Those that go on, as they stand."""
        runner, body = self._opened(), self._body
        now = body.clock.monotonic()
        behind = body.calls_behind(left)
        names: dict[str, str] = {}
        for id, event in left.items():
            runner.define(event.kind, self._run)
            call, agreed = behind.get(id, (None, False))
            if event.kind == "agent":
                if event.child and (call is None or call.name != "Agent"):  # a person had sent it on
                    call, agreed = ToolCall(id=event.call_id, name="Agent", arguments=body.going_on(event, GO_ON)), True
            elif call is None or not repeatable(call, body.repeatable):
                continue  # that was said of another command, or is said no more
            name = kept[id].input.get("name") if id in kept else None
            if call is not None and isinstance(name, str):
                lead = spoken_of(event.agent) if event.kind == "agent" else f"The {event.kind} {event.title}"
                where = kept[id].input.get("cwd", "")
                begun = Begun(event, self._again(event, call, agreed, where), lead, now - event.seconds)
                names[id], self._named[name], self._begun[id] = name, begun, begun
        back: dict[str, TaskChanged] = {}
        for task in await runner.recover(body.id):
            if task.state == "running" and task.id in self._begun:
                begun = self._begun[task.id]
                begun.event = back[task.id] = replace(begun.event, detail=_goes_on(begun.event), tool="")
                self._watch(task)
        for id, name in names.items():
            if id not in back:
                del self._begun[id], self._named[name]
        return back

    def _again(self, event: TaskChanged, call: ToolCall, agreed: bool, where: object) -> Work:
        """Make the call once more that had set it going; what that sets going now is the work."""

        async def work(tell: Callable[[str], None]) -> str:
            body = self._body
            again = replace(call, id=event.call_id)
            if event.kind == "agent" and event.child:
                told = {"resume": event.child, "prompt": GO_ON, "title": event.title}
                again = replace(again, arguments={**(call.arguments or {}), **told})
            elif event.kind != "agent" and where != (body.runner.cwd() or ""):
                raise TaskFailedError(f"it ran in {where}, and commands now run elsewhere")
            going = body.going_again(event)
            result = await body.runner.once_more(again, going, agreed=agreed)
            if going.work is None and result.is_error:
                raise TaskFailedError(f"it did not go on: {result.text}")
            if going.work is None:
                return result.text  # so quick that it was over before it was a task
            if going.log:
                begun = self._begun[event.id]
                begun.event = replace(begun.event, log=going.log)
                self.news(f"{event.title} runs again: {result.text}")
            return await going.work(tell)

        return work

    def _lost(self, event: TaskChanged, task: Task | None, behind: tuple[ToolCall, bool] | None) -> str:
        """What there is of it, and how it can be done again: as the log has it, whatever stands in the register."""
        body = self._body
        if event.child:
            said, _ = body.last_words(event.child)
            kept = f"its session {event.child} is kept; Agent with resume={event.child} goes on with it"
            return f"{kept}. It had said: {brief(said, 400)}" if said else kept
        kept = f"what it had written is in {event.log}" if event.log else "nothing of it is kept"
        given = behind[0].arguments if behind is not None else None
        command = str(given.get("command", "")) if isinstance(given, dict) else ""
        if event.kind != "shell" or not command:
            return kept
        where = task.input.get("cwd", "") if task is not None else ""
        elsewhere = f" in {brief(str(where), 200)}" if where != (body.runner.cwd() or "") else ""
        how = f"!{command} runs it again{elsewhere}" if "\n" not in command else "the call that began it tells it whole"
        return f"it was interrupted; {kept}; {how}"

    def news(self, text: str, taint: Sequence[Taint] = ()) -> None:
        """Let the model know: before its next request where a turn runs, else with the next prompt; or at once, where
        sessions are to be woken. `taint` is whose words that brings."""
        body = self._body
        if not body.wakes or body.busy:
            self._tell(text, taint)
            return
        self._unread.append((text, tuple(taint)))
        if not self._waking:
            self._waking = True
            waking = asyncio.create_task(self._wake(), name=f"wake {body.id}")
            self._waiting.add(waking)
            waking.add_done_callback(self._waiting.discard)

    def _tell(self, text: str, taint: Sequence[Taint]) -> None:
        """What the turn that runs, or the next one, reads."""
        id, origin = self._body.ids.short("p"), _origin(taint)
        told = PromptSubmitted(id=id, text=f"{OWN}{text}", delivery="steer", origin=origin)
        with suppress(StoreError):  # who reads the log will be told by the log itself
            self._body.hub.record(told)

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
        if state == "running":  # its process was taken for dead
            state, result = "lost", "another process has taken it over"
        known: States = state if state in ("done", "stopped", "lost") else "failed"
        begun.event = replace(begun.event, state=known, detail=_outcome(begun.event, result), seconds=seconds)
        begun.done.set()
        with suppress(StoreError):
            self._body.hub.record(begun.event)
        if self._closing or begun.quiet:
            return  # nobody will read it in this process, and the next one finds the event; or it is known
        whole = f"\nThe whole output is in {begun.event.log}." if begun.event.log else ""
        # What a call brings was cut to size for the model by its tool.
        text = (
            result
            if len(result) <= LONGEST or begun.event.kind == "call"
            else f"{result[:LONGEST]}\n[cut: {len(result) - LONGEST:,} more]"
        )
        lead = begun.ended or f"The task {task.id} ({begun.event.title})"
        # It comes where a person's words stand: what it says is seen to be another's.
        self.news(f"{lead} has ended: {known}.{whole}" + (f"\n{quoted(text)}" if text else ""), begun.taint)

    async def _wake(self) -> None:
        """Begin a turn with all the news there are: of many that come at once it is one turn, and not one each."""
        body = self._body
        try:
            while self._unread:
                news, self._unread = self._unread, []
                if not body.wakes or body.transcript.waiting:  # a turn begins anyway, or none is to
                    for each in news:
                        self._tell(*each)
                    continue
                text = "\n\n".join(f"{OWN}{text}" for text, _ in news)
                taint = [*dict.fromkeys(kind for _, kinds in news for kind in kinds)]
                with suppress(ProteaError):  # it was closed meanwhile, or cannot be written: who follows it is told
                    await body.wake(text, _origin(taint))
        finally:
            self._waking = False


def _origin(taint: Sequence[Taint]) -> str:
    return f"task:{','.join(taint)}" if taint else "task"


def _outcome(event: TaskChanged, result: str) -> str:
    """What came of it, in a line: of a command its last words and how it ended, of all else the first words."""
    lines = [line for line in result.split("\n") if line.strip() and not line.startswith("```")]
    return brief("\n".join(lines[-2:] if event.kind in ("shell", "monitor") else lines), 200)


def _goes_on(event: TaskChanged) -> str:
    if event.kind != "agent":
        return "it is begun again, as [tasks] again says it may be"
    return f"it takes up its session {event.child}" if event.child else "it had not begun, and is sent again"


def repeatable(call: ToolCall, patterns: Sequence[str]) -> bool:
    """Whether the person has said that this command may be run again without asking."""
    command = str(call.arguments.get("command", "")).strip() if isinstance(call.arguments, dict) else ""
    return bool(command) and any(fnmatchcase(command, pattern) for pattern in patterns)
