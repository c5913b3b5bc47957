"""Pictures as what a terminal is sent: read back as a terminal would, they are what they were."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from protea.interfaces.tui.pictures.asking import BLOCKS, Drawing, Way
from protea.interfaces.tui.pictures.making import MOST_COLUMNS, MOST_ROWS, forgotten, make

CELL = (10, 20)
Pixels = dict[tuple[int, int], tuple[int, int, int]]


def four_colours(width: int = 60, height: int = 50, kind: str = "PNG") -> bytes:
    """A quarter each."""
    image = Image.new("RGB", (width, height), (255, 0, 0))
    image.paste((0, 255, 0), (width // 2, 0, width, height // 2))
    image.paste((0, 0, 255), (0, height // 2, width // 2, height))
    image.paste((255, 255, 255), (width // 2, height // 2, width, height))
    held = io.BytesIO()
    image.save(held, kind)
    return held.getvalue()


def sixels(text: str) -> Pixels:
    """The pixels that a sixel sequence sets."""
    body = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+);(\d+)(.*)\x1b\\', text, re.DOTALL)
    assert body
    colours: dict[int, tuple[int, int, int]] = {}
    found: Pixels = {}
    colour = at = top = 0
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([?-~])|(\$)|(-)", body[3]):
        number, red, green, blue, times, repeated, single, back, down = token.groups()
        if number and red:
            colours[int(number)] = (int(red), int(green), int(blue))
        elif number:
            colour = int(number)
        elif back:
            at = 0
        elif down:
            at, top = 0, top + 6
        else:
            bits, count = ord(repeated or single) - 63, int(times or 1)
            for x in range(at, at + count):
                found |= {(x, top + bit): colours[colour] for bit in range(6) if bits >> bit & 1}
            at += count
    return found


def test_a_sixel_row_sets_each_pixel_in_its_colour() -> None:
    picture = make(four_colours(), Drawing("sixel", CELL), 40, 1)
    assert picture is not None
    assert (picture.columns, picture.rows, len(picture.slices)) == (6, 3, 3)
    pixels = {(x, y + 20 * row): each for row in range(3) for (x, y), each in sixels(picture.slices[row]).items()}
    assert set(pixels) == {(x, y) for x in range(60) for y in range(50)}  # and nothing where the picture has ended
    assert {pixels[0, 0], pixels[29, 24]} == {(100, 0, 0)}
    assert {pixels[30, 0], pixels[59, 24]} == {(0, 100, 0)}
    assert {pixels[0, 25], pixels[29, 49]} == {(0, 0, 100)}
    assert {pixels[30, 25], pixels[59, 49]} == {(100, 100, 100)}


def test_what_can_be_seen_through_stays_as_it_is() -> None:
    image = Image.new("RGBA", (10, 20), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 5, 20))
    held = io.BytesIO()
    image.save(held, "PNG")
    picture = make(held.getvalue(), Drawing("sixel", CELL), 40, 1)
    assert picture is not None
    assert set(sixels(picture.slices[0])) == {(x, y) for x in range(5) for y in range(20)}


def test_for_kitty_the_whole_is_sent_once_and_its_cells_say_which_part_they_are() -> None:
    picture = make(four_colours(), Drawing("kitty", CELL), 40, 0x123456)
    assert picture is not None
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", picture.upload)
    assert pieces[0][0] == f"a=T,U=1,q=2,f=100,i={0x123456},c=6,r=3,m={int(len(pieces) > 1)}"
    assert all(len(data) <= 4096 for _, data in pieces)
    sent = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in pieces))))
    assert sent.size == (60, 60)
    assert sent.getpixel((0, 0)) == (255, 0, 0, 255)
    assert sent.getpixel((0, 55)) == (0, 0, 0, 0)
    cells = [picture.cells(row) for row in range(3)]
    assert cells[0].startswith("\U0010eeee\u0305\u0305\U0010eeee\u0305\u030d")
    assert cells[2].startswith("\U0010eeee\u030e\u0305")
    assert picture.colour == (0x12, 0x34, 0x56)
    assert forgotten(picture) == f"\x1b_Ga=d,d=I,i={0x123456},q=2\x1b\\"


def test_a_large_one_is_sent_in_pieces() -> None:
    noise = Image.effect_noise((400, 300), 90).convert("RGB")
    held = io.BytesIO()
    noise.save(held, "PNG")
    picture = make(held.getvalue(), Drawing("kitty", CELL), 40, 7)
    assert picture is not None
    more = re.findall(r"m=([01])[;,]", picture.upload)
    assert len(more) > 5
    assert more == ["1"] * (len(more) - 1) + ["0"]


def test_for_iterm2_each_row_is_a_picture_as_high_as_a_cell() -> None:
    picture = make(four_colours(), Drawing("iterm2", CELL), 40, 1)
    assert picture is not None
    for row, text in enumerate(picture.slices):
        said = re.fullmatch(
            r"\x1b\]1337;File=inline=1;size=(\d+);width=6;height=1;preserveAspectRatio=0:(.*)\x07", text
        )
        assert said
        data = base64.b64decode(said[2])
        assert len(data) == int(said[1])
        assert Image.open(io.BytesIO(data)).size == (60, 20), row


def test_through_tmux_each_piece_is_wrapped_up_and_nothing_else_changes() -> None:
    plain = make(four_colours(), Drawing("kitty", CELL), 40, 7)
    wrapped = make(four_colours(), Drawing("kitty", CELL, wrapped=True), 40, 7)
    assert plain is not None
    assert wrapped is not None
    pieces = re.findall(r"\x1bPtmux;((?:\x1b\x1b|[^\x1b])*)\x1b\\", wrapped.upload)
    assert "".join(pieces).replace("\x1b\x1b", "\x1b") == plain.upload
    assert wrapped.cells(1) == plain.cells(1)
    assert forgotten(wrapped) == "\x1bPtmux;\x1b\x1b_Ga=d,d=I,i=7,q=2\x1b\x1b\\\x1b\\"


def test_of_halves_of_cells_each_shows_two_pixels() -> None:
    picture = make(four_colours(6, 5), BLOCKS, 40, 1)
    assert picture is not None
    assert (picture.columns, picture.rows) == (6, 3)
    red, green, blue, white = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
    assert picture.halves == (
        (("   ", None, red), ("   ", None, green)),
        (("   ", None, blue), ("   ", None, white)),
        (("▀▀▀", blue, None), ("▀▀▀", white, None)),
    )
    assert picture.cells(0) == " " * 6
    assert not picture.upload


@pytest.mark.parametrize("way", ["kitty", "iterm2", "sixel", "blocks"])
@pytest.mark.parametrize(("width", "height"), [(4000, 30), (30, 4000), (3000, 3000), (1, 1)])
def test_it_is_never_larger_than_the_room_there_is(way: Way, width: int, height: int) -> None:
    picture = make(four_colours(width, height), Drawing(way, CELL), 30, 1)
    assert picture is not None
    assert 1 <= picture.columns <= 30
    assert 1 <= picture.rows <= MOST_ROWS
    wide = make(four_colours(width, height), Drawing(way, CELL), 500, 1)
    assert wide is not None
    assert wide.columns <= MOST_COLUMNS


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_all_kinds_that_models_take_are_drawn(kind: str) -> None:
    assert make(four_colours(kind=kind), Drawing("sixel", CELL), 40, 1) is not None


def test_what_is_no_picture_is_none(tmp_path: Path) -> None:
    whole = four_colours()
    for data in (
        b"",
        b"GIF89a",
        b"<svg/>",
        whole[:40],
        whole[:-30],
        four_colours(kind="BMP"),
        b"\x89PNG\r\n\x1a\n" * 9,
    ):
        picture = make(data, Drawing("sixel", CELL), 40, 1)
        assert picture is None or data == whole[:-30], data[:20]


def test_one_that_would_fill_the_memory_is_not_unpacked() -> None:
    held = io.BytesIO()
    Image.new("1", (8000, 8000)).save(held, "PNG")
    assert len(held.getvalue()) < 100_000
    assert make(held.getvalue(), Drawing("sixel", CELL), 40, 1) is None
