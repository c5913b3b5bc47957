"""Lists files by walking: what ignore files name is left out, in a repository or outside one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

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

    async def stamps(self, folder: str) -> Mapping[str, int]:
        stop = Stop()
        try:
            return await asyncio.to_thread(self._stamp, folder, stop)
        finally:
            stop.asked = True

    def _stamp(self, folder: str, stop: Stop) -> dict[str, int]:
        found: dict[str, int] = {}
        for descriptor, path, names in files_below(folder, stop):
            for name in names:
                if "\n" not in name and len(found) < self._most:
                    with suppress(OSError):  # it went meanwhile
                        stamp = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mtime_ns
                        found[_readable(path + name)] = stamp
            if len(found) >= self._most or stop.asked:
                break
        return dict(sorted(found.items()))


def _readable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def create(options: Options) -> WalkedFileList:
    return WalkedFileList(options.most)
