"""What is offered above the composer while one writes: commands, their arguments, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from protea.interfaces.terminal import one_line
from protea.interfaces.tui.fuzzy import Finder, rank
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.themes import Look

ROOMY = 24
"""Rows of the screen from which on it is said how many more there are."""
MOST = 8
"""Offers that are shown."""
OTHERS = 3
"""Of them, agents and sessions among files."""


class Wanted(msgspec.Struct, frozen=True):
    """What could be completed where the cursor stands."""

    kind: str
    """`command`, `argument` or `mention`."""
    begin: int
    end: int
    word: str
    command: str = ""
    """For an argument: whose."""


def wanted(text: str, cursor: int) -> Wanted | None:
    """What is being written, where that is something that can be offered. Pure."""
    before = text[:cursor]
    if text.startswith("/") and not text.startswith("//") and "\n" not in before:
        name, blank, rest = before[1:].partition(" ")
        if not blank:
            return Wanted("command", 0, cursor, name) if "/" not in name else None
        word = rest.rpartition(" ")[2]
        if " " not in rest:
            return Wanted("argument", cursor - len(word), cursor, word, name)
        return None
    at = before.rfind("@")
    if at >= 0 and (at == 0 or before[at - 1].isspace() or before[at - 1] in "(\"'"):
        word = before[at + 1 :]
        if not any(each.isspace() for each in word):
            return Wanted("mention", at, cursor, word)
    return None


class Offer(msgspec.Struct, frozen=True):
    """One of what is offered."""

    insert: str
    text: str
    detail: str = ""


class Offers:
    """Finds them. What exists comes from the gateway's descriptions, given here as plain data."""

    def __init__(self) -> None:
        self.commands: Sequence[Mapping[str, Any]] = ()
        self.topics: dict[str, Sequence[Mapping[str, Any]]] = {}
        """What arguments can be, by the topic that lists them."""
        self.mentions: Sequence[tuple[str, str]] = ()
        """(name, what it is) of what can be named with @ besides files."""
        self.files = Finder(())

    def of(self, what: Wanted) -> Iterator[list[Offer]]:
        """The best for what is being written. Among many files it is found piece by piece: what is known by then, and
        at last what is true."""
        if what.kind == "command":
            yield self._commands(what.word)
        elif what.kind == "argument":
            yield self._arguments(what)
        else:
            named = dict(self.mentions)
            others = _others(what.word, named)
            found = [Offer(f"@{name} ", f"@{name}", named[name]) for name in others]
            for paths in self.files.search(what.word, MOST - len(found)):
                yield found + [Offer(_mention(path), path) for path in paths]

    def _commands(self, word: str) -> list[Offer]:
        names = {}
        for each in self.commands:
            for name in (each["name"], *each.get("aliases", ())):
                names[name] = each
        exact = [name for name in names if name.startswith(word)]
        order = exact or rank(word, ((name, name, str(each.get("about", ""))) for name, each in names.items()))
        shown: dict[str, str] = {}
        for name in order:
            shown.setdefault(names[name]["name"], name)  # an alias only where the name itself does not fit
        return [
            Offer(
                f"/{name} " if names[name].get("arguments") else f"/{name}",
                f"/{name} {names[name].get('arguments', '')}".rstrip(),
                str(names[name].get("about", "")),
            )
            for name in shown.values()
        ]

    def _arguments(self, what: Wanted) -> list[Offer]:
        for each in self.commands:
            if what.command == each["name"] or what.command in each.get("aliases", ()):
                completes = each.get("completes", ())
                rows = (
                    self.topics.get(completes, ())
                    if isinstance(completes, str)
                    else [{"name": word} for word in completes]
                )
                named = {str(row.get("id") or row.get("name", "")): str(row.get("about", "")) for row in rows}
                order = [name for name in named if name.startswith(what.word)]
                order += [name for name in rank(what.word, ((name, name, "") for name in named)) if name not in order]
                return [Offer(name, name, named[name]) for name in order if name != what.word][:50]
        return []


def _others(word: str, named: Mapping[str, str]) -> list[str]:
    """Agents and sessions: by their names, or what they are about."""
    return rank(word, ((name, name, about) for name, about in named.items()))[:OTHERS] if word else []


def _mention(path: str) -> str:
    return f'@"{path}" ' if " " in path else f"@{path} "


class Suggestions(Lines):
    """The strip that shows them."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look, id="suggestions")
        self.offers: list[Offer] = []
        self.at = 0
        self.what: Wanted | None = None

    def show(self, what: Wanted | None, offers: list[Offer]) -> None:
        if what is None or not offers:
            what, offers = None, []
        if self.what is None and what is None:
            return
        self.what, self.offers, self.at = what, offers, 0
        self.again()

    @property
    def chosen(self) -> Offer | None:
        return self.offers[self.at] if self.offers else None

    def move(self, step: int) -> None:
        if self.offers:
            self.at = (self.at + step) % len(self.offers)
            self.again()

    def rows(self, width: int) -> list[Row]:
        if not self.offers:
            return []
        top = max(0, min(self.at - MOST // 2, len(self.offers) - MOST))
        rows: list[Row] = []
        shown = self.offers[top : top + MOST]
        column = min(max(len(each.text) for each in shown), max(20, width // 2))
        for place, offer in enumerate(shown, top):
            marked = place == self.at
            text = one_line(offer.text, column).ljust(column)
            rows.append(
                [
                    ("▌ " if marked else "  ", "active"),
                    (text, "select" if marked else "text"),
                    ("  ", "text"),
                    (one_line(offer.detail, max(0, width - column - 6)) if width - column > 12 else "", "dim"),
                ]
            )
        if (more := len(self.offers) - top - len(shown)) > 0 and self.app.size.height >= ROOMY:
            rows.append([(f"  … {more} more: ↓, or go on writing", "dim")])
        return rows
