"""Text as cells of a terminal: what may be drawn, how wide it is, where it may break. Pure.

Everything the transcript draws goes through `clean`, whoever wrote it. What is left takes the same room in every
terminal: sequences that some join into one picture and others do not (emoji with joiners, skin tones, variation
selectors) are shown as their parts. What is copied is the text as it was written.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, get_character_cell_size

from protea.domain.plain import plain
from protea.interfaces.terminal import visible

TAB = 4

_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f"
    "\uffa0\ufff0-\ufffb\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
"""Takes no room in one terminal and some in another."""
_MARK = (
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e31-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    r"\u20d0-\u20ff\ufe20-\ufe2f]"
)
_STORM = re.compile(f"({_MARK}{{8}}){_MARK}+")
"""More marks on one letter than any language writes: terminals take seconds for some thousands of them."""
_LINES = re.compile("[\u2028\u2029]")
_NO_START = frozenset("、。，．！？；：）］｝」』】〉》〕’”…‥ー々ゝゞヽヾ,.!?;:)]}%")
"""What a line of wide characters does not begin with."""

Span = tuple[str, str, str]
"""A text, the roles it is drawn in (words with blanks between), and where it leads if it is a link."""


def clean(text: str) -> str:
    """`text` as printable cells and newlines: escape sequences dropped, control characters and marks that reorder
    shown, tabs and what has no certain width replaced."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = _LINES.sub(" ", text)
    text = plain(text)
    if "\t" in text:
        text = "\n".join(line.expandtabs(TAB) if "\t" in line else line for line in text.split("\n"))
    return _STORM.sub(r"\1", _UNSEEN.sub("", visible(text)))


def flat(text: str) -> str:
    """`text` cleaned, on one line."""
    return " ".join(clean(text).split())


def width_of(text: str) -> int:
    """Cells that a cleaned text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int, *, keep_end: bool = False) -> str:
    """`text` in at most `width` cells; what is left out is marked with `…`."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    if keep_end and width >= 12:
        head = (width - 1) * 2 // 3
        return _fitting(text, head) + "…" + _fitting(text[::-1], width - 1 - head)[::-1]
    return _fitting(text, width - 1) + "…"


def _fitting(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    used = 0
    for index, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > width:
            return text[:index]
    return text


def breaks(text: str, first: int, width: int) -> list[tuple[int, int, str]]:
    """Where a line of text is broken so that the first piece takes at most `first` cells and others `width`.

    Pieces as (begin, end, what stands between this piece and the one before: "" or " "). Never empty.
    """
    if text.isascii():
        return _breaks_ascii(text, max(first, 1), max(width, 1))
    if width_of(text) <= first:
        return [(0, len(text), "")]
    return _breaks_wide(text, max(first, 2), max(width, 2))


def _breaks_ascii(text: str, first: int, width: int) -> list[tuple[int, int, str]]:
    pieces: list[tuple[int, int, str]] = []
    at, room, joint, end = 0, first, "", len(text)
    while end - at > room:
        space = text.rfind(" ", at, at + room + 1)
        if space <= at or text[at:space].isspace():
            pieces.append((at, at + room, joint))
            at, joint = at + room, ""
        else:
            pieces.append((at, space, joint))
            at, joint = space + 1, " "
        room = width
    pieces.append((at, end, joint))
    return pieces


def _breaks_wide(text: str, first: int, width: int) -> list[tuple[int, int, str]]:
    pieces: list[tuple[int, int, str]] = []
    sizes = [get_character_cell_size(character) for character in text]
    at, room, joint = 0, first, ""
    used, cut_at, resume, inked = 0, -1, -1, False
    index = 0
    while index < len(text):
        size = sizes[index]
        if used + size > room and size:
            if cut_at <= at:
                cut_at = resume = index
            pieces.append((at, cut_at, joint))
            joint = " " if resume > cut_at else ""
            at, room, index = resume, width, resume
            used, cut_at, resume, inked = 0, -1, -1, False
            continue
        character = text[index]
        if character == " ":
            if inked:
                cut_at, resume = index, index + 1
        else:
            follows = index + 1 < len(text) and sizes[index + 1] and text[index + 1] not in _NO_START
            inked = True
            if follows and text[index + 1] != " " and (size == 2 or sizes[index + 1] == 2):
                cut_at = resume = index + 1 if used + size <= room else index
        used += size
        index += 1
    pieces.append((at, len(text), joint))
    return pieces


def wrap(spans: list[Span], first: int, width: int) -> list[tuple[list[Span], str]]:
    """Spans of one paragraph broken into lines, each with what stood between it and the one before."""
    text = spans[0][0] if len(spans) == 1 else "".join(span[0] for span in spans)
    pieces = breaks(text, first, width)
    if len(pieces) == 1:
        return [(spans, "")]
    if len(spans) == 1:
        _, roles, link = spans[0]
        return [([(text[begin:end], roles, link)], joint) for begin, end, joint in pieces]
    lines: list[tuple[list[Span], str]] = []
    number, offset = 0, 0  # the span that holds `begin`, and where it begins in the text
    for begin, end, joint in pieces:
        line: list[Span] = []
        while number < len(spans) and offset + len(spans[number][0]) <= begin:
            offset += len(spans[number][0])
            number += 1
        here, there = number, offset
        while here < len(spans) and there < end:
            piece, roles, link = spans[here]
            part = piece[max(begin - there, 0) : end - there]
            if part:
                line.append((part, roles, link))
            there += len(piece)
            here += 1
        lines.append((line, joint))
    return lines
