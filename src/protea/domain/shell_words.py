"""Words in a shell command that somebody else wrote: put in so that the shell takes them as they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from protea.domain.pattern import regex

_PLAIN = regex(r"[A-Za-z0-9_./:@%+=,-]*\Z")
"""Means the same everywhere."""
_UNSURE = regex(r"\$\{|\$'|\$?\(\(|<<|(?<!\S)#")
"""Behind these quotes mean something else, or nothing."""


def put_in(words: Sequence[str], before: str) -> str:
    """What stands for `words` behind the beginning `before` of a command, which may leave off between quotes. Raises
    `ValueError` where no way of writing them is sure."""
    if all(map(_PLAIN.match, words)):
        return " ".join(words)
    if _UNSURE.search(before):
        raise ValueError("it stands where the shell could take it for more than a word")
    match _quote_behind(before):
        case "'":
            return " ".join(words).replace("'", "'\\''")
        case '"':
            return re.sub(r'([\\"$`])', r"\\\1", " ".join(words))
        case _:
            return " ".join(map(shlex.quote, words))


def _quote_behind(text: str) -> str:
    """The quote that is open at the end of a command's beginning; empty where there is none."""
    within = [""]
    """The quotes of each `$(` that is open, the outermost first."""
    at = 0
    while at < len(text):
        char, quote = text[at], within[-1]
        if char == "\\" and quote != "'":
            at += 1
        elif char in "'\"" and quote in ("", char):
            within[-1] = "" if quote else char
        elif text.startswith("$(", at) and quote != "'":
            within.append("")
            at += 1
        elif char == "(" and not quote:
            within.append("")
        elif char == ")" and not quote and len(within) > 1:
            within.pop()
        at += 1
    return within[-1]
