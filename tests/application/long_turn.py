"""One turn with everything in it, and someone who answers, steers and is patient. For the tests beside it.

A retry, text and six calls at once (two side by side, one that asks, a question of the model's, an unknown tool, wrong
arguments), steering, a provider that fails and one that goes on, an answer that does not fit its schema, one that does.
"""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from protea.adapters.storage.memory import MemoryStore
from protea.adapters.tools.functions import FunctionTool
from protea.domain.commands import Interrupt, ResolveApproval, Steer, SubmitPrompt
from protea.domain.errors import Failure, StoreError, UsageError
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    LastingEvent,
    MessageCompleted,
    SessionStarted,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import Text
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import ModelInfo, Usage
from protea.ports.gateway import OpenSession
from protea.ports.session_store import SessionStore
from protea.ports.toolset import ToolContext
from tests.application.consistency import faults, unlike_the_log, unpaired
from tests.application.world import PlayedModel, Step, World, calls, says

BUSY = Failure(kind="overloaded", message="busy", retryable=True)
BROKE = Failure(kind="billing", message="no credits", status=402)
SCHEMA = {"type": "integer"}
RIGHT = says("3")


async def look(name: str) -> str:
    """Read only."""
    for _ in range(3):
        await asyncio.sleep(0)
    return f"saw {name}"


async def change(name: str, context: ToolContext) -> str:
    """Change something."""
    context.say("changing")
    await asyncio.sleep(0)
    return f"changed {name}"


async def risky(name: str) -> str:
    """Asks before it runs."""
    await asyncio.sleep(0)
    return f"risked {name}"


async def wonder(question: str, context: ToolContext) -> str:
    """Ask a person."""
    return context.answer or "nobody answered"


TOOLS = (FunctionTool(look, parallel=True), change, risky, FunctionTool(wonder, effects=("ask",)))

SIX = calls(
    ("look", {"name": "a"}),
    ("look", {"name": "b"}),
    ("risky", {"name": "c"}),
    ("wonder", {"question": "Which?"}),
    ("lok", {}),
    ("change", {"nam": 1}),
    text="Let me see.",
)


class CountingModel(PlayedModel):
    """Each reply's `usage.input` is the number of the request it answers, over all models that share a list."""

    async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def,override]  # as the model above it
        number = len(self.requests)
        async for piece in super().stream(request):
            await asyncio.sleep(0)
            if isinstance(piece, Reply):
                piece = replace(piece, model=self.info.id, usage=Usage(input=number, output=1))
            yield piece


class PatientClock:
    """Waits a few steps of the loop for any time at all."""

    def __init__(self, steps: int = 3) -> None:
        self.slept: list[float] = []
        self._steps = steps
        self._time = 0.0

    def now(self) -> str:
        return "2026-01-01T00:00:00.000Z"

    def monotonic(self) -> float:
        return self._time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for _ in range(self._steps):
            await asyncio.sleep(0)
        self._time += seconds


class LongTurn:
    """A world with the turn in it. `watch` is the person: answers every question and steers once."""

    def __init__(self, store: SessionStore | None = None, steps: list[Step] | None = None) -> None:
        first: list[Step] = [BUSY, SIX, calls(("change", {"name": "d"})), BROKE] if steps is None else steps
        self.world = World(*first, tools=TOOLS, ask=["risky"], store=store or MemoryStore())
        self.requests: list[ModelRequest] = []
        self.first = CountingModel(first)
        self.second = CountingModel([says("no number"), RIGHT], info=ModelInfo(id="other/one"))
        self.first.requests = self.second.requests = self.requests
        self.world.model, self.world.others = self.first, (self.second,)
        self.world.use_clock(PatientClock())
        self.session = ""
        self.told: list[str] = []
        """What went wrong when the person had something to say; they interrupt then."""
        self._person: asyncio.Task[None] | None = None

    async def open(self, resume: str | None = None, *, watched: bool = True) -> str:
        self.session = await self.world.gateway.open(OpenSession(cwd="/w", resume=resume, schema=SCHEMA))
        if watched:
            self._person = asyncio.create_task(self._watch())
        return self.session

    async def submit(self, command: object) -> str | None:
        return await self.world.gateway.submit(self.session, command)  # type: ignore[arg-type]  # a command

    async def _watch(self) -> None:
        steered = False
        async for event in self.world.gateway.events(self.session):
            if isinstance(event, ApprovalRequested):
                await asyncio.sleep(0)
                await self._try(ResolveApproval(id=event.id, decision="session", comment="the blue one"))
            if isinstance(event, MessageCompleted) and not steered:
                steered = True
                await self._try(Steer(text="be quick"))

    async def _try(self, command: object) -> None:
        try:
            await self.submit(command)
        except UsageError:
            pass  # it was interrupted or closed meanwhile
        except StoreError as error:
            self.told.append(str(error))
            await self.submit(Interrupt())

    async def until_finished(self, turns: int = 1) -> list[AnyEvent]:
        """Everything up to the end of so many turns of this session."""
        seen: list[AnyEvent] = []
        async with asyncio.timeout(20):
            async for event in self.world.gateway.events(self.session):
                seen.append(event)
                turns -= isinstance(event, TurnFinished)
                if turns == 0:
                    break
        return seen

    async def at_rest(self) -> None:
        """Wait until nothing runs any more, nor the person has anything to add."""
        idle = 0
        async with asyncio.timeout(20):
            while idle < 20:
                await asyncio.sleep(0)
                about = await self.world.gateway.describe("session", self.session)
                idle = 0 if about["running"] else idle + 1

    async def go_on(self) -> TurnFinished:
        """The next prompt, to its end: it must simply work."""
        for model in (self.first, self.second):
            model.steps[:] = [RIGHT] * 9
        id = await self.submit(SubmitPrompt(text="and now"))
        turn = None
        async with asyncio.timeout(20):
            async for event in self.world.gateway.events(self.session):
                if isinstance(event, TurnStarted) and event.prompt == id:
                    turn = event.id
                if isinstance(event, TurnFinished) and event.id == turn:
                    return event
        raise AssertionError("the session ended")

    async def close(self) -> list[LastingEvent]:
        """Close, and the log."""
        await self.world.gateway.close()
        if self._person is not None:
            await self._person
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in left if task.get_name().startswith(("turn", "tool", "session"))]
        return self.log()

    async def close_after_failure(self) -> None:
        """Close where the log cannot be written: that raises nothing either."""
        await self.world.gateway.close()
        if self._person is not None:
            try:
                await self._person
            except StoreError as error:  # it follows, so it is told
                self.told.append(str(error))
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in left if task.get_name().startswith(("turn", "tool", "session"))]

    def log(self) -> list[LastingEvent]:
        return list(self.world.store.read(self.session))

    def live_messages(self) -> object:
        return self.world.gateway._session(self.session).transcript.messages()


def sound(log: list[LastingEvent], requests: list[ModelRequest], *, resting: bool = True) -> None:
    """The log is consistent, and every request was valid and what the log says."""
    found = faults(log, resting=resting) + unlike_the_log(log, requests)
    for request in requests:
        found += unpaired(request.messages)
    assert not found, found
    assert isinstance(log[0], SessionStarted)


def texts(request: ModelRequest) -> list[str]:
    """All text in a request's messages, to count what was shown."""
    said = []
    for message in request.messages:
        for part in getattr(message, "content", ()):
            if isinstance(part, Text):
                said.append(part.text)
    return said
