"""Sessions inside a session: agents that are sent on an errand, followed, and bring back what they found.

Held by a session that has sent one. The session of an agent is one like any other: it can be opened in any face,
steered, interrupted and resumed. What is told of it here are `task_changed` events, for who watches the sender.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Protocol

from msgspec.structs import replace

from protea.application.approvals import Approvals
from protea.application.budgets import Purse
from protea.application.ending import surely
from protea.application.envelope import Above, Envelope
from protea.application.hub import Hub
from protea.application.tool_runner import ToolRunner
from protea.domain.commands import ResolveApproval
from protea.domain.delegation import UNNAMED, Errand, Outcome, model_like, share, span, spoken_of, title_of
from protea.domain.errors import ProteaError, StoreError, UsageError
from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    MessageCompleted,
    TaskChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import text_of
from protea.domain.permission import Mode
from protea.domain.tools import ENDED, Taint, ToolResult
from protea.domain.usage import Usage
from protea.ports.clock import Clock
from protea.ports.gateway import OpenSession
from protea.ports.ids import Ids

STALL = 60.0
"""Seconds without news of an agent after which that is told."""
NEWS = 1.0
"""Seconds that lie at least between two events on how it stands, so that logs stay short."""
AGENT_TOOL = "Agent"
SENDING = frozenset({AGENT_TOOL, "Race"})
"""Tools that send agents."""


class Child(Protocol):
    """The session of an agent."""

    @property
    def id(self) -> str: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def purse(self) -> Purse: ...
    @property
    def heard(self) -> tuple[Taint, ...]: ...
    @property
    def working(self) -> bool: ...
    @property
    def watchers(self) -> list[Callable[[LastingEvent], None]]: ...

    async def begin(self, prompt: str, origin: str) -> None: ...
    async def at_rest(self, within: float | None = None) -> bool: ...
    def interrupt(self) -> None: ...


class Children(Protocol):
    """All sessions of the process, as far as it is needed here."""

    def agent_of(self, session: str) -> str:
        """The name an agent's session was sent under; empty where it is none's."""
        ...

    async def open_child(self, spec: OpenSession, envelope: Envelope) -> Child: ...
    async def end_child(self, child: Child) -> None: ...


class Sender(Above, Protocol):
    """The session that sends."""

    @property
    def hub(self) -> Hub: ...
    @property
    def spec(self) -> OpenSession: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def purse(self) -> Purse: ...
    @property
    def runner(self) -> ToolRunner: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def model(self) -> str: ...
    @property
    def depth(self) -> int: ...

    def left_usd(self) -> float | None: ...


class Delegation:
    """The agents of one session."""

    def __init__(self, sender: Sender, children: Children) -> None:
        self._sender = sender
        self._children = children
        self._running: dict[str, Errands] = {}
        """The session of each agent that is under way → what is known of it."""
        self._opening: dict[object, float] = {}
        """What agents were lent whose sessions are being opened."""
        sender.purse.agents = self._money

    async def withdraw(self) -> None:
        """A turn of the sender's is about to end, and no question is open then: those of agents in the background are
        asked again behind it."""
        for each in [*self._running.values()]:
            await each.withdraw()

    def ask_again(self) -> None:
        for each in self._running.values():
            each.ask_again()

    def of(self, id: str) -> Errands | None:
        """The agent under way with that task id or session."""
        found = (each for each in self._running.values() if id in (each.task, each.child.id))
        return next(found, None)

    async def send(
        self,
        errand: Errand,
        call_id: str,
        *,
        keep: Callable[[str], None],
        task: str = "",
        progress: Callable[[str], None] | None = None,
        opened: Callable[[str], None] | None = None,
        ended: Callable[[Outcome], None] | None = None,
        heard: Callable[[tuple[Taint, ...]], None] | None = None,
    ) -> ToolResult:
        """Open the agent's session, let it work to the end of its turn, and return what it brought. Cancelled, it ends
        the agent's turn, hands what there is to `keep` and lets the cancellation pass. `heard` is told whose words the
        agent has heard, however it ends."""
        sender = self._sender
        if errand.resume and (going := self.of(errand.resume)) is not None:
            await going.child.begin(errand.prompt, f"agent:{sender.id}")
            return ToolResult(f"{errand.resume} is at work; it was told that before its next step.")
        if sender.depth >= sender.parts.agents.depth:
            return ToolResult(
                f"Agents may be sent {sender.parts.agents.depth} deep; this one does the work itself.", is_error=True
            )
        under_way = len(self._running) + len(self._opening)
        if under_way >= sender.parts.agents.at_once:
            return ToolResult(
                f"{under_way} agents are under way, the most there may be ([agents] at_once).", is_error=True
            )
        lent = share(sender.left_usd(), self._sharing(errand, call_id))
        if lent is not None and lent <= 0:
            return ToolResult("Nothing of the budget is left for an agent.", is_error=True)
        errand = self._as_before(errand)
        opening = object()
        # Before anything is waited for: what one is lent no other can be.
        self._opening[opening] = lent or 0.0
        try:
            child = await self._open(errand, lent)
        except ProteaError as error:
            return ToolResult(f"The agent could not begin: {error}", is_error=True)
        finally:
            del self._opening[opening]
        if opened is not None:
            opened(child.id)
        sent = Errands(sender, child, errand, task or sender.ids.short("k"), call_id, own=not task)
        sent.lent_usd = lent or 0.0
        self._running[child.id] = sent
        try:
            result = await sent.run(keep, progress)
            if ended is not None:
                ended(sent.outcome())
            return result
        finally:
            if heard is not None:
                heard(tuple(child.heard))
            del self._running[child.id]
            sender.purse.lent(sent.cost_usd)
            await self._children.end_child(child)

    def _money(self) -> tuple[float, float]:
        """Dollars that agents under way have spent, and that they may still spend."""
        going = [(each.cost_usd, each.lent_usd) for each in self._running.values()]
        held = sum(max(0.0, lent - spent) for spent, lent in going)
        return sum(spent for spent, _ in going), held + sum(self._opening.values())

    def _sharing(self, errand: Errand, call_id: str) -> int:
        """How many want a share of what is left: calls of this reply that have none, rivals of one call, and the sender
        itself where it goes on meanwhile."""
        asked = sum(name in SENDING for name in self._sender.runner.running)
        waiting = asked - sum(not each.errand.background for each in self._running.values())
        rivals = errand.rivals - sum(each.call_id == call_id for each in self._running.values())
        return max(1, waiting, rivals) + errand.background

    def _as_before(self, errand: Errand) -> Errand:
        """One that goes on is who it was, also where that is not said again: what its definition keeps from it, it
        does not get by being resumed."""
        if not errand.resume or errand.name != UNNAMED:
            return errand
        name = self._children.agent_of(errand.resume).partition(":")[0]
        named = self._sender.parts.named_agents
        for each in named() if named is not None and name not in ("", UNNAMED) else ():
            if each.name == name:
                return replace(
                    errand, name=name, words=each.words, tools=each.tools, without=each.without, plans=each.plans
                )
        return errand

    def _model(self, name: str) -> str:
        """With its provider. Files that others wrote name models without one (`sonnet`): then it is one of the
        provider that the sender has, or, where that has none like it, whichever the agent has anyway."""
        if not name or "/" in name:
            return name
        provider = self._sender.model.partition("/")[0]
        return model_like(name, [info.id for info in self._sender.parts.models.list(provider)])

    async def _open(self, errand: Errand, lent: float | None) -> Child:
        sender = self._sender
        if "/" in errand.profile or errand.profile.endswith(".toml"):
            # A file may have been written by the model, or by whoever wrote the project, and a profile can run things.
            raise UsageError(f"{errand.profile} is a file; an agent is sent under the name of a profile")
        own = frozenset(spec.name for spec in sender.runner.all_specs())
        tools = (own & frozenset(errand.tools) if errand.tools else own) - frozenset(errand.without)
        if sender.depth + 1 >= sender.parts.agents.depth:
            tools -= SENDING
        envelope = Envelope(above=sender, agent=errand.name, depth=sender.depth + 1, tools=tools, words=errand.words)
        limits = [each for each in (lent, sender.spec.max_budget_usd) if each is not None]
        mode: Mode = "plan" if errand.plans else sender.mode_in_force
        spec = OpenSession(
            cwd=errand.cwd or ("" if errand.resume else sender.parts.surroundings.cwd),
            resume=errand.resume or None,
            profile=errand.profile or (None if errand.resume else sender.parts.profile),
            ports={} if errand.profile else sender.spec.ports,
            model=self._model(errand.model) or (None if errand.profile or errand.resume else sender.model),
            mode=mode,
            add_dirs=sender.spec.add_dirs,
            interactive=sender.spec.interactive,
            max_budget_usd=min(limits) if limits else None,
            max_turns=sender.spec.max_turns,
            time_limit=sender.spec.time_limit,
        )
        return await self._children.open_child(spec, envelope)


class Errands:
    """One agent under way."""

    def __init__(self, sender: Sender, child: Child, errand: Errand, task: str, call_id: str, *, own: bool) -> None:
        self.child = child
        self.errand = errand
        self.task = task
        self.call_id = call_id
        self.lent_usd = 0.0
        """What it may spend at most, where the sender has a budget."""
        self._before = child.purse.total_usd
        self._priced = False
        """Whether the price of anything it was answered is known."""
        self._sender = sender
        self._own = own
        """Whether its task is told of here, and not by who keeps tasks in the background."""
        self._begun = self._last = sender.clock.monotonic()
        self._told = 0.0
        self._text = ""
        self._model = ""
        self._tools: dict[str, str] = {}
        self._usage = Usage()
        self._replies = 0
        self._finished: TurnFinished | None = None
        self._questions: dict[str, asyncio.Task[None]] = {}
        self._open: dict[str, ApprovalRequested] = {}
        """Its questions that nobody has answered."""
        self._asked: dict[str, str] = {}
        """Its question → the one that was asked for it at the sender's session."""
        self._progress: Callable[[str], None] | None = None
        self._late: asyncio.TimerHandle | None = None
        """Tells what came too soon after the last news."""

    @property
    def cost_usd(self) -> float:
        """Dollars it has spent on this errand, agents of its own included."""
        return self.child.purse.total_usd - self._before

    async def run(self, keep: Callable[[str], None], progress: Callable[[str], None] | None) -> ToolResult:
        self._progress = progress
        self.child.watchers.append(self._saw)
        self._tell("running", force=True)
        try:
            await self.child.begin(self.errand.prompt, f"agent:{self._sender.id}")
            while not await self.child.at_rest(STALL):
                self.look()
        except asyncio.CancelledError:
            self.child.interrupt()
            await surely(self.child.at_rest())  # a second interrupt must not leave it behind
            result = self._result()
            keep(result.text)
            self._tell("stopped", force=True)
            raise
        finally:
            self._forget_late()
            self.child.watchers.remove(self._saw)
            for question in self._questions.values():
                question.cancel()
            if self._questions:
                await asyncio.wait(self._questions.values())
        result = self._result()
        cut_off = self._finished is not None and self._finished.outcome == "interrupted"
        self._tell("failed" if result.is_error else "stopped" if cut_off else "done", force=True)
        return result

    def go_behind(self, task: str, progress: Callable[[str], None]) -> None:
        """The turn goes on without it: from now on it is that task, which is told of by who keeps it."""
        moved = TaskChanged(
            id=self.task,
            title=title_of(self.errand),
            state="stopped",
            detail=f"goes on in the background as {task}",
            kind="agent",
            child=self.child.id,
            agent=self.errand.name,
            call_id=self.call_id,
        )
        with suppress(StoreError):  # see `_tell`
            self._sender.hub.record(moved)
        self.task, self._own, self._progress = task, False, progress
        self.errand = replace(self.errand, background=True)
        self._tell("running", force=True)

    def look(self) -> None:
        """Tell where it has been silent for long."""
        if self._sender.clock.monotonic() - self._last >= STALL:
            self._tell("running", force=True)

    async def withdraw(self) -> None:
        """Take back what was asked for it at the sender, and leave its own questions open."""
        asking = [self._questions.pop(id) for id in self._open if id in self._questions]
        for each in asking:
            each.cancel()
        if asking:
            await asyncio.wait(asking)

    def ask_again(self) -> None:
        for id, question in self._open.items():
            self._questions[id] = asyncio.create_task(self._ask(question), name=f"question {id}")

    def _saw(self, event: LastingEvent) -> None:
        self._last = self._sender.clock.monotonic()
        match event:
            case TurnStarted():
                self._model, self._tools = event.model, {}
            case MessageCompleted():
                self._text = text_of(event.content) or self._text
                self._model = event.model
                self._usage += event.usage
                self._replies += 1
                self._priced = self._priced or event.cost_usd is not None
                self._tell("running")
            case ToolCallChanged() if event.state in ENDED:
                self._tools.pop(event.call.id, None)
            case ToolCallChanged(state="executing"):
                self._tools[event.call.id] = event.call.name
                self._tell("running")
            case ApprovalRequested():
                self._open[event.id] = event
                self._questions[event.id] = asyncio.create_task(self._ask(event), name=f"question {event.id}")
                self._tell("running", force=True)
            case ApprovalResolved() if self._open.pop(event.id, None) is not None and event.id in self._asked:
                # It was answered in the agent's own session, or closed with its turn.
                self._questions[f"{event.id} "] = asyncio.create_task(self._close(event), name=f"answer {event.id}")
            case TurnFinished():
                self._finished = event
            case _:
                pass

    async def _ask(self, question: ApprovalRequested) -> None:
        """Let whoever sits at the sender's session answer for the agent."""
        child = self.child
        call = replace(question.call, id=f"{child.id}:{question.call.id}")
        detail = {**(question.detail or {}), "agent": self.errand.name, "session": child.id}
        why = f"{self.errand.name}: {question.why}"
        asked = replace(question, id=self._sender.ids.short("a"), call=call, why=why, detail=detail)
        self._asked[question.id] = asked.id
        here, there = self._sender.approvals, child.approvals

        def told_there(answer: ApprovalResolved) -> None:
            # What is to hold for always was saved just now; for the agent's session it holds as well.
            decision = "session" if answer.decision == "always" else answer.decision
            there.close_with(question.id, replace(answer, decision=decision))

        def told_here(answer: ApprovalResolved) -> None:
            here.close_with(asked.id, replace(answer, decision="deny" if answer.decision == "deny" else "once"))

        links = ((here, asked.id, told_there), (there, question.id, told_here))
        for approvals, id, tell in links:
            approvals.elsewhere.setdefault(id, []).append(tell)
        try:
            answer = await here.ask(asked)
        finally:
            for approvals, id, tell in links:
                waiting = approvals.elsewhere.get(id, [])
                if tell in waiting:
                    waiting.remove(tell)
                if not waiting:
                    approvals.elsewhere.pop(id, None)
        # What is to hold for always was saved just now; for the agent's session it holds as well.
        decision: Literal["once", "session", "deny"] = "session" if answer.decision == "always" else answer.decision
        self._asked.pop(question.id, None)
        with suppress(UsageError):  # it was answered there meanwhile
            await child.approvals.resolve(
                ResolveApproval(id=question.id, decision=decision, comment=answer.comment, by=answer.by)
            )

    async def _close(self, answer: ApprovalResolved) -> None:
        id = self._asked.pop(answer.id, "")
        decision: Literal["once", "deny"] = "deny" if answer.decision == "deny" else "once"
        with suppress(UsageError):  # or here
            await self._sender.approvals.resolve(
                ResolveApproval(id=id, decision=decision, comment=answer.comment, by=answer.by)
            )

    def _tell(self, state: Literal["running", "done", "failed", "stopped"], *, force: bool = False) -> None:
        now = self._sender.clock.monotonic()
        if not force and now - self._told < NEWS:
            if self._late is None:
                pause = NEWS - (now - self._told)
                self._late = asyncio.get_running_loop().call_later(pause, self._tell, "running")
            return
        self._forget_late()
        self._told = now
        quiet = now - self._last
        tool = next(reversed(self._tools.values()), "") if state == "running" else ""
        stalled = quiet if quiet >= STALL and state == "running" else 0.0
        tokens, seconds = self._usage.input + self._usage.output, now - self._begun
        doing = "waits for an answer" if self._open_questions() else tool or "thinks"
        words = [self._model, doing] if state == "running" else [self._model, state]
        words += [span(seconds), f"{tokens:,} tokens"]
        if stalled:
            words.append(f"no news for {span(stalled)}")
        line = " · ".join(word for word in words if word)
        if self._progress is not None:
            self._progress(line)
        if state != "running" and not self._own:
            return  # who keeps tasks in the background says how it ended
        changed = TaskChanged(
            id=self.task,
            title=title_of(self.errand),
            state=state,
            detail=line,
            kind="agent",
            child=self.child.id,
            agent=self.errand.name,
            call_id=self.call_id,
            background=self.errand.background,
            model=self._model,
            tool=tool,
            tokens=tokens,
            seconds=round(seconds, 3),
            stalled=round(stalled, 1),
        )
        with suppress(StoreError):  # the sender's own turn says that its log cannot be written
            self._sender.hub.record(changed)

    def _forget_late(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _open_questions(self) -> bool:
        return any(not each.done() for each in self._questions.values())

    def outcome(self) -> Outcome:
        """How it ended, in figures."""
        return Outcome(
            session=self.child.id,
            outcome=self._finished.outcome if self._finished is not None else "error",
            model=self._model,
            replies=self._replies,
            tokens=self._usage.input + self._usage.output,
            cost_usd=self.cost_usd if self._priced else None,
            seconds=round(self._sender.clock.monotonic() - self._begun, 3),
        )

    def _result(self) -> ToolResult:
        """What it brought, however it ended."""
        finished, errand = self._finished, self.errand
        outcome = finished.outcome if finished is not None else "error"
        why = ""
        if finished is not None and finished.error is not None:
            why = f": {finished.error.message}"
        elif finished is not None and finished.limit:
            why = f": {finished.limit}"
        elif finished is None:
            why = f": {self.child.hub.failure or 'its session was closed'}"
        cost = f" · ${self.cost_usd:.4f}" if self.cost_usd else ""
        seconds = self._sender.clock.monotonic() - self._begun
        replies = f"{self._replies} {'reply' if self._replies == 1 else 'replies'}"
        other = errand.model and not errand.profile and errand.model.lower() not in self._model.lower()
        asked = f" ({errand.model} was asked for)" if other and self._model else ""
        foot = (
            f"[{errand.name} · {self.child.id} · {outcome}{why} · {self._model}{asked} · {replies} · "
            f"{self._usage.input + self._usage.output:,} tokens{cost} · {span(seconds)}]"
        )
        text = self._text.strip() or "(it said nothing)"
        if outcome not in ("finished", "denied"):
            text = f"It did not come to its end; what it said so far:\n{text}"
        return ToolResult(
            f"{text}\n{foot}",
            is_error=outcome == "error",
            denied=f"{spoken_of(errand.name)} was not allowed what it needed" if outcome == "denied" else None,
            taint=tuple(self.child.heard),
        )
