"""Asks the terminal how it draws pictures, and understands what it answers. Pure.

What a terminal can is never guessed from its name in the environment, which is often another one's: over ssh, in tmux.
Every terminal answers the last question (what it is); whoever has not answered one before it cannot do that. In tmux it
is tmux that is asked: it has asked the terminals around it. Who can do nothing else shows halves of cells in colours.
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

Way = Literal["kitty", "iterm2", "sixel", "blocks"]

_CAN_KITTY = re.compile(rb"\x1b_G[^;\x1b]*i=31[^;\x1b]*;OK\x1b\\")
_NAME = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_CELL = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_ABILITIES = re.compile(rb"\x1b\[\?([0-9;]*)c")


class Drawing(msgspec.Struct, frozen=True):
    """How pictures are drawn here."""

    way: Way
    cell: tuple[int, int]
    """Pixels of a cell: its width, its height."""
    wrapped: bool = False
    """Whether something stands between that hands on only what is wrapped up for it."""
    seen: bool = True
    """Whether what is sent now arrives: tmux hands nothing on for a pane that nobody looks at."""
    viewers: str = ""
    """Whose terminals it is drawn in, where that may change."""


BLOCKS = Drawing("blocks", (1, 2))
"""Two pixels in each cell, one above the other: what any terminal with colours can."""
TMUX_QUESTION = (
    "display-message", "-p",
    "pane\t#{allow-passthrough}\t#{window_id}\t#{window_active_clients}\t#{window_zoomed_flag}\t#{pane_active}", ";",
    "list-clients", "-F",
    "client\t#{window_id}\t#{client_name}\t#{client_created}\t#{client_termtype}\t#{client_termfeatures}"
    "\t#{client_cell_width}\t#{client_cell_height}",
)  # fmt: skip
"""What follows `tmux`: how this pane is, and the terminals that show its window."""
_PLACEHOLDERS = ("kitty", "ghostty")
"""Who knows the characters that let a picture scroll with the text; others that speak the protocol do not."""


def is_answered(said: Sequence[bytes]) -> bool:
    """Whether the last question was answered: nothing follows."""
    return any(_ABILITIES.fullmatch(each) for each in said)


def drawing_of(said: Sequence[bytes]) -> Drawing:
    """What the answers come to."""
    text = b"".join(said)
    name = found[1].decode("utf-8", "replace").lower() if (found := _NAME.search(text)) else ""
    cell = _cell(text)
    if _CAN_KITTY.search(text) and name.startswith(_PLACEHOLDERS):
        return Drawing("kitty", cell or (10, 20))
    if name.startswith(("iterm2", "wezterm")):
        return Drawing("iterm2", cell or (10, 20))
    abilities = found[1].split(b";") if (found := _ABILITIES.search(text)) else []
    if b"4" in abilities and cell is not None:
        return Drawing("sixel", cell)
    return BLOCKS


def _cell(text: bytes) -> tuple[int, int] | None:
    found = _CELL.search(text)
    if found is None:
        return None
    height, width = int(found[1]), int(found[2])
    return (width, height) if 2 <= width <= 200 and 4 <= height <= 400 else None


def drawing_in_tmux(told: str) -> Drawing:
    """What tmux's answer comes to: kitty's way where it lets through what is wrapped up, and each terminal that shows
    the window is one that can."""
    rows = [line.split("\t") for line in told.splitlines()]
    pane = next((row[1:] for row in rows if row[0] == "pane" and len(row) == 6), None)
    if pane is None or pane[0] not in ("1", "2", "on", "all"):
        return BLOCKS
    passes, window, watching, zoomed, active = pane
    clients = [row[1:] for row in rows if row[0] == "client" and len(row) == 8]
    around = [each for each in clients if each[0] == window]
    # Nobody looks at the window now: then it may be anybody who does next.
    able = [
        terminal.lower().startswith(_PLACEHOLDERS) and "RGB" in features.split(",")
        for _, _, _, terminal, features, *_ in around or clients
    ]
    if not able or not all(able):
        return BLOCKS
    width, height = (around or clients)[0][5:]
    cell = (int(width), int(height)) if width.isdigit() and height.isdigit() else (0, 0)
    return Drawing(
        "kitty",
        cell if 2 <= cell[0] <= 200 and 4 <= cell[1] <= 400 else (10, 20),
        wrapped=True,
        seen=passes in ("2", "all") or (watching not in ("", "0") and not (zoomed == "1" and active == "0")),
        viewers=" ".join(f"{name} {created}" for _, name, created, *_ in around),
    )


def in_tmux(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("TMUX"))


def may_be_drawn(environment: Mapping[str, str]) -> bool:
    return not environment.get("NO_COLOR")


def may_be_asked(environment: Mapping[str, str]) -> bool:
    """Not where something stands between that would keep the pictures to itself, or draws the question."""
    if in_tmux(environment) or environment.get("STY"):
        return False
    return not environment.get("TERM", "").startswith(("linux", "vt", "dumb", "screen", "tmux"))
