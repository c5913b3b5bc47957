"""`@path` in an instruction file: which files its text takes in. Pure; the adapters read, and the record of what a
person has looked at names them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from protea.domain.pattern import regex

_IMPORT = regex(r"(?<![\w`@/.])@([~\w./][^\s`,;:!?)\]]*)")
_CODE = regex(
    # A fence ends at one of its kind that is as long, or with the text; a span may go over a line's end, not over an
    # empty line.
    r"(^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\2[`~]*[ \t]*$|\Z)|``(?:(?!\n[ \t]*\n).)*?``|`(?:(?!\n[ \t]*\n)[^`])*`)",
    re.DOTALL | re.MULTILINE,
)


def with_imports(text: str, one: Callable[[str], str | None]) -> str:
    """`text` with each import replaced by what `one` says of its name; where that is None the word stays."""

    def put(match: re.Match[str]) -> str:
        name = match[1].rstrip(".")
        found = one(name)
        return match[0] if found is None else f"{found}{match[1][len(name) :]}"

    parts = _CODE.split(text)
    # The pattern has two groups: every third piece is text, what lies between is code and the fence's own mark.
    return "".join(_IMPORT.sub(put, part) if at % 3 == 0 else part for at, part in enumerate(parts) if at % 3 != 2)


def import_names(text: str) -> Iterator[str]:
    """The names, in order, as they stand there."""
    if "@" not in text:
        return
    found: list[str] = []
    with_imports(text, lambda name: found.append(name))
    yield from found
