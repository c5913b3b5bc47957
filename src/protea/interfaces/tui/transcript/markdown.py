"""Markdown that is still being written: cut into units that never change again once they are closed.

A unit is a top-level piece: a paragraph, an item of a list, a fence, a table. Each is parsed for itself, with the link
definitions that stand before it; so the same text gives the same units in whatever pieces it came, and a piece costs
what its unit costs, not what the answer does. HTML is shown as it is written.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\n]*)$")
_FENCE_LINE = re.compile(r"(?<=\n) {0,3}(?:`{3,}[^`\n]*|~{3,}[^\n]*)(?:\n|\Z)")
_MATH_OPEN = re.compile(r"^ {0,3}(\$\$|\\\[)")
_MATH_CLOSE = {"$$": "$$", "\\[": "\\]"}
_DOLLARS = re.compile(r"\$(?![\s$\d.,]+(?:\s|$))(?=\S)((?:[^$\\\n]|\\.)*?[^\s\\$])\$(?!\d)")
_ROUND = re.compile(r"\\\((.+?)\\\)", re.DOTALL)
_DISPLAY = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]", re.DOTALL)
DEEPEST = 18
"""How many lists and quotes within one another are told apart (a list counts twice): below, a line is a line. The
parser itself would leave out all that follows where it is two deeper."""


class Unit:
    """One top-level piece of a text. `tokens` are markdown-it's; a fence has its `info` and `code` instead."""

    __slots__ = ("code", "coloured", "info", "kind", "number", "source", "spaced", "tokens")

    def __init__(self, kind: str, source: str, spaced: bool) -> None:
        self.kind = kind
        """`fence`, `item` or `block`."""
        self.source = source
        self.spaced = spaced
        """Whether a blank line stands before it."""
        self.tokens: list[Token] = []
        self.info = ""
        self.code = ""
        self.coloured: list[list[tuple[str, str, str]]] | None = None
        """The lines of the code with the roles of its words, once somebody has found them."""
        self.number: int | None = None
        """Of an item of an ordered list."""


class Document:
    """A text that grows. `closed` units are final; `open_units` are what the rest amounts to so far."""

    def __init__(self) -> None:
        self.closed: list[Unit] = []
        self._pieces: list[str] = []
        self._tail = ""
        self._references: dict[str, Any] = {}
        self._previous = ""
        """What stands before the tail, for the blank line between two units."""
        self._list: tuple[str, int] | None = None
        """Marker and last number of the list that the last closed unit belongs to."""
        self._open: list[Unit] | None = []
        self._return = False
        self._scanned = 0
        """How far the code of an open fence was searched for its end."""

    def feed(self, piece: str) -> None:
        if self._return:
            piece, self._return = "\r" + piece, False
        if piece.endswith("\r"):  # its newline may come with the next piece
            piece, self._return = piece[:-1], True
        if piece:
            self._pieces.append(piece.replace("\r\n", "\n").replace("\r", "\n") if "\r" in piece else piece)
            self._open = None

    def open_units(self) -> list[Unit]:
        """Closes what can be closed, and parses what is left."""
        if self._open is None:
            self._take()
            self._close(ended=False)
            self._open = self._parse_open()
        return self._open

    def end(self) -> None:
        """Nothing more will come: every unit is closed."""
        if self._return:
            self._return = False
            self._pieces.append("\n")
        self._take()
        self._close(ended=True)
        self._open = []

    def _take(self) -> None:
        self._tail += "".join(self._pieces)
        self._pieces.clear()

    # ── closing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _close(self, *, ended: bool) -> None:
        while self._tail and (self._close_fence(ended=ended) or self._close_blocks(ended=ended)):
            pass

    def _close_fence(self, *, ended: bool) -> bool:
        """Take a fence at the beginning of the tail, once its end is there. True if something was closed."""
        self._skip_blank_lines()
        head, newline, _ = self._tail.partition("\n")
        fence = _FENCE.match(head)
        if fence is None or (fence[1][0] == "`" and "`" in fence[2]) or not (newline or ended):
            return False
        begin = len(head) + 1
        at = max(self._scanned, begin)
        while True:
            end = self._tail.find("\n", at)
            line = self._tail[at : end if end >= 0 else len(self._tail)]
            if (end >= 0 or ended) and _ends(fence[1], line):
                return self._take_fence(fence, begin, at, end + 1 if end >= 0 else len(self._tail))
            if end < 0:
                if ended:
                    return self._take_fence(fence, begin, len(self._tail), len(self._tail))
                self._scanned = at
                return False
            at = end + 1

    def _take_fence(self, fence: re.Match[str], begin: int, close: int, end: int) -> bool:
        unit = self._fence(fence, self._tail[begin:close], self._tail[:end])
        self._closed(unit, end)
        self._list = None
        return True

    def _fence(self, fence: re.Match[str], code: str, source: str) -> Unit:
        unit = Unit("fence", source, self._is_spaced())
        unit.info = fence[2].strip()
        indent = len(fence[0]) - len(fence[0].lstrip(" "))
        code = code.removesuffix("\n")
        unit.code = re.sub(rf"^ {{1,{indent}}}", "", code, flags=re.MULTILINE) if indent else code
        return unit

    def _close_blocks(self, *, ended: bool) -> bool:
        whole = self._tail if ended else self._tail[: self._tail.rfind("\n") + 1]
        if not whole.strip():
            if ended:
                self._tail = ""
            return False
        whole, starts, first_fence = self._up_to_fence(whole)
        if not starts:
            if ended:
                self._tail = ""  # link definitions alone
            return False
        offsets = _offsets(whole)
        if first_fence is not None:
            last, end = first_fence, offsets[starts[first_fence][0]]
        elif ended and not starts[0][1]:
            last, end = len(starts), len(whole)
        else:
            last = len(starts) - 1
            end = offsets[starts[-1][0]]
        if last <= 0 or not end:
            return False
        edges = [0, *(offsets[line] for line, _, _ in starts[1:last]), end]
        for index in range(last):
            self._close_block(self._tail[edges[index] : edges[index + 1]], is_item=starts[index][2])
        self._tail = self._tail[end:]
        self._scanned = 0
        return True

    def _up_to_fence(self, whole: str) -> tuple[str, list[tuple[int, bool, bool]], int | None]:
        """How much of the text to look at, what begins in it, and which of that is a fence: no further than needed."""
        candidate = _FENCE_LINE.search(whole, 1)
        for text in (whole[: candidate.end()], whole) if candidate is not None else (whole,):
            starts = _starts(self._blocks(text))
            for index, (_, is_fence, _) in enumerate(starts):
                if is_fence and index:
                    return text, starts, index
        return whole, starts, None

    def _close_block(self, source: str, *, is_item: bool) -> None:
        environment = {"references": dict(self._references)}
        tokens = _parser().parse(source, environment)
        self._references = environment["references"]
        unit = self._block(tokens, source, is_item=is_item)
        self.closed.append(unit)
        self._previous = source

    def _closed(self, unit: Unit, end: int) -> None:
        self.closed.append(unit)
        self._previous = self._tail[:end]
        self._tail = self._tail[end:]
        self._scanned = 0

    # ── what is still open ─────────────────────────────────────────────────────────────────────────────────────────

    def _parse_open(self) -> list[Unit]:
        if not self._tail.strip():
            return []
        head, _, rest = self._tail.partition("\n")
        fence = _FENCE.match(head)
        if fence is not None and not (fence[1][0] == "`" and "`" in fence[2]):
            if rest.rpartition("\n")[2].strip() and _may_end(fence[1], rest.rpartition("\n")[2]):
                rest = rest.rpartition("\n")[0]  # the fence's end is being written
            return [self._fence(fence, rest, self._tail)]
        tokens = self._tokens(self._tail)
        starts = _starts(tokens)
        kept = (self._previous, self._list)
        offsets = _offsets(self._tail)
        edges = [0, *(offsets[line] for line, _, _ in starts[1:]), len(self._tail)]
        units = []
        pieces = _pieces(tokens)
        for index, (_, is_fence, is_item) in enumerate(starts):
            source = self._tail[edges[index] : edges[index + 1]]
            if is_fence:
                unit = Unit("fence", source, self._is_spaced())
                token = pieces[index][0]
                unit.info, unit.code = token.info.strip(), token.content.removesuffix("\n")
            else:
                unit = self._block(pieces[index], source, is_item=is_item)
            units.append(unit)
            self._previous = source
        self._previous, self._list = kept
        return units

    def _block(self, tokens: list[Token], source: str, *, is_item: bool) -> Unit:
        unit = Unit("item" if is_item else "block", source, self._is_spaced())
        unit.tokens = tokens
        if not is_item:
            self._list = None
            unit.spaced = unit.spaced or tokens[0].type == "heading_open"
            return unit
        opening = tokens[0]
        if opening.type == "ordered_list_open":
            begin = int(opening.attrs.get("start", 1))
            going_on = self._list is not None and self._list[0] == opening.markup
            unit.number = self._list[1] + 1 if going_on and self._list is not None else begin
        self._list = (opening.markup, unit.number or 0)
        return unit

    def _tokens(self, source: str) -> list[Token]:
        return _parser().parse(source, {"references": dict(self._references)})

    def _blocks(self, source: str) -> list[Token]:
        """Without what stands in them: all that is needed to see where each begins."""
        parser = _parser()
        tokens: list[Token] = []
        parser.block.parse(source, parser, {"references": dict(self._references)}, tokens)
        return tokens

    def _is_spaced(self) -> bool:
        return self._previous.endswith("\n\n") or (
            not self._previous.rpartition("\n")[2].strip(" \t") and _ends_blank(self._previous)
        )

    def _skip_blank_lines(self) -> None:
        """Blank lines before a unit belong to the one before it."""
        end = 0
        while (line := self._tail.find("\n", end)) >= 0 and not self._tail[end:line].strip(" \t"):
            end = line + 1
        if end:
            self._previous += self._tail[:end]
            if self.closed:
                self.closed[-1].source += self._tail[:end]
            self._tail = self._tail[end:]
            self._scanned = max(0, self._scanned - end)


def document_of(text: str) -> Document:
    """The whole of a text."""
    document = Document()
    document.feed(text)
    document.end()
    return document


def _ends(fence: str, line: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(fence) and set(stripped) == {fence[0]} and len(line) - len(line.lstrip(" ")) <= 3


def _may_end(fence: str, line: str) -> bool:
    return set(line.strip()) == {fence[0]}


def _ends_blank(text: str) -> bool:
    lines = text.split("\n")
    return len(lines) >= 2 and not lines[-1].strip() and not lines[-2].strip()


def _offsets(source: str) -> list[int]:
    offsets, at = [0], source.find("\n")
    while at >= 0:
        offsets.append(at + 1)
        at = source.find("\n", at + 1)
    return [*offsets, len(source)]


def _starts(tokens: list[Token]) -> list[tuple[int, bool, bool]]:
    """(first line, whether it is a fence, whether it is an item) of every unit among the tokens."""
    found = []
    in_list = False
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            in_list = token.type in ("bullet_list_open", "ordered_list_open")
            if not in_list and token.map is not None:
                found.append((token.map[0], token.type == "fence", False))
        elif in_list and token.level == 1 and token.type == "list_item_open" and token.map is not None:
            found.append((token.map[0], False, True))
    return found


def _pieces(tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each unit; an item is a list of its own."""
    pieces: list[list[Token]] = []
    opening: Token | None = None
    for token in tokens:
        if token.level == 0:
            if token.type in ("bullet_list_open", "ordered_list_open"):
                opening = token
                continue
            if token.type in ("bullet_list_close", "ordered_list_close"):
                opening = None
                continue
            if token.nesting >= 0:
                pieces.append([])
        elif opening is not None and token.level == 1 and token.type == "list_item_open":
            pieces.append([opening])
        if pieces:
            pieces[-1].append(token)
    return pieces


def prepare() -> None:
    """Load what parses, before the first text comes. May be called in a thread."""
    _parser()


@cache
def _parser() -> MarkdownIt:
    # 40 ms to import: the screen stands before there is anything to parse.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "math", _math)
    parser.block.ruler.before("table", "deep", _deep)
    parser.block.ruler.before("fence", "math", _math_block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    return parser


def _math(state: StateInline, silent: bool) -> bool:
    """Formulas keep their text: `_` and `*` in them are no emphasis."""
    character = state.src[state.pos]
    if character not in "$\\":
        return False
    for pattern, kind in ((_DISPLAY, "math"), (_ROUND, "math"), (_DOLLARS, "math")):
        found = pattern.match(state.src, state.pos, state.posMax)
        if found is not None:
            if not silent:
                token = state.push(kind, "", 0)
                token.content = next(group for group in found.groups() if group is not None)
            state.pos = found.end()
            return True
    return False


def _deep(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A line as it was written, where nothing is nested any further."""
    if silent or state.level < DEEPEST:
        return False
    state.line = first + 1
    for kind, nesting in (("paragraph_open", 1), ("inline", 0), ("paragraph_close", -1)):
        token = state.push(kind, "", nesting)  # type: ignore[arg-type]  # a literal, where it is read as a number
        token.map, token.hidden = [first, state.line], kind != "inline"
        if kind == "inline":
            token.content = state.src[state.bMarks[first] + state.tShift[first] : state.eMarks[first]].strip()
            token.children = []
    return True


def _math_block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """From a line that begins with `$$` or `\\[` to its end, a blank line or the end of all."""
    if state.is_code_block(first):
        return False
    line = state.src[state.bMarks[first] + state.tShift[first] : state.eMarks[first]]
    opening = _MATH_OPEN.match(line)
    if opening is None:
        return False
    close = _MATH_CLOSE[opening[1]]
    if close in line[2:].rstrip()[:-2] or (close in line[2:] and not line.rstrip().endswith(close)):
        return False  # text goes on behind it: a paragraph with a formula in it
    if silent:
        return True
    lines = [line[2:]]
    row = first
    while not lines[-1].rstrip().endswith(close):
        row += 1
        if row >= last or state.isEmpty(row) or state.sCount[row] < state.blkIndent:
            break
        lines.append(state.src[state.bMarks[row] + state.tShift[row] : state.eMarks[row]])
    state.line = min(row + 1, last)
    token = state.push("math_block", "", 0)
    token.content = "\n".join(lines).rstrip().removesuffix(close).strip("\n")
    token.map = [first, state.line]
    return True
