"""The prompts of a session: they wait in a queue, and one worker takes them, a turn each. Held by `session`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from protea.application.hooks import HookRunner
from protea.application.hub import Hub
from protea.application.turns import Turns
from protea.application.window import Window
from protea.domain.commands import SubmitPrompt
from protea.domain.errors import ProteaError, StoreError, UsageError
from protea.domain.events import NoticeGiven, PromptSubmitted, PromptWithdrawn
from protea.domain.transcript import Transcript
from protea.ports.ids import Ids

if TYPE_CHECKING:
    from protea.application.swapping import Point


class Body(Protocol):
    """The session, as far as it is needed here."""

    @property
    def id(self) -> str: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def transcript(self) -> Transcript: ...
    @property
    def usable(self) -> bool: ...
    @property
    def window(self) -> Window: ...
    @property
    def hooks(self) -> HookRunner: ...

    async def shrink(self) -> None: ...
    async def look_again(self) -> None: ...
    def stop_looking(self) -> None: ...
    async def settle(self, point: Point) -> None: ...


class Worker:
    """Works while prompts wait; an interrupt ends the turn that runs and holds the queue until the next prompt."""

    def __init__(self, body: Body, turns: Turns) -> None:
        self._body = body
        self._turns = turns
        self._task: asyncio.Task[None] | None = None
        self._shrinking: asyncio.Task[None] | None = None
        self.held = False
        """After an interrupt the queue waits for the next prompt."""
        self._cut = False
        """An interrupt came after a prompt and before its turn."""

    @property
    def working(self) -> bool:
        """Whether it has prompts to run."""
        return self._task is not None and not self._task.done()

    @property
    def busy(self) -> bool:
        """Whether a turn runs, or the conversation is shrunk."""
        return self._shrinking is not None or self._turns.running

    async def take(self, command: SubmitPrompt) -> str:
        """Put a prompt into the queue, or before the next step of the turn that runs."""
        if not command.text.strip() and not command.images:
            raise UsageError("the prompt is empty; say what should be done")
        busy = self._turns.running
        delivery = command.delivery
        if delivery == "steer" and not busy:
            delivery = "now"
        elif delivery == "now" and busy:
            delivery = "queue"
        body = self._body
        id = body.ids.short("p")
        await body.hub.commit(
            PromptSubmitted(
                id=id,
                text=command.text,
                images=command.images,
                delivery=delivery,
                origin=command.origin,
                command=command.command,
                only=command.only,
                runs=command.runs,
            )
        )
        if delivery == "steer" and command.origin == "user" and not body.hooks.want("prompt"):
            self._turns.tell_mentions(command.text)
        if delivery != "steer":
            self.held = False
            if not self.working and body.usable:
                self._cut = False
                self._begin()
        return id

    async def withdraw(self, id: str) -> None:
        """Take back a prompt that waits."""
        if id not in self._body.transcript.waiting:
            raise UsageError(f"no prompt {id} is waiting")
        await self._body.hub.commit(PromptWithdrawn(id=id))

    async def withdraw_all(self) -> None:
        waiting = [PromptWithdrawn(id=id) for id in self._body.transcript.waiting]
        if waiting:
            await self._body.hub.commit(*waiting)

    def shrink(self) -> None:
        """Make the conversation smaller: before the next request of the turn that runs, at once where none does."""
        if not self.working and self._body.usable:
            self._begin()

    def interrupt(self) -> None:
        if self.working:
            self.held = True
            if self._shrinking is not None:
                self._shrinking.cancel()
            elif not self._turns.cancel():
                self._cut = True
                self._body.stop_looking()

    async def at_rest(self, within: float | None = None) -> bool:
        """Wait until there is nothing to run, or for so many seconds; whether there is not."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=within)
        return not self.working

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._work(), name=f"session {self._body.id}")

    async def _work(self) -> None:
        """Run the prompts that wait, one turn each, until nothing is wanted any more or the queue is held."""
        body = self._body
        try:
            while body.usable and (body.transcript.waiting or body.window.wanted is not None):
                if body.transcript.waiting:
                    await self._next()
                else:
                    await self._shrink()
                await body.settle("idle")
                worker = asyncio.current_task()
                if self.held or (worker is not None and worker.cancelling()):
                    return
        except ProteaError as error:
            body.hub.fail(error)
        except Exception as fault:
            # A fault of our own must not leave watchers waiting for ever; it is reported by whoever follows.
            body.hub.fail(StoreError(f"{type(fault).__name__}: {fault}"))

    async def _next(self) -> None:
        body = self._body
        await body.look_again()
        await body.settle("idle")
        prompt = next(iter(body.transcript.waiting.values()), None)
        if prompt is not None and body.usable:  # it may have been withdrawn, or all is over
            await self._turns.run(prompt, cut=self._cut)
            self._cut = False

    async def _shrink(self) -> None:
        """A task of its own: an interrupt ends it, and nothing is made smaller then."""
        self._shrinking = asyncio.create_task(self._body.shrink(), name=f"shrink {self._body.id}")
        try:
            await asyncio.wait([self._shrinking])
        finally:
            shrinking, self._shrinking = self._shrinking, None
            shrinking.cancel()
        if shrinking.cancelled():
            self._body.hub.record(NoticeGiven(level="info", text="interrupted: nothing was made smaller"))
        elif isinstance(fault := shrinking.exception(), StoreError):
            raise fault
        elif fault is not None:  # a fault of a part ends this alone, as it would a turn
            told = str(fault) if isinstance(fault, ProteaError) else f"{type(fault).__name__}: {fault}"
            self._body.hub.record(NoticeGiven(level="error", text=f"making the conversation smaller failed: {told}"))
