"""The port to the list of a project's files. Swap class: hot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

MOST = 200_000
"""Files that are listed."""


class FileList(Protocol):
    """For people who name a file, not for the model: what is ignored is left out."""

    async def files(self, folder: str) -> Sequence[str]:
        """The regular files below `folder` (absolute), relative to it, in a fixed order; no more than `MOST`.

        Never raises: a folder that cannot be read has none. Slow work happens outside the event loop.
        """
        ...

    async def stamps(self, folder: str) -> Mapping[str, int]:
        """The same files, each with a number that changes when the file does: asked again, it tells what has changed.

        Never raises, and does its work outside the event loop.
        """
        ...
