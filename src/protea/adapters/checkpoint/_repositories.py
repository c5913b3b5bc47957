"""What lies in `.git` belongs together: a branch put back without its objects is worse than none.

So all of a repository's own folder is undone, or nothing of it: it must be as the turn left it, to the last file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from protea.adapters.checkpoint._ghosts import Ghosts
from protea.adapters.checkpoint._seen import Entry, Seen, look

_PART = b"/.git/"
ELSEWHERE = "its repository lies outside of the workspace: commits, branches and the index that git keeps there stay"
"""What is said of a worktree whose repository a turn has used."""


def folder_of(path: bytes) -> bytes | None:
    """The repository's own folder that a path lies in, or is."""
    at = (path + b"/").find(_PART)
    return None if at < 0 else path[: at + len(_PART) - 1]


def elsewhere(root: bytes) -> bytes | None:
    """What changes when git is used in a worktree whose repository lies elsewhere; None where there is none."""
    try:
        with open(os.path.join(root, b".git"), "rb") as file:
            line = file.read(4096)
    except OSError:
        return None
    if not line.startswith(b"gitdir: "):
        return None
    folder = os.path.join(root, line[len(b"gitdir: ") :].strip())
    told = []
    for name in (b"HEAD", b"index", b"logs/HEAD", b"../../refs/stash"):
        try:
            found = os.stat(os.path.join(folder, name))
            told.append(b"%d %d %d" % (found.st_mtime_ns, found.st_size, found.st_ino))
        except OSError:
            told.append(b"-")
    return b"\n".join(told)


def digest(folder: bytes, strange: Ghosts, changed: Iterable[Entry] = ()) -> bytes:
    """Of everything in the folder as it is now; with `changed`, as it was before. The same once it was put back."""
    found = look(folder, frozenset(), 10_000_000, strange).files
    state: dict[bytes, Seen] = dict(found)
    for entry in changed:
        if entry.before is None:
            state.pop(entry.path, None)
        else:
            state[entry.path] = entry.before.seen
    state.pop(folder, None)
    total = hashlib.blake2b(digest_size=20)
    for path in sorted(state):
        seen = state[path]
        total.update(b"%s\0%o %d %d %s\0" % (path, seen.mode, seen.size, seen.mtime, seen.link or b""))
    return total.digest()


def digests(entries: Iterable[Entry], strange: Ghosts) -> dict[bytes, tuple[bytes, bytes]]:
    """Repository → digests before and after these changes, which were the last ones."""
    touched: dict[bytes, list[Entry]] = {}
    for entry in entries:
        folder = folder_of(entry.path)
        if folder is not None:
            touched.setdefault(folder, []).append(entry)
    return {folder: (digest(folder, strange, found), digest(folder, strange)) for folder, found in touched.items()}
