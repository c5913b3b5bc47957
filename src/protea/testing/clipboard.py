"""A clipboard in memory."""

from __future__ import annotations

from protea.domain.messages import Image


class MemoryClipboard:
    """`Clipboard` that keeps what was copied in `held`; a test may put a picture there."""

    def __init__(self) -> None:
        self.held: str | Image | None = None

    async def copy(self, text: str) -> bool:
        self.held = text
        return True

    async def paste(self) -> str | Image | None:
        return self.held
