"""What a crash left: every call and turn that the last process left open gets its end. Called when a session opens."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from protea.application.hub import Hub
from protea.application.undoing import Undoing
from protea.domain.events import ApprovalResolved, ToolCallChanged, TurnFinished
from protea.domain.transcript import INTERRUPTED, Transcript


async def end_what_is_open(transcript: Transcript, hub: Hub, undoing: Undoing | None) -> None:
    """Nothing unanswered counts as answered."""
    questions = [ApprovalResolved(id=id, decision="deny", by="interrupt") for id in transcript.questions]
    left = transcript.turn
    if left is None:  # they are of agents in the background
        hub.record(*questions)
        return
    hub.record(*questions, *_ended_calls(transcript))
    if undoing is not None:
        await undoing.recover(left.id)
    hub.record(TurnFinished(id=left.id, outcome="interrupted"))


def _ended_calls(transcript: Transcript) -> Iterator[ToolCallChanged]:
    """The parts of a call before it, the last that began first."""
    for part in reversed([change for change in transcript.states.values() if change.parent is not None]):
        yield replace(part, state="cancelled", result=INTERRUPTED)
    for call in transcript.open_calls:
        if call.id not in transcript.states:
            yield ToolCallChanged(call=call, state="validating")
        yield ToolCallChanged(call=call, state="cancelled", result=INTERRUPTED)
