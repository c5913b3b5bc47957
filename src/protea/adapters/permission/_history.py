"""What others may have of a repository, read from its own files: branches of remotes, where they stood before, and the
last commits of the branch that is checked out. No git is run: what lies in a repository must not steer a decision.

Called by `_disk`.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

from protea.domain.pattern import regex
from protea.domain.permission.sight import History

MOST_COMMITS = 200
"""Of a branch that are looked at. What only this clone has lies loose in it; packed are those that came from elsewhere,
or were here for long."""
MOST_REFS = 2_000
LARGEST = 1 << 18
"""Bytes of a file that are read: of a longer log its end."""
_COMMIT = regex(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_PARENT = regex(rb"^parent ([0-9a-f]{40,64})$", 8)  # re.MULTILINE


def history(repository: str) -> History | None:
    """None where no branch of a remote was ever seen: then nobody else has anything."""
    common = os.path.realpath(os.path.join(repository, _text(f"{repository}/commondir").strip() or "."))
    if os.path.isdir(f"{common}/reftable"):
        return History(False)
    packed = _packed(common)
    remote = dict(_loose(f"{common}/refs/remotes"))
    remote = {**{name: commit for name, commit in packed.items() if name.startswith("refs/remotes/")}, **remote}
    remote = {name.removeprefix("refs/remotes/"): commit for name, commit in remote.items()}
    remote = {name: commit for name, commit in remote.items() if not name.endswith("/HEAD")}
    if not remote:
        return None
    held: dict[str, str] = {}
    for name, commit in remote.items():
        held |= dict.fromkeys(_before(f"{common}/logs/refs/remotes/{name}"), name)
        held[commit] = name
    head = _text(f"{repository}/HEAD").strip()
    branch = head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""
    tip = _text(f"{common}/refs/heads/{branch}").strip() or packed.get(f"refs/heads/{branch}", "") if branch else head
    line, whole = _line(common, tip, held)
    return History(True, branch, line, whole, held, frozenset(remote))


def _line(common: str, tip: str, held: dict[str, str]) -> tuple[tuple[str, ...], bool]:
    line: list[str] = []
    while _COMMIT.match(tip) and len(line) < MOST_COMMITS:
        line.append(tip)
        if tip in held:
            return tuple(line), True
        body = _commit(common, tip)
        if body is None:
            return tuple(line), False
        parent = _PARENT.search(body)
        if parent is None:
            return tuple(line), True
        tip = parent[1].decode()
    return tuple(line), not line


def _commit(common: str, name: str) -> bytes | None:
    """The head of a loose commit."""
    try:
        with open(f"{common}/objects/{name[:2]}/{name[2:]}", "rb") as file:
            body = zlib.decompressobj().decompress(file.read(LARGEST), 4096)
    except (OSError, zlib.error):
        return None
    return body if body.startswith(b"commit ") else None


def _packed(common: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _text(f"{common}/packed-refs", whole=True).splitlines():
        commit, _, name = line.partition(" ")
        if _COMMIT.match(commit) and name.startswith(("refs/heads/", "refs/remotes/")):
            found[name] = commit
    return found


def _loose(folder: str) -> Iterator[tuple[str, str]]:
    """Names and commits of the branches of remotes that have a file of their own."""
    seen = 0
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            seen += 1
            if seen > MOST_REFS:
                return
            path = os.path.join(above, name)
            commit = _text(path).strip()
            if _COMMIT.match(commit):
                yield "refs/remotes/" + os.path.relpath(path, folder), commit


def _before(log: str) -> Iterator[str]:
    """Where a branch of a remote has stood: what others may have taken over since."""
    for line in _text(log, end=True).splitlines():
        words = line.split(" ", 2)
        if len(words) > 1 and _COMMIT.match(words[1]):
            yield words[1]


def _text(path: str, *, end: bool = False, whole: bool = False) -> str:
    try:
        with open(path, "rb") as file:
            if end:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LARGEST))
            return file.read(LARGEST * (64 if whole else 1)).decode("utf-8", "replace")
    except OSError:
        return ""
