"""Looks through skills for whoever writes one. Called by `cli`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from protea.domain.errors import UsageError
from protea.domain.skill_check import Fault, faults_of

MOST_FILES = 1000
LARGEST = 1 << 20


class Checked(msgspec.Struct, frozen=True):
    """One SKILL.md and all that is wrong with it."""

    path: str
    faults: tuple[Fault, ...]


def check_skills(path: str, cwd: str) -> tuple[Checked, ...]:
    """The skill at `path` (its folder, its SKILL.md), or all that lie below a folder. Raises `UsageError`."""
    whole = os.path.normpath(os.path.join(cwd, path))
    if os.path.isdir(whole):
        found = [*_below(whole)]
        if not found:
            raise UsageError(f"there is no SKILL.md in {path} or below it")
        return tuple(map(check_skill, found))
    if not os.path.isfile(whole):
        raise UsageError(f"{path} does not exist")
    if os.path.basename(whole) != "SKILL.md":
        raise UsageError(f"{path} is no skill: that is a folder with a SKILL.md")
    return (check_skill(whole),)


def check_skill(path: str) -> Checked:
    """One SKILL.md, which exists."""
    folder = os.path.dirname(path)
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        return Checked(path, (Fault(1, f"it cannot be read: {error.strerror}", "look at its permissions"),))
    if len(data) > LARGEST:
        return Checked(path, (Fault(1, f"it is larger than {LARGEST >> 20} MiB", "move details to references/"),))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Checked(path, (Fault(line, "it is not UTF-8", "save it as UTF-8"),))
    text = text.replace("\r\n", "\n")
    return Checked(path, tuple(faults_of(text, os.path.basename(os.path.realpath(folder)), _files(folder))))


def _below(folder: str) -> Iterator[str]:
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".git", "node_modules", "__pycache__"))
        if "SKILL.md" in names:
            yield os.path.join(at, "SKILL.md")
            folders.clear()


def _files(folder: str) -> Sequence[str]:
    paths = (os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)
    return [*islice(paths, MOST_FILES)]
