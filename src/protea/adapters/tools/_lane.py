"""A runner's worktree in a race, and what the runner changed in it.

As trees of git: nothing that happens in the worktree afterwards counts, and nothing that lies in it is asked.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._repository import (
    NESTED,
    Place,
    WorktreeError,
    index_of,
    nested,
    place_of,
    raw_git,
    run_git,
)
from protea.domain.patch import PatchError, apply, created, parse
from protea.domain.racing import Ran, stat_of
from protea.domain.textfile import binary, decode, encode, shown_name

IDENTITY = ("-c", "user.name=Protea", "-c", "user.email=protea@localhost")


class Wanted(msgspec.Struct, frozen=True):
    """What is to be taken, and what of it a patch cannot say."""

    patch: str
    special: tuple[str, ...]
    """Files of which the patch says nothing."""
    modes: tuple[str, ...]
    """What became a program, or is none any more, as commands."""


async def base_of(kit: Kit, top: str) -> str:
    """A commit of what is there now."""
    try:
        head = await run_git(kit, top, "rev-parse", "--verify", "--quiet", "HEAD")
    except WorktreeError:
        raise WorktreeError("a race needs a first commit to begin with") from None
    folder = await run_git(kit, top, "rev-parse", "--absolute-git-dir")
    with index_of(os.path.join(folder, "index")) as index:
        more = {"GIT_INDEX_FILE": index}
        known = await nested(kit, top, more)
        # What cannot be read or has no commit yet is not there for anybody.
        await run_git(kit, top, "add", "--all", "--ignore-errors", more=more, patient=True)
        await nested(kit, top, more)
        if known:
            given = "".join(f"{NESTED} {commit}\t{path}\0" for path, commit in known.items())
            await run_git(kit, top, "update-index", "-z", "--index-info", more=more, given=given)
        tree = await run_git(kit, top, "write-tree", more=more)
    if tree == await run_git(kit, top, "rev-parse", f"{head}^{{tree}}"):
        return head
    return await run_git(kit, top, *IDENTITY, "commit-tree", tree, "-p", head, "-m", "before a race")


async def made(kit: Kit, top: str, path: str, base: str) -> Place:
    """A worktree for a runner, and beside it the index it begins with."""
    await run_git(kit, top, "worktree", "add", "--quiet", "--detach", path, base)
    place = await place_of(kit, top, path)
    shutil.copy2(os.path.join(place.inside, "index"), f"{path}.index")
    return place


async def brought(kit: Kit, place: Place, base: str, ran: Ran) -> Ran:
    """With what it has changed by now. Nested repositories of its own are no part of that. Raises `WorktreeError`."""
    if not place.there:
        raise WorktreeError("its worktree is gone")
    with index_of(f"{place.path}.index") as index:
        more = place.environment(index)
        known = await nested(kit, place.path, more)
        await run_git(kit, place.path, "add", "--all", "--ignore-errors", more=more, patient=True)
        own = await nested(kit, place.path, more)
        if known:
            given = "".join(f"{NESTED} {commit}\t{path}\0" for path, commit in known.items())
            await run_git(kit, place.path, "update-index", "-z", "--index-info", more=more, given=given)
        tree = await run_git(kit, place.path, "write-tree", more=more)
    numbers = await _diff(kit, place, base, tree, "--numstat", "-z")
    stat, files, added, removed = stat_of(numbers.decode("utf-8", "backslashreplace"))
    left = tuple(sorted(shown_name(path) for path in {*own} - {*known}))
    return replace(ran, tree=tree, stat=stat, files=files, added=added, removed=removed, nested=left)


async def difference(kit: Kit, place: Place, base: str, ran: Ran) -> str:
    return (await _diff(kit, place, base, ran.tree)).decode("utf-8", "replace").rstrip("\n")


async def wanted(kit: Kit, place: Place, base: str, ran: Ran, top: str) -> Wanted:
    """What a patch can say of it, for the files of `top`; it was tried on the files the runner began with."""
    raw = (await _diff(kit, place, base, ran.tree, "--raw", "-z", "--abbrev=64")).split(b"\0")
    changes = [
        (about.decode().removeprefix(":").split(" "), path) for about, path in zip(raw[::2], raw[1::2], strict=False)
    ]
    paths = {path for _, path in changes}
    folders = {folder for path in paths for folder in _above(path)}
    prefixes = [f"--{side}-prefix={top}/" for side in ("src", "dst")]
    sections = _sections(await _diff(kit, place, base, ran.tree, *prefixes))
    blobs = await _blobs(kit, place, [sha for words, _ in changes for sha in words[2:4]])
    parts, special, modes = [], [], []
    for words, path in changes:
        old_mode, new_mode, old, new, status = words
        section = b"".join(next(sections, b"") for _ in range(2 if status == "T" else 1))
        name = path.decode("utf-8", "backslashreplace")
        # Or a file takes the place of a folder, a folder that of a file.
        swapped = path in folders or not paths.isdisjoint(_above(path))
        odd = swapped or {old_mode[:3], new_mode[:3]} & {"120", "160"}
        if not odd and old == new:
            modes.append(f"chmod {'+x' if new_mode == '100755' else '-x'} {name}")
            continue
        said = None if odd else _said(section, os.path.join(top, name), status, blobs[old], blobs[new])
        if said is None:
            special.append(name)
            continue
        parts.append(said)
        if new_mode == "100755" != old_mode:
            modes.append(f"chmod +x {name}")
        elif old_mode == "100755" and new_mode == "100644":
            modes.append(f"chmod -x {name}")
    return Wanted("".join(parts), (*special, *ran.nested), tuple(modes))


def _said(section: bytes, path: str, status: str, old: bytes | None, new: bytes | None) -> str | None:
    """A file's part of the patch; None where a patch would not make of the old file exactly the new one."""
    quoted = _quoted(path)
    if status == "A" and new == b"":
        return f"--- /dev/null\n+++ {quoted}\n"
    if status == "D" and old == b"":
        return f"--- {quoted}\n+++ /dev/null\n@@ -0,0 +0,0 @@\n"
    try:
        text = section.decode("utf-8")
        (change,) = parse(text)
        if change.path != path or change.move_to is not None:
            return None
        if change.action == "add":
            return text if created(change).encode() == new else None
        if old is None or binary(old) or (new is not None and binary(new)):
            return None
        file = decode(old)
        after = apply(file.text, change)
        if change.action == "delete":
            return text if not after else None
        return text if encode(replace(file, text=after)) == new else None
    except (UnicodeError, PatchError, ValueError):
        return None


def _above(path: bytes) -> Iterator[bytes]:
    """The folders a file lies in, the nearest first."""
    while path := os.path.dirname(path):
        yield path


def _quoted(path: str) -> str:
    """A path as git writes it in a patch."""
    if any(char in '"\\' or ord(char) < 32 or ord(char) == 127 for char in path):
        return '"' + "".join(map(_escaped, path)) + '"'
    return f"{path}\t" if " " in path else path


def _escaped(char: str) -> str:
    plain = 32 <= ord(char) != 127
    return _ESCAPES.get(char) or (char if plain else f"\\{ord(char):03o}")


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _sections(diff: bytes) -> Iterator[bytes]:
    """Of each file its part of a diff, in order. No line of a hunk begins with such words."""
    at = 0
    while at < len(diff):
        end = diff.find(b"\ndiff --git ", at)
        end = len(diff) if end < 0 else end + 1
        yield diff[at:end]
        at = end


async def _diff(kit: Kit, place: Place, base: str, tree: str, *words: str) -> bytes:
    """Of two trees: what lies in the worktree is not looked at but for its attributes."""
    form = () if words[:1] in (("--raw",), ("--numstat",)) else ("--patch",)
    fixed = ("-c", "core.quotePath=false", "diff-tree", "-r", *form)
    plain = ("--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
    more = place.environment(_no_index(place))
    cwd = place.path if place.there else place.common
    code, out, error = await raw_git(kit, cwd, *fixed, *plain, *words, base, tree, more=more)
    if code:
        raise WorktreeError((error.decode("utf-8", "replace").strip().splitlines() or ["git diff failed"])[-1])
    return out


def _no_index(place: Place) -> str:
    """Where none lies: two trees are compared."""
    return f"{place.path}.none"


async def _blobs(kit: Kit, place: Place, names: list[str]) -> dict[str, bytes | None]:
    """What files hold, by their name in the repository."""
    found: dict[str, bytes | None] = dict.fromkeys(names)
    asked = [name for name in found if name.strip("0")]
    given = "".join(f"{name}\n" for name in asked).encode()
    more = place.environment(_no_index(place))
    if not asked:
        return found
    code, out, _ = await raw_git(kit, place.common, "cat-file", "--batch", more=more, given=given)
    if code:
        raise WorktreeError("what it changed cannot be read any more")
    at = 0
    for name in asked:
        end = out.index(b"\n", at)
        words = out[at:end].split(b" ")
        at = end + 1
        if len(words) == 3:
            size = int(words[2])
            found[name] = out[at : at + size] if words[1] == b"blob" else None
            at += size + 1
    return found
