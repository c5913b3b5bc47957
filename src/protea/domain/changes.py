"""What a turn did to files, as values: told by events, shown by faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Happening = Literal["created", "changed", "deleted"]
Direction = Literal["undo", "redo"]

MOST_FILES = 200
"""Files an event names; of the others it says how many there are."""


class ChangedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    path: str
    """Absolute. Bytes that are not UTF-8 are shown as escapes."""
    what: Happening
    note: str = ""
    """What else there is to know: `directory`, `link`, `binary`, `mode 0644 → 0755`."""


class SkippedFile(msgspec.Struct, frozen=True):
    """A file that was left as it is, or that cannot be brought back."""

    path: str
    why: str
    """A clause: `you changed it since`."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """All that one turn did."""

    checkpoint: str
    """By which the store finds it again."""
    files: tuple[ChangedFile, ...] = ()
    uncovered: tuple[SkippedFile, ...] = ()
    """What was changed and cannot be undone, and why."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What an undo or redo did, or would do."""

    files: tuple[ChangedFile, ...] = ()
    """What happened to each file by the undo itself: one that a turn had created is now `deleted`."""
    skipped: tuple[SkippedFile, ...] = ()


class FileDiff(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file's change, to be read."""

    path: str
    what: Happening
    note: str = ""
    diff: str = ""
    """As `git apply` reads it; empty for what has no text."""
    added: int = 0
    removed: int = 0


def restored_text(
    direction: Direction,
    files: Sequence[ChangedFile],
    skipped: Sequence[SkippedFile],
    *,
    more: int = 0,
    dry_run: bool = False,
) -> str:
    """What an undo or redo did, in lines for a person; the first is a sentence."""
    done = {"undo": ("undone", "would be undone"), "redo": ("done again", "would be done again")}[direction][dry_run]
    count = len(files) + more
    lines = [f"{done}: {count} file{'' if count == 1 else 's'}" if count else f"nothing {done}"]
    lines += [f"  {changed_line(each)}" for each in files]
    lines += [f"  … and {more} more"] if more else []
    if skipped:
        lines.append(f"left as {'they are' if len(skipped) > 1 else 'it is'}:")
        lines += [f"  {each.path}: {each.why}" for each in skipped]
    return "\n".join(lines) + "\n"


def changed_line(file: ChangedFile | FileDiff) -> str:
    """`changed  src/a.py (mode 0644 → 0755)`."""
    return f"{file.what:<8} {file.path}" + (f" ({file.note})" if file.note else "")
