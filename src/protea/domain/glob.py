"""Glob patterns as people write them for files, turned into regular expressions. Pure.

`*` and `?` stay within a name, `**` crosses directories, `[a-z]` and `[!a]` are sets, `{a,b}` are alternatives, `\\`
takes the next character as it is. A pattern without a slash is about names at any depth, one with a slash about whole
paths from where the search begins; a leading `/` or `./` only says so.
"""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def compiled(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """To `fullmatch` relative paths (`src/a.py`) with. Raises `ValueError` for a broken pattern."""
    anchored = pattern.startswith(("/", "./"))
    while pattern.startswith(("/", "./")):
        pattern = pattern.lstrip("/").removeprefix("./")
    pattern = pattern.rstrip("/") if pattern.rstrip("/") else pattern
    body = translate(pattern)
    if "/" not in pattern and not anchored and pattern != "**":
        body = f"(?:.*/)?{body}"
    try:
        return re.compile(body, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} is broken: {error}") from error


def translate(pattern: str, *, braces: bool = True) -> str:
    """The regular expression for a path pattern, to be matched in full. Without `braces` they are plain letters."""
    out: list[str] = []
    depth = 0
    at, size = 0, len(pattern)
    while at < size:
        letter = pattern[at]
        if letter == "*":
            end = at
            while end < size and pattern[end] == "*":
                end += 1
            starts = at == 0 or pattern[at - 1] in "/,{"
            stops = end == size or pattern[end] in "/,}"
            if end - at >= 2 and starts and stops:
                if end < size and pattern[end] == "/":
                    out.append("(?:.*/)?")
                    at = end + 1
                    continue
                out.append(".*")
            else:
                out.append("[^/]*")
            at = end
            continue
        if letter == "?":
            out.append("[^/]")
        elif letter == "[":
            end, text = _set(pattern, at)
            out.append(text)
            at = end
            continue
        elif letter == "{" and braces and "}" in pattern[at:]:
            depth += 1
            out.append("(?:")
        elif letter == "}" and depth:
            depth -= 1
            out.append(")")
        elif letter == "," and depth:
            out.append("|")
        elif letter == "\\" and at + 1 < size:
            at += 1
            out.append(re.escape(pattern[at]))
        else:
            out.append(re.escape(letter))
        at += 1
    return "".join(out)


def _set(pattern: str, at: int) -> tuple[int, str]:
    """A `[…]` set; a `[` that is never closed stands for itself."""
    start = at + 1
    end = start
    if end < len(pattern) and pattern[end] in "!^":
        end += 1
    if end < len(pattern) and pattern[end] == "]":
        end += 1
    while end < len(pattern) and pattern[end] != "]":
        if pattern.startswith("[:", end) and (close := pattern.find(":]", end)) > 0:
            end = close + 1
        elif pattern[end] == "\\":
            end += 1
        end += 1
    if end >= len(pattern):
        return at + 1, re.escape("[")
    inside = pattern[start:end]
    negated = inside[:1] in ("!", "^")
    if negated:
        inside = inside[1:]
    for name, letters in _CLASSES.items():
        inside = inside.replace(f"[:{name}:]", letters)
    # Only the backslash escapes in both languages; `[`, `&`, `~`, `|` would mean something to Python's.
    inside = re.sub(r"(?<!\\)([\[&~|])", r"\\\1", inside)
    if inside.startswith("^"):
        inside = "\\" + inside
    if inside.startswith("]"):
        inside = "\\" + inside
    return end + 1, f"(?!/)[{'^' if negated else ''}{inside}]"


_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r" \t\r\n\v\f",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9a-fA-F",
    "blank": r" \t",
}
