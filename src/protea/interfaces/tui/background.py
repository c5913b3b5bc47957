"""Asks the terminal what its background is, and takes the answer out of what is typed, however late it comes. Pure.

Terminals answer between keys. Some never do; some are far away. So nobody waits: until an answer comes nothing is
different, and no key is held back but one that looks like the beginning of an answer, for a moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

QUESTION = "\x1b]11;?\x1b\\"

Colour = tuple[float, float, float]
"""Red, green, blue, each from 0 to 1."""

_ANSWER = re.compile(
    rb"\x1b\]11;rgba?:([0-9A-Fa-f]{1,4})/([0-9A-Fa-f]{1,4})/([0-9A-Fa-f]{1,4})[^\x07\x1b]*(?:\x07|\x1b\\)"
)
_BEGUN = re.compile(
    rb"\x1b(?:\](?:1(?:1(?:;[rgba:/0-9A-Fa-f]{0,40}\x1b?)?)?)?|\[[0-?]{0,40}[ -/]?|_G[^\x1b]{0,200}\x1b?"
    rb"|P>\|[^\x1b]{0,200}\x1b?)?\Z"
)
"""What could become one, or another report that is cut in two by the size of a read."""
_OVERLONG = re.compile(rb"\x1b\[[0-?]{41,}[ -/]*[@-~]?")
_REST_OF_ONE = re.compile(rb"[ -?]*([@-~])?")
_KEY = re.compile(rb"\x1b\[([0-9:;]*)([u~A-FHPQRS])")
"""A key, as the newer protocols tell it: code, modifiers, text, each with more behind a colon."""
_SIZE = re.compile(rb"\x1b\[48;([0-9]+)[^;a-zA-Z]*;([0-9]+)[^a-zA-Z]*t")
LAST_CODE = 0x10FFFF
MOST_COLUMNS, MOST_ROWS = 2000, 1000
"""Beyond this a window is drawn as if it were no larger."""
_BROKEN = re.compile(rb"\x1b\]11;[rgba:/0-9A-Fa-f]*")
"""One that has no end: nobody typed it."""
_OTHER = re.compile(
    rb"\x1b\[[?>=][0-9;]*[cnu]"  # what it is, what it can do, that it turned dark
    rb"|\x1b\](?!11;)[0-9]+;[^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b\[[468];[0-9]+;[0-9]+t"
    rb"|\x1b[P_^][^\x1b]*\x1b\\"
)
"""What terminals say unasked, or asked by somebody else: nobody typed that either."""
_UNFINISHED = re.compile(rb"\x1b(?:[P_\]][^\x1b\x07]*\x1b?|\[[?>=]?[0-9;]*)?\Z")
"""What could become any answer at all."""
SURELY = (b"\x1b]11;", b"\x1b_G", b"\x1bP>|")
"""With these begins no key."""


class Answers:
    """What is read goes through `take`; what looked like an answer and was none comes back by `rest`."""

    def __init__(self) -> None:
        self.colours: list[Colour] = []
        """What was answered and not yet looked at."""
        self._held = b""
        self._in_overlong = False
        """Whether what was read last ended within a sequence that is longer than any."""
        self.said: list[bytes] | None = None
        """All that is said, where somebody has asked something; else it is dropped."""

    @property
    def holds(self) -> bool:
        """Whether something is held back that `rest` would give."""
        return bool(self._held) and not self._held.startswith(SURELY)

    def take(self, data: bytes) -> bytes:
        """The keys in it."""
        data, self._held = self._held + data, b""
        if self._in_overlong and (rest := _REST_OF_ONE.match(data)):
            data, self._in_overlong = data[rest.end() :], rest[1] is None
        if b"\x1b" not in data:
            return data
        for found in _ANSWER.finditer(data):
            red, green, blue = (int(each, 16) / (16 ** len(each) - 1) for each in found.groups())
            self.colours.append((red, green, blue))
        data = _ANSWER.sub(b"", data)
        if self.said is not None:
            self.said += (found[0] for found in _OTHER.finditer(data))
        data = _OTHER.sub(b"", data)
        if (last := data.rfind(b"\x1b[")) >= 0 and (overlong := _OVERLONG.fullmatch(data, last)):
            self._in_overlong = overlong[0][-1] < 0x40
        data = _SIZE.sub(_possible_size, _KEY.sub(_readable_key, _OVERLONG.sub(b"", data)))
        begun = (_BEGUN if self.said is None else _UNFINISHED).search(data)
        if begun is not None:
            data, self._held = data[: begun.start()], begun[0]
        return _BROKEN.sub(b"", data)

    def rest(self) -> bytes:
        """Nothing has followed for a moment: what is held back was a key, unless it begins as no key does."""
        if self._held.startswith(SURELY):
            return b""
        held, self._held = self._held, b""
        return held


def _readable_key(found: re.Match[bytes]) -> bytes:
    """A key as its reader can take it: pressed, not released, of a code there is, with nothing told beside it."""
    parts = found[1].split(b";")
    code = parts[0].partition(b":")[0]
    modifiers, _, kind = parts[1].partition(b":") if len(parts) > 1 else (b"", b"", b"")
    texts = [each for part in parts[2:] for each in part.split(b":")]
    if kind.startswith(b"3") or any(len(each) > 9 or int(each or 0) > LAST_CODE for each in (code, modifiers, *texts)):
        return b""
    if b":" not in found[1]:
        return found[0]
    return b"\x1b[" + b";".join([code, modifiers, *parts[2:]][: len(parts)]) + found[2]


def _possible_size(found: re.Match[bytes]) -> bytes:
    """A window told of with no size, or a larger one than there is, is not believed."""
    rows, columns = found.groups()
    sane = len(rows) < 5 and len(columns) < 5 and 0 < int(rows) <= MOST_ROWS and 0 < int(columns) <= MOST_COLUMNS
    return found[0] if sane else b""


def is_light(colour: Colour) -> bool:
    """As the eye sees it: green counts most, blue least."""
    red, green, blue = colour
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5


def guessed_light(environment: Mapping[str, str]) -> bool:
    """What can be known before anybody answers: some terminals say it in `COLORFGBG`."""
    last = environment.get("COLORFGBG", "").rpartition(";")[2]
    return last in ("7", "15")


def answers(environment: Mapping[str, str]) -> bool:
    """Whether it may be asked: where there is no colour nobody needs to know, and a console would draw the question."""
    term = environment.get("TERM", "")
    return not environment.get("NO_COLOR") and not term.startswith(("linux", "vt", "dumb"))
