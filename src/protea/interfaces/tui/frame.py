"""What the first frame and the screen that takes over from it share: where the composer stands and how its text wraps.

Read by `boot` before anything else is loaded, so it imports nothing that the interpreter has not.
"""

from __future__ import annotations

PROMPT = "❯ "
"""Before the first row of the composer; the other rows are indented by as much."""
RULE = "─"
PLACEHOLDER = "Ask, or / commands · @ files · ! shell · ? help"
_PARTS = " · "
STARTING = "starting …"
MOST_ROWS = 10
"""Rows the composer grows to."""


_PICTURES: dict[int, int] = {
    **{code: 0x2400 + code for code in range(32)},
    0x09: 0x20,
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    **dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
    **dict.fromkeys((0x2028, 0x2029), 0x20),
}


def placeholder(room: int) -> str:
    """As much of it as has room, in whole parts."""
    shown = PLACEHOLDER
    while len(shown) > room and _PARTS in shown:
        shown = shown.rpartition(_PARTS)[0]
    return shown[: max(0, room)]


def drawable(text: str) -> str:
    """`text` with a picture of each character that a terminal would obey, or that reorders what stands around it; as
    long as before. The last door: nothing is drawn that has not come through it, wherever its words are from."""
    return text if text.isprintable() else text.translate(_PICTURES)


def cells(character: str) -> int:
    """Columns a character takes."""
    if character < "\x7f":
        return 1
    import unicodedata  # only once something beyond ASCII is typed

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width_of(text: str) -> int:
    """Columns a text takes on one row."""
    return len(text) if text.isascii() else sum(map(cells, text))


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """(begin, end) of each row of `text` in `width` columns: broken behind blanks where there are any, else anywhere.

    A newline ends a row and belongs to none. The rows cover everything else, so that a cursor has one place.
    """
    width = max(2, width)
    rows: list[tuple[int, int]] = []
    begin = 0
    for line in text.split("\n"):
        end = begin + len(line)
        if line.isascii() and len(line) <= width:
            rows.append((begin, end))
        else:
            rows += _wrap_line(text, begin, end, width)
        begin = end + 1
    return rows


def _wrap_line(text: str, begin: int, end: int, width: int) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    at = row = begin
    blank = begin
    used = 0
    while at < end:
        wide = cells(text[at])
        if used + wide > width:
            cut = blank if blank > row else at
            rows.append((row, cut))
            used = width_of(text[cut:at])
            row = blank = cut
        used += wide
        at += 1
        if text[at - 1] == " ":
            blank = at
    rows.append((row, end))
    return rows


def place(rows: list[tuple[int, int]], text: str, cursor: int) -> tuple[int, int]:
    """(row, column) of the cursor."""
    for number in range(len(rows) - 1, -1, -1):
        begin, _ = rows[number]
        if begin <= cursor:
            return number, width_of(text[begin:cursor])
    return 0, 0


def most_rows(height: int) -> int:
    """Rows the composer may take of a screen."""
    return max(1, min(MOST_ROWS, height // 3))


def window(count: int, row: int, top: int, most: int) -> int:
    """The first row that is shown, where `most` of `count` fit and `row` must be among them; near to `top`."""
    top = min(top, max(0, count - most))
    return row if row < top else row - most + 1 if row >= top + most else top
