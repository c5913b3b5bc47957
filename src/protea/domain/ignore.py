"""Which files a project does not want looked at: `.gitignore` and kin, as git and ripgrep read them. Pure.

https://git-scm.com/docs/gitignore. The walks that use it live in `adapters/walking`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from protea.domain.glob import translate
from protea.domain.pattern import regex


class Names(msgspec.Struct, frozen=True):
    """Patterns of one verdict, sorted by how quickly they can be tried."""

    exact: frozenset[str] = frozenset()
    """Names without wildcards."""
    ends: tuple[str, ...] = ()
    """`*.pyc` → `.pyc`."""
    name: re.Pattern[str] | None = None
    path: re.Pattern[str] | None = None
    """For patterns with a slash: matched with the whole path from the ignore file on."""


class Group(msgspec.Struct, frozen=True):
    """Neighbouring lines of an ignore file that say the same, so that their order does not matter."""

    ignored: bool
    all: Names
    directories: Names
    """Lines that end in a slash."""


class Rules(msgspec.Struct, frozen=True):
    """One ignore file: its groups, the last one first."""

    groups: tuple[Group, ...]


class Layer(msgspec.Struct, frozen=True):
    """An ignore file in its place: above where the search begins (`prefix` leads from it to there), or below."""

    rules: Rules
    prefix: str = ""
    base: int = 0
    """Characters of a path, relative to where the search begins, that lead to the ignore file's directory."""


class _Line(msgspec.Struct, frozen=True):
    pattern: str
    ignored: bool
    directories: bool
    whole: bool


def parse(text: str) -> Rules | None:
    """The rules of an ignore file; None where it has none."""
    lines = [found for line in text.removeprefix("\ufeff").split("\n") if (found := _line(line.removesuffix("\r")))]
    groups: list[Group] = []
    same: list[_Line] = []
    for line in lines:
        if same and same[-1].ignored != line.ignored:
            groups.append(_group(same))
            same = []
        same.append(line)
    if same:
        groups.append(_group(same))
    return Rules(tuple(reversed(groups))) if groups else None


def verdict(path: str, name: str, is_directory: bool, layers: Sequence[Layer]) -> bool | None:
    """Whether the nearest rule about a path ignores (True) or includes (False) it; None where none is about it.

    `path` is relative to where the search begins; of `layers` the innermost comes first.
    """
    for layer in layers:
        inner = layer.prefix + path if layer.prefix else path[layer.base :]
        for group in layer.rules.groups:
            if _fits(group.all, name, inner) or (is_directory and _fits(group.directories, name, inner)):
                return group.ignored
    return None


def _fits(names: Names, name: str, path: str) -> bool:
    return (
        name in names.exact
        or (bool(names.ends) and name.endswith(names.ends))
        or (names.name is not None and names.name.fullmatch(name) is not None)
        or (names.path is not None and names.path.fullmatch(path) is not None)
    )


def _group(lines: Sequence[_Line]) -> Group:
    return Group(
        lines[0].ignored,
        _names([line for line in lines if not line.directories]),
        _names([line for line in lines if line.directories]),
    )


_MAGIC = regex(r"[*?\[\\]")


def _names(lines: Sequence[_Line]) -> Names:
    exact, ends, names, paths = [], [], [], []
    for line in lines:
        if line.whole:
            paths.append(line.pattern)
        elif not _MAGIC.search(line.pattern):
            exact.append(line.pattern)
        elif line.pattern[0] == "*" and len(line.pattern) > 1 and not _MAGIC.search(line.pattern[1:]):
            ends.append(line.pattern[1:])
        else:
            names.append(line.pattern)
    return Names(frozenset(exact), tuple(ends), _alternatives(names), _alternatives(paths))


def _alternatives(patterns: Sequence[str]) -> re.Pattern[str] | None:
    # git knows no {a,b}: braces stand for themselves.
    bodies = [translate(pattern, braces=False) for pattern in patterns]
    sound = [body for body in bodies if _compiles(body)]
    return re.compile("|".join(f"(?:{body})" for body in sound), re.DOTALL) if sound else None


def _compiles(body: str) -> bool:
    try:
        re.compile(body)
    except re.error:
        return False
    return True


def _line(line: str) -> _Line | None:
    if not line or line.startswith("#"):
        return None
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    ignored = not line.startswith("!")
    line = line if ignored else line[1:]
    directories = line.endswith("/")
    line = line[:-1] if directories else line
    if not line:
        return None
    whole = "/" in line
    line = line.removeprefix("/")
    if line.startswith("**/") and "/" not in line[3:] and line[3:] not in ("", "*", "**"):
        line, whole = line[3:], False
    return _Line(line, ignored, directories, whole)
