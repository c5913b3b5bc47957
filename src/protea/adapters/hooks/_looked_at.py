"""The files of a project that a hook would run: none that nobody has looked at as it is now."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Sequence

from protea.domain.surroundings import Surroundings

_INTO = (">", ">>", "1>", "2>", "1>>", "2>>", "&>")
LARGEST = 1 << 20
"""Bytes of a file that a person can have looked at."""


def looked_at(around: Surroundings, path: str) -> bytes:
    """What a file says. Raises `ValueError` where it is the project's and nobody has looked at it, `OSError` where it
    cannot be read."""
    # O_NONBLOCK: a FIFO is opened at once, and then refused.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{path} is no file")
        data = file.read(LARGEST + 1)
    if not _inside(around, path):
        return data
    name = os.path.relpath(path, around.root)
    if not around.trusted:
        raise ValueError(f"{name} lies in this project, which has not been trusted; `protea trust` does that")
    if len(data) > LARGEST or not around.vouches(os.path.join(around.root, name), data):
        raise ValueError(f"{name} is not as you trusted it; `protea trust` shows what is different")
    return data


def named(around: Surroundings, command: Sequence[str]) -> Iterator[str]:
    """The files of the project that the words of a command name, absolute."""
    for at, word in enumerate(command):
        parts = _parts(word)
        for before, part in zip(("", *parts), parts, strict=False):
            if before in _INTO:
                continue  # what it writes says nothing of what it does
            path = os.path.join(around.root, part)
            # A program without a slash is looked for elsewhere.
            if (at or "/" in part) and _inside(around, path) and os.path.isfile(path):
                yield path


def _parts(word: str) -> Sequence[str]:
    if not any(char.isspace() or char in "'\"" for char in word):
        return (word,)
    try:
        return (word, *shlex.split(word))
    except ValueError:
        return (word, *word.split())


def _inside(around: Surroundings, path: str) -> bool:
    root = around.root.rstrip("/") + "/"
    return os.path.normpath(path).startswith(root) and "\0" not in path
