"""A file of settings or a profile as text, as a table, and where in it everything stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from protea.adapters.settings._regular import read_regular
from protea.domain.errors import ConfigError

if TYPE_CHECKING:
    from protea.domain.toml_places import Place


def read(path: str) -> str | None:
    data = read_bytes(path)
    return None if data is None else decoded(data, path)


def read_bytes(path: str) -> bytes | None:
    try:
        return read_regular(path)
    except ConfigError as error:
        raise ConfigError(f"{error}; mend that, or go without it by --bare") from None


def decoded(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("not UTF-8; save it as UTF-8", path, line) from None


def parse(text: str, path: str) -> dict[str, Any]:
    if not says_something(text):
        return {}
    import tomllib  # costs more than all the rest of this file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said, _, place = str(error).rpartition(" (at ")
        numbers = re.findall(r"\d+", place)
        reason = said or str(error)
        line = int(numbers[0]) if numbers else text.count("\n") + (not text.endswith("\n"))
        column = int(numbers[1]) if len(numbers) > 1 else None
        raise ConfigError(f"not valid TOML: {reason[:1].lower()}{reason[1:]}", path, line, column) from None
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(f"not valid TOML: {error}", path) from None
    except RecursionError:
        raise ConfigError("not valid TOML: nested too deeply", path) from None


def says_something(text: str) -> bool:
    return any(line and not line.isspace() and not line.lstrip().startswith("#") for line in text.split("\n"))


def nearest_place(where: Mapping[str, Place], key: str) -> Place | None:
    while key:
        if key in where:
            return where[key]
        key = key.rpartition(".")[0]
    return None


def column(text: str, place: Place) -> int:
    return place.start - (text.rfind("\n", 0, place.start) + 1) + 1


def rule_lines(text: str, found: Sequence[Place]) -> dict[str, int]:
    from protea.domain.toml_places import texts  # only for files that say something

    lines: dict[str, int] = {}
    for place in found:
        if place.key[:1] == ("permissions",) and place.key[-1] in ("allow", "ask", "deny", "permissions"):
            lines.update(texts(text[place.start : place.end], place.line))
    return lines
