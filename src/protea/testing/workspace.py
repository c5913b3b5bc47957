"""Files in a dictionary, for tests of what reads and writes them: what should fail fails as it is told to."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from protea.ports.workspace import Entry, Trouble, WorkspaceError


class ScriptedWorkspace:
    """`Workspace` over `files`. A change of a path in `failing` is refused with that trouble.

    `writes` holds every successful change in order: (path, bytes), with None for a removal.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        roots: Sequence[str] = ("/project",),
        failing: Mapping[str, Trouble] | None = None,
    ) -> None:
        self.files = dict(files or {})
        self.failing = dict(failing or {})
        self.writes: list[tuple[str, bytes | None]] = []
        self._roots = tuple(roots)
        self._changed: dict[str, int] = {}

    @property
    def roots(self) -> Sequence[str]:
        return self._roots

    @property
    def on_disk(self) -> bool:
        return False

    async def stat(self, path: str) -> Entry:
        where = self._path(path)
        if where in self.files:
            return Entry(where, "file", len(self.files[where]), self._changed.get(where, 0), 0o644)
        if where in self._roots or self._below(where):
            return Entry(where, "directory", mode=0o755)
        if any(where.startswith(f"{file}/") for file in self.files):
            raise WorkspaceError("not_directory", f"{path} goes through a file as if it were a directory.")
        raise WorkspaceError("missing", f"{path} does not exist.")

    async def list(self, path: str) -> Sequence[Entry]:
        entry = await self.stat(path)
        if entry.kind != "directory":
            raise WorkspaceError("not_directory", f"{path} is not a directory.")
        cut = len(entry.path.rstrip("/")) + 1
        names = {file[cut:].partition("/")[0] for file in self._below(entry.path)}
        return [await self.stat(f"{entry.path.rstrip('/')}/{name}") for name in sorted(names)]

    async def read(self, path: str, *, start: int = 0, size: int | None = None) -> bytes:
        entry = await self._file(path)
        return self.files[entry.path][start : None if size is None else start + size]

    async def write(self, path: str, data: bytes, *, expect: Entry | None = None) -> Entry:
        where = self._path(path)
        found = await self._file(path) if where in self.files or self._below(where) else None
        if expect is not None and expect != found:
            raise WorkspaceError("changed", f"{path} was changed by someone else meanwhile; read it again.")
        self._refuse(where)
        self.files[where] = data
        self.writes.append((where, data))
        self._changed[where] = len(self.writes)
        return await self.stat(where)

    async def remove(self, path: str) -> None:
        entry = await self._file(path)
        self._refuse(entry.path)
        del self.files[entry.path]
        self.writes.append((entry.path, None))

    async def _file(self, path: str) -> Entry:
        entry = await self.stat(path)
        if entry.kind == "directory":
            raise WorkspaceError("directory", f"{path} is a directory, not a file.")
        return entry

    def _path(self, path: str) -> str:
        if "\0" in path or not path.startswith("/"):
            raise WorkspaceError("other", "A path is absolute and holds no NUL character.")
        return posixpath.normpath(path)

    def _refuse(self, where: str) -> None:
        if where in self.failing:
            raise WorkspaceError(self.failing[where], f"{where} cannot be changed: {self.failing[where]}.")

    def _below(self, where: str) -> Sequence[str]:
        return [file for file in self.files if file.startswith(f"{where.rstrip('/')}/")]
