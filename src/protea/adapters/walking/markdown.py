"""Markdown files in which people write down agents and commands: found, and read as they were looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from protea.domain.surroundings import Surroundings

LARGEST = 1 << 20
"""Bytes of a file; a longer one is not read."""


class Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def written(
    folders: Sequence[str], around: Surroundings, read: Callable[[str, str, str], T | str], most: int
) -> tuple[list[T], tuple[str, ...]]:
    """What `read` makes of the files, sorted by name, of which the first counts; and what is wrong with the others.

    `read` is given a folder, the path of a file in it and its text, and gives back a value or what is wrong. Of each
    folder `most` files are read.
    """
    found: dict[str, T] = {}
    problems: list[str] = []
    for folder in folders:
        paths = [*islice(_markdown(folder), most + 1)]
        if len(paths) > most:
            problems.append(f"{folder}: there are more than {most} files in it, and only these are read")
        for path in paths[:most]:
            data = _bytes_of(path)
            # What is used is what was looked at: these very bytes.
            if data is not None and not around.vouches(path, data):
                problems.append(f"{path}: it is not as you trusted it; `protea trust` shows what is different")
                continue
            text = data.decode("utf-8", "replace") if data is not None else None
            made = read(folder, path, text) if text is not None else f"{path}: it cannot be read"
            if isinstance(made, str):
                problems.append(made)
            else:
                found.setdefault(made.name, made)
    return sorted(found.values(), key=lambda each: each.name), tuple(problems)


def _markdown(folder: str) -> Iterator[str]:
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.join(above, name)


def _bytes_of(path: str) -> bytes | None:
    try:
        # O_NONBLOCK: a FIFO is opened at once, and then refused.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = file.read(LARGEST + 1)
    return data if len(data) <= LARGEST else None
