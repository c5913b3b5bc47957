"""Open questions of one session: asked by events, answered by commands, from any client, closed in all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import get_args

from msgspec.structs import replace

from protea.application.hub import Hub
from protea.domain.commands import ResolveApproval
from protea.domain.errors import StoreError, UsageError
from protea.domain.events import Answer, ApprovalRequested, ApprovalResolved
from protea.domain.permission import Pin, RuleLayer
from protea.domain.pins import pinned
from protea.ports.approval import Approval
from protea.ports.rule_store import RuleStore

Answered = tuple[ApprovalResolved, "asyncio.Future[ApprovalResolved]"]


class Approvals:
    """The questions that wait, and what has been allowed for this session."""

    def __init__(
        self, hub: Hub, approval: Approval, rules: RuleStore, allowed: tuple[str, ...], pins: tuple[Pin, ...] = ()
    ) -> None:
        self._hub = hub
        self._approval = approval
        self._rules = rules
        self._open: dict[str, tuple[ApprovalRequested, asyncio.Future[ApprovalResolved]]] = {}
        self.pins = pins
        """The scripts that rules of this session are bound to."""
        self.allowed = allowed
        """Rules a person has allowed for the rest of this session."""
        self.elsewhere: dict[str, list[Callable[[ApprovalResolved], None]]] = {}
        """Questions that are asked in other sessions as well → what closes them there, in the same breath: of two
        answers at once the first counts, wherever it was given."""
        self._settling: set[asyncio.Task[None]] = set()
        self.typed = ""
        """The call that was typed by the person who would be asked: of it they have answered, and of no other."""

    def use(self, approval: Approval, rules: RuleStore) -> None:
        """Go on with others. Questions that are open stay open."""
        self._approval, self._rules = approval, rules

    @property
    def open(self) -> tuple[ApprovalRequested, ...]:
        return tuple(question for question, _ in self._open.values())

    def layer(self) -> RuleLayer:
        """What was allowed, as the permission engine reads it."""
        return RuleLayer(source="session", allow=self.allowed)

    async def ask(self, question: ApprovalRequested) -> ApprovalResolved:
        """Ask, wait as long as it takes, and return the answer once it is safely in the log.

        Cancelled, the question is closed as refused: nothing counts as answered that nobody answered.
        """
        self._hub.record(question)
        future: asyncio.Future[ApprovalResolved] = asyncio.get_running_loop().create_future()
        self._open[question.id] = (question, future)
        try:
            typed = question.call.id == self.typed and question.kind == "permission"
            answer = ApprovalResolved(id=question.id, decision="once") if typed else self._approval.answer(question)
            if answer is not None:
                await self._close(question, answer)
            return await future
        except BaseException:
            if self._open.pop(question.id, None) is not None:
                self._hub.record(ApprovalResolved(id=question.id, decision="deny", by="interrupt"))
            raise

    async def resolve(self, command: ResolveApproval) -> None:
        """Answer an open question; returns once the answer is safely in the log.

        Raises `UsageError` where there is none of that id (answered meanwhile, perhaps) or the decision is no word for
        one, and `StoreError` where the answer or its rule cannot be kept: the question then stays open.
        """
        if command.decision not in get_args(Answer):  # a program that holds us may say anything, or forget to
            raise UsageError(f"{command.decision!r} is no answer; say one of {', '.join(get_args(Answer))}")
        if command.id not in self._open:
            raise UsageError(f"no question {command.id} is open; it may have been answered already")
        question, _ = self._open[command.id]
        answer = ApprovalResolved(id=command.id, decision=command.decision, comment=command.comment, by=command.by)
        await self._close(question, answer)

    def close_with(self, id: str, answer: ApprovalResolved) -> None:
        """It was answered in another session, where it is asked as well. Nothing happens where it is open no more."""
        if id in self._open:
            question, _ = self._open[id]
            settling = asyncio.create_task(self._settle(*self._answered(question, replace(answer, id=id, rules=()))))
            self._settling.add(settling)
            settling.add_done_callback(self._settled)

    def _settled(self, settling: asyncio.Task[None]) -> None:
        self._settling.discard(settling)
        if not settling.cancelled():
            settling.exception()  # that the log cannot be written is told by whoever writes it next

    async def _close(self, question: ApprovalRequested, answer: ApprovalResolved) -> None:
        await self._settle(*self._answered(question, answer))

    def _answered(self, question: ApprovalRequested, answer: ApprovalResolved) -> Answered:
        # What is allowed to an agent for its session widens that one, not the session that sent it.
        agents = "agent" in (question.detail or {}) and answer.decision == "session"
        if answer.decision in ("session", "always") and question.kind == "permission" and not agents:
            answer = replace(answer, rules=question.proposals)
        if answer.decision == "always" and answer.rules:
            self._rules.allow(answer.rules)
        self._hub.record(answer)
        _, future = self._open.pop(question.id)
        self.pins = pinned(self.pins, question, answer)
        self.allowed += tuple(rule for rule in answer.rules if rule not in self.allowed)
        for close in self.elsewhere.pop(question.id, ()):
            with suppress(StoreError):  # then it stays open there
                close(answer)
        return answer, future

    async def _settle(self, answer: ApprovalResolved, future: asyncio.Future[ApprovalResolved]) -> None:
        try:
            await self._hub.sync()
        finally:
            if not future.done():
                future.set_result(answer)
