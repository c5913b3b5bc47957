"""One open session: its queue of prompts, the turn that runs, what may interrupt it. Made by `sessions`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from msgspec import to_builtins
from msgspec.structs import replace

from protea.application.approvals import Approvals
from protea.application.budgets import Purse
from protea.application.hooked_turn import hooked_turn
from protea.application.hooks import HookRunner
from protea.application.hub import Hub
from protea.application.journal import write_down
from protea.application.lineup import Lineup
from protea.application.nearby import Nearby
from protea.application.parts import Parts
from protea.application.past import Past
from protea.application.tool_runner import ToolRunner
from protea.application.turn import Turn
from protea.application.undoing import NOTHING_KEPT, Undoing, changes_of, previews_of
from protea.application.window import Window
from protea.domain.commands import (
    AnyCommand,
    Compact,
    Copy,
    EditSummary,
    EndSession,
    Interrupt,
    Redo,
    ResolveApproval,
    Rewind,
    SetMode,
    SetModel,
    SetPins,
    SetTitle,
    Steer,
    StopTask,
    SubmitPrompt,
    Swap,
    Undo,
    UndoCompaction,
    WithdrawPrompt,
)
from protea.domain.errors import Failure, ProteaError, SessionError, StoreError, UsageError
from protea.domain.events import (
    ApprovalResolved,
    Compacted,
    CompactionUndone,
    Lasting,
    LastingEvent,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    PinsChanged,
    ProfileSwapped,
    PromptSubmitted,
    PromptWithdrawn,
    Rewound,
    SessionEnded,
    TaskChanged,
    TitleChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.limits import Limits
from protea.domain.permission import Mode, PermissionRequest
from protea.domain.prefix import PrefixGuard
from protea.domain.profile import identity_of
from protea.domain.tools import Taint
from protea.domain.transcript import INTERRUPTED, Transcript, transcript_of
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
    from protea.application.reviving import GoingAgain
    from protea.application.swapping import Assemble, Planned, Point, Swapping
    from protea.application.tasks import Tasks
    from protea.application.watching import Calls, Spans
    from protea.domain.swap import SwapPreview

MOST_CHANGES = 20
"""Changed settings that are told one by one."""

MOST_TITLE = 200
"""Characters of a title."""


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
        self.mode: Mode = parts.mode
        self.spec = spec
        self.log = log
        self._common = (store, clock, ids)
        self.store = parts.store or store
        self.clock = clock = parts.clock or clock
        self.ids = ids = parts.ids or ids
        self._children = children
        self._envelope = envelope
        self._delegation: Delegation | None = None
        self._tasks: Tasks | None = None
        self.watchers: list[Callable[[LastingEvent], None]] = []
        """Called with every lasting event, before anyone else sees it. They must not raise."""
        self._past = past
        past.mode = self.mode
        self._assemble, self._preload = assemble, preload
        self._swaps: Swapping | None = None
        """Made for the first swap: most sessions stay who they are."""
        self._prefix = PrefixGuard()
        self.hub = Hub(id, log, clock, self._advance, partial(self.store.read, id))
        self.hub.identity = identity_of(parts.profile, spec.ports)
        self._limits = _limits_of(spec, parts)
        priced = self._limits.budget_usd is not None or parts.budgets.any
        self.purse = Purse(parts.budgets, parts.ledger, self.hub, clock, spent=past.cost_usd)
        self.lineup = Lineup(model, parts.fallback, parts.models, self.hub, clock, effort=parts.effort, priced=priced)
        self.approvals = Approvals(self.hub, parts.approval, parts.rules, past.allowed, past.pins)
        self.hooks = HookRunner(self.hub, lambda: self.parts.hooks, lambda: self.mode, parts.surroundings.root)
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
        self._worker: asyncio.Task[None] | None = None
        self._turn: asyncio.Task[TurnFinished] | None = None
        self._looking: asyncio.Task[None] | None = None
        """Asks about files of the project, before a turn."""
        self._unused: set[str] = set()
        """Files of it that were told to be left out, where nobody can be asked."""
        self._held = False
        """After an interrupt the queue waits for the next prompt."""
        self._began = False
        """Whether a turn was run in this process."""
        self._cut = False
        """An interrupt came after a prompt and before its turn."""
        self._closing: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._system: tuple[str, ...] | None = None
        self._shrinking = False
        self._spent_usd = 0.0
        """Of the turn that runs, without its agents."""
        self._worn = parts
        """What the running step was prepared with."""
        self._spans: Spans | None = None
        self._calls: Calls | None = None
        self._open_by_the_way()

    @property
    def cost_usd(self) -> float:
        """Dollars of all its turns."""
        return self._past.cost_usd

    @property
    def _transcript(self) -> Transcript:
        return self._past.transcript

    # ── agents and tasks ───────────────────────────────────────────────────────────────────────────────────────────

    def _beside(self, call_id: str) -> BesideCall:
        from protea.application.beside import BesideCall  # when a call first sets something going

        return BesideCall(self, call_id)

    @property
    def delegation(self) -> Delegation:
        """Its agents."""
        if self._delegation is None:
            from protea.application.delegation import Delegation  # with the first agent

            if self._children is None:
                raise SessionError(f"session {self.id} sends no agents")
            self._delegation = Delegation(self, self._children)
        return self._delegation

    @property
    def tasks(self) -> Tasks:
        """What goes on beside its turns."""
        if self._tasks is None:
            from protea.application.tasks import Tasks  # with the first task

            if self.parts.task_runner is None:
                raise UsageError("nothing is there that could keep tasks: the port task_runner is not filled")
            self._tasks = Tasks(self, self.parts.task_runner)
        return self._tasks

    @property
    def repeatable(self) -> tuple[str, ...]:
        """Commands that may be run again where their process died."""
        return self.parts.tasks.again

    def going_again(self, event: TaskChanged) -> GoingAgain:
        """Takes what the call sets going that is made once more to bring back a task."""
        from protea.application.reviving import GoingAgain  # after a crash

        return GoingAgain(self, event)

    def last_words(self, child: str) -> str:
        """What an agent of it said last; empty where that cannot be told."""
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
    def model(self) -> str:
        return self.lineup.current.info.id

    @property
    def pins(self) -> tuple[str, ...]:
        return self._transcript.pins

    @property
    def heard(self) -> tuple[Taint, ...]:
        """Whose words are in it besides the person's, those that its sender had heard included."""
        above = () if self._envelope is None else self._envelope.above.heard
        return tuple(dict.fromkeys((*self._past.heard, *above)))

    @property
    def wakes(self) -> bool:
        return self.parts.tasks.wake and not self._held and self.usable

    def left_usd(self) -> float | None:
        """Dollars that this turn may still spend; None where nothing limits it."""
        limit = self._limits.budget_usd
        of_turn = None if limit is None else limit - self._spent_usd - self.purse.beside_usd
        found = [each for each in (of_turn, self.purse.left_usd) if each is not None]
        return min(found) if found else None

    async def wake(self, text: str) -> None:
        """Begin a turn because something has happened."""
        await self._prompt(SubmitPrompt(text=text, origin="task"))

    async def begin(self, prompt: str, origin: str) -> None:
        """Take a prompt of whoever sent it; while a turn runs it is steered by it."""
        await self._prompt(SubmitPrompt(text=prompt, delivery="steer", origin=origin))

    async def at_rest(self, within: float | None = None) -> bool:
        """Wait until it has nothing to run, or for so many seconds; whether it has."""
        if self._worker is not None:
            await asyncio.wait([self._worker], timeout=within)
        return not self.working

    def interrupt(self) -> None:
        self._interrupt(None)

    async def _stop_task(self, id: str) -> None:
        agent = self._delegation.of(id) if self._delegation is not None else None
        if self._tasks is not None and await self._tasks.stop(id) is not None:
            return
        if agent is None:
            raise UsageError(f"no task {id} is running")
        agent.child.interrupt()

    def recent_tasks(self) -> list[dict[str, Any]]:
        """`describe("tasks")`: those that run, and the last that have ended."""
        found: list[dict[str, Any]] = [to_builtins(event) for event in self._past.recent_tasks]
        return found

    async def leave_plan_mode(self) -> Mode:
        """Go on in the mode from before plan mode; the mode that is then in force."""
        if self.mode == "plan":
            before = self._past.mode_before
            await self._set_mode(SetMode(mode=before, by="plan"))
        return self.mode_in_force

    @property
    def _swapping(self) -> Swapping:
        if self._swaps is None:
            from protea.application.swapping import Swapping  # see above

            self._swaps = Swapping(self, self._assemble, self._preload)
        return self._swaps

    async def _settle(self, point: Point) -> None:
        """Let a swap take hold, if one waits that may here."""
        if self._swaps is not None:
            await self._swaps.settle(point)

    @property
    def working(self) -> bool:
        """Whether it has prompts to run."""
        return self._worker is not None and not self._worker.done()

    @property
    def busy(self) -> bool:
        """Whether a turn runs, or the conversation is shrunk."""
        return self._shrinking or (self._turn is not None and not self._turn.done())

    @property
    def running(self) -> tuple[str, ...]:
        """The tools whose calls run."""
        return self.runner.running

    @property
    def last_usage(self) -> Usage:
        """What the last reply used: what its provider may have cached."""
        return self._past.context

    @property
    def usable(self) -> bool:
        """Whether it takes commands; one that was closed or could not be written must be opened again."""
        return self._closing is None and self.hub.failure is None

    async def end_what_a_crash_left(self) -> None:
        """Give every call and turn that the last process left open its end: nothing unanswered counts as answered."""
        if self.log.mended:
            self.hub.record(NoticeGiven(level="warning", text=self.log.mended))
        left = self._transcript.turn
        if left is not None:
            questions = [ApprovalResolved(id=id, decision="deny", by="interrupt") for id in self._transcript.questions]
            parts = [change for change in self._transcript.states.values() if change.parent is not None]
            calls = [replace(part, state="cancelled", result=INTERRUPTED) for part in reversed(parts)]
            for call in self._transcript.open_calls:
                if call.id not in self._transcript.states:
                    calls.append(ToolCallChanged(call=call, state="validating"))
                calls.append(ToolCallChanged(call=call, state="cancelled", result=INTERRUPTED))
            self.hub.record(*questions, *calls)
            if self.undoing is not None:
                await self.undoing.recover(left.id)
            self.hub.record(TurnFinished(id=left.id, outcome="interrupted"))
        elif self._transcript.questions:  # of agents in the background
            self.hub.record(
                *(ApprovalResolved(id=id, decision="deny", by="interrupt") for id in self._transcript.questions)
            )
        if self._past.tasks and self.parts.task_runner is not None:
            await self.tasks.recover(dict(self._past.tasks))

    def _open_by_the_way(self) -> None:
        """What most sessions do without, made of the parts that are there; again after one of these was exchanged."""
        parts = self.parts
        self._window = Window(
            context=parts.context,
            compaction=parts.compaction,
            tokens=parts.tokens,
            transcript=lambda: self._transcript,
            hub=self.hub,
            before_compaction=self._before_compaction,
            pay=self.purse.pay,
        )
        if self._calls is not None:
            self._calls.close()
        self._spans = self._calls = None
        if parts.telemetry is not None or parts.notifier is not None:
            from protea.application.watching import Calls, Spans

            self._spans = Spans(parts.telemetry, self.id) if parts.telemetry is not None else None
            self._calls = Calls(parts.notifier, self.clock) if parts.notifier is not None else None

    def warm(self) -> None:
        """Begin what the first request will need, while a person types. Nobody waits for it."""
        if self._warming is not None:
            self._warming.cancel()
        self._warming = asyncio.create_task(self.lineup.current.warm(), name=f"warm {self.id}")

    async def withdraw_all(self) -> None:
        """Take back every prompt that waits."""
        waiting = [PromptWithdrawn(id=id) for id in self._transcript.waiting]
        if waiting:
            await self.hub.commit(*waiting)

    async def submit(self, command: AnyCommand) -> str | None:
        """Take a command; see `Gateway.submit`."""
        if not self.usable and not isinstance(command, EndSession | Interrupt):
            raise self.hub.failure or SessionError(f"session {self.id} is closed")
        match command:
            case SubmitPrompt():
                return await self._prompt(command)
            case Steer():
                return await self._prompt(SubmitPrompt(text=command.text, delivery="steer", by=command.by))
            case WithdrawPrompt():
                if command.id not in self._transcript.waiting:
                    raise UsageError(f"no prompt {command.id} is waiting")
                await self.hub.commit(PromptWithdrawn(id=command.id))
            case Interrupt():
                self._interrupt(command.call_id)
            case ResolveApproval():
                await self.approvals.resolve(command)
            case SetModel():
                await self._set_model(command)
            case SetMode():
                await self._set_mode(command)
            case Compact():
                self._compact(command)
            case EditSummary():
                await self._edit_summary(command)
            case UndoCompaction():
                await self._undo_compaction()
            case SetPins():
                await self.hub.commit(PinsChanged(pins=command.pins))
            case Rewind():
                await self._rewind(command)
            case Undo() | Redo():
                await self._restore(command)
            case Swap():
                await self._swapping.swap(command)
            case SetTitle():
                await self._set_title(command)
            case Copy():
                await self._copy(command.text)
            case StopTask():
                await self._stop_task(command.id)
            case EndSession():
                await self.close(command.reason)
        return None

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
        self._interrupt(None)
        if self._worker is not None:
            await asyncio.wait([self._worker])
        if self._swaps is not None:
            await self._swaps.close()
        if self._tasks is not None:
            await self._tasks.close()
        if self._calls is not None:
            self._calls.close()
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        async with AsyncExitStack() as ends:  # each of them, whatever the others raise
            ends.push_async_callback(self.parts.aclose)
            if self._began:
                ends.push_async_callback(self.hooks.ask, "session_end", text=reason or "closed")
            ends.callback(self.log.close)
            ends.callback(self.hub.close)
            if reason is not None and self.hub.failure is None:
                await self.hub.commit(SessionEnded(reason=reason))

    def describe(self) -> dict[str, Any]:
        """Its state, for faces."""
        info = self.lineup.current.info
        return {
            "id": self.id,
            "profile": self.parts.profile,
            "identity": self.hub.identity,
            "swapping": None if self._swaps is None or self._swaps.waiting is None else self._swaps.waiting.identity,
            "title": self._past.title,
            "model": info.id,
            "context": info.context,
            "effort": self.lineup.effort,
            "mode": self.mode,
            "running": self.working,
            "cost_usd": self.cost_usd,
            "priced": info.price is not None,
            "usage": to_builtins(self._past.usage),
            "waiting": [{"id": prompt.id, "text": prompt.text} for prompt in self._transcript.waiting.values()],
            "questions": [question.id for question in self.approvals.open],
            "warnings": list(self.parts.warnings),
            "cwd": self.parts.surroundings.cwd,
            "summary": self._transcript.compacted.summary if self._transcript.compacted else "",
            "pins": list(self._transcript.pins),
        }

    def _advance(self, event: LastingEvent) -> None:
        write_down(event)
        self._prefix.note(event)
        self._past.take(event)
        if self._spans is not None:
            self._spans.saw(event)
        if self._calls is not None:
            self._calls.saw(event)
        if isinstance(event, MessageCompleted):
            self._spent_usd += event.cost_usd or 0.0
        for watcher in self.watchers:
            watcher(event)

    async def _prompt(self, command: SubmitPrompt) -> str:
        if not command.text.strip() and not command.images:
            raise UsageError("the prompt is empty; say what should be done")
        busy = self._turn is not None and not self._turn.done()
        delivery = command.delivery
        if delivery == "steer" and not busy:
            delivery = "now"
        elif delivery == "now" and busy:
            delivery = "queue"
        id = self.ids.short("p")
        await self.hub.commit(
            PromptSubmitted(id=id, text=command.text, images=command.images, delivery=delivery, origin=command.origin)
        )
        if delivery != "steer":
            self._held = False
            if not self.working and self.usable:
                self._cut = False
                self._worker = asyncio.create_task(self._work(), name=f"session {self.id}")
        return id

    async def _work(self) -> None:
        """Run the prompts that wait, one turn each, until none waits or the queue is held."""
        try:
            if not self._transcript.waiting and self._window.wanted is not None:
                self._shrinking = True
                try:
                    await self.prepare()
                    await self._window.of(self.lineup.current, self._system_parts(), self.runner.specs())
                finally:
                    self._shrinking = False
                await self._settle("idle")
            while self._transcript.waiting and self.usable:
                await self._look_at_project()
                await self._look_again()
                await self._settle("idle")
                prompt = next(iter(self._transcript.waiting.values()), None)
                if prompt is None or not self.usable:
                    return
                await self._one_turn(prompt)
                self._cut = False
                await self._settle("idle")
                worker = asyncio.current_task()
                if self._held or (worker is not None and worker.cancelling()):
                    return
        except ProteaError as error:
            self.hub.fail(error)
        except Exception as fault:
            # A fault of our own must not leave watchers waiting for ever; it is reported by whoever follows.
            self.hub.fail(StoreError(f"{type(fault).__name__}: {fault}"))

    async def _look_at_project(self) -> None:
        """Before a turn: is there anything of the project that nobody has looked at as it is?"""
        project = self.parts.project
        if project is None or not self.spec.interactive or not project.unseen(self.parts.surroundings.cwd):
            return
        from protea.application.looking import ask_about  # when something has changed

        asking = ask_about(project, self.parts.surroundings.cwd, self.hub, self.approvals, self.ids)
        self._looking = asyncio.create_task(self._used(asking), name=f"look at the project {self.id}")
        try:
            await self._looking
        except asyncio.CancelledError:
            if not self._looking.cancelled():
                raise

    async def _used(self, asking: Awaitable[bool]) -> None:
        """Use what a person has said yes to."""
        if not await asking:
            return
        self._system = None
        if self.parts.capabilities is not None:
            for problem in await self.parts.capabilities.ready():
                self.hub.record(NoticeGiven(level="warning", text=problem))
        try:
            await self._swapping.renew("trust")
        except ProteaError as error:
            self.hub.record(NoticeGiven(level="warning", text=f"what you trusted cannot be used yet: {error}"))

    async def _look_again(self) -> None:
        """Before a turn: has the configuration changed meanwhile? What cannot be used changes nothing, and is told."""
        found = self.parts.reread() if self.parts.reread is not None else ()
        for each in found:
            if each.problem:
                text = f"{each.problem}; what was configured before stays in force"
                self.hub.record(NoticeGiven(level="warning", text=text))
            for warning in each.warnings:
                self.hub.record(NoticeGiven(level="warning", text=warning))
        # What was answered with `always` here was saved, and is in force already.
        own = {f"+ allow {rule}" for rule in self.approvals.allowed}
        changes = [change for each in found for change in each.changes if change not in own]
        if not changes:
            return
        try:
            await self._swapping.renew("configuration")
        except ProteaError as error:
            text = f"the configuration has changed and cannot be used, so all stays as it is: {error}"
            self.hub.record(NoticeGiven(level="warning", text=text))
        else:
            more = f"; and {len(changes) - MOST_CHANGES} more" if len(changes) > MOST_CHANGES else ""
            told = "; ".join(changes[:MOST_CHANGES]) + more
            self.hub.record(NoticeGiven(level="info", text=f"the configuration has changed: {told}"))

    async def _one_turn(self, prompt: PromptSubmitted) -> None:
        started = TurnStarted(
            id=self.ids.short("t"), prompt=prompt.id, model=self.lineup.current.info.id, mode=self.mode
        )
        self.hub.record(started)
        self._spent_usd = self.purse.beside_usd = 0.0
        if self.undoing is not None:
            self.undoing.begin(started.id)
        self._turn = asyncio.create_task(self._run(started, prompt), name=f"turn {started.id}")
        if self._cut:
            self._turn.cancel()
        try:
            finished = await self._turn
        except asyncio.CancelledError:
            if not self._turn.cancelled():
                raise
            finished = TurnFinished(id=started.id, outcome="interrupted")  # before its first step
        if self.undoing is not None:
            await self.undoing.finish()
        if self._delegation is not None:
            await self._delegation.withdraw()
        await self.hub.commit(finished)
        if self._delegation is not None:
            self._delegation.ask_again()

    async def _run(self, started: TurnStarted, prompt: PromptSubmitted) -> TurnFinished:
        if prompt.origin == "shell":
            from protea.application.by_hand import by_hand  # typed by people, now and then

            return await by_hand(
                started, prompt.text, hub=self.hub, runner=self.runner, approvals=self.approvals, ids=self.ids
            )
        try:
            await self.prepare()
            given = self._turn_of(started)
        except Exception as fault:  # persona, instructions and tools come from anywhere
            message = str(fault) if isinstance(fault, ProteaError) else f"{type(fault).__name__}: {fault}"
            return TurnFinished(id=started.id, outcome="error", error=Failure(kind="internal", message=message))
        first, self._began = not self._began, True
        return await hooked_turn(given, self.hooks, prompt, first=first)

    def _turn_of(self, started: TurnStarted) -> Turn:
        """What a turn needs, as it is now."""
        self._worn = self.parts
        return Turn(
            started=started,
            hub=self.hub,
            transcript=self._transcript,
            lineup=self.lineup,
            runner=self.runner,
            system=self._system_parts(),
            clock=self.clock,
            ids=self.ids,
            limits=self._limits,
            purse=self.purse,
            prefix=self._prefix,
            schema=self.spec.schema,
            after_calls=self._nearby().after_calls,
            window=self._window,
            at_step=self._at_step,
        )

    async def _at_step(self, given: Turn) -> Turn:
        """Between two requests: the point where who speaks may change."""
        await self._settle("step")
        return given if self._worn is self.parts else self._turn_of(given.started)

    async def prepare(self) -> None:
        """Open what only a request needs, before the system prompt is made of it."""
        if self.parts.prepare is not None:
            for problem in await self.parts.prepare():
                self.hub.record(NoticeGiven(level="warning", text=problem))

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
        self._limits = _limits_of(planned.spec, new)
        self.mode = new.mode if planned.mode is not None else self.mode
        self.purse.use(new.budgets, new.ledger, clock)
        priced = self._limits.budget_usd is not None or new.budgets.any
        self.lineup.use(new.models, new.fallback, clock, priced=priced)
        if planned.model is not None:
            self.lineup.take(planned.model, planned.effort)
        self.approvals.use(new.approval, new.rules)
        if new.checkpoint is not planned.before.checkpoint:
            self.undoing = self._undoing_of(new)
        self.runner.use(new.toolsets, new.permission, ids, self.undoing)
        self._system = None
        self._open_by_the_way()

    def _undoing_of(self, parts: Parts) -> Undoing | None:
        if parts.checkpoint is None:
            return None
        return Undoing(parts.checkpoint, self.hub, lambda: self._past.changes)

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
        return await self._swapping.preview(swap)

    def _system_parts(self) -> tuple[str, ...]:
        """The system prompt: made once, so that the cache of it holds; a change of mode or model remakes it."""
        if self._system is None:
            self._system = self.system_of(self.parts, self.lineup.current.info.id, self.mode)
        return self._system

    def system_of(self, parts: Parts, model: str, mode: str) -> tuple[str, ...]:
        """The system prompt of a session made of `parts`."""
        cwd = parts.surroundings.cwd
        names = tuple(spec.name for toolset in parts.toolsets for spec in toolset.specs())
        said = parts.persona.system(cwd=cwd, model=model, mode=mode, tools=names)
        brought = (parts.capabilities.text,) if parts.capabilities is not None and parts.capabilities.text else ()
        told = (f"Instructions from {each.path}:\n\n{each.text}" for each in parts.instructions.load(cwd))
        return (*said, *brought, *told)

    def _nearby(self) -> Nearby:
        return Nearby(
            self.parts.instructions,
            self.parts.surroundings,
            self.runner.cwd,
            self._transcript,
            self.hub,
            self._look_near if self.parts.project is not None else None,
        )

    async def _look_near(self, files: Sequence[str]) -> None:
        """What says how to work on these files: has somebody looked at it?"""
        project, cwd = self.parts.project, self.parts.surroundings.cwd
        if project is None or not project.unseen(cwd, files):
            return
        from protea.application.looking import ask_about, tell_unused  # when there is

        if self.spec.interactive:
            await ask_about(project, cwd, self.hub, self.approvals, self.ids, files)
        else:
            tell_unused(project, cwd, self.hub, files, self._unused)

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
            interactive=self.spec.interactive,
            trusted=around.trusted or (self.mode_in_force == "yolo" and self.parts.plain()),
            session=self.id,
            pins=self.approvals.pins,
            discards=self.mode_in_force == "plan" and self.parts.sandbox is not None and self.parts.sandbox.discards,
            taint=self.heard,
            layers=self.parts.layers if not self.approvals.allowed else (*self.parts.layers, self.approvals.layer()),
        )

    def _interrupt(self, call_id: str | None) -> None:
        if call_id is not None:
            if not self.runner.stop(call_id):
                raise UsageError(f"no call {call_id} is running")
        elif self.working:
            self._held = True
            if self._turn is not None and not self._turn.done():
                self._turn.cancel()
            else:
                self._cut = True
                if self._looking is not None:
                    self._looking.cancel()

    async def _set_model(self, command: SetModel) -> None:
        await self.lineup.choose(command.model, command.effort)
        self._system = None
        if self.spec.interactive:
            self.warm()

    async def _set_mode(self, command: SetMode) -> None:
        modes = get_args(Mode)
        if command.mode not in modes:
            raise UsageError(f"there is no mode {command.mode}; there are {', '.join(modes)}")
        mode: Mode = command.mode  # type: ignore[assignment]  # checked in the line above
        if self._envelope is not None and self._envelope.least(mode) != mode:
            raise UsageError(
                f"{self._envelope.agent} may do no more than the session that sent it: {self.mode_in_force}"
            )
        self.mode = mode
        self._system = None
        await self.hub.commit(ModeChanged(mode=command.mode, by=command.by))
        if mode == "yolo" and not self.parts.surroundings.trusted and not self.parts.plain():
            from protea.domain.trust import NO_YOLO  # chosen now and then

            await self.hub.commit(NoticeGiven(level="warning", text=NO_YOLO))

    async def _set_title(self, command: SetTitle) -> None:
        title = " ".join(command.title.split())
        if not title:
            raise UsageError("the title is empty; say what the session should be called")
        await self.hub.commit(TitleChanged(title=title[:MOST_TITLE]))

    async def _copy(self, text: str) -> None:
        if self.parts.clipboard is None:
            raise UsageError(
                'nothing is there to copy with; set [ports.clipboard] adapter = "osc52" (the terminal\'s) or "system"'
            )
        if not await self.parts.clipboard.copy(text):
            raise UsageError("the clipboard did not take it; `protea doctor --port clipboard` looks at why")

    async def context(self) -> dict[str, Any]:
        """What the model sees, in tokens, as its last reply counted them."""
        from protea.application.meter import metered  # when somebody looks

        await self.prepare()
        around = self.parts.surroundings
        instructions = len(self.parts.instructions.load(around.cwd))
        return metered(
            self.lineup.current.info,
            self.parts.tokens,
            system=self._system_parts(),
            skills=int(self.parts.capabilities is not None and bool(self.parts.capabilities.text)),
            instructions=instructions,
            tools=self.runner.specs(),
            transcript=self._transcript,
            seen=self._past.context,
        )

    def _compact(self, command: Compact) -> None:
        """Before the next request of the turn that runs; at once where none does."""
        self._window.wanted = command.focus
        if not self.running and self.usable:
            self._worker = asyncio.create_task(self._work(), name=f"session {self.id}")

    async def _before_compaction(self, what: str) -> str:
        said = await self.hooks.ask("before_compaction", text=what)
        return (said.why or f"the hook {said.hook} says no") if said.verdict == "deny" else ""

    async def _edit_summary(self, command: EditSummary) -> None:
        now = self._transcript.compacted
        if now is None:
            raise UsageError("nothing was summed up in this conversation")
        if not command.text.strip():
            raise UsageError("the summary is empty; say what the model should know of what was said before")
        await self.hub.commit(Compacted(upto=now.upto, summary=command.text, strategy="edited by a person"))

    async def _undo_compaction(self) -> None:
        if self._transcript.turn is not None:
            raise UsageError("a turn is running; interrupt it first")
        standing: dict[int, None] = {}
        for event in self.log.read():
            match event:
                case CompactionUndone():
                    standing.pop(event.compacted, None)
                case Compacted():
                    standing[event.seq or 0] = None
                case Rewound():
                    standing = {seq: None for seq in standing if seq <= event.to}
                case _:
                    pass
        if not standing:
            raise UsageError("there is no compaction to undo")
        self.hub.record(CompactionUndone(compacted=max(standing)))
        self._past.transcript = transcript_of(self.log.read())
        await self.hub.sync()

    async def _restore(self, command: Undo | Redo) -> None:
        if self._transcript.turn is not None:
            raise UsageError("a turn is running; interrupt it first")
        if self.undoing is None:
            raise UsageError(NOTHING_KEPT)
        await self.undoing.restore(command)

    async def changes(self) -> dict[str, Any]:
        """What its turns did to files: `describe("changes")`."""
        return await changes_of(self._past.changes, self.parts.checkpoint)

    async def previews(self) -> dict[str, Any]:
        """What an undo or redo would do: `describe("undo")`."""
        return await previews_of(self._past.changes, self.parts.checkpoint)

    async def _rewind(self, command: Rewind) -> None:
        if self._transcript.turn is not None:
            raise UsageError("a turn is running; interrupt it first")
        if not 1 <= command.to <= self.hub.last:
            raise UsageError(f"there is no event {command.to}; the last is {self.hub.last}")
        waiting = [PromptWithdrawn(id=id) for id in self._transcript.waiting]
        self.hub.record(*waiting, Rewound(to=command.to))
        self._past.transcript = transcript_of(self.log.read())
        await self.hub.sync()


def _limits_of(spec: OpenSession, parts: Parts) -> Limits:
    return Limits(
        turns=spec.max_turns or parts.max_turns,
        budget_usd=spec.max_budget_usd if spec.max_budget_usd is not None else parts.budget_usd,
        seconds=spec.time_limit or parts.time_limit,
    )
