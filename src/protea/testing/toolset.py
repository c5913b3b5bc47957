"""What a tool is given when a test calls it."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Literal


class RecordedCall:
    """`ToolContext` that keeps what was said; outputs go to files in `folder`, numbered."""

    def __init__(
        self, folder: str, *, call_id: str = "call", answer: str | None = None, unreadable: Collection[str] = ()
    ) -> None:
        self.folder = folder
        self.unreadable = unreadable
        """Absolute paths that `may_read` refuses."""
        self.session = "session"
        self.call_id = call_id
        self.answer = answer
        self.said: list[tuple[Literal["stdout", "stderr"], str]] = []

    @property
    def text(self) -> str:
        """All that was said, joined."""
        return "".join(text for _, text in self.said)

    def may_read(self, path: str) -> bool:
        return path not in self.unreadable

    def say(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        self.said.append((stream, text))

    def output_path(self, suffix: str = ".txt") -> str:
        number = len(os.listdir(self.folder))
        return os.path.join(self.folder, f"{number}-{self.call_id}{suffix}")
