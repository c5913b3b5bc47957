"""Which panes are open beside the conversation, how wide they are, which of them has the whole screen."""

from __future__ import annotations

from collections.abc import Sequence

from protea.interfaces.tui.panes.pane import Pane

LEAST = 16
"""Columns of a pane."""
CONVERSATION = 40
"""Columns the conversation keeps; where there are fewer, a pane that has the keys covers it."""
WIDTHS = {"left": 30, "right": 46}


class Arrangement:
    """Shows and hides. It draws nothing: `lay_out` says how wide everything is, 0 being hidden."""

    def __init__(self, panes: Sequence[Pane]) -> None:
        self.panes = {pane.name_of: pane for pane in panes}
        self.open: list[str] = []
        self.widths: dict[str, int] = {}
        self.zoomed = False

    def toggle(self, name: str) -> bool:
        """Open or close; whether it is open now. Of each side one is open."""
        if name in self.open:
            self.open.remove(name)
            self.zoomed = False
            return False
        side = self.panes[name].side
        self.open = [each for each in self.open if self.panes[each].side != side]
        self.open.append(name)
        return True

    def widen(self, name: str, step: int, total: int) -> None:
        pane = self.panes[name]
        width = self.widths.get(name, WIDTHS[pane.side])
        self.widths[name] = max(LEAST, min(total - LEAST, width + step))

    def order(self) -> list[str]:
        """The open panes from left to right, the conversation as ""."""
        left = [name for name in self.open if self.panes[name].side == "left"]
        return [*left, "", *(name for name in self.open if name not in left)]

    def lay_out(self, total: int, focus: str) -> dict[str, int]:
        """Pane → columns; the conversation is "" and gets what is left."""
        widths = dict.fromkeys(self.panes, 0)
        widths[""] = total
        if not self.open:
            return widths
        if focus in self.open and (self.zoomed or total < CONVERSATION + LEAST):
            return {**widths, "": 0, focus: total}
        if focus not in self.open and (self.zoomed or total < CONVERSATION + LEAST):
            return widths
        left = total
        # Where not all have room, the one that has the keys goes before the others, else the latest.
        for name in sorted(self.open, key=lambda each: (each != focus, -self.open.index(each))):
            width = min(self.widths.get(name, WIDTHS[self.panes[name].side]), left - CONVERSATION)
            if width >= LEAST:
                widths[name] = width
                left -= width
        widths[""] = left
        return widths
