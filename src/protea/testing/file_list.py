"""A list of files from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class FixedFileList:
    """`FileList` that knows the files of some folders."""

    def __init__(self, files: Mapping[str, Sequence[str]]) -> None:
        self._files = dict(files)

    async def files(self, folder: str) -> Sequence[str]:
        return sorted(self._files.get(folder, ()))

    async def stamps(self, folder: str) -> Mapping[str, int]:
        return dict.fromkeys(await self.files(folder), 0)
