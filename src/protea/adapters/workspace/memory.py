"""Files that live only in this process: for tests, demonstrations, and agents that must not touch a disk."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

import msgspec

from protea.domain.surroundings import Surroundings
from protea.ports.workspace import Entry, Workspace, WorkspaceError


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: dict[str, str] = {}
    """What is there at the start: path (absolute, or from the project's root) → text."""


def create(options: Options, *, surroundings: Surroundings) -> Workspace:
    """A tree with the project's root as its root."""
    roots = (surroundings.root, *surroundings.add_dirs)
    files = {posixpath.join(surroundings.root, path): text.encode() for path, text in options.files.items()}
    return MemoryWorkspace(roots, files)


class MemoryWorkspace:
    """`Workspace` over a dictionary. Directories are there when something is in them; roots always are."""

    def __init__(self, roots: Sequence[str], files: Mapping[str, bytes] | None = None) -> None:
        self._roots = tuple(roots)
        self._files = {posixpath.normpath(path): data for path, data in (files or {}).items()}
        self._modes = dict.fromkeys(self._files, 0o644)
        self._ticks = dict.fromkeys(self._files, 1)
        self._tick = 1

    @property
    def roots(self) -> Sequence[str]:
        return self._roots

    @property
    def on_disk(self) -> bool:
        return False

    async def stat(self, path: str) -> Entry:
        where = _clean(path)
        if where in self._files:
            return Entry(where, "file", len(self._files[where]), self._ticks[where], self._modes[where])
        if self._is_directory(where):
            return Entry(where, "directory", mode=0o755)
        above = where
        while above := posixpath.dirname(above) if above != "/" else "":
            if above in self._files:
                raise WorkspaceError("not_directory", f"{path} goes through a file as if it were a directory.")
        raise WorkspaceError("missing", f"{path} does not exist.")

    async def list(self, path: str) -> Sequence[Entry]:
        found = await self.stat(path)
        if found.kind != "directory":
            raise WorkspaceError("not_directory", f"{path} is not a directory.")
        beginning = found.path.rstrip("/") + "/"
        names = {each[len(beginning) :].partition("/")[0] for each in self._files if each.startswith(beginning)}
        return [await self.stat(beginning + name) for name in sorted(names)]

    async def read(self, path: str, *, start: int = 0, size: int | None = None) -> bytes:
        found = await self.stat(path)
        if found.kind == "directory":
            raise WorkspaceError("directory", f"{path} is a directory, not a file.")
        data = self._files[found.path]
        return data[start:] if size is None else data[start : start + size]

    async def write(self, path: str, data: bytes, *, expect: Entry | None = None) -> Entry:
        where = _clean(path)
        try:
            before: Entry | None = await self.stat(where)
        except WorkspaceError as error:
            if error.trouble != "missing":
                raise
            before = None
        if before is not None and before.kind == "directory":
            raise WorkspaceError("directory", f"{path} is a directory, not a file.")
        if expect is not None and before != expect:
            raise WorkspaceError("changed", f"{path} was changed by someone else meanwhile; read it again.")
        self._tick += 1
        self._files[where], self._ticks[where] = bytes(data), self._tick
        self._modes.setdefault(where, 0o644)
        return await self.stat(where)

    async def remove(self, path: str) -> None:
        found = await self.stat(path)
        if found.kind == "directory":
            raise WorkspaceError("directory", f"{path} is a directory, not a file.")
        for table in (self._files, self._modes, self._ticks):
            del table[found.path]

    def _is_directory(self, where: str) -> bool:
        beginning = where.rstrip("/") + "/"
        return (
            where == "/"
            or any(each.startswith(beginning) for each in (*self._files, *self._roots))
            or (where in self._roots)
        )


def _clean(path: str) -> str:
    if "\0" in path:
        raise WorkspaceError("other", "A path cannot hold a NUL character.")
    if not path.startswith("/"):
        raise WorkspaceError("other", f"{path} is not an absolute path.")
    return posixpath.normpath(path)
