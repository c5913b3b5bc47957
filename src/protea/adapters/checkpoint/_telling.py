"""Changes in words, for events and people."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence

from protea.adapters.checkpoint._repositories import folder_of
from protea.adapters.checkpoint._seen import Entry, Version
from protea.domain.changes import ChangedFile, Happening, SkippedFile


def shown(path: bytes) -> str:
    """A name in one line: what a terminal would take for a line's end, or worse, is escaped."""
    text = path.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(_escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def happening(before: Version | None, after: Version | None) -> Happening:
    return "created" if before is None else "deleted" if after is None else "changed"


def note(before: Version | None, after: Version | None) -> str:
    """What a diff would not show."""
    one = after or before
    if before is not None and after is not None:
        if before.seen.kind != after.seen.kind:
            return f"{before.seen.kind} → {after.seen.kind}"
        if before.seen.permissions != after.seen.permissions:
            return f"mode {before.seen.permissions:04o} → {after.seen.permissions:04o}"
    return "" if one is None or one.seen.kind == "file" else one.seen.kind


def changed_files(entries: Iterable[Entry]) -> tuple[ChangedFile, ...]:
    """One row per file; what lies in a repository's own folder is one row for all of it."""
    rows: dict[str, ChangedFile] = {}
    inside: dict[bytes, int] = {}
    for entry in entries:
        folder = folder_of(entry.path)
        if folder is not None:
            inside[folder] = inside.get(folder, 0) + 1
            continue
        path = shown(entry.path)
        rows[path] = ChangedFile(path, happening(entry.before, entry.after), note(entry.before, entry.after))
    for folder, count in inside.items():
        rows[shown(folder)] = ChangedFile(shown(folder), "changed", f"{count} files of git's own")
    return tuple(rows[path] for path in sorted(rows))


def uncovered(entries: Iterable[Entry], notes: Sequence[tuple[bytes, str]], largest: int) -> tuple[SkippedFile, ...]:
    """What cannot be brought back, and why."""
    found = [SkippedFile(shown(path), why) for path, why in notes]
    listed = list(entries)
    moved = {(entry.after.seen.ino, entry.after.seen.size, entry.after.seen.mtime) for entry in listed if entry.after}
    for entry in listed:
        before = entry.before
        if before is None or restorable(before):
            continue
        if (before.seen.ino, before.seen.size, before.seen.mtime) in moved:
            continue  # renamed, or its mode alone was changed: its content is still there
        found.append(SkippedFile(shown(entry.path), _why(before, entry.path, largest)))
    return tuple(found)


def restorable(version: Version) -> bool:
    """Whether all that is needed to make it again is kept."""
    kind = version.seen.kind
    if kind == "file":
        return version.object is not None or not version.seen.size
    return kind in ("directory", "link") or stat.S_ISFIFO(version.seen.mode)


def _why(before: Version, path: bytes, largest: int) -> str:
    if before.seen.kind == "other":
        return "it was a socket or a device"
    if before.seen.size > largest:
        return f"it was too large to be kept ({before.seen.size / 1e6:,.0f} MB)"
    if not before.seen.mode & 0o444 and os.geteuid() != 0:
        return "it could not be read"
    return "it was changed before there was time or room to keep what it was"
