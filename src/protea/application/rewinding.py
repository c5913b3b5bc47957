"""What is taken back of a conversation: the end of it, a summary, a compaction. Called where a person asks for it."""

from __future__ import annotations

from collections.abc import Iterable

from protea.application.hub import Hub
from protea.application.past import Past
from protea.application.undoing import NOTHING_KEPT, Undoing
from protea.domain.commands import EditSummary, Redo, Rewind, Undo
from protea.domain.compaction import LONGEST_SKILL, survivors, todo_lines
from protea.domain.errors import UsageError
from protea.domain.events import Compacted, CompactionUndone, LastingEvent, PromptWithdrawn, Rewound
from protea.domain.messages import ToolMessage
from protea.domain.transcript import Transcript, transcript_of
from protea.ports.session_store import EventLog


async def rewind(command: Rewind, past: Past, log: EventLog, hub: Hub) -> None:
    """Go on from an earlier event: what came after it is in the log, and in no request any more."""
    _in_no_turn(past.transcript)
    if not 1 <= command.to <= hub.last:
        raise UsageError(f"there is no event {command.to}; the last is {hub.last}")
    waiting = [PromptWithdrawn(id=id) for id in past.transcript.waiting]
    hub.record(*waiting, Rewound(to=command.to))
    past.transcript = transcript_of(log.read())
    await hub.sync()


async def undo_compaction(past: Past, log: EventLog, hub: Hub) -> None:
    """Show the model again what the last compaction that stands has taken out."""
    _in_no_turn(past.transcript)
    standing = _standing_compactions(log.read())
    if not standing:
        raise UsageError("there is no compaction to undo")
    hub.record(CompactionUndone(compacted=max(standing)))
    past.transcript = transcript_of(log.read())
    await hub.sync()


async def edit_summary(command: EditSummary, transcript: Transcript, hub: Hub) -> None:
    """Let the model read a person's words in place of its own summary."""
    now = transcript.compacted
    if now is None:
        raise UsageError("nothing was summed up in this conversation")
    if not command.text.strip():
        raise UsageError("the summary is empty; say what the model should know of what was said before")
    # What goes on being so is in sight whatever stands there.
    pins = [pin for pin in transcript.pins if pin.partition("\n")[0] not in command.text]
    todo = [line for line in todo_lines(transcript.todo) if line not in command.text]
    seen = {command.text, *(each.text for each in transcript.messages() if isinstance(each, ToolMessage))}
    skills = {name: text for name, text in transcript.skills.items() if not any(text in each for each in seen)}
    lost = survivors((), pins, todo, longest=LONGEST_SKILL, skills=skills)
    text = f"{command.text}\n\n{lost}" if lost else command.text
    await hub.commit(Compacted(upto=now.upto, summary=text, strategy="edited by a person"))


async def restore_files(command: Undo | Redo, transcript: Transcript, undoing: Undoing | None) -> None:
    """Undo or redo what turns did to files."""
    _in_no_turn(transcript)
    if undoing is None:
        raise UsageError(NOTHING_KEPT)
    await undoing.restore(command)


def _in_no_turn(transcript: Transcript) -> None:
    if transcript.turn is not None:
        raise UsageError("a turn is running; interrupt it first")


def _standing_compactions(events: Iterable[LastingEvent]) -> set[int]:
    """The numbers of those that were neither undone nor rewound away."""
    standing: set[int] = set()
    for event in events:
        match event:
            case CompactionUndone():
                standing.discard(event.compacted)
            case Compacted():
                standing.add(event.seq or 0)
            case Rewound():
                standing = {seq for seq in standing if seq <= event.to}
            case _:
                pass
    return standing
