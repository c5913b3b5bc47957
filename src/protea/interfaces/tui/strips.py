"""The rows between conversation and composer: what is being done, what waits in line, what a command answered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime

from protea.interfaces.terminal import one_line, visible
from protea.interfaces.tui.frame import wrap
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.state import State
from protea.interfaces.tui.themes import Look

ROOMY = 16
"""Rows from which a row may be spent on what is seen anyway."""
LONG = 3.0
"""Seconds after which a call is one that somebody may want to go on without."""
NARROW = 28
"""Columns that are needed besides what is said of keys: for what is done, and for how long."""
STREAMS = ("answering", "thinking")
SILENT = 10.0
"""Seconds without a word after which a model that was speaking is said to be silent."""
_SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Activity(Lines):
    """One row while a turn runs: what it does, for how long, how it is ended."""

    def __init__(self, look: Callable[[], Look], *, motion: bool = True, behind: Callable[[], str] = str) -> None:
        """`behind` is the key that lets a call go on in the background."""
        super().__init__(look, id="activity")
        self._state = State()
        self._behind = behind
        self._since = 0.0
        """When it began to do what it does, by the monotonic clock."""
        self.heard = 0.0
        """When anything of it came last."""
        self.motion = motion
        self._step = 0
        self._timer: object | None = None

    def show(self, state: State) -> None:
        was = self._state
        self._state = state
        if state.doing != was.doing:
            self._since = time.monotonic()
        if state.busy != was.busy:
            if state.busy and self._timer is None:
                self._timer = self.set_interval(0.1 if self.motion else 1.0, self._tick)
            elif not state.busy and self._timer is not None:
                self._timer.stop()  # type: ignore[attr-defined]  # a Timer; its type is private to Textual's module
                self._timer = None
        if state.busy != was.busy or state.doing != was.doing or bool(state.questions) != bool(was.questions):
            self.again()

    def _tick(self) -> None:
        self._step += 1
        if not self._state.questions:
            self.again()

    def rows(self, width: int) -> list[Row]:
        if not self._state.busy:
            return []
        if self._state.questions and self.app.size.height < ROOMY:
            return []  # the question itself says so
        if self._state.questions:
            return [[("? ", "question"), ("waiting for you", "text"), ("  Esc interrupts", "dim")]]
        mark = _SPIN[self._step % len(_SPIN)] if self.motion else "·"
        ends = "Esc interrupts"
        silent = time.monotonic() - max(self.heard, self._since)
        more = ends
        if self._state.doing in STREAMS:
            more = f"nothing came for {silent:.0f} s · {ends}" if silent > SILENT else ends
        elif self._state.lasting and time.monotonic() - self._since > LONG and (key := self._behind()):
            more = f"{ends}, {key} lets it go on behind"
        if len(more) + NARROW <= width:  # in little room how it is ended is what counts
            ends = more
        doing = one_line(self._state.doing or "working", max(10, width - 16 - len(ends)))
        return [[(f"{mark} ", "accent"), (doing, "text"), (f"  {_seconds(self._state.since)}{ends}", "dim")]]


def _seconds(since: str) -> str:
    try:
        passed = time.time() - datetime.fromisoformat(since).timestamp()
    except ValueError:
        return ""
    if not 0 <= passed < 1e6:
        return ""
    return f"{passed:.0f} s · " if passed < 60 else f"{passed // 60:.0f} min {passed % 60:.0f} s · "


class Queue(Lines):
    """The prompts in line."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look, id="queue")
        self._state = State()

    def show(self, state: State) -> None:
        if state.waiting != self._state.waiting or state.held != self._state.held:
            self._state = state
            self.again()

    def rows(self, width: int) -> list[Row]:
        waiting = self._state.waiting
        if not waiting or (len(waiting) == 1 and not self._state.turn and not self._state.held):
            return []
        note = "run before your next prompt" if self._state.held else "in line"
        rows: list[Row] = [[("  ⧗ ", "dim"), (one_line(each.text, width - 6), "dim")] for each in waiting[:4]]
        more = f"{len(waiting) - 4} more, " if len(waiting) > 4 else ""
        rows.append([(f"    {more}{note}; Alt+↑ takes the last one back", "dim")])
        return rows


class Told(Lines):
    """What a command answered, until the next one or Esc."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look, id="told")
        self.text = ""
        self._top = 0
        """How many rows were passed."""
        self.is_cut = False
        """Whether there is more than is shown."""

    def show(self, text: str) -> None:
        self.text, self._top = text, 0
        self.again()

    def turn(self, pages: int, rows: int = 0) -> None:
        """Show other rows of it."""
        self._top += pages * max(1, self._most - 2) + rows
        self.again()

    @property
    def _most(self) -> int:
        return max(4, self.app.size.height // 2)

    def rows(self, width: int) -> list[Row]:
        lines = visible(self.text).rstrip("\n").split("\n") if self.text else []
        parts = [part for line in lines for part in _hanging(line.replace("\t", "    "), max(10, width - 4))]
        most = self._most
        self.is_cut = len(parts) > most
        most -= self.is_cut
        self._top = max(0, min(self._top, len(parts) - most))
        rows: list[Row] = [[("  " + part, "text")] for part in parts[self._top : self._top + most]]
        if self.is_cut:
            note = f"{self._top} above, {len(parts) - self._top - most} below: PgUp PgDn; Esc closes"
            rows.append([("  … " + one_line(note, width - 6), "warn")])
        return rows

    def on_mouse_scroll_down(self) -> None:
        self.turn(0, 3)

    def on_mouse_scroll_up(self) -> None:
        self.turn(0, -3)


_COLUMN = re.compile(r"\s*\S+(?: \S+)* {2,}(?=\S)")


def _hanging(line: str, width: int) -> list[str]:
    """A line as rows. Where it begins with a column, the rows that follow stand beside that, not below it."""
    found = _COLUMN.match(line)
    indent = found.end() if found is not None and found.end() <= width // 2 else 0
    lead, rest = line[:indent], line[indent:]
    return [
        (" " * indent if number else lead) + rest[begin:end]
        for number, (begin, end) in enumerate(wrap(rest, width - indent))
    ]


class Spoken(Lines):
    """For who hears the screen: the last things that happened, each a plain line. Nothing where nobody needs it."""

    KEPT = 3

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look, id="spoken")
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        if text and self._look().words_only:
            self.lines = [*self.lines, text][-self.KEPT :]
            self.again()

    def rows(self, width: int) -> list[Row]:
        if not self._look().words_only:
            return []
        return [
            [(line[begin:end], "text")]
            for line in (visible(each) for each in self.lines)
            for begin, end in wrap(line, max(10, width - 1))
        ]
