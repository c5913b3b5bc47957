"""A search in the conversation: what is typed of it, what it looks for, and the match one is at."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from textual import events

from protea.interfaces.tui.transcript.cells import flat
from protea.interfaces.tui.transcript.draw import is_foldable
from protea.interfaces.tui.transcript.marking import Place, matches, may_match, pattern_of
from protea.interfaces.tui.transcript.rows import Row
from protea.interfaces.tui.transcript.viewport import Viewport

Match = tuple[tuple[int, int, int], ...]
"""The parts of rows that one covers: (row, begin, end)."""


class Search:
    def __init__(self) -> None:
        self.typing: str | None = None
        """What is typed of it, while it is."""
        self.pattern: re.Pattern[str] | None = None
        self.here: tuple[int, Match] | None = None
        """The match one is at: the number of its entry, and it."""
        self.running = False

    def begin(self, needle: str) -> bool:
        """Look for something else; whether that is anything."""
        self.here = None
        self.pattern = pattern_of(needle) if needle.strip() else None
        return self.pattern is not None

    def end(self) -> None:
        self.pattern = self.here = None

    def take_key(self, event: events.Key) -> str | None:
        """A key while it is typed; what to look for once Enter is pressed."""
        needle = None
        typed = self.typing or ""
        match event.key:
            case "enter":
                needle, self.typing = typed, None
            case "escape" | "ctrl+c":
                self.typing = None
            case "backspace" | "ctrl+h":
                self.typing = typed[:-1] if typed else None
            case "ctrl+u":
                self.typing = ""
            case _ if event.is_printable and event.character:
                self.typing = typed + event.character
            case _:
                pass
        if self.typing:
            self.pattern = pattern_of(self.typing) if self.typing.strip() else None
        return needle

    def take_paste(self, text: str) -> None:
        self.typing = (self.typing or "") + flat(text)

    def near(self, rows: Sequence[Row], number: int) -> Iterable[Match]:
        """Matches in the line a row belongs to."""
        if self.pattern is None:
            return
        first = last = number
        while first > 0 and rows[first].joint is not None:
            first -= 1
        while last + 1 < len(rows) and rows[last + 1].joint is not None:
            last += 1
        for match in matches(rows[first : last + 1], self.pattern):
            yield tuple((at + first, begin, end) for at, begin, end in match)

    async def go_on(
        self, view: Viewport, cursor: Callable[[], Place | None], older: Callable[[], Awaitable[bool]], *, forward: bool
    ) -> Place | None:
        """The next match in that direction, in what is loaded and then, by `older`, further back in the log."""
        self.running = True
        try:
            while self.pattern is not None:
                found = self._from_here(self.pattern, view, cursor(), forward=forward)
                if found is not None:
                    self.here = found
                    return found[0], found[1][0][0], found[1][0][1]
                if forward or not await older():
                    break
        finally:
            self.running = False
        return None

    def _from_here(
        self, pattern: re.Pattern[str], view: Viewport, cursor: Place | None, *, forward: bool
    ) -> tuple[int, Match] | None:
        entries = view.entries.all
        if not entries:
            return None
        last = view.last_place() or (len(entries) - 1, 0, 0)
        if self.here is not None:
            here = (self.here[0], self.here[1][0][0], self.here[1][0][1])
        elif forward:
            here = cursor or view.first_place() or (0, 0, 0)
        else:
            here = cursor or (last[0], last[1], 10**9)
        numbers = range(here[0], len(entries)) if forward else range(here[0], -1, -1)
        for number in numbers:
            entry = entries[number]
            if not may_match(entry, pattern):
                continue
            found = list(matches(view.rows(number), pattern))
            if not found and is_foldable(entry.block) and entry.fold is not False:
                entry.refold(False)
                found = list(matches(view.rows(number), pattern))
                if not found:
                    entry.refold(None)
            for match in found if forward else reversed(found):
                place = (number, match[0][0], match[0][1])
                if place > here if forward else place < here:
                    return number, match
        return None
