"""The cursor in the conversation, and what is selected with it or with the mouse."""

from __future__ import annotations

from protea.interfaces.tui.transcript.marking import Place, selected_text
from protea.interfaces.tui.transcript.viewport import Viewport


class Selection:
    def __init__(self) -> None:
        self.cursor: Place | None = None
        self.pressed: Place | None = None
        """Where the mouse went down."""
        self.ends: tuple[Place, Place] | None = None
        """Where it began, and where it is now."""
        self.by_rows = False
        self.visual = False
        """It goes with the cursor."""

    def toggle(self, place: Place, *, by_rows: bool) -> None:
        """Begin with one at a place, or end it where that kind of it goes with the cursor already."""
        if self.visual and self.by_rows == by_rows:
            self.drop()
            return
        self.cursor = place
        self.ends = self.ends if self.visual and self.ends is not None else (place, place)
        self.visual, self.by_rows = True, by_rows

    def to(self, place: Place) -> None:
        """The cursor goes there."""
        self.cursor = place
        if self.visual and self.ends is not None:
            self.ends = (self.ends[0], place)

    def press(self, place: Place | None) -> None:
        self.pressed = place
        self.drop()
        self.by_rows = False

    def drag(self, place: Place) -> bool:
        """The mouse has moved there while it is down; whether anything is selected by that."""
        if self.pressed is None or (self.ends is None and place == self.pressed):
            return False
        self.ends = (self.pressed, place)
        return True

    def drop(self) -> None:
        """Nothing is selected any more."""
        self.ends, self.visual = None, False

    def range(self) -> tuple[Place, Place] | None:
        """From where to before where."""
        if self.ends is None:
            return None
        begin, end = sorted(self.ends)
        if self.by_rows:
            return (begin[0], begin[1], 0), (end[0], end[1], 10**9)
        return begin, (end[0], end[1], end[2] + 1)  # the cell the cursor or the mouse is on belongs to it

    def text(self, view: Viewport) -> str:
        """Markdown where it is of an answer, without padding or marks."""
        found = self.range()
        return "" if found is None else selected_text(view.entries.all, *found, view.width)

    def move_numbers(self, by: int) -> None:
        """Entries came before all others, or those there were are gone."""

        def moved(place: Place | None) -> Place | None:
            return None if place is None or place[0] + by < 0 else (place[0] + by, place[1], place[2])

        self.cursor, self.pressed = moved(self.cursor), moved(self.pressed)
        if self.ends is not None:
            begin, end = moved(self.ends[0]), moved(self.ends[1])
            self.ends = (begin, end) if begin is not None and end is not None else None
