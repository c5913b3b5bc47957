"""A process that runs headless over a scripted gateway: `python scripted_run.py SCENARIO [HEADLESS_RUN_JSON]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import msgspec

from protea.domain.commands import AnyCommand, Interrupt, ResolveApproval, Steer, SubmitPrompt
from protea.domain.errors import Failure, ModelError, StoreError
from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    MessageCompleted,
    PromptSubmitted,
    RetryScheduled,
    SessionStarted,
    TextDelta,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import Text, ToolCall
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage
from protea.interfaces import headless
from protea.ports.gateway import OpenSession
from protea.testing.gateway import ScriptedGateway, saying

USAGE = Usage(input=10, output=2)
STARTED = TurnStarted(id="t1", prompt="", model="scripted/one")


def message(text: str) -> MessageCompleted:
    return MessageCompleted(model="scripted/one", content=(Text(text),), stop="end_turn", usage=USAGE)


def endless(command: AnyCommand) -> Sequence[Event]:
    """A turn that ends only when it is interrupted."""
    if isinstance(command, SubmitPrompt):
        return (STARTED, TextDelta(text="thinking about it"))
    if isinstance(command, Interrupt):
        return (TurnFinished(id="t1", outcome="interrupted", turns=1, usage=USAGE),)
    return ()


def deaf(command: AnyCommand) -> Sequence[Event]:
    """A turn that does not end."""
    return (STARTED, TextDelta(text="deaf")) if isinstance(command, SubmitPrompt) else ()


def flood(command: AnyCommand) -> Sequence[Event]:
    """Many deltas, then an answer."""
    if not isinstance(command, SubmitPrompt):
        return ()
    deltas = (TextDelta(text=f"piece {number} ") for number in range(40_000))
    return (STARTED, *deltas, message("done"), TurnFinished(id="t1", outcome="finished", turns=1, usage=USAGE))


def failing(command: AnyCommand) -> Sequence[Event]:
    failure = Failure("overloaded", "The provider is busy.", provider="scripted", status=529, retryable=True)
    return (
        STARTED,
        RetryScheduled(attempt=2, delay=0.5, error=failure),
        TurnFinished(id="t1", outcome="error", error=failure),
    )


def limited(command: AnyCommand) -> Sequence[Event]:
    stopped = TurnFinished(id="t1", outcome="limit", limit="turns", turns=1, usage=USAGE, cost_usd=0.1234567)
    return (STARTED, message("so far"), stopped)


def working(command: AnyCommand) -> Sequence[Event]:
    """A turn with one call."""
    call = ToolCall(id="c1", name="Bash", arguments={"command": "make"})
    done = ToolCallChanged(call=call, state="success", result=ToolResult(text="built"))
    ended = TurnFinished(id="t1", outcome="finished", turns=2, usage=USAGE)
    return (STARTED, ToolCallChanged(call=call, state="executing"), done, message("built"), ended)


def denied(command: AnyCommand) -> Sequence[Event]:
    call = ToolCall(id="c1", name="Bash", arguments={"command": "rm -rf build"})
    refused = ToolResult(text="Not allowed: rm removes files", is_error=True, denied="Bash(rm:*)")
    return (
        STARTED,
        *(ToolCallChanged(call=call, state=state) for state in ("validating", "scheduled")),
        ToolCallChanged(call=call, state="error", result=refused),
        message("I may not do that."),
        TurnFinished(id="t1", outcome="denied", turns=2, usage=USAGE),
    )


def asking(command: AnyCommand) -> Sequence[Event]:
    """A turn that waits for an answer."""
    call = ToolCall(id="c1", name="Bash", arguments={"command": "make"})
    if isinstance(command, SubmitPrompt):
        asked = ApprovalRequested(id="a1", call=call, why="make runs the project's code", proposals=("Bash(make)",))
        return (STARTED, ToolCallChanged(call=call, state="awaiting_approval"), asked)
    if isinstance(command, ResolveApproval):
        answer = ApprovalResolved(id=command.id, decision=command.decision, comment=command.comment, by=command.by)
        if command.decision == "deny":
            refused = ToolResult(text="The person refused this.", is_error=True, denied="refused")
            ended = (ToolCallChanged(call=call, state="error", result=refused),)
            return (answer, *ended, message("refused"), TurnFinished(id="t1", outcome="denied", turns=2))
        ran = ToolCallChanged(call=call, state="success", result=ToolResult(text="built"))
        return (answer, ran, message("built"), TurnFinished(id="t1", outcome="finished", turns=2, usage=USAGE))
    return ()


def structured(command: AnyCommand) -> Sequence[Event]:
    finished = TurnFinished(id="t1", outcome="finished", turns=1, usage=USAGE, structured={"count": 3})
    return (STARTED, message('```json\n{"count": 3}\n```'), finished)


def counting(command: AnyCommand) -> Sequence[Event]:
    """Every prompt is a turn of its own; steering joins the one before."""
    if isinstance(command, SubmitPrompt):
        return (
            STARTED,
            message(f"heard {command.text}"),
            TurnFinished(id="t1", outcome="finished", turns=1, usage=USAGE),
        )
    if isinstance(command, Steer):
        return (STARTED, message(f"steered {command.text}"), TurnFinished(id="t2", outcome="finished", turns=1))
    return ()


SCRIPTS = {
    "hello": saying("Hello there.", "Hello", " there."),
    "escape": saying("red \x1b[31mtext\x1b[0m and half \udc80 a character"),
    "counting": counting,
    "patient": deaf,
    **{each.__name__: each for each in (working, endless, deaf, flood, failing, limited, denied, asking, structured)},
}


class Unopened(ScriptedGateway):
    """A gateway that cannot open a session."""

    def __init__(self, error: Exception) -> None:
        super().__init__(saying("never"))
        self.error = error

    async def open(self, spec: OpenSession) -> str:
        raise self.error


UNOPENED = {
    "keyless": ModelError.of("auth", "ANTHROPIC_API_KEY is not set", provider="anthropic"),
    "diskless": StoreError("the disk is full"),
}


async def run() -> int:
    scenario, *given = sys.argv[1:]
    spec = msgspec.json.decode(
        given[0] if given else '{"open":{"cwd":"/"},"prompt":"hi"}', type=headless.HeadlessRun, strict=False
    )
    gateway: ScriptedGateway
    if scenario in UNOPENED:
        gateway = Unopened(UNOPENED[scenario])
    elif scenario == "going-on":
        began = SessionStarted(version="0", cwd="/", session="old", seq=1)
        said = PromptSubmitted(id="p0", text="before", session="old", seq=2)
        gateway = ScriptedGateway(counting, logs={"old": [began, said]})
    else:
        if scenario == "patient":
            headless.GRACE = 600.0
        gateway = ScriptedGateway(SCRIPTS[scenario])
    return await headless.run(gateway, spec)


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
