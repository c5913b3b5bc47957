"""Replaces exact pieces of a text, and says what is wrong when a piece is not there. Pure; used by Edit and Patch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import unescape
from unicodedata import normalize

import msgspec

from protea.domain.cut import shorten
from protea.domain.pattern import regex
from protea.domain.textfile import shown

SHOWN = 5
"""Places that are listed."""


class Replacement(msgspec.Struct, frozen=True):
    old: str
    new: str
    everywhere: bool = False


class EditError(ValueError):
    """An edit that does not fit. The message tells the model what to send instead."""


def apply(text: str, edits: Sequence[Replacement]) -> tuple[str, int]:
    """The text after all edits, one after another, and how many places changed. Raises `EditError`, all or nothing."""
    places = 0
    for number, edit in enumerate(edits, 1):
        which = f"Edit {number} of {len(edits)}: " if len(edits) > 1 else ""
        try:
            text, count = _apply_one(text, edit)
        except EditError as error:
            raise EditError(f"{which}{error}") from error
        places += count
    return text, places


def _apply_one(text: str, edit: Replacement) -> tuple[str, int]:
    if not edit.old:
        raise EditError("old_string is empty. Give the exact text to replace; to create or rewrite a file use Write.")
    if edit.old == edit.new:
        raise EditError("old_string and new_string are the same: nothing would change.")
    old, new = edit.old, edit.new
    count = text.count(old)
    if not count and "\r\n" in text and "\r" not in old:
        # A file with mixed line ends: the model sees and sends plain ones.
        old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
        count = text.count(old)
    if not count:
        for form in ("NFC", "NFD"):
            # The same letters, put together otherwise (é of one character or of two): nobody sees which.
            other = normalize(form, edit.old)
            if other != edit.old and other in text:
                old, new = other, normalize(form, edit.new)
                count = text.count(old)
    if not count:
        raise EditError(not_found(text, edit.old, edit.new))
    if count > 1 and not edit.everywhere:
        raise EditError(_several(text, old, count))
    return text.replace(old, new), count


def _several(text: str, old: str, count: int) -> str:
    lines = text.split("\n")
    places: list[str] = []
    at = text.find(old)
    while at >= 0 and len(places) < SHOWN:
        number = text.count("\n", 0, at)
        places.append(f"  line {number + 1}: {shorten(shown(lines[number]).strip(), 120)}")
        at = text.find(old, at + len(old))
    more = f"\n  … and {count - SHOWN} more" if count > SHOWN else ""
    return (
        f"old_string is in the file {count} times, at:\n"
        + "\n".join(places)
        + more
        + "\nAdd lines around it until it names one place, or set replace_all."
    )


# ── not found ───────────────────────────────────────────────────────────────────────────────────────────────────────

_QUOTES = str.maketrans(
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2013\u2014\u2212\u00a0\u2009\u202f",
    "''''\"\"\"\"---   ",
)

_DIFFERENCES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("spaces at the ends of lines", lambda line: line.rstrip()),
    ("indentation (tabs or spaces)", lambda line: line.strip()),
    ("quotes, dashes or other look-alike characters", lambda line: line.translate(_QUOTES).strip()),
    ("white space inside lines", lambda line: " ".join(line.translate(_QUOTES).split())),
    ("upper and lower case", lambda line: " ".join(line.translate(_QUOTES).lower().split())),
)


_BLANK = "\u00a0\u2009\u202f"
_NUMBERED = regex(r"^\s*\d+(?:\t|→|\|| \| ?|: ?)")


def not_found(text: str, old: str, new: str = "") -> str:
    """Why `old` is not in `text`: the places that nearly match, with their lines as they really are."""
    if not text:
        return "old_string was not found: the file is empty."
    lines, wanted = text.split("\n"), old.strip("\n").split("\n")
    bare = [_NUMBERED.sub("", line) for line in wanted]
    if all(each != line for each, line in zip(bare, wanted, strict=True)) and "\n".join(bare) in text:
        return "old_string was not found: its lines begin with the numbers that Read puts before them. Leave them out."
    for what, simplify in _DIFFERENCES:
        places = _matches(lines, wanted, simplify)
        if places:
            many = f" ({len(places)} places are)" if len(places) > 1 else ""
            here = "\n".join(_quote(lines, at, len(wanted)) for at in places[:2])
            odd = sorted({each for line in lines[places[0] :][: len(wanted)] for each in line if each in _BLANK})
            names = f" Its blanks are not all spaces: there is {', '.join(f'U+{ord(each):04X}' for each in odd)}."
            return (
                f"old_string was not found, but for {what} this matches{many}:\n{here}\nSend it exactly as it is here."
                f"{names if odd else ''}"
            )
    plain = unescape(old)
    if plain != old and plain in text:
        here = _quote(lines, text.count("\n", 0, text.index(plain)), plain.count("\n") + 1)
        return f"old_string was not found: it has entities (&amp; &lt;) where the file has the characters:\n{here}"
    unescaped = old.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').replace("\\\\", "\\")
    if unescaped != old and unescaped in text:
        here = _quote(lines, text.count("\n", 0, text.index(unescaped)), unescaped.count("\n") + 1)
        return f'old_string was not found: it has escaped characters (\\n, \\") where the file has real ones:\n{here}'
    if new and new.strip() and new in text:
        line = text.count("\n", 0, text.index(new)) + 1
        return (
            f"old_string was not found, but new_string is there already, at line {line}: this edit may have been made."
        )
    near = _nearest(lines, wanted)
    if near is None:
        return "old_string was not found, nor anything like it. Read the file again: it may have changed."
    return (
        f"old_string was not found. The nearest is:\n{_quote(lines, near, len(wanted))}\n"
        f"{_first_difference(lines[near : near + len(wanted)], wanted, near)}"
    )


def _matches(lines: Sequence[str], wanted: Sequence[str], simplify: Callable[[str], str]) -> list[int]:
    simple = [simplify(line) for line in lines]
    target = [simplify(line) for line in wanted]
    if len(target) == 1:
        return [at for at, line in enumerate(simple) if target[0] and target[0] in line]
    size = len(target)
    first = target[0]
    return [at for at, line in enumerate(simple) if line == first and simple[at : at + size] == target]


def _nearest(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The window most like the wanted lines: first by how many lines they share, then by their letters."""
    from difflib import SequenceMatcher  # only for failures: keeps it off the way of an edit that fits

    size = len(wanted)
    target = [line.strip() for line in wanted]
    simple = [line.strip() for line in lines]
    known = {line for line in target if len(line) > 3}
    best: tuple[int, int] = (0, -1)
    score = sum(line in known for line in simple[:size])
    for at in range(max(1, len(simple) - size + 1)):
        if at:
            score += (at + size - 1 < len(simple) and simple[at + size - 1] in known) - (simple[at - 1] in known)
        if score > best[0]:
            best = (score, at)
    if best[0] * 2 >= len(known) and best[1] >= 0:
        around = range(max(0, best[1] - size), min(len(simple), best[1] + size))
        return max(
            around, key=lambda at: sum(x == y for x, y in zip(simple[at : at + size], target, strict=False) if x)
        )
    probe = max(target, key=len)[:300]
    if not probe:
        return None
    offset = max(range(size), key=lambda index: len(target[index]))
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(probe)
    found: tuple[float, int] = (0.6, -1)
    for at, line in enumerate(simple[:20000]):
        if not line:
            continue
        matcher.set_seq1(line[:300])
        if matcher.real_quick_ratio() > found[0] and matcher.quick_ratio() > found[0]:
            ratio = matcher.ratio()
            if ratio > found[0]:
                found = (ratio, at)
    if found[1] >= 0:
        return max(0, found[1] - offset)
    return best[1] if best[1] >= 0 else None


def _quote(lines: Sequence[str], at: int, size: int) -> str:
    rows = [
        f"{number}\t{shorten(shown(line), 200)}" for number, line in enumerate(lines[at : at + min(size, 12)], at + 1)
    ]
    return "\n".join(rows) + (f"\n… {size - 12} more lines" if size > 12 else "")


def _first_difference(have: Sequence[str], wanted: Sequence[str], at: int) -> str:
    for number, (real, sent) in enumerate(zip(have, wanted, strict=False), at + 1):
        if real != sent:
            return (
                f"Line {number} is {shorten(repr(shown(real)), 160)} and old_string has {shorten(repr(sent), 160)}. "
                "Send it exactly as it is in the file."
            )
    return "Send it exactly as it is in the file."
