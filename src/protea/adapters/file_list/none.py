"""No files are listed: for projects that are too large, or nobody's business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoFileList:
    async def files(self, folder: str) -> Sequence[str]:
        return ()

    async def stamps(self, folder: str) -> Mapping[str, int]:
        return {}


def create(options: Options) -> NoFileList:
    return NoFileList()
