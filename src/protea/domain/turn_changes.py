"""Which turns' changes to files stand, and which were taken back: a fold of events, like everything else."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from protea.domain.errors import UsageError
from protea.domain.events import Event, FilesChanged, FilesRestored


class TurnChanges(msgspec.Struct, frozen=True):
    """Turns that changed files, the latest last."""

    done: tuple[FilesChanged, ...] = ()
    undone: tuple[FilesChanged, ...] = ()
    """In the order in which they were taken back: the last is the first to be done again."""

    def to_undo(self, turns: int) -> tuple[FilesChanged, ...]:
        """The latest turns, the latest first. Raises `UsageError` where there are not so many."""
        return _last(self.done, turns, "undone", "there is nothing to undo: no turn has changed a file")

    def to_redo(self, turns: int) -> tuple[FilesChanged, ...]:
        """Those that were taken back last, the last first. Raises `UsageError` where there are not so many."""
        return _last(
            self.undone, turns, "done again", "there is nothing to redo: nothing was undone since the last change"
        )


def advance(standing: TurnChanges, event: Event) -> TurnChanges:
    """`standing` after one more lasting event."""
    match event:
        case FilesChanged():
            # What was taken back belongs to a past that is over now.
            return TurnChanges(done=(*standing.done, event))
        case FilesRestored(direction="undo"):
            gone = [each for each in reversed(standing.done) if each.turn in event.turns]
            left = tuple(each for each in standing.done if each.turn not in event.turns)
            return replace(standing, done=left, undone=(*standing.undone, *gone))
        case FilesRestored():
            back = [each for each in reversed(standing.undone) if each.turn in event.turns]
            left = tuple(each for each in standing.undone if each.turn not in event.turns)
            return replace(standing, done=(*standing.done, *back), undone=left)
        case _:
            return standing


def _last(turns: tuple[FilesChanged, ...], count: int, what: str, nothing: str) -> tuple[FilesChanged, ...]:
    if count < 1:
        raise UsageError("the number of turns must be at least 1")
    if not turns:
        raise UsageError(nothing)
    if count > len(turns):
        raise UsageError(f"only {len(turns)} turn{'s' if len(turns) > 1 else ''} can be {what}, not {count}")
    return tuple(reversed(turns[-count:]))
