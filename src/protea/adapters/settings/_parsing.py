"""A file of settings or a profile as text, as a table, and where in it everything stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protea.adapters.settings._regular import read_regular
from protea.domain.errors import ConfigError
from protea.domain.settings import dotted

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


class Written:
    """A file that says something, as it was written: where in it what is wrong stands."""

    def __init__(self, path: str, text: str) -> None:
        from protea.domain.toml_places import places  # only files that say something have any

        self._path, self._text = path, text
        self.places = places(text)
        self.where: dict[str, Place] = {dotted(place.key): place for place in reversed(self.places)}
        """The first place of each key."""

    def fail(self, key: str, message: str) -> ConfigError:
        """An error with the place of the key, or of what it stands in."""
        place = self._nearest(key)
        if place is None:
            return ConfigError(message, self._path)
        column = place.start - (self._text.rfind("\n", 0, place.start) + 1) + 1
        return ConfigError(message, self._path, place.line, column)

    def warning(self, key: str, message: str) -> str:
        place = self._nearest(key)
        return f"{self._path}:{place.line if place else 1}: {message}"

    def _nearest(self, key: str) -> Place | None:
        while key:
            if key in self.where:
                return self.where[key]
            key = key.rpartition(".")[0]
        return None


def rule_lines(text: str, found: Sequence[Place]) -> dict[str, int]:
    from protea.domain.toml_places import texts  # only for files that say something

    lines: dict[str, int] = {}
    for place in found:
        if place.key[:1] == ("permissions",) and place.key[-1] in ("allow", "ask", "deny", "permissions"):
            lines.update(texts(text[place.start : place.end], place.line))
    return lines
