"""A shell command of the person's own, typed with `!`: a turn that asks no model. Called by `session`.

It is recorded as a call like any other, so the next request shows the model what was run and what came out, and it
goes through the same permission engine: what a rule denies does not run. What the engine would only ask about it does
not ask: whoever typed the command has said so.
"""

from __future__ import annotations

import asyncio

from protea.application.approvals import Approvals
from protea.application.hub import Hub
from protea.application.tool_runner import ToolRunner
from protea.domain.events import MessageCompleted, TurnFinished, TurnStarted
from protea.domain.messages import PERSON, ToolCall
from protea.domain.usage import Usage
from protea.ports.ids import Ids


async def by_hand(
    started: TurnStarted, text: str, *, hub: Hub, runner: ToolRunner, approvals: Approvals, ids: Ids
) -> TurnFinished:
    """Run the command and return the event that says how it ended (not yet recorded). Raises only `StoreError`."""
    command = text.strip().removeprefix("!").strip()
    call = ToolCall(id=ids.short("c"), name="Bash", arguments={"command": command})
    await hub.commit(MessageCompleted(model=PERSON, content=(call,), stop="tool_calls", usage=Usage(), seen=hub.last))
    approvals.typed = call.id
    try:
        ((_, result),) = await runner.run([call])
    except asyncio.CancelledError:
        return TurnFinished(id=started.id, outcome="interrupted")
    finally:
        approvals.typed = ""
    return TurnFinished(id=started.id, outcome="denied" if result.denied is not None else "finished")
