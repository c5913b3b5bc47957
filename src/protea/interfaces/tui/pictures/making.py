"""Pictures as what a terminal is sent, row by row. Works for a moment: to be called in a thread.

A picture is rows of cells like everything else in the conversation, so it scrolls, is cut off and is drawn again with
the text around it. With kitty the whole of it is sent once and its cells are characters that stand for it; else each
row is a small picture of its own; and where the terminal draws none, each cell shows two pixels as its colours.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import msgspec

from protea.interfaces.tui.pictures.asking import Drawing

MOST_COLUMNS, MOST_ROWS = 64, 20
MOST_BYTES, MOST_PIXELS = 20_000_000, 50_000_000
COLOURS = 128
"""Of a sixel picture."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_PIECE = 4096
"""Characters kitty takes at once."""
_PLACEHOLDER = "\U0010eeee"
_MARKS = "".join(
    chr(code)
    for first, last in (
        (0x305, 0x305), (0x30D, 0x30E), (0x310, 0x310), (0x312, 0x312), (0x33D, 0x33F), (0x346, 0x346), (0x34A, 0x34C),
        (0x350, 0x352), (0x357, 0x357), (0x35B, 0x35B), (0x363, 0x36F), (0x483, 0x487), (0x592, 0x595), (0x597, 0x599),
        (0x59C, 0x5A1), (0x5A8, 0x5A9), (0x5AB, 0x5AC), (0x5AF, 0x5AF), (0x5C4, 0x5C4), (0x610, 0x617), (0x657, 0x65B),
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""The mark at n says n: of a row, of a column."""


Colour = tuple[int, int, int]
Halves = tuple[str, Colour | None, Colour | None]
"""Cells of the same two colours: what is written, its colour, and that of the ground; None where nothing is painted."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One picture in one size."""

    columns: int
    rows: int
    id: int = 0
    """Of one that the terminal keeps; its cells have this colour."""
    upload: str = ""
    """What is written once, before it is first drawn."""
    slices: tuple[str, ...] = ()
    """What is written for each row, with the cursor at its first cell."""
    halves: tuple[tuple[Halves, ...], ...] = ()
    """Row by row what its cells are, where it is made of nothing but coloured text."""
    wrapped: bool = False
    """Whether what the terminal is told goes through tmux."""

    def cells(self, row: int) -> str:
        """The characters of a row: blanks that are drawn over, or those that stand for the picture."""
        if not self.id:
            return " " * self.columns
        return "".join(f"{_PLACEHOLDER}{_MARKS[row]}{_MARKS[column]}" for column in range(self.columns))

    @property
    def colour(self) -> Colour:
        return self.id >> 16, self.id >> 8 & 255, self.id & 255


def forgotten(picture: Picture) -> str:
    """Lets the terminal forget one that it keeps."""
    if not picture.id:
        return ""
    said = f"\x1b_Ga=d,d=I,i={picture.id},q=2\x1b\\"
    return through_tmux(said) if picture.wrapped else said


def through_tmux(sequence: str) -> str:
    """Wrapped up so that tmux hands it on."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def make(data: bytes, drawing: Drawing, columns: int, id: int) -> Picture | None:
    """The picture in at most so many columns; None where the data is none, or the library for it is missing."""
    try:
        from PIL import Image  # the extra `media`; heavy
    except ImportError:
        return None
    if len(data) > MOST_BYTES:
        return None
    try:
        # Nothing is unpacked before its size was looked at: its head is read, and no more.
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return None
            opened.draft("RGB", (MOST_COLUMNS * drawing.cell[0], MOST_ROWS * drawing.cell[1]))
            image = opened.convert("RGBA")
    except Exception:  # on what is broken, readers of pictures raise whatever their arithmetic does
        return None
    width, height = drawing.cell
    image.thumbnail((min(columns, MOST_COLUMNS) * width, MOST_ROWS * height))
    wide, high = -(-image.width // width), -(-image.height // height)
    padded = Image.new("RGBA", (wide * width, high * height))
    padded.paste(image)
    if drawing.way == "kitty":
        upload = _upload(_png(padded), id, wide, high, wrap=through_tmux if drawing.wrapped else str)
        return Picture(columns=wide, rows=high, id=id, upload=upload, wrapped=drawing.wrapped)
    if drawing.way == "blocks":
        return Picture(columns=wide, rows=high, halves=tuple(_halves(padded)))
    if drawing.way == "sixel":
        # One palette for all rows, so that none of them shows where it begins.
        drawn = padded.convert("RGB").quantize(COLOURS)
        drawn.paste(_HOLE, mask=padded.getchannel("A").point([255] * 128 + [0] * 128))
    else:
        drawn = padded
    encode = _sixel if drawing.way == "sixel" else _iterm2
    rows = [drawn.crop((0, row * height, wide * width, (row + 1) * height)) for row in range(high)]
    return Picture(columns=wide, rows=high, slices=tuple(encode(each, wide) for each in rows))


def _png(image: Any) -> bytes:
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def _upload(png: bytes, id: int, columns: int, rows: int, *, wrap: Callable[[str], str]) -> str:
    text = base64.b64encode(png).decode()
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    head = f"a=T,U=1,q=2,f=100,i={id},c={columns},r={rows},"
    return "".join(
        wrap(f"\x1b_G{'' if number else head}m={int(number < len(pieces) - 1)};{piece}\x1b\\")
        for number, piece in enumerate(pieces)
    )


def _halves(image: Any) -> Iterator[tuple[Halves, ...]]:
    """Two lines of pixels in each row of cells."""
    pixels, width = image.tobytes(), image.width

    def colour(x: int, y: int) -> Colour | None:
        red, green, blue, alpha = pixels[4 * (y * width + x) : 4 * (y * width + x) + 4]
        return (red, green, blue) if alpha >= 128 else None

    for y in range(0, image.height, 2):
        cells = ((colour(x, y), colour(x, y + 1)) for x in range(width))
        yield tuple(_cells(len(list(same)), *pair) for pair, same in groupby(cells))


def _cells(count: int, above: Colour | None, below: Colour | None) -> Halves:
    if above == below:
        return " " * count, None, above
    return ("▄" * count, below, None) if above is None else ("▀" * count, above, below)


def _iterm2(row: Any, columns: int) -> str:
    png = _png(row)
    text = base64.b64encode(png).decode()
    return f"\x1b]1337;File=inline=1;size={len(png)};width={columns};height=1;preserveAspectRatio=0:{text}\x07"


_HOLE = 255
"""The colour of a pixel that is left as it is."""
_SHIFTED = bytes(min(value + 63, 255) for value in range(256))
_RUN = re.compile(rb"(.)\1{3,}")


def _sixel(row: Any, columns: int) -> str:
    """Six lines of pixels at a time, colour by colour; each step is one over a whole line, so it takes no longer than a
    library in another language."""
    width, height = row.size
    pixels = row.tobytes()
    palette = row.getpalette()
    colours = sorted(set(pixels) - {_HOLE})
    out = [b'\x1bP0;1;0q"1;1;%d;%d' % (width, height)]
    out += [b"#%d;2;%d;%d;%d" % (each, *(palette[3 * each + n] * 100 // 255 for n in range(3))) for each in colours]
    for top in range(0, height, 6):
        lines = [pixels[at * width : (at + 1) * width] for at in range(top, min(top + 6, height))]
        for colour in sorted(set().union(*lines) - {_HOLE}):
            bits = 0
            for number, line in enumerate(lines):
                table = bytearray(256)
                table[colour] = 1 << number
                bits |= int.from_bytes(line.translate(table), "big")
            drawn = bits.to_bytes(width, "big").translate(_SHIFTED).rstrip(b"?")
            out.append(b"#%d%b$" % (colour, _RUN.sub(lambda found: b"!%d%b" % (len(found[0]), found[1]), drawn)))
        out.append(b"-")
    return (b"".join(out[:-1] if out[-1] == b"-" else out) + b"\x1b\\").decode("ascii")
