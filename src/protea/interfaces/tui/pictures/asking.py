"""Asks the terminal how it draws pictures, and understands what it answers. Pure.

What a terminal can is never guessed from its name in the environment, which is often another one's: over ssh, in tmux.
Every terminal answers the last question (what it is); whoever has not answered one before it cannot do that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

QUESTION = (
    "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # may a picture be sent? (kitty's protocol)
    "\x1b[>q"  # who are you?
    "\x1b[16t"  # how many pixels has a cell?
    "\x1b[c"  # what can you do?
)

Way = Literal["kitty", "iterm2", "sixel"]

_CAN_KITTY = re.compile(rb"\x1b_G[^;\x1b]*i=31[^;\x1b]*;OK\x1b\\")
_NAME = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_CELL = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_ABILITIES = re.compile(rb"\x1b\[\?([0-9;]*)c")


class Drawing(msgspec.Struct, frozen=True):
    """How pictures are drawn here."""

    way: Way
    cell: tuple[int, int]
    """Pixels of a cell: its width, its height."""


def is_answered(said: Sequence[bytes]) -> bool:
    """Whether the last question was answered: nothing follows."""
    return any(_ABILITIES.fullmatch(each) for each in said)


def drawing_of(said: Sequence[bytes]) -> Drawing | None:
    """What the answers come to; None where pictures cannot be drawn."""
    text = b"".join(said)
    name = found[1].decode("utf-8", "replace").lower() if (found := _NAME.search(text)) else ""
    cell = _cell(text)
    # Placeholders are what lets a picture scroll with the text; others that speak the protocol do not know them.
    if _CAN_KITTY.search(text) and name.startswith(("kitty", "ghostty")):
        return Drawing("kitty", cell or (10, 20))
    if name.startswith(("iterm2", "wezterm")):
        return Drawing("iterm2", cell or (10, 20))
    abilities = found[1].split(b";") if (found := _ABILITIES.search(text)) else []
    if b"4" in abilities and cell is not None:
        return Drawing("sixel", cell)
    return None


def _cell(text: bytes) -> tuple[int, int] | None:
    found = _CELL.search(text)
    if found is None:
        return None
    height, width = int(found[1]), int(found[2])
    return (width, height) if 2 <= width <= 200 and 4 <= height <= 400 else None


def may_be_asked(environment: Mapping[str, str]) -> bool:
    """Not where something stands between that would keep the pictures to itself, or draws the question."""
    if environment.get("TMUX") or environment.get("STY") or environment.get("NO_COLOR"):
        return False
    return not environment.get("TERM", "").startswith(("linux", "vt", "dumb", "screen", "tmux"))
