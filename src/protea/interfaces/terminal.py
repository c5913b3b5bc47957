"""What a terminal may be shown: text made harmless, and colour only where it is welcome. For every line-based face."""

from __future__ import annotations

import os
import select
from collections.abc import Mapping
from contextlib import suppress

from protea.domain.pattern import regex

_HARMLESS: dict[int, str | int | None] = {
    **{code: 0x2400 + code for code in range(32) if code not in (9, 10)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    # Marks that reorder or hide what is around them: a command must look like what would run.
    **{code: f"<U+{code:04X}>" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    0xFEFF: "<U+FEFF>",
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}


_INVISIBLE = regex(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that take no room or look like a blank (Unicode's Default_Ignorable_Code_Point and its kin)."""


def revealed(text: str) -> str:
    """`visible`, and every character that could not be seen is named: for what a person is asked to allow."""
    return _INVISIBLE.sub(lambda found: f"<U+{ord(found[0]):04X}>", visible(text))


def visible(text: str) -> str:
    """`text` with every control character shown as a picture instead of obeyed; newlines and tabs stay."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_HARMLESS)


def one_line(text: str, width: int = 0) -> str:
    """`text` on one line, harmless, cut to `width` characters where that is not 0."""
    flat = " ".join(visible(text).split())
    return flat if not width or len(flat) <= width else flat[: max(1, width - 1)] + "…"


def utf8(text: str) -> bytes:
    """`text` as bytes whatever is in it: half characters (surrogates) become question marks."""
    return text.encode("utf-8", "replace")


def is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def wants_colour(descriptor: int, environment: Mapping[str, str]) -> bool:
    """Whether colour may be written there: a terminal that is not dumb, and NO_COLOR empty (no-color.org)."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb" and is_terminal(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything, waiting as long as it takes. Raises `OSError`. For use outside an event loop."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # someone else made the shared descriptor non-blocking
            select.select([], [descriptor], [])


def say(text: str, stderr: int = 2) -> None:
    """One line on standard error, whatever is in it. Never raises."""
    with suppress(OSError):  # nowhere left to complain
        write_all(stderr, utf8(f"protea: {one_line(text)}\n"))


class Paint:
    """Colours by role. Without colour every method returns its text."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def _sgr(self, codes: str, text: str) -> str:
        return f"\x1b[{codes}m{text}\x1b[0m" if self.on and text else text

    def bold(self, text: str) -> str:
        return self._sgr("1", text)

    def dim(self, text: str) -> str:
        return self._sgr("2", text)

    def italic(self, text: str) -> str:
        return self._sgr("3", text)

    def code(self, text: str) -> str:
        return self._sgr("36", text)

    def good(self, text: str) -> str:
        return self._sgr("32", text)

    def bad(self, text: str) -> str:
        return self._sgr("31", text)

    def warn(self, text: str) -> str:
        return self._sgr("33", text)

    def head(self, text: str) -> str:
        return self._sgr("1;35", text)
