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
    if result.denied is not None:
        return TurnFinished(id=started.id, outcome="denied")
    if prompt.origin == "race" and result.is_error:
        return TurnFinished(id=started.id, outcome="error", error=_failure(result.text))
    return TurnFinished(id=started.id, outcome="finished")


def _failure(text: str) -> Failure:
    """What a race that failed says: that nobody brought anything, or what the person has to mend."""
    from protea.domain.racing import NOBODY

    return Failure(kind="agents" if text.startswith(NOBODY) else "usage", message=text.partition("\n")[0])


def _call(prompt: PromptSubmitted, id: str) -> ToolCall:
    """Raises `UsageError`."""
    if prompt.origin == "shell":
        return ToolCall(id=id, name="Bash", arguments={"command": prompt.text.strip().removeprefix("!").strip()})
    from protea.domain.racing import arguments_of  # raced now and then

    return ToolCall(id=id, name="Race", arguments=arguments_of(prompt.text))
