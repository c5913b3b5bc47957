"""Pictures in the conversation: made when their rows are laid out, drawn over the rows once these stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from textual.widget import Widget

from protea.interfaces.tui.transcript.rows import BLANK, Row

if TYPE_CHECKING:
    from protea.domain.messages import Image
    from protea.interfaces.tui.pictures.gallery import Gallery
    from protea.interfaces.tui.pictures.making import Picture


Screen = Sequence[tuple[int, int, Row]]


class Pictures(Protocol):
    """Where pictures come from."""

    def gallery(self) -> Gallery:
        """What makes and keeps them; loaded when it is first asked for."""
        ...

    async def read(self, path: str) -> bytes:
        """A file of the project, nothing where it cannot be had."""
        ...


class Hanging:
    """The pictures of one widget."""

    def __init__(
        self,
        wall: Widget,
        pictures: Pictures | None,
        *,
        screen: Callable[[], Screen],
        words_only: Callable[[], bool],
        made: Callable[[], None],
    ) -> None:
        """`screen` is what stands in each row of the wall; `made` is called when one has been made that was wanted."""
        self._wall = wall
        self._pictures = pictures
        self._screen = screen
        self._words_only = words_only
        self._made = made
        self._gallery: Gallery | None = None
        self._bare: set[int] = set()
        """Rows of the screen with pieces of pictures that have to be drawn over them."""

    def hang(self, source: Image | str, room: int) -> Picture | None:
        """A picture, where it can be drawn and has been made; else it is made, and laid out when it is there."""
        if self._pictures is None or self._words_only() or not self._wall.is_attached:
            return None
        if self._gallery is None:
            self._gallery = self._pictures.gallery()
            self._gallery.watch(self._is_made)
        if not isinstance(source, str):
            return self._gallery.find(source, source.data, room)
        path = source
        read = self._pictures.read
        return self._gallery.find(lambda: read(path), f"file:{path}", room)

    def _is_made(self, key: str) -> None:
        self._made()

    def repaint(self, first: int, last: int) -> None:
        """Rows are painted, and what was drawn over them is gone: it is drawn again once they stand."""
        screen = self._screen()
        found = {
            y
            for y in range(first, min(last, len(screen)))
            if (picture := screen[y][2].picture) is not None and picture[0].slices
        }
        if found:
            if not self._bare:
                self._wall.call_after_refresh(self._draw_over)
            self._bare |= found

    def _draw_over(self) -> None:
        rows, self._bare = sorted(self._bare), set()
        wall = self._wall
        if self._gallery is None or wall.app.screen is not wall.screen:
            return  # something lies over it; all is painted once that has gone
        screen, (left, top) = self._screen(), wall.region.offset
        drawn = []
        for y in rows:
            row = screen[y][2] if y < len(screen) else BLANK
            if row.picture is not None and row.picture[0].slices:
                picture, number = row.picture
                column = left + row.width - picture.columns
                drawn.append(f"\x1b[{top + y + 1};{column + 1}H{picture.slices[number]}")
        if drawn:
            self._gallery.draw(f"\x1b7{''.join(drawn)}\x1b8")
