"""Where vim's motions lead in a buffer. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from protea.interfaces.tui.composer.buffer import Buffer

_BRACKETS = {"(": "()", ")": "()", "[": "[]", "]": "[]", "{": "{}", "}": "{}"}
_BIG_BEGIN = re.compile(r"(?:(?<=\s)|\A)\S")
_BIG_END = re.compile(r"\S(?=\s|\Z)")


def line_of(text: str, number: int) -> int:
    """Where a line begins; the last one where there are fewer."""
    at = 0
    for _ in range(number - 1):
        end = text.find("\n", at)
        if end < 0:
            break
        at = end + 1
    return at


def other_end(buffer: Buffer, at: int) -> int:
    """The bracket that belongs to the next one in this line; -1 where there is none."""
    text, end = buffer.text, buffer.line_end(at)
    while at < end and text[at] not in _BRACKETS:
        at += 1
    if at >= end:
        return -1
    opening, closing = _BRACKETS[text[at]][0], _BRACKETS[text[at]][1]
    step = 1 if text[at] == opening else -1
    depth, place = 0, at
    while 0 <= place < len(text):
        depth += (text[place] == opening) - (text[place] == closing)
        if not depth:
            return place
        place += step
    return -1


def _big_next(buffer: Buffer, at: int) -> int:
    found = _BIG_BEGIN.search(buffer.text, at + 1)
    return found.start() if found else len(buffer.text)


def _big_left(buffer: Buffer, at: int) -> int:
    last = 0
    for found in _BIG_BEGIN.finditer(buffer.text, 0, at):
        last = found.start()
    return last


def _big_end(buffer: Buffer, at: int) -> int:
    found = _BIG_END.search(buffer.text, at + 1)
    return found.start() if found else max(0, len(buffer.text) - 1)


def kind_of(character: str, what: str) -> int:
    if not character or character.isspace():
        return 0
    return 1 if what == "W" or character.isalnum() or character == "_" else 2


def first_of(buffer: Buffer, at: int) -> int:
    begin, end = buffer.line_begin(at), buffer.line_end(at)
    line = buffer.text[begin:end]
    return begin + len(line) - len(line.lstrip())


def matching(text: str, at: int, opening: str, closing: str, step: int) -> int | None:
    wanted, other = (opening, closing) if step < 0 else (closing, opening)
    depth = 0
    place = at
    while 0 <= place < len(text):
        if text[place] == wanted:
            if not depth:
                return place
            depth -= 1
        elif text[place] == other and place != at:
            depth += 1
        place += step
    return None


def _in_line_left(buffer: Buffer, at: int) -> int:
    return max(buffer.line_begin(at), buffer.left(at))


def _in_line_right(buffer: Buffer, at: int) -> int:
    return min(max(buffer.line_begin(at), buffer.line_end(at)), buffer.right(at))


def _line_end(buffer: Buffer, at: int) -> int:
    return max(buffer.line_begin(at), buffer.line_end(at) - 1)


MOTIONS: dict[str, Callable[[Buffer, int], int]] = {
    "h": _in_line_left,
    "l": _in_line_right,
    " ": Buffer.right,
    "w": Buffer.next_word,
    "W": _big_next,
    "b": Buffer.word_left,
    "B": _big_left,
    "e": Buffer.word_end,
    "E": _big_end,
    "0": Buffer.line_begin,
    "^": first_of,
    "$": _line_end,
}
