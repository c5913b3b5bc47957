"""Walks directories, leaving out what the project ignores: the same files `rg --hidden` would visit.

Hidden files are visited, `.git` is not, links are not followed. Ignore files in the directories above count too, up to
the one that holds `.git`. Not asked of `git ls-files`, so that the answers are ripgrep's: a file that git tracks
although it is ignored is left out, and it is quicker than to start a process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from protea.domain.ignore import Layer, Rules, parse, verdict

IGNORE_FILES = (".rgignore", ".ignore", ".gitignore")
"""A verdict from an earlier one of these beats any from a later one."""
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

Layers = tuple[tuple[Layer, ...], ...]
"""Per kind of ignore file (and last, `.git/info/exclude`), the innermost first."""


class Stop:
    """How another thread ends a walk."""

    def __init__(self) -> None:
        self.asked = False


def files_below(top: str, stop: Stop) -> Iterator[tuple[int, str, list[str]]]:
    """(descriptor of a directory, its path relative to `top` with a slash at the end or empty, its files' names).

    The descriptor is open until the next is asked for. Directories that cannot be read are left out.
    """
    with suppress(OSError):
        fd = os.open(top, _OPEN & ~os.O_NOFOLLOW)
        try:
            yield from _below(fd, "", layers_above(top), stop)
        finally:
            os.close(fd)


def _below(fd: int, path: str, layers: Layers, stop: Stop) -> Iterator[tuple[int, str, list[str]]]:
    files: list[str] = []
    folders: list[str] = []
    special = False
    with os.scandir(fd) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == "." and (name in IGNORE_FILES or name == ".git"):
                special = True
                if name == ".git":
                    continue
            if entry.is_file(follow_symlinks=False):
                files.append(name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(name)
    if special:
        layers = _deeper(fd, path, layers, files)
    if any(layers):
        files = [name for name in files if not ignored(path + name, name, False, layers)]
        folders = [name for name in folders if not ignored(path + name, name, True, layers)]
    yield fd, path, files
    for name in folders:
        if stop.asked:
            return
        try:
            below = os.open(name, _OPEN, dir_fd=fd)
        except OSError:
            continue
        try:
            yield from _below(below, f"{path}{name}/", layers, stop)
        finally:
            os.close(below)


def ignored(path: str, name: str, is_directory: bool, layers: Layers) -> bool:
    """Whether the ignore files say that this is left out."""
    for kind in layers:
        if kind:
            found = verdict(path, name, is_directory, kind)
            if found is not None:
                return found
    return False


def _deeper(fd: int, path: str, layers: Layers, files: Sequence[str]) -> Layers:
    """The layers with the ignore files of this directory on top."""
    nested = list(layers)
    if path and _exists(".git", fd):
        # A repository in the repository has its own rules.
        nested[2], nested[3] = (), ()
        exclude = _rules(".git/info/exclude", fd)
        if exclude:
            nested[3] = (Layer(exclude, base=len(path)),)
    for kind, name in enumerate(IGNORE_FILES):
        if name in files:
            rules = _rules(name, fd)
            if rules:
                nested[kind] = (Layer(rules, base=len(path)), *nested[kind])
    return tuple(nested)


def layers_above(top: str) -> Layers:
    """The ignore files of the directories above `top`, and the exclude file of the repository it is in."""
    found: list[list[Layer]] = [[], [], [], []]
    folder, prefix = top, ""
    in_repository = False
    while True:
        if not in_repository and os.path.lexists(os.path.join(folder, ".git")):
            in_repository = True
            rules = _rules(os.path.join(folder, ".git/info/exclude"))
            if rules:
                found[3].append(Layer(rules, prefix=prefix))
            last = True
        else:
            last = False
        if prefix:  # those of `top` itself are read by the walk
            for kind, name in enumerate(IGNORE_FILES):
                if kind == 2 and in_repository and not last:
                    continue
                rules = _rules(os.path.join(folder, name))
                if rules:
                    found[kind].append(Layer(rules, prefix=prefix))
        above, name = os.path.split(folder)
        if above == folder:
            return tuple(map(tuple, found))
        folder, prefix = above, f"{name}/{prefix}"


def _exists(name: str, fd: int) -> bool:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        return False
    return True


def _rules(path: str, fd: int | None = None) -> Rules | None:
    data = read_file(path, fd)
    return parse(data.decode("utf-8", "replace")) if data else None


def read_file(path: str, fd: int | None = None, limit: int = 64 << 20) -> bytes | None:
    """The bytes of a regular file that is no link; None where it cannot be read."""
    try:
        file = os.open(path, _FILE, dir_fd=fd)
    except OSError:
        return None
    try:
        data = os.read(file, 1 << 16)
        if len(data) < 1 << 16:
            return data
        pieces = [data]
        size = len(data)
        while size < limit and (piece := os.read(file, 1 << 20)):
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)
    except OSError:
        return None
    finally:
        os.close(file)
