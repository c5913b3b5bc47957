"""What the tools that read and write files do alike: find near names, remember what was read, say what changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from msgspec.structs import replace

from protea.adapters.tools._kit import Kit
from protea.domain.cut import cut
from protea.domain.diff import counts, unified
from protea.domain.textfile import binary, decode
from protea.domain.tools import ToolResult
from protea.ports.workspace import Entry, WorkspaceError

DIFF_LIMIT = 200_000
"""Characters of a diff in an event; more is cut."""
KEPT = 100
"""Diagnostics in an event."""


async def explained(kit: Kit, path: str, error: WorkspaceError) -> str:
    """The error, with the names that may have been meant where the path is missing."""
    if error.trouble != "missing":
        return str(error)
    near = await _near(kit, path)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"{kit.shown(path)} does not exist.{hint}"


async def _near(kit: Kit, path: str) -> list[str]:
    from protea.domain.spelling import distance

    found: list[str] = []
    # The same path from the project's root, where the working directory is another.
    root = kit.surroundings.root
    for candidate in (os.path.join(root, kit.shown(path)), os.path.join(root, path.lstrip("/"))):
        try:
            found.append((await kit.workspace.stat(candidate)).path)
            break
        except WorkspaceError:
            continue
    folder, _, name = path.rstrip("/").rpartition("/")
    try:
        entries = await kit.workspace.list(folder)
    except WorkspaceError as error:
        if error.trouble == "missing" and folder not in ("", "/"):
            return found or [f"{each}/ (for its directory)" for each in (await _near(kit, folder))[:1]]
        return found
    wanted, stem = name.lower(), os.path.splitext(name)[0].lower()
    close: list[tuple[int, str]] = []
    for entry in entries:
        have = entry.name.lower()
        far = distance(wanted, have)
        if os.path.splitext(have)[0] == stem or far <= max(1, len(wanted) // 3):
            close.append((far, kit.shown(entry.path)))
    return [*found, *(path for _, path in sorted(close)[:3])]


async def existing(kit: Kit, path: str) -> tuple[Entry, bytes] | None:
    """The file a path leads to and its bytes; None where there is none. Raises `WorkspaceError` for what is no file."""
    try:
        entry = await kit.workspace.stat(path)
    except WorkspaceError as error:
        if error.trouble == "missing":
            return None
        raise
    data = await kit.workspace.read(path)
    return entry, data


def stale(kit: Kit, entry: Entry) -> bool:
    """Whether the file was read or written here before and is not that any more."""
    return entry.path in kit.seen and kit.seen[entry.path] != entry


def difference(kit: Kit, old: bytes | None, new: bytes | None, path: str) -> tuple[str, str]:
    """The unified diff of a change, cut to size, and a few words on it (`+3 -1 lines`)."""
    if (old is not None and binary(old)) or (new is not None and binary(new)):
        return "", "binary"
    shown = kit.shown(path)
    before = "/dev/null" if old is None else shown
    after = "/dev/null" if new is None else shown
    old_text = decode(old).text if old is not None else ""
    new_text = decode(new).text if new is not None else ""
    diff = unified(old_text, new_text, after, before=before).encode("utf-8", "backslashreplace").decode()
    added, removed = counts(diff)
    return cut(diff, DIFF_LIMIT), f"+{added} -{removed} lines"


async def judged(kit: Kit, result: ToolResult, changed: Iterable[tuple[str, bytes | None, bytes | None]]) -> ToolResult:
    """The result of a change of files (path, before, after), with what is wrong with them that was not before."""
    if kit.diagnostics is None or not kit.workspace.on_disk:
        return result
    from protea.domain.diagnostics import Change, told

    changes = [
        Change(_real(path), *(None if data is None else decode(data).text for data in (before, after)))
        for path, before, after in changed
        if not any(data is not None and binary(data) for data in (before, after))
    ]
    try:
        found = await kit.diagnostics.look(changes)
    except asyncio.CancelledError:
        return result  # the files are changed, and the log has to say so: only the waiting is broken off
    if not found:
        return result
    text = f"{result.text.rstrip()}\n{told(found, kit.shown)}"
    return replace(result, text=text, diagnostics=tuple(found[:KEPT]))


def _real(path: str) -> str:
    return os.path.realpath(path)
