"""One open session: what it is made of, and those who do its work. Made by `sessions`.

`obeying` says what it does with a command, `worker` takes its prompts one after another, `turns` runs each of them;
`swapping`, `delegation` and `tasks` come when they are first needed. They hold the session; nobody else changes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from protea.application.approvals import Approvals
from protea.application.budgets import Purse
from protea.application.hooks import HookRunner
from protea.application.hub import Hub
from protea.application.journal import write_down
from protea.application.lineup import Lineup
from protea.application.obeying import obey
from protea.application.parts import Parts
from protea.application.past import Past
from protea.application.tool_runner import ToolRunner
from protea.application.turns import Turns
from protea.application.undoing import Undoing
from protea.application.window import Window
from protea.application.worker import Worker
from protea.domain.commands import AnyCommand, EndSession, Interrupt, SubmitPrompt, Swap
from protea.domain.errors import SessionError, UsageError
from protea.domain.events import (
    Lasting,
    LastingEvent,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    ProfileSwapped,
    SessionEnded,
)
from protea.domain.limits import Limits
from protea.domain.permission import Mode, PermissionRequest
from protea.domain.profile import identity_of
from protea.domain.tools import Taint
from protea.domain.transcript import Transcript
from protea.domain.usage import Usage
from protea.ports.clock import Clock
from protea.ports.gateway import OpenSession
from protea.ports.ids import Ids
from protea.ports.model import Model
from protea.ports.session_store import EventLog, SessionStore

if TYPE_CHECKING:  # opened where a part, a swap or a call asks for them
    from protea.application.beside import BesideCall
    from protea.application.delegation import Children, Delegation
    from protea.application.envelope import Envelope
    from protea.application.looking import Looking
    from protea.application.reviving import GoingAgain
    from protea.application.swapping import Assemble, Planned, Point, Swapping
    from protea.application.tasks import Tasks
    from protea.application.watching import Calls, Spans
    from protea.domain.events import TaskChanged
    from protea.domain.messages import ToolCall
    from protea.domain.swap import SwapPreview


class Session:
    """A session that is open in this process. Lives in one event loop."""

    def __init__(
        self,
        id: str,
        *,
        spec: OpenSession,
        parts: Parts,
        past: Past,
        log: EventLog,
        clock: Clock,
        ids: Ids,
        model: Model,
        store: SessionStore,
        assemble: Assemble,
        preload: Callable[[OpenSession], None],
        children: Children | None = None,
        envelope: Envelope | None = None,
    ) -> None:
        """`envelope` is that of an agent's session, `children` opens those of its own agents.
        `store` is where sessions of parts that name none are kept, `clock` and `ids` are theirs as well."""
        self.id = id
        self.parts = parts
        left = past.mode_chosen if envelope is not None else past.mode if spec.mode is None else ""
        # What was left in plan mode is taken up in it: nothing there was agreed to yet.
        self.mode: Mode = "plan" if left == "plan" else parts.mode
        self.spec = spec
        self.log = log
        self._common = (store, clock, ids)
        self.store = parts.store or store
        self.clock = clock = parts.clock or clock
        self.ids = ids = parts.ids or ids
        self._children = children
        self._envelope = envelope
        self._woken = 0
        """How often it was woken since somebody last prompted it."""
        self.watchers: list[Callable[[LastingEvent], None]] = []
        """Called with every lasting event, before anyone else sees it. They must not raise."""
        self.past = past
        past.mode = self.mode
        self._assemble, self._preload = assemble, preload
        self.hub = Hub(id, log, clock, self._advance, partial(self.store.read, id))
        self.hub.identity = identity_of(parts.profile, spec.ports)
        self.limits = _limits_of(spec, parts)
        priced = self.limits.budget_usd is not None or parts.budgets.any
        self.purse = Purse(parts.budgets, parts.ledger, self.hub, clock, spent=past.cost_usd)
        self.lineup = Lineup(model, parts.fallback, parts.models, self.hub, clock, effort=parts.effort, priced=priced)
        self.approvals = Approvals(self.hub, parts.approval, parts.rules, past.allowed, past.pins)
        self.hooks = HookRunner(
            self.hub,
            lambda: self.parts.hooks,
            lambda: self.mode,
            parts.surroundings.root,
            approvals=self.approvals,
            ids=lambda: self.ids,
            undoing=lambda: self.undoing,
        )
        self.undoing = self._undoing_of(parts)
        self.runner = ToolRunner(
            toolsets=parts.toolsets,
            permission=parts.permission,
            approvals=self.approvals,
            hub=self.hub,
            ids=ids,
            request=self._permission_request,
            output_folder=lambda: self.log.folder,
            hooks=self.hooks,
            undoing=self.undoing,
            audit=lambda: self.parts.audit,
            now=lambda: self.clock.now(),
            beside=self._beside,
        )
        self.turns = Turns(self)
        self.worker = Worker(self, self.turns)
        self._closing: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._swaps: Swapping | None = None
        self.agents: Delegation | None = None
        """None until it sends one. So for `begun_tasks`."""
        self.begun_tasks: Tasks | None = None
        self._looking: Looking | None = None
        self._spans: Spans | None = None
        self._calls: Calls | None = None
        self._open_by_the_way()

    # ── what it is ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def usable(self) -> bool:
        """Whether it takes commands; one that was closed or could not be written must be opened again."""
        return self._closing is None and self.hub.failure is None

    @property
    def working(self) -> bool:
        """Whether it has prompts to run."""
        return self.worker.working

    @property
    def busy(self) -> bool:
        """Whether a turn runs, or the conversation is shrunk."""
        return self.worker.busy

    @property
    def running(self) -> tuple[str, ...]:
        """The tools whose calls run."""
        return self.runner.running

    @property
    def wakes(self) -> bool:
        """Whether news of a task begin a turn."""
        settings = self.parts.tasks
        return settings.wake and not self.worker.held and self.usable and self._woken < settings.most_wakes

    @property
    def transcript(self) -> Transcript:
        return self.past.transcript

    @property
    def pins(self) -> tuple[str, ...]:
        return self.transcript.pins

    @property
    def cost_usd(self) -> float:
        """Dollars of all its turns."""
        return self.past.cost_usd

    @property
    def last_usage(self) -> Usage:
        """What the last reply used: what its provider may have cached."""
        return self.past.context

    @property
    def model(self) -> str:
        return self.lineup.current.info.id

    @property
    def repeatable(self) -> tuple[str, ...]:
        """Commands that may be run again where their process died."""
        return self.parts.tasks.again

    def going_again(self, event: TaskChanged) -> GoingAgain:
        """Takes what the call sets going that is made once more to bring back a task."""
        from protea.application.reviving import GoingAgain  # after a crash

        return GoingAgain(self, event)

    def calls_behind(self, tasks: Iterable[str]) -> dict[str, tuple[ToolCall, bool]]:
        """The calls that set tasks going, as the log has them, and whether a person said yes to each."""
        from protea.application.reviving import calls_behind  # after a crash

        return calls_behind(self.log.read(), tasks)

    def going_on(self, event: TaskChanged, text: str) -> dict[str, Any]:
        """The arguments that let an agent go on in its own session."""
        from protea.application.reviving import going_on  # after a crash

        return going_on(event, text)

    async def resume_task(self, id: str, text: str) -> None:
        """See `ResumeTask`."""
        from protea.application.reviving import resume  # when somebody first does

        await resume(self, id, text)

    def last_words(self, child: str) -> tuple[str, tuple[Taint, ...]]:
        """What an agent of it said last, and whose words it had heard; empty where that cannot be told."""
        from protea.application.reviving import last_words  # after a crash

        return last_words(self.store, child)

    @property
    def depth(self) -> int:
        """How many sessions are above it."""
        return 0 if self._envelope is None else self._envelope.depth

    @property
    def mode_in_force(self) -> Mode:
        """Its mode, or that of the session that sent it, where that allows less."""
        return self.mode if self._envelope is None else self._envelope.least(self.mode)

    @property
    def heard(self) -> tuple[Taint, ...]:
        """Whose words are in it besides the person's, those that its sender had heard included."""
        above = () if self._envelope is None else self._envelope.above.heard
        return tuple(dict.fromkeys((*self.past.heard, *above)))

    def left_usd(self) -> float | None:
        """Dollars that the turn that runs may still spend; None where nothing limits it."""
        return self.turns.left_usd()

    def _advance(self, event: LastingEvent) -> None:
        write_down(event)
        self.turns.saw(event)
        self.past.take(event)
        if self._spans is not None:
            self._spans.saw(event)
        if self._calls is not None:
            self._calls.saw(event)
        for watcher in self.watchers:
            watcher(event)

    # ── what it is told ────────────────────────────────────────────────────────────────────────────────────────────

    async def submit(self, command: AnyCommand) -> str | None:
        """Take a command; see `Gateway.submit`."""
        if not self.usable and not isinstance(command, EndSession | Interrupt):
            raise self.hub.failure or SessionError(f"session {self.id} is closed")
        if isinstance(command, SubmitPrompt):
            self._woken = 0
        return await obey(self, command)

    async def begin(self, prompt: str, origin: str) -> None:
        """Take a prompt of whoever sent it; while a turn runs it is steered by it."""
        await self.worker.take(SubmitPrompt(text=prompt, delivery="steer", origin=origin))

    async def wake(self, text: str, origin: str) -> None:
        """Begin a turn because something has happened."""
        self._woken += 1
        most = self.parts.tasks.most_wakes
        if self._woken == most:
            why = f"It has woken itself {most} times without a word of yours: what comes now waits for your prompt."
            self.hub.record(NoticeGiven(level="warning", text=why))
        await self.worker.take(SubmitPrompt(text=text, origin=origin))

    def interrupt(self) -> None:
        self.worker.interrupt()

    async def at_rest(self, within: float | None = None) -> bool:
        """Wait until it has nothing to run, or for so many seconds; whether it has."""
        return await self.worker.at_rest(within)

    async def set_mode(self, mode: str, by: str, *beside: Lasting) -> None:
        """`beside` is recorded in the same breath."""
        modes = get_args(Mode)
        if mode not in modes:
            raise UsageError(f"there is no mode {mode}; there are {', '.join(modes)}")
        wanted: Mode = mode  # type: ignore[assignment]  # checked in the line above
        if self._envelope is not None and self._envelope.least(wanted) != wanted:
            raise UsageError(
                f"{self._envelope.agent} may do no more than the session that sent it: {self.mode_in_force}"
            )
        self.mode = wanted
        self.turns.forget_system()
        await self.hub.commit(*beside, ModeChanged(mode=mode, by=by))
        if mode == "yolo" and not self.parts.surroundings.trusted and not self.parts.plain():
            from protea.domain.trust import NO_YOLO  # chosen now and then

            await self.hub.commit(NoticeGiven(level="warning", text=NO_YOLO))

    async def leave_plan_mode(self, *beside: Lasting) -> Mode:
        """Go on in the mode from before plan mode, and record `beside` in the same breath: a process that dies here has
        done all of it or is still in plan mode. The mode that is then in force."""
        if self.mode == "plan":
            await self.set_mode(self.past.mode_before, "plan", *beside)
        else:
            await self.hub.commit(*beside)
        return self.mode_in_force

    async def set_model(self, name: str, effort: str | None) -> None:
        await self.lineup.choose(name, effort)
        self.turns.forget_system()
        if self.spec.interactive:
            self.warm()

    def warm(self) -> None:
        """Begin what the first request will need, while a person types. Nobody waits for it."""
        if self._warming is not None:
            self._warming.cancel()
        self._warming = asyncio.create_task(self.lineup.current.warm(), name=f"warm {self.id}")

    # ── what its worker asks of it ─────────────────────────────────────────────────────────────────────────────────

    async def settle(self, point: Point) -> None:
        """Let a swap take hold, if one waits that may here."""
        if self._swaps is not None:
            await self._swaps.settle(point)

    async def look_again(self) -> None:
        """Before a turn: is there anything of the project that nobody has looked at, has the configuration changed?"""
        project = self.parts.project
        if project is not None and self.spec.interactive and project.unseen(self.parts.surroundings.cwd):
            await self._look().before_turn(project)
        found = self.parts.reread() if self.parts.reread is not None else ()
        if found:
            from protea.application.rereading import take_over  # most sessions see no change

            await take_over(found, self.swapping, self.hub, allowed=self.approvals.allowed)

    def stop_looking(self) -> None:
        """An interrupt came before the turn."""
        if self._looking is not None:
            self._looking.stop()

    async def look_near(self, files: Sequence[str]) -> None:
        """Before anything is read about these files (absolute): has somebody looked at it?"""
        project = self.parts.project
        if project is not None and project.unseen(self.parts.surroundings.cwd, files):
            await self._look().near(project, files)

    def _look(self) -> Looking:
        if self._looking is None:
            from protea.application.looking import Looking  # when there first is something unseen

            self._looking = Looking(self)
        return self._looking

    async def shrink(self) -> None:
        """Do what `window.wanted` asks for, where no turn will."""
        await self.turns.prepare()
        await self.window.of(self.lineup.current, self.turns.system(), self.runner.specs(), self.lineup.effort)

    def _permission_request(self, tool: str, arguments: dict[str, Any], cwd: str | None) -> PermissionRequest:
        around = self.parts.surroundings
        return PermissionRequest(
            tool=tool,
            arguments=arguments,
            cwd=cwd or around.cwd,
            session_cwd=around.cwd,
            root=around.root,
            home=around.user_home,
            mode=self.mode_in_force,
            add_dirs=around.add_dirs,
            # Who types a race is there, also where nobody answers what it brings about.
            interactive=self.spec.interactive or (tool == "Race" and bool(self.approvals.typed)),
            trusted=around.trusted or (self.mode_in_force == "yolo" and self.parts.plain()),
            session=self.id,
            pins=self.approvals.pins,
            discards=self.mode_in_force == "plan" and self.parts.sandbox is not None and self.parts.sandbox.discards,
            taint=self.heard,
            layers=self.parts.layers if not self.approvals.allowed else (*self.parts.layers, self.approvals.layer()),
        )

    # ── what comes when it is first needed ─────────────────────────────────────────────────────────────────────────

    def _beside(self, call_id: str) -> BesideCall:
        from protea.application.beside import BesideCall  # when a call first sets something going

        return BesideCall(self, call_id)

    @property
    def delegation(self) -> Delegation:
        """Its agents."""
        if self.agents is None:
            from protea.application.delegation import Delegation  # with the first agent

            if self._children is None:
                raise SessionError(f"session {self.id} sends no agents")
            self.agents = Delegation(self, self._children)
        return self.agents

    @property
    def tasks(self) -> Tasks:
        """What goes on beside its turns."""
        if self.begun_tasks is None:
            from protea.application.tasks import Tasks  # with the first task

            if self.parts.task_runner is None:
                raise UsageError("nothing is there that could keep tasks: the port task_runner is not filled")
            self.begun_tasks = Tasks(self, self.parts.task_runner)
        return self.begun_tasks

    @property
    def swapping(self) -> Swapping:
        """Its swaps: most sessions stay who they are."""
        if self._swaps is None:
            from protea.application.swapping import Swapping  # with the first swap

            self._swaps = Swapping(self, self._bounded, self._preload)
        return self._swaps

    def _bounded(self, spec: OpenSession, before: Parts | None) -> Parts:
        """What it would be made of: an agent is within its envelope whoever it becomes."""
        parts = self._assemble(spec, before)
        return parts if self._envelope is None else self._envelope.around(parts, parts.mode)

    def _open_by_the_way(self) -> None:
        """What most sessions do without, made of the parts that are there; again after one of these was exchanged."""
        parts = self.parts
        self.window = Window(
            context=parts.context,
            compaction=parts.compaction,
            tokens=parts.tokens,
            transcript=lambda: self.transcript,
            hub=self.hub,
            clock=self.clock,
            before_compaction=self._before_compaction,
            after_compaction=self._after_compaction,
            pay=self.purse.pay,
        )
        if self._calls is not None:
            self._calls.close()
        self._spans = self._calls = None
        if parts.telemetry is not None or parts.notifier is not None:
            from protea.application.watching import Calls, Spans

            self._spans = Spans(parts.telemetry, self.id) if parts.telemetry is not None else None
            self._calls = Calls(parts.notifier, self.clock) if parts.notifier is not None else None

    async def _before_compaction(self, what: str, question: str) -> tuple[str, str]:
        said = await self.hooks.ask("before_compaction", text=what, instructions=question)
        if said.verdict == "deny":
            return said.why or f"the hook {said.hook} says no", question
        asked = question if said.text is None else said.text
        return "", f"{asked}\n\n{said.context}" if said.context else asked

    async def _after_compaction(self, what: str, summary: str) -> str | None:
        said = await self.hooks.ask("after_compaction", text=what, summary=summary)
        self.hooks.tell(said.context)
        return said.text

    # ── exchanging what it is made of ──────────────────────────────────────────────────────────────────────────────

    def store_of(self, parts: Parts) -> SessionStore:
        """Where it is kept when it is made of `parts`."""
        return parts.store or self._common[0]

    def wear(self, planned: Planned, log: EventLog | None) -> None:
        """Exchange what it is made of, all at once. Raises `StoreError` where that cannot be recorded; then it is as it
        was."""
        new, _, clock, ids = planned.parts, *self._common
        before = (self.log, self.store, self.hub.identity)
        clock, ids = new.clock or clock, new.ids or ids
        try:
            self.log, self.store = log or self.log, self.store_of(new)
            self.hub.move(self.log, partial(self.store.read, self.id), clock)
            self.hub.identity = planned.identity
            self.hub.record(*self._told(planned))
        except BaseException:
            self.log, self.store, self.hub.identity = before
            self.hub.move(self.log, partial(self.store.read, self.id), self.clock)
            raise
        self.parts, self.spec = new, planned.spec
        self.clock, self.ids = clock, ids
        self.limits = _limits_of(planned.spec, new)
        self.mode = new.mode if planned.mode is not None else self.mode
        self.purse.use(new.budgets, new.ledger, clock)
        priced = self.limits.budget_usd is not None or new.budgets.any
        self.lineup.use(new.models, new.fallback, clock, priced=priced)
        if planned.model is not None:
            self.lineup.take(planned.model, planned.effort)
        self.approvals.use(new.approval, new.rules)
        if new.checkpoint is not planned.before.checkpoint:
            self.undoing = self._undoing_of(new)
        self.runner.use(new.toolsets, new.permission, ids, self.undoing)
        self.turns.forget_system()
        self._open_by_the_way()

    def _undoing_of(self, parts: Parts) -> Undoing | None:
        if parts.checkpoint is None:
            return None
        return Undoing(parts.checkpoint, self.hub, lambda: self.past.changes)

    def _told(self, planned: Planned) -> Iterator[Lasting]:
        before = planned.before
        if planned.changes or (planned.parts.profile, planned.spec.ports) != (before.profile, self.spec.ports):
            yield ProfileSwapped(
                profile=planned.parts.profile,
                changed={each.port: each.after for each in planned.changes},
                ports=planned.spec.ports,
                by=planned.by,
            )
        model = planned.model
        if model is not None and (model.info.id, planned.effort) != (self.lineup.current.info.id, self.lineup.effort):
            yield ModelSwitched(model=model.info.id, effort=planned.effort, reason=f"profile {planned.identity}")
        if planned.mode is not None:
            yield ModeChanged(mode=planned.mode, by=planned.by)

    async def preview(self, swap: Swap) -> SwapPreview:
        """See `Gateway.preview`."""
        return await self.swapping.preview(swap)

    @property
    def becoming(self) -> str | None:
        """Who it will be, where a swap waits for the point at which it is safe."""
        waiting = self._swaps.waiting if self._swaps is not None else None
        return waiting.identity if waiting is not None else None

    # ── its beginning and its end ──────────────────────────────────────────────────────────────────────────────────

    async def end_what_a_crash_left(self, *, branched_off: bool = False) -> None:
        """Give every call and turn that the last process left open its end, and take up its tasks again; those of the
        session it was branched off from are that one's."""
        if self.log.mended:
            self.hub.record(NoticeGiven(level="warning", text=self.log.mended))
        if self.transcript.turn is not None or self.transcript.questions:
            from protea.application.recovering import end_what_is_open  # few processes die

            await end_what_is_open(self.transcript, self.hub, self.undoing)
        if self.past.tasks and self.parts.task_runner is not None:
            await self.tasks.recover(dict(self.past.tasks), branched_off=branched_off)

    async def close(self, reason: str | None = None) -> None:
        """End the running turn and what it started, then close the log. With a reason, the log says it has ended.

        Whoever calls it while it is being closed waits for the same end. Raises what the log or a part raises on
        closing; all of them are closed by then.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(reason), name=f"close {self.id}")
            self._closing.add_done_callback(lambda task: task.cancelled() or task.exception())  # if all stop waiting
        # Shielded: a client that no longer waits must not leave a session half closed.
        await asyncio.shield(self._closing)

    async def _close(self, reason: str | None) -> None:
        self.worker.interrupt()
        await self.worker.at_rest()
        try:
            await self._end_what_goes_on()
        finally:
            async with AsyncExitStack() as ends:  # the last of them first, and each whatever the others raise
                ends.push_async_callback(self.parts.aclose)
                ends.callback(self.log.close)
                ends.callback(self.hub.close)
                if reason is not None and self.hub.failure is None:
                    ends.push_async_callback(self.hub.commit, SessionEnded(reason=reason))
                if self.turns.began:
                    ends.push_async_callback(self.hooks.ask, "session_end", text=reason or "closed")

    async def _end_what_goes_on(self) -> None:
        if self._swaps is not None:
            await self._swaps.close()
        if self.begun_tasks is not None:
            await self.begun_tasks.close()
        if self._calls is not None:
            self._calls.close()
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])


def _limits_of(spec: OpenSession, parts: Parts) -> Limits:
    return Limits(
        turns=spec.max_turns or parts.max_turns,
        budget_usd=spec.max_budget_usd if spec.max_budget_usd is not None else parts.budget_usd,
        seconds=spec.time_limit or parts.time_limit,
    )
