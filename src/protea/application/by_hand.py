"""A call of the person's own, a shell command typed with `!` or a `/race`: a turn that asks no model. Called by
`turns`.

It is recorded as a call like any other, so the next request shows the model what was run and what came out, and it
goes through the same permission engine: what a rule denies does not run. What the engine would only ask about it does
not ask: whoever typed the command has said so.
"""

from __future__ import annotations

import asyncio

from protea.application.approvals import Approvals
from protea.application.hub import Hub
from protea.application.tool_runner import ToolRunner
from protea.domain.errors import Failure, UsageError
from protea.domain.events import MessageCompleted, PromptSubmitted, TurnFinished, TurnStarted
from protea.domain.messages import PERSON, ToolCall
from protea.domain.usage import Usage
from protea.ports.ids import Ids


async def by_hand(
    started: TurnStarted, prompt: PromptSubmitted, *, hub: Hub, runner: ToolRunner, approvals: Approvals, ids: Ids
) -> TurnFinished:
    """Run the call and return the event that says how it ended (not yet recorded). Raises only `StoreError`."""
    try:
        call = _call(prompt, ids.short("c"))
    except UsageError as error:
        return TurnFinished(id=started.id, outcome="error", error=Failure(kind="usage", message=str(error)))
    await hub.commit(MessageCompleted(model=PERSON, content=(call,), stop="tool_calls", usage=Usage(), seen=hub.last))
    approvals.typed = call.id
    try:
        ((_, result),) = await runner.run([call])
    except asyncio.CancelledError:
        return TurnFinished(id=started.id, outcome="interrupted")
    finally:
        approvals.typed = ""
    return TurnFinished(id=started.id, outcome="denied" if result.denied is not None else "finished")


def _call(prompt: PromptSubmitted, id: str) -> ToolCall:
    """Raises `UsageError`."""
    if prompt.origin == "shell":
        return ToolCall(id=id, name="Bash", arguments={"command": prompt.text.strip().removeprefix("!").strip()})
    from protea.domain.racing import arguments_of  # raced now and then

    return ToolCall(id=id, name="Race", arguments=arguments_of(prompt.text))
