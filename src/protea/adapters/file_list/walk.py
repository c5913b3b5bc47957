"""Lists files by walking: what ignore files name is left out, in a repository or outside one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from protea.adapters.walking.disk import Stop, files_below
from protea.ports.file_list import MOST


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    most: int = MOST
    """Files after which it stops."""


class WalkedFileList:
    def __init__(self, most: int) -> None:
        self._most = most

    async def files(self, folder: str) -> Sequence[str]:
        stop = Stop()
        try:
            return await asyncio.to_thread(self._walk, folder, stop)
        finally:
            stop.asked = True  # a listing nobody waits for any more ends

    def _walk(self, folder: str, stop: Stop) -> list[str]:
        found: list[str] = []
        for _, path, names in files_below(folder, stop):
            found += [path + name for name in names if "\n" not in name]
            if len(found) >= self._most or stop.asked:
                break
        return sorted(_readable(path) for path in found[: self._most])


def _readable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def create(options: Options) -> WalkedFileList:
    return WalkedFileList(options.most)
