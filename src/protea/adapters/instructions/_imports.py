"""`@path` in an instruction file: the file it names is read in its place.

A word that begins with `@` and names a readable text file is an import, beside the file it stands in, or in the home
with `@~/…`; elsewhere (`@someone`, code between backticks, a file that is missing) it stays the word it is. Imports go
five deep, no file takes in itself, and nothing outside of where the first file may lie is read.
"""

from __future__ import annotations

import os
import re

from protea.adapters.instructions._reading import read
from protea.domain.pattern import regex

DEEPEST = 5
_IMPORT = regex(r"(?<![\w`@/.])@([~\w./][^\s`,;:!?)\]]*)")
_CODE = regex(r"(^[ \t]*(```|~~~).*?^[ \t]*\2[^\n]*$|``.*?``|`[^`\n]*`)", re.DOTALL | re.MULTILINE)


def imported(
    text: str, path: str, within: tuple[str, ...], most_bytes: int, *, home: str, above: tuple[str, ...] = ()
) -> str:
    """`text` (of the file `path`) with what it imports in place; cut somewhere beyond `most_bytes`."""
    if "@" not in text or len(above) >= DEEPEST:
        return text
    chain = (*above, os.path.realpath(path))
    left = most_bytes - len(text.encode())

    def one(match: re.Match[str]) -> str:
        nonlocal left
        name = match[1].rstrip(".")
        target = os.path.join(os.path.dirname(path), os.path.join(home, name[2:]) if name.startswith("~/") else name)
        if left <= 0 or os.path.realpath(target) in chain:
            return match[0]
        found = read(target, within, left)
        if found is None:
            return match[0]
        whole = imported(found, target, within, left, home=home, above=chain).strip()
        left -= len(whole.encode())
        return f"{whole}{match[1][len(name) :]}"

    parts = _CODE.split(text)
    # The pattern has two groups: every third piece is text, what lies between is code and the fence's own mark.
    return "".join(_IMPORT.sub(one, part) if at % 3 == 0 else part for at, part in enumerate(parts) if at % 3 != 2)
