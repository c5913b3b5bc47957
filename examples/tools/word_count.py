"""Tools from a single file: copy it to ~/.protea/tools, or to .protea/tools of a project you trust.

Every public function with a docstring and annotations becomes a tool; its docstring is what the model is told.
`EXAMPLES` is for people: `protea tools help word_count` shows the call.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec

EXAMPLES = {"word_count": {"path": "README.md", "most": 3}, "longest_word": {"path": "README.md"}}


def word_count(
    path: Annotated[str, msgspec.Meta(description="Of a text file")],
    most: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5,
) -> dict[str, int]:
    """The commonest words of a file, and how often each is there."""
    return dict(Counter(_words(path)).most_common(most))


def longest_word(path: str) -> str:
    """The longest word of a file."""
    return max(_words(path), key=len, default="")


def _words(path: str) -> list[str]:
    return Path(path).expanduser().read_text(encoding="utf-8", errors="replace").lower().split()
