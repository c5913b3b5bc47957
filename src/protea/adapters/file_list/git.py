"""Lists files by asking git: what it tracks, and what is new and not ignored. Outside a repository there are none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from protea.domain.surroundings import Surroundings
from protea.ports.file_list import MOST


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class GitFileList:
    def __init__(self, surroundings: Surroundings) -> None:
        self._environment = {**surroundings.environment, "GIT_OPTIONAL_LOCKS": "0"}

    async def files(self, folder: str) -> Sequence[str]:
        # fsmonitor is a program the repository itself could name.
        words = ("git", "-c", "core.fsmonitor=false", "-C", folder, "ls-files", "-co", "--exclude-standard", "-z")
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environment,
            )
        except OSError:
            return ()
        try:
            told, _ = await process.communicate()
        except BaseException:
            if process.returncode is None:
                process.kill()
            raise
        if process.returncode != 0:
            return ()
        names = told.decode("utf-8", "replace").split("\0")
        return sorted({name for name in names if name and "\n" not in name})[:MOST]

    async def stamps(self, folder: str) -> Mapping[str, int]:
        return await asyncio.to_thread(_stamps, folder, await self.files(folder))


def _stamps(folder: str, names: Sequence[str]) -> Mapping[str, int]:
    found = {}
    for name in names:
        with suppress(OSError):  # git lists files that are gone
            found[name] = os.lstat(f"{folder}/{name}").st_mtime_ns
    return found


def create(options: Options, *, surroundings: Surroundings) -> GitFileList:
    return GitFileList(surroundings)
