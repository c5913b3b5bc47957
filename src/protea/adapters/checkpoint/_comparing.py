"""What turns did, as diffs to be read and to be handed to `git apply`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from protea.adapters.checkpoint._pool import Pool
from protea.adapters.checkpoint._records import Record
from protea.adapters.checkpoint._repositories import folder_of
from protea.adapters.checkpoint._seen import Version, see
from protea.adapters.checkpoint._telling import happening, note, shown
from protea.domain.changes import FileDiff
from protea.domain.diff import counts, unified

LARGEST = 1 << 20
"""Bytes of a file whose lines are compared."""
MOST = 4 << 20
"""Characters of all diffs together; of files after them it is only told what happened."""


def compare(records: Sequence[Record], pool: Pool, root: bytes) -> list[FileDiff]:
    """`records` with the earliest first. A file that several turns changed is compared over all of them."""
    spans: dict[bytes, tuple[Version | None, Version | None]] = {}
    for record in records:
        for entry in record.entries:
            first = spans[entry.path][0] if entry.path in spans else entry.before
            spans[entry.path] = (first, entry.after)
    found: list[FileDiff] = []
    inside: dict[bytes, int] = {}
    room = MOST
    for path, (before, after) in sorted(spans.items()):
        folder = folder_of(path)
        if folder is not None:
            inside[folder] = inside.get(folder, 0) + 1
            continue
        if before is None and after is None:
            continue
        one = _diff(path, before, after, pool, root, room)
        if one is not None:
            room -= len(one.diff)
            found.append(one)
    found += [FileDiff(shown(each), "changed", f"{count} files of git's own") for each, count in inside.items()]
    return sorted(found, key=lambda each: each.path)


def _diff(
    path: bytes, before: Version | None, after: Version | None, pool: Pool, root: bytes, room: int
) -> FileDiff | None:
    what, said = happening(before, after), note(before, after)
    if (before or after) is not None and "directory" in {each.seen.kind for each in (before, after) if each}:
        return FileDiff(shown(path), what, said or "directory")
    old, new = _content(path, before, pool), _content(path, after, pool)
    if what == "changed" and old is not None and old == new and not said:
        return None
    head = _head(path, before, after, root)
    if old is None or new is None:
        return FileDiff(shown(path), what, said or "its content is not kept", head)
    if b"\0" in old[:8192] or b"\0" in new[:8192]:
        return FileDiff(shown(path), what, said or "binary", f"{head}Binary files differ\n")
    body = unified(old.decode("utf-8", "backslashreplace"), new.decode("utf-8", "backslashreplace"), "x")
    if body:
        lines = body.split("\n", 2)[2]
        source = "/dev/null" if before is None else _name(path, root, "a/")
        target = "/dev/null" if after is None else _name(path, root, "b/")
        body = f"--- {source}\n+++ {target}\n{lines}"
    added, removed = counts(body) if body else (0, 0)
    if len(body) > room:
        return FileDiff(shown(path), what, said or "too long to be shown", head, added, removed)
    return FileDiff(shown(path), what, said, head + body, added, removed)


def _content(path: bytes, version: Version | None, pool: Pool) -> bytes | None:
    """What a version holds; None where that is not known, or too much."""
    if version is None:
        return b""
    if version.seen.kind == "link":
        return version.seen.link or b""
    if version.seen.kind != "file" or version.seen.size > LARGEST:
        return None
    if not version.seen.size:
        return b""
    try:
        if version.object is not None:
            return pool.read(version.object, LARGEST)
        if see(path) == version.seen:
            with open(path, "rb") as file:
                return file.read(LARGEST)
    except OSError:
        pass
    return None


def _head(path: bytes, before: Version | None, after: Version | None, root: bytes) -> str:
    lines = [f"diff --git {_name(path, root, 'a/')} {_name(path, root, 'b/')}\n"]
    if before is None and after is not None:
        lines.append(f"new file mode {_git_mode(after)}\n")
    elif after is None and before is not None:
        lines.append(f"deleted file mode {_git_mode(before)}\n")
    elif before is not None and after is not None and _git_mode(before) != _git_mode(after):
        lines += [f"old mode {_git_mode(before)}\n", f"new mode {_git_mode(after)}\n"]
    return "".join(lines)


def _git_mode(version: Version) -> str:
    if version.seen.kind == "link":
        return "120000"
    return "100755" if version.seen.mode & 0o111 else "100644"


def _name(path: bytes, root: bytes, before: str) -> str:
    """As git writes a name: between quotes, with escapes, where it has bytes that would be taken for something else."""
    inside = path.startswith(root.rstrip(b"/") + b"/")
    name = os.path.relpath(path, root) if inside else path.lstrip(b"/")
    text = name.decode("utf-8", "replace")
    if text.isprintable() and text.encode() == name and not {'"', "\\"} & {*text}:
        return before + text
    return f'"{before}{"".join(map(_quoted, name))}"'


def _quoted(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
