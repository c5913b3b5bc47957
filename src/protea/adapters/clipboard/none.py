"""No clipboard: nothing is taken and nothing is there."""

from __future__ import annotations

import msgspec

from protea.domain.messages import Image


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoClipboard:
    async def copy(self, text: str) -> bool:
        return False

    async def paste(self) -> str | Image | None:
        return None


def create(options: Options) -> NoClipboard:
    return NoClipboard()
