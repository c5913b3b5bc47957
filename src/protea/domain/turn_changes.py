"""Which turns' changes to files stand, and which were taken back: a fold of events, like everything else."""

from __future__ import annotations

import msgspec

from protea.domain.errors import UsageError
from protea.domain.events import Event, FilesChanged, FilesRestored


class TurnChanges(msgspec.Struct, frozen=True):
    """Turns that changed files, the latest last."""

    done: tuple[FilesChanged, ...] = ()
    undone: tuple[FilesChanged, ...] = ()
    """In the order in which they were taken back: the last is the first to be done again."""
    partly: tuple[tuple[FilesChanged, ...], ...] = ()
    """Of these, those of which something was left as it was, in the order in which they were taken back; turns that
    were taken back as one stand as one, the latest turn first."""

    def to_undo(self, turns: int) -> tuple[FilesChanged, ...]:
        """The latest turns, the latest first. Raises `UsageError` where there are not so many."""
        return _last(self.done, turns, "undo")

    def to_redo(self, turns: int) -> tuple[FilesChanged, ...]:
        """Those that were taken back last, the last first. Raises `UsageError` where there are not so many."""
        return _last(self.undone, turns, "redo")


def advance(standing: TurnChanges, event: Event) -> TurnChanges:
    """`standing` after one more lasting event."""
    match event:
        case FilesChanged():
            # What was taken back belongs to a past that is over now.
            return TurnChanges(done=(*standing.done, event))
        case FilesRestored(direction="undo"):
            gone = tuple(each for each in reversed(standing.done) if each.turn in event.turns)
            left = tuple(each for each in standing.done if each.turn not in event.turns)
            again = next((each for each in standing.partly if _turns(each) == event.turns), gone)
            partly = tuple(each for each in standing.partly if each != again)
            partly = (*partly, again) if event.skipped and again else partly
            return TurnChanges(done=left, undone=(*standing.undone, *gone), partly=partly)
        case FilesRestored():
            back = [each for each in reversed(standing.undone) if each.turn in event.turns]
            left = tuple(each for each in standing.undone if each.turn not in event.turns)
            partly = tuple(each for each in standing.partly if not {*_turns(each)} & {*event.turns})
            return TurnChanges(done=(*standing.done, *back), undone=left, partly=partly)
        case _:
            return standing


def _turns(entries: tuple[FilesChanged, ...]) -> tuple[str, ...]:
    return tuple(each.turn for each in entries)


def require(direction: str, there_are: int, count: int) -> None:
    """Raises `UsageError` where not so many turns can be taken back (`undo`) or done again (`redo`)."""
    what, nothing = _SAID[direction]
    if count < 1:
        raise UsageError("the number of turns must be at least 1")
    if not there_are:
        raise UsageError(nothing)
    if count > there_are:
        raise UsageError(f"only {there_are} turn{'s' if there_are > 1 else ''} can be {what}, not {count}")


def _last(turns: tuple[FilesChanged, ...], count: int, direction: str) -> tuple[FilesChanged, ...]:
    require(direction, len(turns), count)
    return tuple(reversed(turns[-count:]))


_SAID = {
    "undo": ("undone", "there is nothing to undo: no turn has changed a file"),
    "redo": ("done again", "there is nothing to redo: nothing was undone since the last change"),
}
