"""Units of Markdown as rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from protea.interfaces.tui.transcript.cells import Span, clean, cut, flat, width_of, wrap
from protea.interfaces.tui.transcript.formula import formula
from protea.interfaces.tui.transcript.markdown import Unit
from protea.interfaces.tui.transcript.rows import BLANK, Row, paragraph

if TYPE_CHECKING:
    from markdown_it.token import Token

_ADDRESS = re.compile(r"https?://[^\s<>\"'`{}|\\^\[\]]*[^\s<>\"'`{}|\\^\[\].,;:!?)]")
_SAFE = re.compile(r"(?:https?|mailto|file|ftp):[\x21-\x7e]+\Z", re.IGNORECASE)
NARROWEST = 4
"""Cells of a table's column."""
MEASURE = 120
"""Cells of a line of prose at most: on a wider screen the eye would lose the next one. Code and tables take all."""


def unit_rows(unit: Unit, width: int, lead: Sequence[Span] = ()) -> list[Row]:
    """The rows of one unit, each no wider than `width`."""
    edge = list(lead)
    if unit.kind == "fence":
        return code_rows(unit.code, unit.info, width, edge, unit.coloured)
    return _Walk(unit.tokens, width, unit.number).rows(edge)


def pictures_of(unit: Unit) -> list[str]:
    """The paths of the pictures in a unit that lie in files; what lies elsewhere is never fetched."""
    sources = [
        unquote(str(inner.attrs.get("src", "")))
        for token in unit.tokens
        for inner in token.children or ()
        if inner.type == "image"
    ]
    return [each for each in sources if each and "://" not in each and not each.startswith(("data:", "//"))]


def code_rows(
    code: str, info: str, width: int, lead: list[Span], coloured: list[list[Span]] | None = None
) -> list[Row]:
    """A block of code: long lines go on in the next row."""
    edge = [*lead, (" ", "fence", "")]
    lines = coloured if coloured is not None else [[(line, "fence", "")] for line in clean(code).split("\n")]
    rows = [row for line in lines for row in code_line(line, width, edge)]
    language = flat(info).partition(" ")[0]
    if language and language != "text" and rows:
        label = cut(language, max(0, width - rows[0].width - 3))
        if label == language:
            rows[0].tail = (f"{label} ", "fence fence-language", "")
    return rows


def code_line(line: list[Span], width: int, edge: list[Span]) -> list[Row]:
    return paragraph(line, width, edge, fill="fence")


class _Walk:
    """One pass over the tokens of a unit."""

    def __init__(self, tokens: list[Token], width: int, number: int | None) -> None:
        self._tokens = tokens
        self._width = width
        self._number = number
        self._rows: list[Row] = []
        self._wants_blank = False

    def rows(self, lead: list[Span]) -> list[Row]:
        self._blocks(0, len(self._tokens), lead, lead)
        return self._rows

    def _blocks(self, begin: int, end: int, first: list[Span], rest: list[Span]) -> None:
        """The blocks between two places: `first` is drawn before the first row of all, `rest` before others."""
        edge = first
        at = begin
        while at < end:
            token = self._tokens[at]
            close = self._close(at)
            before = len(self._rows)
            if self._wants_blank and before:
                self._rows.append(Row(rest, sum(len(span[0]) for span in rest)) if rest else BLANK)
            self._wants_blank = False
            self._one(token, at, close, edge, rest)
            if len(self._rows) > before:
                edge = rest
            hidden = token.hidden
            self._wants_blank = not hidden and token.type != "heading_open"
            if token.type in ("bullet_list_open", "ordered_list_open") and hidden is False:
                self._wants_blank = True
            at = close + 1

    def _one(self, token: Token, at: int, close: int, edge: list[Span], rest: list[Span]) -> None:
        width = self._width
        match token.type:
            case "paragraph_open":
                self._lines(self._inline(at + 1), edge, rest)
            case "heading_open":
                level = int(token.tag[1:])
                roles = "h1" if level == 1 else "h2" if level == 2 else "h3"
                self._lines(self._inline(at + 1, roles), edge, rest)
            case "fence" | "code_block":
                self._rows += code_rows(token.content.removesuffix("\n"), token.info, width, edge)
                if edge is not rest and self._rows:
                    self._reled(edge, rest)
            case "hr":
                size = max(0, width - sum(width_of(span[0]) for span in edge))
                self._rows.append(Row((*edge, ("─" * size, "rule", "")), 0))
            case "blockquote_open":
                bar: list[Span] = [("▎ ", "quote-bar", "")] if self._has_room(edge) else []
                self._blocks(at + 1, close, [*edge, *bar], [*rest, *bar])
            case "bullet_list_open" | "ordered_list_open":
                self._list(token, at, close, edge, rest)
            case "table_open":
                self._rows += table_rows(*self._table(at, close), width, edge, rest)
            case "math_block":
                for line in formula(clean(token.content)).split("\n"):
                    self._rows += paragraph([(line.strip(), "math", "")], width, [*edge, ("  ", "", "")])
                    edge = rest
            case _ if token.content:
                self._lines([(clean(token.content), "", "")], edge, rest)
            case _:
                pass

    def _list(self, token: Token, at: int, close: int, edge: list[Span], rest: list[Span]) -> None:
        ordered = token.type == "ordered_list_open"
        number = self._number if self._number is not None else int(token.attrs.get("start", 1))
        self._number = None
        item = at + 1
        first = True
        while item < close:
            end = self._close(item)
            mark = f"{number}{token.markup or '.'} " if ordered else "• "
            pad: list[Span] = [(" " * width_of(mark), "", "")]
            if not self._has_room(edge):
                mark, pad = "", []
            loose = self._wants_blank
            self._wants_blank = False
            if loose and not first:
                self._rows.append(Row(rest, sum(len(span[0]) for span in rest)) if rest else BLANK)
            before = len(self._rows)
            self._blocks(item + 1, end, [*(edge if first else rest), (mark, "bullet", "")], [*rest, *pad])
            if len(self._rows) == before:
                self._rows.append(Row([*(edge if first else rest), (mark, "bullet", "")]))
            first = False
            number += 1
            item = end + 1

    def _has_room(self, edge: list[Span]) -> bool:
        """Whether what stands inside may be moved further in."""
        return sum(width_of(span[0]) for span in edge) + 4 <= self._width // 2 + 2

    def _reled(self, edge: list[Span], rest: list[Span]) -> None:
        """Only the first row of a block of code keeps the mark of its item."""
        size = len(edge)
        first = next(
            i for i in range(len(self._rows) - 1, -1, -1) if i == 0 or self._rows[i - 1].spans[:size] != tuple(edge)
        )
        for index in range(first + 1, len(self._rows)):
            row = self._rows[index]
            row.spans = (*rest, *row.spans[size:])

    def _close(self, at: int) -> int:
        """Where what opens at a token is closed."""
        token = self._tokens[at]
        if token.nesting != 1:
            return at
        depth = 0
        for index in range(at, len(self._tokens)):
            depth += self._tokens[index].nesting
            if depth == 0:
                return index
        return len(self._tokens) - 1

    def _inline(self, at: int, roles: str = "") -> list[Span]:
        token = self._tokens[at]
        return list(inline_spans(token.children or (), roles)) if token.type == "inline" else []

    def _lines(self, spans: list[Span], edge: list[Span], rest: list[Span]) -> None:
        for line in _split(spans):
            self._rows += paragraph(line, min(self._width, MEASURE), edge, rest)
            edge = rest

    def _table(self, at: int, close: int) -> tuple[list[list[list[Span]]], list[str]]:
        rows: list[list[list[Span]]] = []
        aligns: list[str] = []
        for index in range(at, close):
            token = self._tokens[index]
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                if token.type == "th_open":
                    aligns.append(str(token.attrs.get("style", "")).rpartition(":")[2])
                cell = self._inline(index + 1, "th" if token.type == "th_open" else "")
                rows[-1].append([(text.replace("\n", " "), roles, link) for text, roles, link in cell])
        return rows, aligns


def inline_spans(tokens: Sequence[Token], roles: str = "") -> Iterator[Span]:
    """What stands in a paragraph; a newline in a span is a line break that was meant."""
    stack = [roles] if roles else []
    link = ""
    for token in tokens:
        match token.type:
            case "text":
                yield from _text(clean(token.content).replace("\n", " "), " ".join(stack), link)
            case "softbreak":
                yield (" ", " ".join(stack), link)
            case "hardbreak":
                yield ("\n", "", "")
            case "code_inline":
                yield (clean(token.content).replace("\n", " "), " ".join([*stack, "code"]), link)
            case "math":
                yield (formula(clean(token.content).replace("\n", " ")), " ".join([*stack, "math"]), link)
            case "strong_open" | "em_open" | "s_open":
                stack.append({"strong_open": "strong", "em_open": "em", "s_open": "strike"}[token.type])
            case "strong_close" | "em_close" | "s_close":
                stack.pop()
            case "link_open":
                link = address(str(token.attrs.get("href", "")))
                stack.append("link")
            case "link_close":
                stack.pop()
                link = ""
            case "image":
                label = flat(token.content) or "image"
                yield (f"[{label}]", " ".join([*stack, "link"]), address(str(token.attrs.get("src", ""))))
            case _ if token.content:
                yield (clean(token.content).replace("\n", " "), " ".join(stack), link)
            case _:
                pass


def address(url: str) -> str:
    """An address a terminal may be given to open; empty for one that is none or that hides something."""
    return url if len(url) <= 2000 and _SAFE.match(url) else ""


def _text(text: str, roles: str, link: str) -> Iterator[Span]:
    if link or "://" not in text:
        if text:
            yield (text, roles, link)
        return
    at = 0
    for found in _ADDRESS.finditer(text):
        if found.start() > at:
            yield (text[at : found.start()], roles, "")
        yield (found[0], f"{roles} link".strip(), address(found[0]))
        at = found.end()
    if at < len(text):
        yield (text[at:], roles, "")


def _split(spans: list[Span]) -> list[list[Span]]:
    """One list per line that was meant to be one."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        if span[0] == "\n":
            lines.append([])
        else:
            lines[-1].append(span)
    return lines


def table_rows(
    cells: list[list[list[Span]]], aligns: list[str], width: int, edge: list[Span], rest: list[Span]
) -> list[Row]:
    """A table whose columns share the width; where there is no room for columns, one line per cell."""
    count = max((len(row) for row in cells), default=0)
    room = width - sum(width_of(span[0]) for span in edge)
    if not count:
        return []
    if room < count * (NARROWEST + 3):
        return _records(cells, width, edge, rest)
    sizes = _columns(cells, count, room - 3 * (count - 1))
    lead = sum(len(span[0]) for span in rest)
    rows: list[Row] = []
    for number, row in enumerate(cells):
        columns: list[list[tuple[list[Span], str]]] = [
            wrap(row[i], sizes[i], sizes[i]) if i < len(row) and row[i] else [([], "")] for i in range(count)
        ]
        for line in range(max(len(column) for column in columns)):
            spans: list[Span] = list(rest if rows else edge)
            for i, column in enumerate(columns):
                if i:
                    spans.append((" │ ", "table-line", ""))
                cell = column[line][0] if line < len(column) else []
                pad = sizes[i] - sum(width_of(span[0]) for span in cell)
                align = aligns[i] if i < len(aligns) else ""
                left = pad if align == "right" else pad // 2 if align == "center" else 0
                spans += [(" " * left, "", ""), *cell, (" " * (pad - left), "", "")] if pad > 0 else cell
            rows.append(Row([span for span in spans if span[0]], lead))
        if number == 0:
            bar = "─┼─".join("─" * size for size in sizes)
            rows.append(Row((*rest, (bar, "table-line", "")), lead))
    return rows


def _columns(cells: list[list[list[Span]]], count: int, room: int) -> list[int]:
    """Each column as wide as its widest cell, or, where that is too much, the widest ones made equal."""
    sizes = [
        max(
            (sum(width_of(span[0]) for span in row[i]) for row in cells if i < len(row)),
            default=1,
        )
        or 1
        for i in range(count)
    ]
    if sum(sizes) <= room:
        return sizes
    limit, left, open_columns = 0, room, sorted(range(count), key=lambda i: sizes[i])
    while open_columns:
        limit = left // len(open_columns)
        if sizes[open_columns[0]] > limit:
            break
        left -= sizes[open_columns.pop(0)]
    return [min(size, max(limit, NARROWEST)) for size in sizes]


def _records(cells: list[list[list[Span]]], width: int, edge: list[Span], rest: list[Span]) -> list[Row]:
    head, *body = cells
    rows: list[Row] = []
    for row in body or [head]:
        for i, cell in enumerate(row):
            name = head[i] if body and i < len(head) else []
            line = [*name, (": ", "", ""), *cell] if name else cell
            rows += paragraph(line, width, rest if rows else edge, rest)
        if body and row is not body[-1]:
            rows.append(Row(rest, sum(len(span[0]) for span in rest)))
    return rows
