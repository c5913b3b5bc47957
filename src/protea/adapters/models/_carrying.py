"""What a step of the offline model is made of: calls, what they gave, and what is said of it. Pure.

A step is a generator: it yields calls, is sent their results, and returns what to say. Whoever drives it decides where
the results come from, so the same code runs a turn and replays it from a conversation.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import msgspec

from protea.adapters.models._wanted import Search
from protea.domain.tools import ToolSpec

_SHOWN = 24_000
"""Characters of one result that are repeated in the answer."""


class Call(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any]


class Given(msgspec.Struct, frozen=True):
    """What a call gave."""

    text: str
    is_error: bool = False


class Done(msgspec.Struct, frozen=True):
    text: str
    failed: bool = False
    """Then the steps behind it are left undone."""
    facts: dict[str, Any] = {}
    """What was found, by name, for answers that must have a shape."""


class Past(msgspec.Struct):
    """What the steps before left for those behind."""

    search: Search | None = None
    counts: dict[str, int] | None = None
    """Hits per file of the last search, where they are known."""
    partial: bool = False
    """Whether `counts` leaves files out."""
    where: str = ""
    files: int | None = None


Doing = Generator[tuple[Call, ...], tuple[Given, ...], Done]


class MissingError(Exception):
    """A tool this run does not offer."""


class Tools:
    """The tools a request offers: nothing else is ever called."""

    def __init__(self, specs: Sequence[ToolSpec]) -> None:
        self._parameters: dict[str, Mapping[str, Any]] = {}
        for spec in specs:
            properties = spec.parameters.get("properties")
            self._parameters[spec.name] = properties if isinstance(properties, dict) else {}

    def knows(self, name: str, *parameters: str) -> bool:
        return name in self._parameters and all(each in self._parameters[name] for each in parameters)

    def schema(self, name: str, parameter: str) -> Any:
        return self._parameters.get(name, {}).get(parameter)

    def call(self, name: str, needed: dict[str, Any], /, **wished: Any) -> Call:
        """A call with what it needs, and what else is wished where the tool takes it and it is not None."""
        if not self.knows(name, *needed):
            raise MissingError(name)
        known = self._parameters[name]
        return Call(name, needed | {key: value for key, value in wished.items() if value is not None and key in known})


def not_there(missing: MissingError) -> Done:
    return Done(f"This run offers no tool `{missing}` that takes what is needed, so that cannot be done.", failed=True)


# -- what is said of results


def block(text: str) -> str:
    """`text` as a fenced block, cut where it is long."""
    text = text.rstrip("\n")
    if len(text) > _SHOWN:
        end = text.rfind("\n", 0, _SHOWN)
        kept = text[: end if end > 0 else _SHOWN]
        text = f"{kept}\n… {text.count(chr(10), len(kept)) or 1} more lines"
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def first_line(text: str) -> str:
    line = next((line for line in text.split("\n") if line.strip()), "no reason was given")
    return line if len(line) <= 400 else line[:400] + " …"


def trouble(what: str, given: Given) -> Done:
    # What a model is told to do about it is not for the person who reads this.
    why = first_line(given.text).replace(" Do not try it again in another way.", "")
    return Done(f"{what}: {why}", failed=True)


def is_missing(given: Given) -> bool:
    """Whether an error says that there is no such file or folder, rather than that it may not be looked at."""
    if not given.is_error or re.match(r"not allowed|nobody was there|the person refused", given.text, re.IGNORECASE):
        return False
    words = r"no such|not exist|doesn't exist|not found|there is no|no file|no directory"
    return re.search(words, given.text[:2000], re.IGNORECASE) is not None


def one(given: tuple[Given, ...]) -> Given:
    return given[0] if given else Given("the tool gave no answer", True)


_NOTE = re.compile(r"\[.*\]")


def lines_of(text: str) -> list[str]:
    """The lines of a result without the tool's own remarks."""
    return [line for line in text.split("\n") if line.strip() and not _NOTE.fullmatch(line)]


def told_total(text: str) -> int:
    """How many there are in all, where a result was cut: `[the first 100 of 2,345 files; …]`."""
    found = re.search(r"\[the first [\d,]{1,15} of ([\d,]{1,15}) (?:files|lines)", text[-400:])
    digits = found.group(1).replace(",", "") if found else ""
    return int(digits) if digits.isdigit() else 0


def says_nothing(text: str) -> bool:
    return not text.strip() or re.match(r"(nothing|no )", text, re.IGNORECASE) is not None
