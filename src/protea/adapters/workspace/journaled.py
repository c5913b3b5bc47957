"""Files on the disk, each taken down before it is written, so that the turn which wrote it can be undone."""

from __future__ import annotations

from collections.abc import Sequence

from protea.adapters.workspace import disk
from protea.adapters.workspace.disk import Options
from protea.domain.surroundings import Surroundings
from protea.ports.checkpoint import Checkpoint
from protea.ports.workspace import Entry, Workspace

__all__ = ["Options", "create"]


def create(options: Options, *, surroundings: Surroundings, checkpoint: Checkpoint) -> Workspace:
    """The same files as `disk`."""
    return JournaledWorkspace(disk.create(options, surroundings=surroundings), checkpoint)


class JournaledWorkspace:
    """`Workspace` over another one."""

    def __init__(self, files: Workspace, checkpoint: Checkpoint) -> None:
        self._files = files
        self._checkpoint = checkpoint

    @property
    def roots(self) -> Sequence[str]:
        return self._files.roots

    @property
    def on_disk(self) -> bool:
        return self._files.on_disk

    async def stat(self, path: str) -> Entry:
        return await self._files.stat(path)

    async def list(self, path: str) -> Sequence[Entry]:
        return await self._files.list(path)

    async def read(self, path: str, *, start: int = 0, size: int | None = None) -> bytes:
        return await self._files.read(path, start=start, size=size)

    async def write(self, path: str, data: bytes, *, expect: Entry | None = None) -> Entry:
        if "\0" in path or not path.startswith("/"):
            return await self._files.write(path, data, expect=expect)  # it will be refused
        await self._checkpoint.before_write(path)
        try:
            return await self._files.write(path, data, expect=expect)
        finally:
            await self._checkpoint.after_write(path)

    async def remove(self, path: str) -> None:
        if "\0" in path or not path.startswith("/"):
            return await self._files.remove(path)
        await self._checkpoint.before_write(path)
        try:
            await self._files.remove(path)
        finally:
            await self._checkpoint.after_write(path)
