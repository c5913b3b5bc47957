"""Grep without `rg`: the walk, the reading and the matching, here or in a process of its own.

Python's engine backtracks: some patterns keep it busy for hours on an unlucky line, and nothing can stop it, nor can
anything else in the process run meanwhile. So a pattern that repeats anything is matched in a worker that can be ended:

    python -I -c "…; from protea.adapters.tools import _by_hand; _by_hand.main(sys.argv[1])" TASK
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import msgspec

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._program import run
from protea.adapters.tools._search import (
    BYTES,
    SECONDS,
    Filter,
    Hits,
    Pattern,
    filter_for,
    in_thread,
    look,
    pattern_for,
)
from protea.adapters.walking.disk import Stop, files_below, read_file

SMALL_FILES = 300
SMALL_BYTES = 1 << 20
"""Up to which looking here, in a few milliseconds, is quicker than to start `rg`."""
SMALL_FILE = 1 << 14
"""Bytes of a file that a pattern with one repetition may be tried on here: the square of it is bearable."""


class Task(msgspec.Struct, frozen=True):
    """What to look for, and where: a directory, or one file."""

    top: str
    is_file: bool
    pattern: str
    ignore_case: bool
    multiline: bool
    context: int
    most: int
    glob: str | None
    unread: tuple[str, ...]

    def compiled(self) -> Pattern:
        """Raises `ValueError`."""
        return pattern_for(self.pattern, ignore_case=self.ignore_case, multiline=self.multiline)

    def filter(self) -> Filter:
        """Raises `ValueError`."""
        return Filter(None, (), None) if self.is_file else filter_for(self.unread, self.glob)


def small(task: Task) -> list[Hits] | None:
    """The answer where it is quicker to look than to start a process; None where there is more to look at, or what
    takes a process that can be ended."""
    try:
        pattern = task.compiled()
    except ValueError:
        return None
    if pattern.repeats > 1 or task.is_file:
        return None
    wanted = task.filter()
    found: list[Hits] = []
    files, size = 0, 0
    for fd, folder, names in files_below(task.top, Stop()):
        files += len(names)
        if files > SMALL_FILES:
            return None
        for name in names:
            data = read_file(name, fd, SMALL_BYTES) if wanted.wants(folder + name) else None
            if not data:
                continue
            size += len(data)
            if size > SMALL_BYTES or (pattern.repeats and len(data) > SMALL_FILE):
                return None
            hits = look(data, pattern, folder + name, task.context, task.most)
            found += [hits] if hits else []
    return found


async def search(kit: Kit, task: Task) -> list[Hits] | str:
    """All hits on disk, or why there is no answer. Raises `ValueError` for a wrong pattern."""
    pattern = task.compiled()
    python = kit.which(sys.executable) if pattern.repeats and sys.executable else None
    if python is None:
        return await in_thread(lambda stop: _search(task, pattern, stop))
    argv = (python, "-I", "-c", _worker(), msgspec.json.encode(task).decode())
    done = await run(kit, argv, cwd="/", seconds=SECONDS, limit=BYTES)
    if done.late:
        return "The search took too long and was ended. Narrow it by path or glob, or make the pattern simpler."
    if done.code != 0:
        why = done.errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return f"The search failed: {why or 'its process ended'}."
    return msgspec.json.decode(done.output, type=list[Hits])


def _worker() -> str:
    package = __file__.removesuffix("/protea/adapters/tools/_by_hand.py")
    path = f"import sys; sys.path.insert(0, {package!r})"
    return f"{path}; from protea.adapters.tools import _by_hand; _by_hand.main(sys.argv[1])"


def main(argument: str) -> None:
    """In the worker: write the hits to standard output."""
    task = msgspec.json.decode(argument, type=Task)
    found = _search(task, task.compiled(), Stop())
    # Lone surrogates (names that are no UTF-8) have no place in JSON: escaped, as they would be shown.
    view = memoryview(msgspec.json.encode([_sendable(hits) for hits in found]))
    while view:
        view = view[os.write(1, view) :]


def _sendable(hits: Hits) -> Hits:
    rows = [(number, hit, _escaped(text)) for number, hit, text in hits.rows]
    return Hits(_escaped(hits.path), hits.count, rows)


def _escaped(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode().replace("\\udc", "\\x")


def _search(task: Task, pattern: Pattern, stop: Stop) -> list[Hits]:
    if task.is_file:
        data = read_file(task.top)
        hits = look(data, pattern, task.top.rpartition("/")[2], task.context, task.most) if data else None
        return [hits] if hits else []
    wanted = task.filter()
    found: list[Hits] = []
    for fd, folder, names in files_below(task.top, stop):
        found += _in_folder(fd, folder, names, task, pattern, wanted)
    return found


def _in_folder(fd: int, folder: str, names: Sequence[str], task: Task, pattern: Pattern, wanted: Filter) -> list[Hits]:
    found = []
    for name in names:
        path = folder + name
        if wanted.wants(path) and (data := read_file(name, fd)):
            hits = look(data, pattern, path, task.context, task.most)
            if hits:
                found.append(hits)
    return found
