"""The turns of a session: each made of what the session is made of when it begins, with what goes on around it.

Held by `session`, run by its `worker` one after another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from protea.application.approvals import Approvals
from protea.application.budgets import Purse
from protea.application.hooked_turn import Screening, hooked_turn
from protea.application.hooks import HookRunner
from protea.application.hub import Hub
from protea.application.lineup import Lineup
from protea.application.nearby import Nearby
from protea.application.parts import Parts
from protea.application.tool_runner import ToolRunner
from protea.application.turn import Turn
from protea.application.undoing import Undoing
from protea.application.window import Window
from protea.domain.errors import Failure, ProteaError
from protea.domain.events import (
    LastingEvent,
    MessageCompleted,
    NoticeGiven,
    PromptSubmitted,
    Rewound,
    TurnFinished,
    TurnStarted,
)
from protea.domain.limits import Limits
from protea.domain.permission import Mode
from protea.domain.prefix import PrefixGuard
from protea.domain.transcript import Transcript
from protea.ports.clock import Clock
from protea.ports.gateway import OpenSession
from protea.ports.ids import Ids
from protea.ports.session_store import SessionStore

if TYPE_CHECKING:  # few sessions are ever exchanged, or send agents
    from protea.application.delegation import Delegation
    from protea.application.swapping import Point


class Body(Protocol):
    """The session, as far as it is needed here. What it is made of may be another from one step to the next."""

    @property
    def parts(self) -> Parts: ...
    @property
    def spec(self) -> OpenSession: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def transcript(self) -> Transcript: ...
    @property
    def lineup(self) -> Lineup: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def purse(self) -> Purse: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def hooks(self) -> HookRunner: ...
    @property
    def runner(self) -> ToolRunner: ...
    @property
    def undoing(self) -> Undoing | None: ...
    @property
    def window(self) -> Window: ...
    @property
    def store(self) -> SessionStore: ...
    @property
    def agents(self) -> Delegation | None: ...

    async def settle(self, point: Point) -> None: ...
    async def look_near(self, files: Sequence[str]) -> None: ...


class Turns:
    """One at a time."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._task: asyncio.Task[TurnFinished] | None = None
        self.began = False
        """Whether one was run in this process."""
        self._screening = Screening(body.hooks, lambda: body.transcript, body.hub, self._is_sent)
        self._prefix = PrefixGuard()
        self._system: tuple[str, ...] | None = None
        self._spent_usd = 0.0
        """Of the turn that runs, without its agents."""
        self._worn = body.parts
        """What the running step was prepared with."""
        self._given: Turn | None = None
        """The turn that runs, as it was last prepared."""

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def cancel(self) -> bool:
        """End the turn that runs; whether one does."""
        if self._task is None or self._task.done():
            return False
        self._task.cancel()
        return True

    def saw(self, event: LastingEvent) -> None:
        """Every event of the session comes by here."""
        self._prefix.note(event)
        if isinstance(event, Rewound):
            self._screening.went_back()
        if isinstance(event, MessageCompleted):
            self._spent_usd += event.cost_usd or 0.0

    def left_usd(self) -> float | None:
        """Dollars that this turn may still spend; None where nothing limits it."""
        purse, limit = self._body.purse, self._body.limits.budget_usd
        of_turn = None if limit is None else limit - self._spent_usd - purse.committed_usd
        found = [each for each in (of_turn, purse.left_usd) if each is not None]
        return min(found) if found else None

    def system(self) -> tuple[str, ...]:
        """The system prompt: made once, so that the cache of it holds; a change of mode or model remakes it."""
        if self._system is None:
            self._system = self._body.parts.system(self._body.lineup.current.info.id, self._body.mode)
        return self._system

    def forget_system(self) -> None:
        self._system = None

    def tell_mentions(self, text: str) -> None:
        """Let the model know of the agents and sessions that a prompt points at."""
        if "@agent-" not in text and "@session:" not in text:
            return
        from protea.application.mentions import tell  # most prompts point at nothing

        body = self._body
        tell(text, body.parts.named_agents, body.store, body.hub, body.ids)

    def _is_sent(self, prompt: PromptSubmitted) -> None:
        if prompt.origin == "user":
            self.tell_mentions(prompt.text)

    async def prepare(self) -> None:
        """Open what only a request needs, before the system prompt is made of it."""
        if self._body.parts.prepare is not None:
            for problem in await self._body.parts.prepare():
                self._body.hub.record(NoticeGiven(level="warning", text=problem))

    async def run(self, prompt: PromptSubmitted, *, cut: bool) -> None:
        """Run one turn and record its end. `cut`: an interrupt came already."""
        body = self._body
        started = TurnStarted(
            id=body.ids.short("t"), prompt=prompt.id, model=body.lineup.current.info.id, mode=body.mode
        )
        self._screening.turn_begins()
        body.hub.record(started)
        self._spent_usd = 0.0
        body.runner.begin_turn(prompt.command, prompt.only)
        if body.undoing is not None:
            body.undoing.begin(started.id)
        self._task = asyncio.create_task(self._run(started, prompt), name=f"turn {started.id}")
        if cut:
            self._task.cancel()
        try:
            finished = await self._task
        except asyncio.CancelledError:
            if not self._task.cancelled():
                raise
            finished = TurnFinished(id=started.id, outcome="interrupted")  # before its first step
        if finished.cost_usd is not None:
            body.purse.beside_usd = 0.0  # it is in there
        if body.undoing is not None:
            await body.undoing.finish()
        if body.agents is not None:
            await body.agents.withdraw()
        await body.hub.commit(finished)
        self._given = None
        if body.agents is not None:
            body.agents.ask_again()

    async def _run(self, started: TurnStarted, prompt: PromptSubmitted) -> TurnFinished:
        body = self._body
        await self._screening.look()
        if prompt.origin in ("shell", "race"):
            from protea.application.by_hand import by_hand  # typed by people, now and then

            return await by_hand(
                started, prompt, hub=body.hub, runner=body.runner, approvals=body.approvals, ids=body.ids
            )
        try:
            await self.prepare()
            given = self._given = self._turn_of(started)
        except Exception as fault:  # persona, instructions and tools come from anywhere
            message = str(fault) if isinstance(fault, ProteaError) else f"{type(fault).__name__}: {fault}"
            return TurnFinished(id=started.id, outcome="error", error=Failure(kind="internal", message=message))
        self.began = True
        return await hooked_turn(given, body.hooks, self._screening, prompt)

    def _turn_of(self, started: TurnStarted) -> Turn:
        """What a turn needs, as it is now."""
        body = self._body
        self._worn = parts = body.parts
        nearby = Nearby(
            parts.instructions,
            parts.surroundings,
            body.runner.cwd,
            body.transcript,
            body.hub,
            body.look_near if parts.project is not None else None,
        )
        return Turn(
            started=started,
            hub=body.hub,
            transcript=body.transcript,
            lineup=body.lineup,
            runner=body.runner,
            system=self.system(),
            clock=body.clock,
            ids=body.ids,
            limits=body.limits,
            purse=body.purse,
            prefix=self._prefix,
            schema=body.spec.schema,
            after_calls=nearby.after_calls,
            window=body.window,
            at_step=self._at_step,
            screening=self._screening,
        )

    async def _at_step(self, given: Turn) -> Turn:
        """Between two requests: the point where who speaks may change."""
        await self._body.settle("step")
        if self._given is None or self._worn is not self._body.parts:
            self._given = self._turn_of(given.started)
        return self._given
