"""The cells of a notebook within its text: where each stands, and the text with one of them changed.

So all else stays as it was, to the byte: how numbers and letters are written, indentation, line ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from protea.domain.pattern import regex

_BLANK = regex(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Cells(msgspec.Struct, frozen=True):
    """Where the list of cells is."""

    text: str
    start: int
    """Behind its bracket; `end` is before the other."""
    end: int
    spans: tuple[tuple[int, int], ...]
    """Each cell's."""
    between: str
    """What stands between two cells."""
    level: str | None
    """The blanks of one level of indentation; None where all is on one line."""
    ascii: bool
    """Whether other letters are written as `\\u00e9`."""

    def replaced(self, at: int, cell: Mapping[str, Any]) -> str:
        start, end = self.spans[at]
        return self.text[:start] + self._written(cell) + self.text[end:]

    def inserted(self, at: int, cell: Mapping[str, Any]) -> str:
        written = self._written(cell)
        if not self.spans:
            below = "" if self.level is None else f"\n{self.level * 2}"
            above = "" if self.level is None else f"\n{self.level}"
            return f"{self.text[: self.start]}{below}{written}{above}{self.text[self.end :]}"
        if at == 0:
            start = self.spans[0][0]
            return f"{self.text[:start]}{written}{self.between}{self.text[start:]}"
        end = self.spans[at - 1][1]
        return f"{self.text[:end]}{self.between}{written}{self.text[end:]}"

    def deleted(self, at: int) -> str:
        if len(self.spans) == 1:
            return self.text[: self.start] + self.text[self.end :]
        if at == 0:
            return self.text[: self.spans[0][0]] + self.text[self.spans[1][0] :]
        return self.text[: self.spans[at - 1][1]] + self.text[self.spans[at][1] :]

    def _written(self, cell: Mapping[str, Any]) -> str:
        tight = self.level is None and self.between == ","
        text = json.dumps(cell, ensure_ascii=self.ascii, indent=self.level, separators=(",", ":") if tight else None)
        return text if self.level is None else text.replace("\n", f"\n{self.level * 2}")


def find(text: str) -> Cells | None:
    """The cells of a notebook; None where it has none. `text` is JSON."""
    at = _past(text, 0)
    if text[at : at + 1] != "{":
        return None
    at = _past(text, at + 1)
    while text[at : at + 1] == '"':
        name, at = _DECODER.raw_decode(text, at)
        at = _past(text, _past(text, at) + 1)  # the colon
        if name == "cells" and text[at : at + 1] == "[":
            return _list(text, at + 1)
        _, at = _DECODER.raw_decode(text, at)
        at = _past(text, at)
        if text[at : at + 1] == ",":
            at = _past(text, at + 1)
    return None


def _list(text: str, start: int) -> Cells:
    spans: list[tuple[int, int]] = []
    at = _past(text, start)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        spans.append((at, end))
        at = _past(text, end)
        if text[at] == ",":
            at = _past(text, at + 1)
    second = text.split("\n", 2)[1] if "\n" in text else ""
    level = second[: len(second) - len(second.lstrip(" \t"))] if second.strip() else ""
    indented = level or None
    if len(spans) > 1:
        between = text[spans[0][1] : spans[1][0]]
    elif indented:
        between = f",\n{level * 2}"
    else:
        between = ", " if ", " in text[:200] or ": " in text[:200] else ","
    return Cells(text, start, at, tuple(spans), between, indented, text.isascii() and "\\u" in text)


def _past(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank is not None else at
