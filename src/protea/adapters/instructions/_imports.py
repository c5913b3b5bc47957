"""`@path` in an instruction file: the file it names is read in its place.

A word that begins with `@` and names a readable text file is an import, beside the file it stands in, or in the home
with `@~/…`; elsewhere (`@someone`, code between backticks, a file that is missing) it stays the word it is. Imports go
five deep, no file takes in itself, and nothing outside of where the first file may lie is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from protea.domain.imports import with_imports

DEEPEST = 5


def imported(
    text: str,
    path: str,
    read: Callable[[str], str | None],
    most_bytes: int,
    *,
    home: str,
    above: tuple[str, ...] = (),
) -> str:
    """`text` (of the file `path`) with what it imports in place, as `read` gives it; cut somewhere beyond
    `most_bytes`."""
    if "@" not in text or len(above) >= DEEPEST:
        return text
    chain = (*above, os.path.realpath(path))
    left = most_bytes - len(text.encode())

    def one(name: str) -> str | None:
        nonlocal left
        target = os.path.join(os.path.dirname(path), os.path.join(home, name[2:]) if name.startswith("~/") else name)
        if left <= 0 or os.path.realpath(target) in chain:
            return None
        found = read(target)
        if found is None:
            return None
        whole = imported(found, target, read, left, home=home, above=chain).strip()
        left -= len(whole.encode())
        return whole

    return with_imports(text, one)
