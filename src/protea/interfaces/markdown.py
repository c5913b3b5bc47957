"""Markdown as it streams in, drawn for a terminal: line by line, a paragraph word by word.

Small on purpose: headings, lists, quotes, rules, fences, inline code, bold, italics and links, which is what models
write. Anything else stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from protea.interfaces.flow import Flow
from protea.interfaces.terminal import Paint, visible

_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)")
_HEADING = re.compile(r"^(#{1,6})\s+(\S.*)$")
_ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])\s+(.*)$")
_RULE = re.compile(r"^\s{0,3}([-*_])(\s*\1){2,}\s*$")
_QUOTE = re.compile(r"^\s{0,3}>\s?(.*)$")
_INLINE = re.compile(
    r"(?P<code>`+)(?P<coded>.+?)(?P=code)"
    r"|\*\*(?P<bold>[^*\s](?:(?:[^*]|\*(?!\*))*[^*\s])?)\*\*"
    r"|(?<![*\w])\*(?P<italic>[^*\s](?:[^*]*[^*\s])?)\*(?![*\w])"
    r"|(?<!\w)_(?P<under>[^_\s](?:[^_]*[^_\s])?)_(?!\w)"
    r"|\[(?P<label>[^\[\]]+)\]\((?P<address>[^)\s]{1,2000})\)"
)
_PLAIN_START = re.compile(r"^[^\s#>*+\-`~_|=\d]")


def heading_text(written: str) -> str:
    """What stands behind the signs of a heading, without those that close it."""
    text = written.rstrip()
    inner = text.rstrip("#")
    return inner.rstrip() if inner != text and (not inner or inner[-1].isspace()) else text


class Markdown:
    """What is written so far of one answer. Feed it pieces, write out what it returns, `end` it."""

    def __init__(self, paint: Paint, width: Callable[[], int] | None = None) -> None:
        """With a width, rows end between words, but those of code."""
        self._paint = paint
        self._flow = Flow(width) if width is not None else None
        self._line = ""
        """What has come of the current line and is not drawn yet."""
        self._begun = False
        """Whether a part of the current line is drawn."""
        self._fence = ""

    @property
    def at_line_start(self) -> bool:
        return not self._begun

    def feed(self, piece: str) -> str:
        """What can be drawn now that `piece` has come."""
        if not self._paint.on:
            shown = visible(piece)
            if shown:
                self._begun = not shown.endswith("\n")
            return shown if self._flow is None else self._flowed_plain(shown)
        drawn = []
        *whole, rest = (self._line + piece).split("\n")
        for line in whole:
            drawn.append(self._finish(line))
        self._line = rest
        if rest and not self._fence and (self._begun or _PLAIN_START.match(rest)):
            drawn.append(self._words())
        return "".join(drawn)

    def end(self) -> str:
        """The rest, ending with a newline unless nothing was drawn on this line."""
        if self._flow is not None and not self._paint.on:
            rest = self._flowed_plain("\n") if self._begun else ""
        else:
            rest = self._finish(self._line) if self._line else self._flowed("\n") if self._begun else ""
        self._line, self._begun, self._fence = "", False, ""
        return rest

    def _flowed(self, drawn: str) -> str:
        return drawn if self._flow is None else self._flow.feed(drawn)

    def _flowed_plain(self, shown: str) -> str:
        """The same for text that stays as it was written; a line is known to be code once it is whole."""
        assert self._flow is not None
        drawn = []
        *whole, rest = (self._line + shown).split("\n")
        for line in whole:
            fence = _FENCE.match(line)
            if fence and (not self._fence or fence[1].startswith(self._fence)):
                self._fence = "" if self._fence else fence[1]
                drawn.append(line + "\n")
            else:
                drawn.append(line + "\n" if self._fence else self._flow.feed(line + "\n"))
        self._line = rest
        if rest and not self._fence and _PLAIN_START.match(rest):
            cut = rest.rfind(" ") + 1
            drawn.append(self._flow.feed(rest[:cut]))
            self._line = rest[cut:]
        return "".join(drawn)

    def _finish(self, line: str) -> str:
        """Draw what is left of a line, and its end."""
        if self._begun:
            self._begun = False
            return self._flowed(self._inline(line) + "\n")
        drawn, is_code = self._block(line) + "\n", bool(self._fence) or _FENCE.match(line)
        return drawn if is_code else self._flowed(drawn)

    def _words(self) -> str:
        """The words of an unfinished paragraph line that nothing to come can change."""
        cut = self._line.rfind(" ") + 1
        safe = self._line[:cut]
        if not safe or any(safe.count(mark) % 2 for mark in "`*_") or safe.count("[") != safe.count(")"):
            return ""
        self._line = self._line[cut:]
        self._begun = True
        return self._flowed(self._inline(safe))

    def _block(self, line: str) -> str:
        paint = self._paint
        if (fence := _FENCE.match(line)) and (not self._fence or fence[1].startswith(self._fence)):
            self._fence = "" if self._fence else fence[1]
            return paint.dim(visible(line.strip()))
        if self._fence:
            return paint.code(visible(line))
        if _RULE.match(line):
            return paint.dim("─" * 40)
        if heading := _HEADING.match(line):
            return paint.head(visible(heading_text(heading[2])))
        if quote := _QUOTE.match(line):
            return paint.dim("│ ") + self._inline(quote[1])
        if item := _ITEM.match(line):
            mark = "•" if item[2] in "-*+" else item[2]
            return f"{item[1]}{paint.bold(mark)} {self._inline(item[3])}"
        return self._inline(line)

    def _inline(self, text: str) -> str:
        drawn, at = [], 0
        for found in _INLINE.finditer(text):
            drawn.append(visible(text[at : found.start()]))
            drawn.append(self._mark(found))
            at = found.end()
        drawn.append(visible(text[at:]))
        return "".join(drawn)

    def _mark(self, found: re.Match[str]) -> str:
        paint = self._paint
        if (coded := found["coded"]) is not None:
            return paint.code(visible(coded))
        if (bold := found["bold"]) is not None:
            return paint.bold(visible(bold))
        if (italic := found["italic"] or found["under"]) is not None:
            return paint.italic(visible(italic))
        label, address = visible(found["label"]), visible(found["address"])
        return label if label == address else f"{label} {paint.dim(f'({address})')}"
