"""The port to the clipboard. Swap class: hot."""

from __future__ import annotations

from typing import Protocol

from protea.domain.messages import Image


class Clipboard(Protocol):
    """Of the person who sits there. Never raises: a clipboard that is not there has taken nothing and holds nothing."""

    async def copy(self, text: str) -> bool:
        """Put `text` there; whether it could be handed on."""
        ...

    async def paste(self) -> str | Image | None:
        """What is there: text, or a picture; None where that is nothing, or cannot be read."""
        ...
