"""A whole application in memory: scripted model, tools from functions, rules by name. For the tests beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from protea.adapters.approval.interactive import InteractiveApproval
from protea.adapters.approval.policy import PolicyApproval
from protea.adapters.clock.system import SystemClock
from protea.adapters.ids.system import SystemIds
from protea.adapters.storage.memory import MemoryStore
from protea.adapters.tools.functions import FunctionTool, FunctionToolset
from protea.application.parts import Parts
from protea.application.sessions import Sessions
from protea.domain.commands import AnyCommand, SubmitPrompt
from protea.domain.errors import Failure, ModelError
from protea.domain.events import AnyEvent, TurnFinished
from protea.domain.messages import Text, ToolCall
from protea.domain.permission import Mode
from protea.domain.reply import ModelRequest, Reply, ReplyPiece, Stop, TextPiece
from protea.domain.settings import AgentSettings, BesideSettings
from protea.domain.spending import Budgets
from protea.domain.surroundings import Surroundings
from protea.domain.usage import ModelInfo, Price, Usage
from protea.ports.agents import Agents
from protea.ports.approval import Approval
from protea.ports.audit import Audit
from protea.ports.checkpoint import Checkpoint
from protea.ports.clock import Clock
from protea.ports.gateway import OpenSession
from protea.ports.hooks import Hooks
from protea.ports.instructions import Instruction
from protea.ports.model_source import ModelSource
from protea.ports.permission import Permission
from protea.ports.session_store import SessionStore
from protea.ports.templates import Templates
from protea.ports.toolset import Toolset
from protea.testing.ledger import ListLedger
from protea.testing.model_source import TableModelSource
from protea.testing.permission import NamedPermission
from protea.testing.sandbox import RecordingSandbox
from protea.testing.task_runner import KeptTasks, MemoryTaskRunner
from protea.testing.templates import FixedTemplates

Step = Reply | Failure | Callable[[ModelRequest], Awaitable[Reply]]
NAME = "test/one"
Kind = TypeVar("Kind")


def says(text: str, stop: Stop = "end_turn") -> Reply:
    return Reply(content=(Text(text=text),), stop=stop, usage=Usage(input=10, output=5), model=NAME)


def calls(*named: tuple[str, dict[str, Any]], text: str = "") -> Reply:
    made = tuple(ToolCall(id=f"c{i}", name=name, arguments=arguments) for i, (name, arguments) in enumerate(named, 1))
    lead = (Text(text=text),) if text else ()
    return Reply(content=(*lead, *made), stop="tool_calls", usage=Usage(input=10, output=5), model=NAME)


class Held:
    """A step of the model whose reply, or failure, is held back once it was asked for, until it may come."""

    def __init__(self, said: Reply | ModelError) -> None:
        self._said = said
        self._asked = asyncio.Event()
        self._may_come = asyncio.Event()

    async def __call__(self, request: ModelRequest) -> Reply:
        self._asked.set()
        await self._may_come.wait()
        if isinstance(self._said, ModelError):
            raise self._said
        return self._said

    async def asked(self) -> None:
        """Wait until it was."""
        await asyncio.wait_for(self._asked.wait(), 30)

    def come(self) -> None:
        self._may_come.set()


class PlayedModel:
    """Plays its steps, one per request; after the last it says so."""

    def __init__(self, steps: Sequence[Step], price: Price | None = None, info: ModelInfo | None = None) -> None:
        self.steps = list(steps)
        self._info = info or ModelInfo(id=NAME, price=price)
        self.requests: list[ModelRequest] = []

    @property
    def info(self) -> ModelInfo:
        return self._info

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece, None]:
        self.requests.append(request)
        step = self.steps.pop(0) if self.steps else says("nothing more")
        if isinstance(step, Failure):
            yield TextPiece("half a ")
            raise ModelError(step)
        reply = step if isinstance(step, Reply) else await step(request)
        for part in reply.content:
            if isinstance(part, Text):
                yield TextPiece(part.text)
        yield reply

    async def warm(self) -> None:
        """Nothing is opened ahead."""

    async def aclose(self) -> None:
        """Nothing is open."""


class Fixed:
    """Persona, instructions and rule store, all of them plain."""

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.nearby: dict[str, Instruction] = {}

    def system(self, *, cwd: str, model: str, mode: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        return ("You are a test.",)

    def load(self, cwd: str) -> tuple[Instruction, ...]:
        return ()

    def near(self, cwd: str, files: Sequence[str]) -> tuple[Instruction, ...]:
        return tuple(dict.fromkeys(self.nearby[file] for file in files if file in self.nearby))

    def allow(self, rules: Sequence[str]) -> str:
        self.saved += rules
        return "memory"


class QuickClock(SystemClock):
    """Does not wait, but lets others run."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


class World:
    """One `Sessions` and what it was made of."""

    def __init__(
        self,
        *steps: Step,
        tools: Sequence[Callable[..., Any] | FunctionTool] = (),
        ask: Sequence[str] = (),
        deny: Sequence[str] = (),
        price: Price | None = None,
        store: SessionStore | None = None,
        others: Sequence[PlayedModel] = (),
        cwd: str = "/w",
    ) -> None:
        self._cwd = cwd
        self.model = PlayedModel(steps, price)
        self.others = tuple(others)
        self.rules = NamedPermission(ask=ask, deny=deny)
        self.fixed = Fixed()
        self.clock = QuickClock()
        self.ledger = ListLedger()
        self.budgets = Budgets()
        self.source: ModelSource | None = None
        self.approval: Approval | None = None
        self.checkpoint: Checkpoint | None = None
        self.audit: Audit | None = None
        self.permission: Permission | None = None
        """In place of `rules`."""
        self.sandbox: RecordingSandbox | None = None
        self.hooks: Hooks | None = None
        self.agents: Agents | None = None
        """Those that have a name."""
        self.templates: Templates = FixedTemplates({})
        self.store: SessionStore = store or MemoryStore()
        self.toolsets: tuple[Toolset, ...] = (FunctionToolset(tools),)
        self.tasks = KeptTasks()
        self.limits = AgentSettings()
        self.wake = False
        self.most_wakes = 50
        self.use_clock(self.clock)

    def use_clock(self, clock: Clock) -> None:
        self.gateway = Sessions(
            assemble=lambda spec, before: self._assemble(spec),
            store=self.store,
            clock=clock,
            ids=SystemIds(SystemClock()),
            version="test",
        )

    def _assemble(self, spec: OpenSession) -> Parts:
        around = Surroundings(cwd=self._cwd, root=self._cwd, user_home="/h", protea_home="/h/.protea", environment={})
        return Parts(
            profile="test",
            surroundings=around,
            models=self.source or TableModelSource(self.model, *self.others),
            fallback=tuple(other.info.id for other in self.others),
            persona=self.fixed,
            instructions=self.fixed,
            toolsets=self.toolsets,
            permission=self.permission or self.rules,
            agents=self.limits,
            named_agents=self.agents.load if self.agents is not None else None,
            tasks=BesideSettings(wake=self.wake, most_wakes=self.most_wakes),
            task_runner=lambda: MemoryTaskRunner(self.tasks),
            approval=self.approval or (InteractiveApproval() if spec.interactive else PolicyApproval()),
            rules=self.fixed,
            checkpoint=self.checkpoint,
            audit=self.audit,
            sandbox=self.sandbox,
            mode=cast(Mode, spec.mode or "normal"),
            ledger=self.ledger,
            budgets=self.budgets,
            model=spec.model or NAME,
            hooks=self.hooks,
            templates=lambda: self.templates,
        )

    async def run(self, prompt: str, **spec: Any) -> list[AnyEvent]:
        """Everything that happened from the prompt to the end of its turn, in a new session that is then closed."""
        session = await self.gateway.open(OpenSession(cwd="/w", **spec))
        try:
            return [event async for event in self.turn(session, SubmitPrompt(text=prompt))]
        finally:
            await self.gateway.close()

    async def turn(self, session: str, command: AnyCommand) -> AsyncIterator[AnyEvent]:
        past = await self.gateway.history(session)
        await self.gateway.submit(session, command)
        async with asyncio.timeout(10):
            async for event in self.gateway.events(session, past[-1].seq or 0):
                yield event
                if isinstance(event, TurnFinished):
                    return


def of(events: Sequence[AnyEvent], kind: type[Kind]) -> list[Kind]:
    return [event for event in events if isinstance(event, kind)]
