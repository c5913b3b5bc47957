"""A turn with what hooks have to say before its first request and after its answer. Called by `turns`."""

from __future__ import annotations

from msgspec.structs import replace

from protea.application.hooks import HookRunner
from protea.application.turn import Turn, turn
from protea.domain.errors import Failure
from protea.domain.events import PromptSubmitted, TurnFinished
from protea.domain.messages import AssistantMessage, text_of

MOST_AGAIN = 3
"""How often in a row hooks may send an answer back."""


async def hooked_turn(given: Turn, hooks: HookRunner, prompt: PromptSubmitted, *, first: bool) -> TurnFinished:
    """As `turn`. A hook may refuse the prompt, add to it, and say at the end that the work is not done yet.

    `first`: no turn of this session was run in this process before.
    """
    if first:
        opened = await hooks.ask("session_start")
        hooks.tell(given.ids, opened.context)
    said = await hooks.ask("prompt", text=prompt.text)
    if said.verdict == "deny":
        message = f"The hook {said.hook} refused the prompt" + (f": {said.why}" if said.why else ".")
        return TurnFinished(id=given.started.id, outcome="denied", error=Failure(kind="hook", message=message))
    hooks.tell(given.ids, said.context)
    finished = await turn(given)
    sent_back = 0
    while finished.outcome == "finished" and sent_back < MOST_AGAIN:
        said = await hooks.ask("turn_end", text=_answer(given), repeated=sent_back > 0)
        if said.verdict == "deny":
            sent_back += 1
            hooks.tell(given.ids, said.why or "The work is not done yet.")
        elif not given.transcript.steered:  # a person may have said more while the hooks took their time
            break
        finished = _both(finished, await turn(given))
    return finished


def _answer(given: Turn) -> str:
    last = given.transcript.last_message()
    return text_of(last.content) if isinstance(last, AssistantMessage) else ""


def _both(before: TurnFinished, after: TurnFinished) -> TurnFinished:
    """The later end with what both rounds used."""
    costs = [cost for cost in (before.cost_usd, after.cost_usd) if cost is not None]
    return replace(
        after,
        turns=before.turns + after.turns,
        usage=before.usage + after.usage,
        cost_usd=sum(costs) if costs else None,
    )
