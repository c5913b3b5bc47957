"""Regular expressions that are compiled when they are first used: most of them a short run never needs. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    regex = re.compile
else:

    class regex:
        """As `re.compile`, later."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            self._text, self._flags = text, flags

        def __getattr__(self, name: str) -> Any:
            # Asked for `match` and the like once each: what is found is kept on the instance, and not looked for again.
            found = getattr(re.compile(self._text, self._flags), name)
            self.__dict__[name] = found
            return found


def may_never_end(pattern: str) -> bool:
    """Whether a match may try more ways than anybody can wait for: something is repeated whose own repeats nothing
    separates, as in `(a+)+` or `(\\w+ ?)*`. `(-\\w+)*` is none of these."""
    return _Reader(pattern).alternatives()[2]


class _Reader:
    """Goes through a pattern that can be compiled, once."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def alternatives(self) -> tuple[bool, bool, bool]:
        """Up to the end of a group: (each alternative has what separates, one varies in length, one may never end)."""
        separated, varies, endless = True, False, False
        more = True
        while more:
            here = self._sequence()
            separated, varies, endless = separated and here[0], varies or here[1], endless or here[2]
            more = self.text[self.at : self.at + 1] == "|"
            self.at += more
        return separated, varies, endless

    def _sequence(self) -> tuple[bool, bool, bool]:
        separated = varies = endless = False
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            inner = self._atom()
            least, most, owned = self._times()
            repeated = most is None or most > max(1, least)
            endless |= inner[2] or (repeated and not owned and inner[1] and not inner[0])
            varies |= (repeated and not owned) or (inner[1] and not repeated)
            separated |= not repeated and least > 0 and inner[0]
        return separated, varies, endless

    def _atom(self) -> tuple[bool, bool, bool]:
        char = self.text[self.at]
        self.at += 1
        if char == "\\":
            self.at += 1
            return self.text[self.at - 1 : self.at] not in "bBAZ", False, False
        if char == "[":
            self.at += self.text[self.at : self.at + 1] == "^"
            self.at += 1  # a bracket that comes first is one of the characters
            while self.at < len(self.text) and self.text[self.at] != "]":
                self.at += 2 if self.text[self.at] == "\\" else 1
            self.at += 1
            return True, False, False
        if char != "(":
            return char not in "^$", False, False
        looks = self.text.startswith(("?=", "?!", "?<=", "?<!"), self.at)
        atomic = self.text.startswith("?>", self.at)
        if self.text.startswith("?", self.at):  # its flags, its name
            ends = [place for char in ":=!>)" if (place := self.text.find(char, self.at)) >= 0]
            self.at = min(ends, default=len(self.text))
            self.at += self.text[self.at : self.at + 1] != ")"
        separated, varies, endless = self.alternatives()
        self.at += 1
        return separated and not looks, varies and not (looks or atomic), endless

    def _times(self) -> tuple[int, int | None, bool]:
        """How often what stands before comes: (least, most, whether it keeps what it took)."""
        char = self.text[self.at : self.at + 1]
        times: tuple[int, int | None] = (1, 1)
        if char and char in "*+?":
            times = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
            self.at += 1
        elif char == "{" and (found := re.compile(r"\{(\d*)(,?)(\d*)\}").match(self.text, self.at)):
            least = int(found[1] or 0)
            times = (least, int(found[3]) if found[3] else None if found[2] else least)
            self.at = found.end()
        else:
            return (*times, False)
        after = self.text[self.at : self.at + 1]
        self.at += after in ("?", "+") and after != ""
        return (*times, after == "+")
