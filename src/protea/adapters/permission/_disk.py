"""Eyes on the disk for one decision. Looks, changes nothing, and remembers, so that one decision sees one state."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable

from protea.adapters.permission import untouched
from protea.adapters.permission._history import history
from protea.adapters.permission._nested import nested
from protea.domain.pattern import regex
from protea.domain.permission.paths import absolute, beneath, segment_matches
from protea.domain.permission.sight import STORES, History, Kind, Place, Tree

MOST_HITS = 2_000
"""Names a glob may expand to."""
MOST_VISITED = 30_000
"""Entries a walk looks at before it gives up."""
LARGEST_SEARCHED = 1 << 20
"""Bytes of a secret file that are searched for a needle."""

LONGEST_PATH = 4096
"""What Linux takes; longer ones name nothing."""

_RUNS = regex(
    rb"^[ \t]*(?:(?:fsmonitor|worktree|textconv|command|clean|smudge|process|external|program|alternaterefscommand)"
    rb"[ \t]*=[ \t]*(.*)$|\[[ \t]*(include|includeif)\b)",
    re.IGNORECASE | re.MULTILINE,
)
"""What a repository's own configuration can make the reading commands run, or read instead."""
_FETCHES = regex(rb"^[ \t]*(?:promisor|partialclone\w*)\b", re.IGNORECASE | re.MULTILINE)
"""A clone that has not all objects gets what a reading command misses, from wherever it is set up to."""
_STEERS_FETCHING = regex(
    rb"^[ \t]*(?:uploadpack|sshcommand|vcs|helper|askpass|gitproxy|proxy|allow|insteadof)[ \t]*=|::",
    re.IGNORECASE | re.MULTILINE,
)
_LFS = regex(rb"git-lfs (clean|smudge|filter-process)[ a-z%-]*\Z")
_HARMLESS_VALUES = (b"true", b"false", b"0", b"1", b"yes", b"no", b"on", b"off", b"")


class Disk:
    def __init__(self, home: str) -> None:
        self.home = home
        self.places: dict[tuple[str, str], Place] = {}
        self.globs: dict[tuple[str, str], tuple[str, ...] | None] = {}

    def place(self, path: str, cwd: str) -> Place:
        key = (path, cwd)
        if key not in self.places:
            self.places[key] = self._place(path, cwd)
        return self.places[key]

    def _place(self, path: str, cwd: str) -> Place:
        if len(path) > LONGEST_PATH:
            return Place(path[:LONGEST_PATH], path[:LONGEST_PATH], "impossible")
        tidy = absolute(path, cwd, self.home)
        if "\0" in path:
            return Place(tidy.replace("\0", ""), tidy.replace("\0", ""), "impossible")
        whole = self.home + path[1:] if path == "~" or path.startswith("~/") else os.path.join(cwd, path)
        if tidy != os.path.normpath(whole) and whole.startswith("/proc/"):
            # procfs' other names for the working directory mean the command's, not ours.
            whole = tidy
        try:
            # A name whose folders are links must be followed step by step, `..` included.
            real = os.path.realpath(whole)
            found = os.stat(real)
        except OSError as error:
            kind: Kind = "missing"
            if error.errno == errno.ELOOP:
                kind = "loop"
            elif error.errno == errno.ENAMETOOLONG:
                kind = "impossible"
            elif os.path.islink(tidy) and _loops(tidy):
                kind = "loop"
            return Place(tidy, real if kind == "missing" else tidy, kind)
        except ValueError:
            return Place(tidy, tidy, "impossible")
        return Place(tidy, real, _kind(found.st_mode), found.st_nlink, (found.st_dev, found.st_ino))

    def expand(self, pattern: str, cwd: str) -> tuple[str, ...] | None:
        key = (pattern, cwd)
        if key not in self.globs:
            self.globs[key] = _expand(pattern, cwd)
        return self.globs[key]

    def walk(
        self, folder: str, hidden: bool, wanted: Callable[[str], bool], follow: bool = False, only: tuple[str, ...] = ()
    ) -> Tree:
        found: list[str] = []
        pending = [folder]
        seen = {folder}
        visited = 0
        while pending:
            here = pending.pop()
            try:
                with os.scandir(here) as entries:
                    for entry in entries:
                        visited += 1
                        if visited > MOST_VISITED:
                            return Tree(tuple(found), False)
                        if entry.name.startswith(".") and not hidden:
                            continue
                        if follow and entry.is_symlink():
                            real = os.path.realpath(entry.path)
                            if os.path.isdir(real) and not wanted(real):
                                # What lies below the start is met there anyhow.
                                if real not in seen and not beneath(real, folder):
                                    pending.append(real)
                                seen.add(real)
                            elif wanted(real) and _named(entry.name, only):
                                found.append(real)
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(entry.path)
                        elif not _named(entry.name, only):
                            continue
                        elif wanted(entry.path) or (not _in_store(entry.path) and _has_other_names(entry)):
                            found.append(entry.path)
                            if len(found) >= 50:
                                return Tree(tuple(found), True)
            except OSError:
                continue
        return Tree(tuple(found), True)

    def shows(self, path: str, needle: str) -> bool:
        try:
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_SEARCHED:
                return True
            with open(path, "rb") as file:
                content = file.read(LARGEST_SEARCHED)
        except OSError:
            return False
        return needle.lower().encode() in content.lower() or b"\0" in content

    def repository_fault(self, cwd: str, root: str, config: bool, trusted: bool) -> str | None:
        if not os.path.isdir(cwd):
            return (
                None if not os.path.isdir(root) and cwd == root else "the directory git would start in does not exist"
            )
        mine, fault = _repository(os.path.realpath(root))
        here, other = _repository(os.path.realpath(cwd))
        if other:
            return other
        if here != mine:
            return "git would work in another repository than the project's"
        if here is None or fault:
            return fault
        if not config:
            return None
        strange = None if trusted else untouched.fault(here)
        if strange is not None:
            return f"the project is not trusted and its repository may run programs: {strange}"
        return _config_fault(here) or _nested_fault(here, _top(os.path.realpath(cwd)))

    def history(self, cwd: str) -> History | None:
        repository, _ = _repository(os.path.realpath(cwd))
        return None if repository is None else history(repository)

    def twin(self, place: Place, files: tuple[str, ...]) -> str | None:
        pending = list(files)
        looked = 0
        while pending and looked < MOST_HITS:
            path = pending.pop()
            looked += 1
            try:
                found = os.lstat(path)
                if stat.S_ISDIR(found.st_mode):
                    with os.scandir(path) as entries:
                        pending.extend(entry.path for entry in entries)
                elif (found.st_dev, found.st_ino) == place.identity:
                    return path
            except OSError:
                continue
        return None


def _named(name: str, only: tuple[str, ...]) -> bool:
    return not only or any(segment_matches(pattern, name) for pattern in only)


def _in_store(path: str) -> bool:
    return any(store in path for store in STORES)


def _has_other_names(entry: os.DirEntry[str]) -> bool:
    """A hard link may be a secret under another name."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return found.st_nlink > 1 and stat.S_ISREG(found.st_mode)


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISFIFO(mode):
        return "fifo"
    if stat.S_ISSOCK(mode):
        return "socket"
    return "device"


def _loops(path: str) -> bool:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _expand(pattern: str, cwd: str) -> tuple[str, ...] | None:
    """As bash does it with its default options: hidden names only for a pattern that starts with a dot."""
    parts = pattern.split("/")
    bases = ["/"] if pattern.startswith("/") else [""]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if not part:
            continue
        following: list[str] = []
        literal = not any(char in part for char in "*?[")
        for base in bases:
            if literal:
                name = re.sub(r"\\(.)", r"\1", part)
                path = os.path.join(base, name)
                if os.path.lexists(os.path.join(cwd, path)):
                    following.append(path)
                continue
            try:
                names = os.listdir(os.path.join(cwd, base) if base else cwd)
            except OSError:
                continue
            if part.startswith((".", "\\.")):
                # Until bash 5.2 these match the folder itself and the one above.
                names += [".", ".."]
            for name in names:
                if name.startswith(".") and not part.startswith((".", "\\.")):
                    continue
                if segment_matches(part, name):
                    path = os.path.join(base, name)
                    if last or os.path.isdir(os.path.join(cwd, path)):
                        following.append(path)
            if len(following) > MOST_HITS:
                return None
        bases = following
    return tuple(sorted(bases))


def _repository(folder: str) -> tuple[str | None, str | None]:
    """The git directory that git would find from `folder`, and why it is not a plain one."""
    here = folder
    while True:
        dotted = os.path.join(here, ".git")
        if os.path.lexists(dotted):
            if not os.path.isdir(dotted) or os.path.islink(dotted):
                try:
                    with open(dotted, "rb") as file:
                        target = file.read(4096).decode("utf-8", "replace").removeprefix("gitdir:").strip()
                except OSError:
                    return None, "the repository's .git cannot be read"
                return os.path.realpath(os.path.join(here, target)), None
            return dotted, None
        if all(os.path.exists(os.path.join(here, name)) for name in ("HEAD", "objects", "refs")):
            return here, "git would take this folder for a repository of its own"
        above = os.path.dirname(here)
        if above == here:
            return None, None
        here = above


def _top(folder: str) -> str:
    """The folder that has the `.git` which git would find from `folder`."""
    while not os.path.lexists(os.path.join(folder, ".git")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _nested_fault(repository: str, top: str, depth: int = 0) -> str | None:
    """Whether a repository in this one, which git goes into while it reads, makes it run programs."""
    found = nested(repository)
    if found is None or depth > 8:
        return "which repositories lie in this one cannot be told"
    for name in found:
        folder = os.path.join(top, name)
        if not os.path.lexists(os.path.join(folder, ".git")):
            continue
        inner, fault = _repository(os.path.realpath(folder))
        if inner is not None and fault is None:
            fault = _config_fault(inner, os.path.realpath(folder)) or _nested_fault(inner, folder, depth + 1)
        if fault is not None:
            return f"in {name}: {fault}"
    return None


def _config_fault(repository: str, tree: str = "") -> str | None:
    """Whether the repository's own configuration makes git run programs while it reads. `tree` is the working tree that
    it may name: a submodule's does."""
    common = repository
    try:
        with open(os.path.join(repository, "commondir"), "rb") as file:
            common = os.path.realpath(os.path.join(repository, file.read(4096).decode("utf-8", "replace").strip()))
    except OSError:
        pass
    for path in (os.path.join(common, "config"), os.path.join(repository, "config.worktree")):
        try:
            with open(path, "rb") as file:
                text = file.read(1 << 18)
        except OSError:
            continue
        if len(text) >= 1 << 18:
            return "the repository's configuration is too long to look through"
        text = text.replace(b"\\\n", b"")
        for match in _RUNS.finditer(text):
            value = (match.group(1) or b"?").strip().strip(b'"').lower()
            if tree and match.group().strip().lower().startswith(b"worktree"):
                named = (match.group(1) or b"").strip().strip(b'"')
                if os.path.realpath(os.path.join(repository, os.fsdecode(named))) == tree:
                    continue
            if value not in _HARMLESS_VALUES and not _LFS.match(value):
                return "the repository's own configuration makes git run or read something else"
        if _FETCHES.search(text) and _STEERS_FETCHING.search(text):
            return "the repository's own configuration names a program for what git fetches while it reads"
        # A section header and a key may share a line.
        if re.search(rb"\][ \t]*[A-Za-z]", text):
            return "the repository's own configuration is written in an unusual way"
    return None
