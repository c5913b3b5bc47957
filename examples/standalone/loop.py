"""The loop alone: one turn of a model of one's own, with a tool of one's own, nothing on disk.

Needs msgspec.
"""

import asyncio
from collections.abc import AsyncGenerator

from protea.adapters.approval.policy import PolicyApproval
from protea.adapters.clock.system import SystemClock
from protea.adapters.ids.system import SystemIds
from protea.adapters.ledger.memory import MemoryLedger
from protea.adapters.rule_store.none import Options as NoRules
from protea.adapters.rule_store.none import create as no_rules
from protea.adapters.storage.memory import MemoryStore
from protea.adapters.tools.functions import FunctionToolset
from protea.application.approvals import Approvals
from protea.application.budgets import Purse
from protea.application.hooks import HookRunner
from protea.application.hub import Hub
from protea.application.lineup import Lineup
from protea.application.tool_runner import ToolRunner
from protea.application.turn import Turn, turn
from protea.composition.models import OneModel
from protea.domain.events import PromptSubmitted, TurnStarted
from protea.domain.messages import Text, ToolCall, ToolMessage
from protea.domain.permission import Decision, PermissionRequest
from protea.domain.reply import ModelRequest, Reply, ReplyPiece
from protea.domain.spending import Budgets
from protea.domain.transcript import Transcript
from protea.domain.usage import ModelInfo, Usage


class Calculator:
    """A model that calls `multiply` once and then says what came back. Any object with these four will do."""

    info = ModelInfo(id="demo/calculator")

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece, None]:
        last = request.messages[-1]
        if isinstance(last, ToolMessage):
            yield Reply((Text(text=f"It is {last.text}."),), "end_turn", Usage(), self.info.id)
        else:
            call = ToolCall(id="c1", name="multiply", arguments={"a": 6, "b": 7})
            yield Reply((call,), "tool_calls", Usage(), self.info.id)

    async def warm(self) -> None:
        """Nothing is opened ahead."""

    async def aclose(self) -> None:
        """Nothing is open."""


class EverythingGoes:
    def decide(self, request: PermissionRequest) -> Decision:
        return Decision(verdict="allow", why="this is a demonstration")


def multiply(a: int, b: int) -> str:
    """The product of two numbers."""
    return str(a * b)


def asked(tool: str, arguments: dict[str, object], cwd: str | None) -> PermissionRequest:
    return PermissionRequest(tool=tool, arguments=arguments, cwd=cwd or "/")


async def main() -> None:
    log, transcript, clock = MemoryStore().create("demo"), Transcript(), SystemClock()
    ids = SystemIds(clock)
    model = Calculator()
    hub = Hub("demo", log, clock, transcript.add)
    approvals = Approvals(hub, PolicyApproval(), no_rules(NoRules()), ())
    runner = ToolRunner(
        toolsets=[FunctionToolset([multiply])],
        permission=EverythingGoes(),
        approvals=approvals,
        hub=hub,
        ids=ids,
        request=asked,
        output_folder=lambda: log.folder,
        hooks=HookRunner(hub, lambda: None, lambda: "normal", "/", approvals=approvals, ids=lambda: ids),
    )
    prompt = PromptSubmitted(id="p_1", text="What is 6 x 7?")
    started = TurnStarted(id="t_1", prompt="p_1", model="demo/calculator")
    hub.record(prompt, started)
    ended = await turn(
        Turn(
            started=started,
            hub=hub,
            transcript=transcript,
            lineup=Lineup(model, (), OneModel(model), hub, clock),
            runner=runner,
            system=("You calculate.",),
            clock=clock,
            ids=ids,
            purse=Purse(Budgets(), MemoryLedger(), hub, clock, spent=0.0),
        )
    )
    for event in log.read():
        print(event.seq, type(event).__name__)
    print(ended.outcome, "after", ended.turns, "replies")


if __name__ == "__main__":
    asyncio.run(main())
