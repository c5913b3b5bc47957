"""What was written before, kept for this person alone; the file is the plain chat's, too."""

from __future__ import annotations

import os
import re
from contextlib import suppress

KEPT = 5000
"""Inputs that are kept."""
_UNESCAPE = re.compile(r"\\[n\\]")
"""In the file an input is one line: a newline is `\\n` there, a backslash two."""


class History:
    """The inputs of before, the oldest first. A file that cannot be read or written is no obstacle."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.items: list[str] = []
        if not path:
            return
        with suppress(OSError), open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            for line in file.read().split("\n")[-KEPT:]:
                if line:
                    self.items.append(_UNESCAPE.sub(lambda found: "\n" if found[0] == "\\n" else "\\", line))

    def add(self, text: str) -> None:
        """Keep an input; the same twice in a row once."""
        if not text.strip() or (self.items and self.items[-1] == text) or len(text) > 100_000:
            return
        self.items.append(text)
        if not self._path:
            return
        line = text.replace("\\", "\\\\").replace("\n", "\\n") + "\n"
        with suppress(OSError):
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            with open(descriptor, "a", encoding="utf-8", errors="replace", newline="\n") as file:
                file.write(line)

    def search(self, words: str, limit: int = 200) -> list[str]:
        """Inputs with all words in them, the latest first, each once."""
        wanted = words.lower().split()
        found: dict[str, None] = {}
        for text in reversed(self.items):
            low = text.lower()
            if all(word in low for word in wanted):
                found.setdefault(text)
                if len(found) >= limit:
                    break
        return list(found)
