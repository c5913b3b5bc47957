"""The runtime as a library: an agent in another program in ten lines. `from protea import Agent`."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from protea.adapters.tools.functions import FunctionTool, FunctionToolset
from protea.composition.launch import Launch
from protea.composition.root import Given, build
from protea.domain.commands import Interrupt, ResolveApproval, SubmitPrompt
from protea.domain.errors import Failure, ProteaError, UsageError
from protea.domain.events import (
    Answer,
    AnyEvent,
    ApprovalRequested,
    MessageCompleted,
    Outcome,
    PromptSubmitted,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import ToolCall, text_of
from protea.domain.usage import Usage
from protea.ports.gateway import Gateway, OpenSession
from protea.ports.model import Model
from protea.ports.persona import Persona
from protea.ports.session_store import SessionStore
from protea.ports.toolset import Toolset

OnQuestion = Callable[[ApprovalRequested], Awaitable[Answer | ResolveApproval]]
"""Answers a question: by a word, or by a command that carries a comment as well (why not, what the model asked for)."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a prompt ended."""

    text: str
    """The final answer."""
    outcome: Outcome
    session: str
    turns: int
    """Replies of the model."""
    usage: Usage
    cost_usd: float | None = None
    structured: Any = None
    """The answer as JSON, where the agent has a schema."""
    error: Failure | None = None
    denied: tuple[ToolCall, ...] = ()
    """Calls that were not allowed."""


class Agent:
    """An agent with one conversation.

        async with Agent(model="anthropic/claude-sonnet-4-5", cwd="my/project", allow=["Edit(src/**)"]) as agent:
            run = await agent.ask("Make the tests pass.")
            print(run.text, run.cost_usd)

    What is not allowed by rule is refused, unless `on_question` is given: it is asked. Nothing of the user's or the
    project's configuration is read unless `bare` is False. Entering raises `ConfigError` where a setting, a rule or a
    profile is wrong, `UsageError` where an argument is, `SessionError` where there is nothing to resume, and
    `ModelError` where the model has no key.
    """

    def __init__(
        self,
        *,
        model: str | Model | None = None,
        cwd: str = ".",
        tools: Sequence[Callable[..., Any] | FunctionTool | Toolset] = (),
        builtin_tools: bool = True,
        mode: str | None = None,
        allow: Sequence[str] = (),
        ask: Sequence[str] = (),
        deny: Sequence[str] = (),
        persona: Persona | None = None,
        profile: str | None = None,
        effort: str | None = None,
        schema: dict[str, Any] | None = None,
        max_turns: int | None = None,
        max_budget_usd: float | None = None,
        time_limit: float | None = None,
        on_question: OnQuestion | None = None,
        resume: str | None = None,
        store: SessionStore | None = None,
        bare: bool = True,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        """Nothing is read or opened before the agent is entered.

        `model`: `provider/model`, one of your own, or None for what the environment has a key for.
        `tools`: functions, `FunctionTool`s and toolsets, besides the built-in ones (`builtin_tools`).
        `mode`, `allow`, `ask`, `deny`: what it may do, as docs/permissions.md says.
        `persona`, `profile`, `effort`: who it is, and how much it thinks.
        `schema`: a JSON Schema the answers follow; `Run.structured` is then the value.
        `max_turns`, `max_budget_usd`, `time_limit`: per prompt: replies, dollars, seconds.
        `resume`: the id of a session to go on with. `store`: where sessions are kept.
        `warn`: takes what a person should know, a line each; None writes it to standard error.
        """
        named = model if isinstance(model, str) else None
        self._launch = Launch(
            cwd=os.path.abspath(cwd),
            environment=dict(os.environ),
            warn=warn or _to_stderr,
            profile=profile,
            model=named,
            effort=effort,
            mode=mode,
            allow=tuple(allow),
            ask=tuple(ask),
            deny=tuple(deny),
            bare=bare,
            interactive=on_question is not None,
        )
        functions = [tool for tool in tools if callable(tool) or isinstance(tool, FunctionTool)]
        toolsets = [tool for tool in tools if not (callable(tool) or isinstance(tool, FunctionTool))]
        if functions:
            toolsets.append(FunctionToolset(functions))
        self._given = Given(
            model=None if isinstance(model, str) else model,
            toolsets=tuple(toolsets),
            builtin_tools=builtin_tools,
            persona=persona,
            store=store,
        )
        self._spec = OpenSession(
            cwd=self._launch.cwd,
            resume=resume,
            interactive=on_question is not None,
            max_turns=max_turns,
            max_budget_usd=max_budget_usd,
            time_limit=time_limit,
            schema=schema,
        )
        self._on_question = on_question
        self._gateway: Gateway | None = None
        self.session = ""
        """The session's id, once entered."""

    async def __aenter__(self) -> Agent:
        self._gateway = build(self._launch, self._given)
        try:
            self.session = await self._gateway.open(self._spec)
        except BaseException:
            await self._gateway.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close()

    @property
    def gateway(self) -> Gateway:
        """All that a front end would hold. Raises `ProteaError` before the agent is entered."""
        if self._gateway is None:
            raise ProteaError("the agent is not open; use `async with Agent(…) as agent`")
        return self._gateway

    async def ask(self, prompt: str) -> Run:
        """Run a prompt to its end. A provider or tool that fails is an outcome; raises what `stream` raises."""
        text, denied, end = "", {}, None
        async for event in self.stream(prompt):
            match event:
                case MessageCompleted():
                    text = text_of(event.content) or text
                case ToolCallChanged(result=result) if result is not None and result.denied is not None:
                    denied[event.call.id] = event.call
                case TurnFinished():
                    end = event
                case _:
                    pass
        if end is None:
            raise ProteaError("the session was closed before the turn ended")
        return Run(
            text=text,
            outcome=end.outcome,
            session=self.session,
            turns=end.turns,
            usage=end.usage,
            cost_usd=end.cost_usd,
            structured=end.structured,
            error=end.error,
            denied=tuple(denied.values()),
        )

    async def stream(self, prompt: str) -> AsyncIterator[AnyEvent]:
        """Run a prompt and yield what happens in its turn, the last event being its `TurnFinished`.

        Left early, the turn is interrupted. Raises `UsageError` for an empty prompt and where what `on_question` gives
        is no answer, `StoreError` where the log cannot be written, and what `on_question` and the caller's loop raise.
        """
        gateway, turn, done = self.gateway, None, False
        past = await gateway.history(self.session, limit=-1)
        id = await gateway.submit(self.session, SubmitPrompt(text=prompt))
        try:
            async for event in gateway.events(self.session, (past[-1].seq or 0) if past else 0):
                match event:
                    case TurnStarted(prompt=started) if started == id:
                        turn = event.id
                    case ApprovalRequested() if self._on_question is not None:
                        await self._answer(event, self._on_question)
                    case _:
                        pass
                if turn is None and not (isinstance(event, PromptSubmitted) and event.id == id):
                    continue  # the turn of another prompt, which was left early, comes to its end
                done = isinstance(event, TurnFinished) and event.id == turn
                yield event
                if done:
                    return
        finally:
            if not done:
                await gateway.submit(self.session, Interrupt())

    async def _answer(self, question: ApprovalRequested, on_question: OnQuestion) -> None:
        said = await on_question(question)
        answer = said if isinstance(said, ResolveApproval) else ResolveApproval(id=question.id, decision=said)
        try:
            await self.gateway.submit(self.session, answer)
        except UsageError:
            state = await self.gateway.describe("session", self.session)
            if question.id in state["questions"]:
                raise
            # It was closed while it was thought about, by a limit or by somebody else: the turn says how it went on.


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"protea: {line}\n")
