"""A row of the screen: what is drawn in it, and what of it is text that someone wrote. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from protea.domain.messages import Image
from protea.interfaces.tui.transcript.cells import Span, cut, width_of, wrap

if TYPE_CHECKING:
    from protea.interfaces.tui.pictures.making import Picture

    Hang = Callable[[Image | str, int], Picture | None]
    """Given a picture, or the path of one, and the columns there are: how it is drawn, where it can be drawn by now."""


class Row:
    """Spans of clean text from the left edge on."""

    __slots__ = ("fill", "joint", "lead", "mark", "picture", "spans", "strip", "tail")

    def __init__(
        self,
        spans: Iterable[Span],
        lead: int = 0,
        joint: str | None = None,
        fill: str = "",
        *,
        mark: str = "",
        tail: Span | None = None,
    ) -> None:
        self.spans = tuple(spans)
        self.lead = lead
        """Characters at the beginning that are drawn for orientation and are no text."""
        self.joint = joint
        """What stands between the text of the row above and this one's; None where that is the end of a line."""
        self.fill = fill
        """The roles of the rest of the row."""
        self.mark = mark
        """What a click on it does, where that is special: `fold`."""
        self.tail = tail
        """Drawn at the right edge, and no text."""
        self.picture: tuple[Picture, int] | None = None
        """The picture that is drawn in it, and which row of it."""
        self.strip: object = None
        """Whatever the one who draws it wants to keep with it."""

    @property
    def drawn(self) -> str:
        return "".join(span[0] for span in self.spans)

    @property
    def text(self) -> str:
        """What someone wrote of it."""
        return self.drawn[self.lead :]

    @property
    def width(self) -> int:
        return sum(width_of(span[0]) for span in self.spans)


BLANK = Row(())
ROOM = 3
"""Cells that are left for text beside whatever stands before it."""


def paragraph(
    spans: list[Span], width: int, lead: list[Span], rest: list[Span] | None = None, *, fill: str = ""
) -> list[Row]:
    """Rows of one line of text: broken at `width`, with `lead` before the first row and `rest` before the others."""
    rest = lead if rest is None else rest
    if _size(lead)[0] > width - ROOM or _size(rest)[0] > width - ROOM:
        lead, rest = clipped(lead, max(0, width - ROOM)), clipped(rest, max(0, width - ROOM))
    before, later = _size(lead), _size(rest)
    rows: list[Row] = []
    for line, joint in wrap(spans, width - before[0], width - later[0]) if spans else [([], "")]:
        edge, size = (rest, later) if rows else (lead, before)
        rows.append(Row((*edge, *line), size[1], joint if rows else None, fill))
    return rows


def no_picture(source: Image | str, room: int) -> Picture | None:
    """Where nothing can be drawn."""
    return None


def picture_rows(picture: Picture, lead: list[Span], fill: str = "") -> list[Row]:
    """The rows a picture stands in. Nothing of them is text."""
    rows = []
    for number in range(picture.rows):
        cells = picture.cells(number)
        row = Row([*lead, (cells, "", "")], _size(lead)[1] + len(cells), None, fill)
        row.picture = (picture, number)
        rows.append(row)
    return rows


def clipped(spans: Sequence[Span], width: int) -> list[Span]:
    """Spans cut off at the right edge."""
    shown: list[Span] = []
    room = width
    for text, roles, link in spans:
        size = width_of(text)
        if size > room:
            if room > 0:
                shown.append((cut(text, room), roles, link))
            break
        shown.append((text, roles, link))
        room -= size
    return shown


def _size(lead: list[Span]) -> tuple[int, int]:
    return sum(width_of(span[0]) for span in lead), sum(len(span[0]) for span in lead)
