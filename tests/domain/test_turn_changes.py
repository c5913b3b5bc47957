"""Which turns stand and which were taken back."""

from __future__ import annotations

import pytest

from protea.domain.changes import ChangedFile, SkippedFile, restored_text
from protea.domain.errors import UsageError
from protea.domain.events import Event, FilesChanged, FilesRestored
from protea.domain.messages import text_of
from protea.domain.transcript import transcript_of
from protea.domain.turn_changes import TurnChanges, advance


def changed(turn: str) -> FilesChanged:
    return FilesChanged(turn=turn, checkpoint=f"s/{turn}")


def fold(*events: Event) -> TurnChanges:
    changes = TurnChanges()
    for event in events:
        changes = advance(changes, event)
    return changes


def names(turns: tuple[FilesChanged, ...]) -> str:
    return " ".join(each.turn for each in turns)


def test_the_latest_turn_is_undone_first_and_redone_last() -> None:
    changes = fold(changed("a"), changed("b"), changed("c"))
    assert names(changes.to_undo(2)) == "c b"
    changes = advance(changes, FilesRestored(direction="undo", turns=("c", "b")))
    assert names(changes.done) == "a"
    assert names(changes.to_redo(2)) == "b c"
    changes = advance(changes, FilesRestored(direction="redo", turns=("b",)))
    assert (names(changes.done), names(changes.undone)) == ("a b", "c")


def test_what_was_undone_cannot_be_redone_after_another_change() -> None:
    changes = fold(changed("a"), FilesRestored(direction="undo", turns=("a",)), changed("b"))
    with pytest.raises(UsageError, match="nothing to redo"):
        changes.to_redo(1)


@pytest.mark.parametrize(("turns", "why"), [(0, "at least 1"), (3, "only 2 turns can be undone"), (-1, "at least 1")])
def test_a_number_of_turns_that_there_are_not_is_refused(turns: int, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        fold(changed("a"), changed("b")).to_undo(turns)


def test_the_model_is_told_what_was_undone() -> None:
    event = FilesRestored(direction="undo", turns=("a",), files=(ChangedFile("/w/x", "deleted"),), seq=1)
    (message,) = transcript_of([event]).messages()
    assert "took back what the last turn had changed" in text_of(message.content)  # type: ignore[arg-type]
    assert "/w/x: deleted" in text_of(message.content)  # type: ignore[arg-type]


def test_a_restore_is_told_in_lines() -> None:
    files = (ChangedFile("/w/a", "changed", "mode 0644 → 0755"), ChangedFile("/w/b", "deleted"))
    told = restored_text("undo", files, (SkippedFile("/w/c", "it was changed since"),), more=1)
    assert told.splitlines() == [
        "undone: 3 files",
        "  changed  /w/a (mode 0644 → 0755)",
        "  deleted  /w/b",
        "  … and 1 more",
        "left as it is:",
        "  /w/c: it was changed since",
    ]
    assert restored_text("redo", (), (), dry_run=True) == "nothing would be done again\n"
