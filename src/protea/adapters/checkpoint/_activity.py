"""Who else works in the same trees at the same time: a turn is to be told by what it did, and not by what they did.

Every session that uses the store writes down when its commands begin and end, and what its tools and its undoing wrote.
What changed while a command of another session ran and none of this one's is theirs; while both ran nobody can tell,
and then it is left to neither. The file is a row of frames (`_frames`), and goes when nobody uses the store.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Literal

import msgspec

from protea.adapters.checkpoint._frames import framed, pieces
from protea.adapters.checkpoint._private import make_private
from protea.adapters.checkpoint._seen import Seen, see

Whose = Literal["ours", "theirs", "unclear"]


class Doing(msgspec.Struct, array_like=True, frozen=True):
    """One line."""

    who: str
    """The session."""
    pid: int
    at: int
    what: Literal["began", "ended", "wrote"]
    path: bytes = b""
    seen: Seen | None = None


Span = tuple[int, int]


class Others(msgspec.Struct):
    """What the others did since the trees were last looked at."""

    commands: list[Span]
    wrote: dict[bytes, list[Seen | None]]

    def whose(self, path: bytes, seen: Seen | None, own: list[Span]) -> Whose:
        """Whose change it is that made a file what it is now, `own` being the times of this session's commands."""
        if path in self.wrote and seen in self.wrote[path]:
            return "theirs"
        if not self.commands:
            return "ours"
        if seen is None:
            return "unclear"  # nothing tells when it went
        when = seen.ctime if seen.kind != "directory" else _changed(path)
        theirs, mine = (any(begin <= when <= end for begin, end in spans) for spans in (self.commands, own))
        if not theirs:
            return "ours"
        return "unclear" if mine else "theirs"


class Activity:
    """The file, as one session uses it. Nothing here raises: without it changes of others may count as this one's."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = f"{folder}/activity"
        self.who = ""
        self._running = 0
        self._size = 0
        """Of the file, when this session wrote last."""

    def began(self) -> int:
        """A command of this session begins: no file that it changes will have an earlier time than this."""
        self._running += 1
        moment = _coarse()
        if self._running == 1:
            with contextlib.suppress(OSError):
                if os.stat(self._path).st_size != self._size:
                    # Files are told a time that may lie some milliseconds back: not so far as another's command.
                    entered = time.time_ns()
                    while (moment := _coarse()) <= entered:
                        os.sched_yield()  # some milliseconds at most
            self._write("began")
        return moment

    def ended(self) -> None:
        self._running = max(0, self._running - 1)
        if not self._running:
            self._write("ended")

    def wrote(self, path: bytes) -> None:
        """A tool or an undo of this session has written or removed a file."""
        self._write("wrote", path, see(path))

    def others(self, since: int) -> Others:
        """What happened after that moment."""
        now = time.time_ns()
        running: dict[tuple[str, int], int] = {}
        found = Others([], {})
        for each in self._read():
            key = (each.who, each.pid)
            if each.who == self.who:
                continue
            if each.what == "began":
                running[key] = each.at
            elif each.what == "ended":
                begin = running.pop(key, each.at)
                if each.at >= since:
                    found.commands.append((begin, each.at))
            elif each.at >= since:
                found.wrote.setdefault(each.path, []).append(each.seen)
        for (_, pid), begin in running.items():
            # One whose process is gone ended, nobody knows when; not in this turn, if it began before.
            if begin >= since or _alive(pid):
                found.commands.append((begin, now))
        return found

    def clear(self) -> None:
        """Nobody uses the store but this process, which has ended what it did."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _write(self, what: Literal["began", "ended", "wrote"], path: bytes = b"", seen: Seen | None = None) -> None:
        moment = _coarse() if what == "began" else time.time_ns()
        data = framed(Doing(self.who, os.getpid(), moment, what, path, seen))
        with contextlib.suppress(OSError):
            make_private(self._folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(self._path, flags, 0o600)
            try:
                os.write(fd, data)
                self._size = os.fstat(fd).st_size
            finally:
                os.close(fd)

    def _read(self) -> Iterator[Doing]:
        for piece in pieces(self._path):
            with contextlib.suppress(msgspec.DecodeError, ValueError):
                yield msgspec.msgpack.decode(piece, type=Doing)


def _changed(path: bytes) -> int:
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return 0


def _coarse() -> int:
    """The time the kernel would give a file now."""
    clock = getattr(time, "CLOCK_REALTIME_COARSE", None)
    return time.time_ns() - 10_000_000 if clock is None else time.clock_gettime_ns(clock)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
