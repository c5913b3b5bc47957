"""A file, with colours and line numbers; `N G` or `:N` in the filter jumps to a line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from protea.domain.errors import ProteaError
from protea.domain.plain import plain
from protea.interfaces.terminal import visible
from protea.interfaces.tui.frame import drawable
from protea.interfaces.tui.panes.pane import Entry, Pane
from protea.interfaces.tui.themes import Look

LARGEST = 2 << 20
"""Bytes that are read of a file."""
COLOURED = 300_000
"""Characters up to which a file is coloured."""


Read = Callable[[str, int, bool], Awaitable[bytes]]
"""Gives the first bytes of a file of the project, or the last ones. Raises `ProteaError`."""


class Viewer(Pane):
    """Shows one file."""

    name_of = "viewer"
    heading = "file"

    def __init__(self, look: Callable[[], Look], read: Read) -> None:
        super().__init__(look)
        self._read = read
        self.path = ""
        self.lines: list[list[tuple[str, Style]]] = []
        self._note = ""
        self.left = 0
        self.jump = ""
        """Digits that were typed."""
        self.grows = False
        """Whether it is the output of a command: its end is what counts, and is followed while it is in sight."""

    @property
    def busy(self) -> bool:
        return self.writing or bool(self.jump)

    async def open(self, path: str, line: int = 0, *, grows: bool = False) -> None:
        """Read a file and show it from a line on, or its end where it `grows`; its colours follow."""
        self.path, self.grows = path, grows
        text, self._note = await self._text_of(path)
        text = self._drawn(text)
        self.lines = [[(each, Style())] for each in text.split("\n")] if text or not self._note else []
        self.left = 0
        self.jump = ""
        self.again()
        self.mark(len(self.lines) - 1 if grows and not line else max(0, line - 1))
        if grows:
            return  # lines of a command are no program
        # The first file of a kind loads what colours it, which takes longer than anyone wants to wait for a key.
        coloured = await asyncio.to_thread(colour, path, text, self._look())
        if self.path == path and len(coloured) == len(self.lines):
            self.lines = coloured
            self.paint()

    async def _text_of(self, path: str) -> tuple[str, str]:
        """A file's text, and what should be said of it."""
        try:
            data = await self._read(path, LARGEST + 1, self.grows)
        except ProteaError as error:
            return "", str(error)
        if b"\0" in data[:8192]:
            return "", f"binary, {len(data)} bytes"
        if len(data) <= LARGEST:
            return data.decode("utf-8", "replace"), "nothing was written" if self.grows and not data else ""
        part = data[-LARGEST:] if self.grows else data[:LARGEST]
        return part.decode("utf-8", "replace"), f"its {'last' if self.grows else 'first'} {LARGEST >> 20} MB"

    def _drawn(self, text: str) -> str:
        """As it can stand on a screen."""
        text = plain(text).removesuffix("\n") if self.grows else text
        return visible(text).replace("\t", "    ")

    async def again_from_disk(self) -> None:
        """Read what is shown once more, where it has changed; the place stays."""
        at, top, path = self.at, self.top, self.path
        text, _ = await self._text_of(path)
        shown = "\n".join("".join(piece for piece, _ in line) for line in self.lines)
        if path == self.path and self._drawn(text) != shown:
            at_end = self.grows and at >= len(self.lines) - 1
            await self.open(path, 0 if at_end else at + 1, grows=self.grows)
            if not at_end:
                self.top = min(top, max(0, len(self.list) - self.room))
                self.mark(at)

    def details(self) -> str:
        note = f" · {self._note}" if self._note else ""
        jump = f" :{self.jump}" if self.jump else ""
        name = self.path.rpartition("/")[2] if self.grows else self.path
        return f"{name}{note}{jump}"

    def entries(self, width: int) -> list[Entry]:
        return [Entry([], str(number)) for number in range(1, len(self.lines) + 1)] or [Entry([(self._note, "dim")])]

    def act(self, action: str) -> bool:
        if action == "list.out":
            self.left = max(0, self.left - 8)
        elif action == "list.open":
            self.left += 8
        elif action == "list.bottom" and self.jump:
            self.mark(int(self.jump) - 1)
            self.jump = ""
        elif action == "list.take":
            if self.jump:
                self.mark(int(self.jump) - 1)
                self.jump = ""
        else:
            return super().act(action)
        self.paint()
        return True

    def write(self, character: str) -> None:
        if character.isdigit() and len(self.jump) < 7:
            self.jump += character
        elif character == "\b":
            self.jump = self.jump[:-1]
        self.paint()

    def opened(self, key: str) -> None:
        """A line is no more than marked."""

    def render_line(self, y: int) -> Strip:
        place = self.top + y - 1
        if y == 0 or not 0 <= place < len(self.lines):
            return super().render_line(y)
        look, width = self._look(), self.size.width
        number = Segment(f"{place + 1:>{len(str(len(self.lines)))}} ", look["dim"])
        line = Strip([Segment(drawable(text), look.base + style) for text, style in self.lines[place]])
        edge = Strip([Segment("│", look["active" if self.active else "rule"]), number])
        room = width - edge.cell_length
        shown = line.crop(self.left, self.left + room).adjust_cell_length(room, look.base)
        if place == self.at and self.active:
            shown = shown.apply_style(look["select"])
        return Strip.join([edge, shown])


def colour(path: str, text: str, look: Look) -> list[list[tuple[str, Style]]]:
    """Lines of styled pieces."""
    # 15 ms to import: what is never paid where no file is looked at.
    from rich.syntax import ANSI_DARK, ANSI_LIGHT, ANSISyntaxTheme, PygmentsSyntaxTheme, Syntax, SyntaxTheme

    plain = Style()
    lexer = None
    if len(text) <= COLOURED and look.colour:
        lexer = Syntax("", Syntax.guess_lexer(path, text[:1000])).lexer
    if lexer is None:
        return [[(line, plain)] for line in text.split("\n")]
    theme: SyntaxTheme
    if look.theme.code.startswith("ansi"):
        theme = ANSISyntaxTheme(ANSI_DARK if look.theme.dark else ANSI_LIGHT)
    else:
        theme = PygmentsSyntaxTheme(look.theme.code)
    lines: list[list[tuple[str, Style]]] = [[]]
    styles: dict[object, Style] = {}
    for token, piece in lexer.get_tokens(text):
        style = styles.get(token)
        if style is None:
            found = theme.get_style_for_token(token)
            style = styles[token] = Style(color=found.color, bold=found.bold, italic=found.italic)
        first, *more = piece.split("\n")
        lines[-1].append((first, style))
        lines += [[(each, style)] for each in more]
    return lines
