"""Code with its words told apart, by Pygments: loaded when the first code is seen, never before the first frame."""

from __future__ import annotations

from bisect import bisect_right
from time import process_time
from typing import Any

from protea.interfaces.tui.transcript.cells import Span, clean
from protea.interfaces.tui.transcript.markdown import Unit
from protea.interfaces.tui.transcript.viewport import Viewport

SLICE = 0.008
"""Seconds of work at a time while nothing else is to do."""
MOST = 200_000
"""Characters of code that are still told apart."""
_ROLES = (
    ("Token.Comment", "comment"),
    ("Token.Keyword", "keyword"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "numeral"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Operator", "operator"),
    ("Token.Name.Function", "function"),
    ("Token.Name.Class", "class"),
    ("Token.Name.Decorator", "decorator"),
    ("Token.Name.Builtin", "builtin"),
    ("Token.Name.Exception", "class"),
    ("Token.Name.Tag", "keyword"),
    ("Token.Name.Attribute", "function"),
    ("Token.Name.Constant", "numeral"),
    ("Token.Generic.Deleted", "del"),
    ("Token.Generic.Inserted", "add"),
    ("Token.Generic.Heading", "h3"),
    ("Token.Generic.Subheading", "h3"),
    ("Token.Generic.Prompt", "comment"),
    ("Token.Generic.Output", "comment"),
)


class Colouring:
    """What has been loaded of Pygments, and the languages that were asked for."""

    def __init__(self) -> None:
        self._lexers: dict[str, Any] = {}
        self._roles: dict[Any, str] = {}

    def go_on(self, view: Viewport) -> bool:
        """Tell words apart in what is in sight, for a moment; whether there was anything."""
        end, done = process_time() + SLICE, False
        while process_time() < end and (found := uncoloured(view)) is not None:
            entry = view.entries.all[found[0]]
            unit = entry.units[found[1]][1]
            lines = self.lines(unit.code, unit.info.partition(" ")[0])
            if lines is None:
                lines = [[(line, "fence", "")] for line in clean(unit.code).split("\n")]
            unit.coloured = lines
            entry.recolour(unit, view.width)
            done = True
        return done

    def lines(self, code: str, language: str) -> list[list[Span]] | None:
        """The lines of `code` with the roles of their words; None where the language is not known."""
        language = language.lower().lstrip("{.").rstrip("}")
        if not language or len(code) > MOST:
            return None
        lexer = self._lexers.get(language, self)
        if lexer is self:
            lexer = self._lexers[language] = _lexer(language)
        if lexer is None:
            return None
        lines: list[list[Span]] = [[]]
        shown = clean(code)
        for kind, value in lexer.get_tokens(shown):
            role = self._roles.get(kind)
            if role is None:
                role = self._roles[kind] = _role_of(str(kind))
            first, *others = value.split("\n")
            if first:
                lines[-1].append((first, role, ""))
            for part in others:
                lines.append([(part, role, "")] if part else [])
        if "\n".join(["".join([span[0] for span in line]) for line in lines]) != shown:
            return None  # colours are never worth a changed text
        return [line or [("", "fence", "")] for line in lines]


def _role_of(kind: str) -> str:
    for prefix, role in _ROLES:
        if kind == prefix or kind.startswith(prefix + "."):
            return f"fence {role}"
    return "fence"


def _lexer(language: str) -> Any:
    # 50 ms to import: what a session without code never pays.
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def uncoloured(view: Viewport) -> tuple[int, int] | None:
    """A block of code in sight whose words are not told apart yet: number of the entry, of its unit."""
    seen: dict[int, tuple[int, int]] = {}
    for number, row, _ in view.screen:
        if row >= 0:
            seen[number] = (seen[number][0] if number in seen else row, row)
    for number, (first, last) in seen.items():
        entry = view.entries.all[number]
        place = max(0, bisect_right(entry.units, first, key=_begin) - 1)
        for at in range(place, len(entry.units)):
            begin, unit = entry.units[at]
            if begin > last:
                break
            closed = not entry.is_growing or at < len(entry.units) - 1
            if unit.kind == "fence" and unit.info and unit.coloured is None and closed:
                return number, at
    return None


def _begin(placed: tuple[int, Unit]) -> int:
    return placed[0]
