"""A tree as it was last seen, with the contents that are kept of it: what a command's changes are told by.

Kept between turns and between processes, so that only what changed since is read again. It is a cache of what lies on
the disk: one that is lost or damaged costs another look and nothing else.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from protea.adapters.checkpoint._ghosts import ghosts
from protea.adapters.checkpoint._pool import Pool
from protea.adapters.checkpoint._private import make_private
from protea.adapters.checkpoint._seen import Look, Seen, Version, look
from protea.domain.pattern import regex

SLOTS = 8
"""Processes that may know the same tree at the same time; the ones after them begin with nothing."""
_VERSION = 2
_LATER = regex(rb"/(?:node_modules|\.venv|venv|target|dist|build|__pycache__|\.git|\.cache|vendor|\.tox)/")
"""Folders whose contents come from elsewhere: they are copied after everything else."""
_WORD = regex(rb"[^\s'\"`=;|&<>(){}$\\,:]+")
_SCRIPT = 1 << 16
"""Bytes of a script whose words are looked at."""


class Saved(msgspec.Struct, array_like=True):
    version: int
    root: bytes
    stamp: str
    files: dict[bytes, Seen]
    objects: dict[bytes, str]
    closed: list[bytes] = []


Told = Callable[[bytes, Version | None, Version | None], None]
"""(path, before, after) of something that changed."""


class KnownTree:
    """One root. Used by one thread."""

    def __init__(self, root: bytes, folder: str, pool: Pool, outside: frozenset[bytes], most: int) -> None:
        self.root = root
        self._pool = pool
        self._outside = outside
        self._most = most
        self._protea_home = os.path.dirname(os.path.dirname(folder))
        self._home = f"{folder}/{hashlib.blake2b(root, digest_size=12).hexdigest()}"
        self.slot = ""
        self._lock: int | None = None
        self.files: dict[bytes, Seen] = {}
        self.touched: dict[bytes, Version] = {}
        """Files that the last look found written anew with what they held before."""
        self.objects: dict[bytes, str] = {}
        self._closed: set[bytes] = set()
        """Folders that could not be read at the last look."""
        self.unknown: set[bytes] = set()
        """Folders that came to light since somebody last asked: what happened to what lies in them is not known."""
        self._racy: set[bytes] = set()
        self.stamp = ""
        """Changed with every turn: who finds another one knows that others were here meanwhile."""
        self.whole = True
        self.seconds = 0.0
        """How long the last look took."""
        self._unsaved = True
        self.urgent = 0
        """How many of those still to be kept are named by the command that is about to run."""
        self._queue: list[bytes] = []
        """What is still to be kept, the most urgent last."""

    # ── between processes ───────────────────────────────────────────────────────────────────────────────────────────

    def open(self, slot: str = "") -> None:
        """Take a place that no other process has (the named one, if it is free) and read what it knows."""
        names = [os.path.basename(slot)] if slot else [str(number) for number in range(SLOTS)]
        make_private(self._home)
        for name in names:
            path = f"{self._home}/{name}"
            make_private(path)
            fd = os.open(f"{path}/lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(fd)
                continue
            self._lock, self.slot = fd, path
            self._load()
            return

    def close(self) -> None:
        if self._lock is not None:
            self.save()
            os.close(self._lock)
            self._lock = None

    def _load(self) -> None:
        try:
            with open(f"{self.slot}/known", "rb") as file:
                saved = msgspec.msgpack.decode(file.read(), type=Saved)
        except (OSError, msgspec.DecodeError, ValueError):
            return
        if saved.version == _VERSION and saved.root == self.root:
            self.files, self.objects, self.stamp = saved.files, saved.objects, saved.stamp
            self._closed = set(saved.closed)
            self._unsaved = False

    def save(self) -> None:
        """Write down what is known. Where that fails the next process knows what the last one knew."""
        if self._lock is None or not self._unsaved:
            return
        saved = Saved(_VERSION, self.root, self.stamp, self.files, self.objects, sorted(self._closed))
        data = msgspec.msgpack.encode(saved)
        with contextlib.suppress(OSError):
            fd = os.open(f"{self.slot}/known.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(data)
            os.replace(f"{self.slot}/known.new", f"{self.slot}/known")
            self._unsaved = False

    def mark(self) -> None:
        """A turn begins here."""
        self.stamp = os.urandom(8).hex()
        self._unsaved = True

    def keep_only(self, names: set[str]) -> None:
        """Of the contents only these are there any more."""
        self.objects = {path: name for path, name in self.objects.items() if name in names}
        self._unsaved = True

    # ── what changed ────────────────────────────────────────────────────────────────────────────────────────────────

    def holds(self, path: bytes) -> bool:
        return path.startswith(self.root.rstrip(b"/") + b"/")

    def refresh(self, told: Told | None) -> Look:
        """Look again; `told` hears of each change. What changed is to be kept anew."""
        found = look(self.root, self._outside, self._most, ghosts(self._protea_home))
        self.seconds, self.whole = found.seconds, found.whole
        if not found.whole:
            self.files, self.objects, self._queue = {}, {}, []
            return found
        self.touched = {}
        known, now = self.files, found.files
        changed = [path for path, seen in now.items() if known.get(path) != seen]
        for path in self._racy:
            if path in now and known.get(path) == now[path] and not self._unchanged(path, now[path]):
                changed.append(path)
        gone = [path for path in known if path not in now] if len(now) - len(changed) < len(known) else []
        # What lies in a folder that cannot be read is not gone, and what comes to light in one that could not be is
        # not new: nobody knows what it was.
        if found.closed:
            gone = [path for path in gone if not _beneath(path, found.closed)]
        self._racy, before_closed, self._closed = found.racy, self._closed, found.closed
        for path in changed:
            hidden = bool(before_closed) and path not in known and _beneath(path, before_closed)
            if hidden:
                self.unknown.add(os.path.dirname(path))
            self._take_in(path, now[path], None if hidden else told)
        for path in gone:
            before = self.version(path)
            del known[path]
            self.objects.pop(path, None)
            self._unsaved = True
            if told is not None:
                told(path, before, None)
        return found

    def _unchanged(self, path: bytes, seen: Seen) -> bool:
        name = self.objects.get(path)
        return seen.kind != "file" or (name is not None and self._pool.same(name, path))

    def _take_in(self, path: bytes, seen: Seen, told: Told | None) -> None:
        before = self.version(path)
        self.files[path] = seen
        self._unsaved = True
        if before is not None and self._only_touched(path, before, seen):
            self.touched[path] = Version(seen, before.object)
            return
        self.objects.pop(path, None)
        if seen.kind == "file":
            self._queue.append(path)
        if told is not None:
            told(path, before, Version(seen))

    def _only_touched(self, path: bytes, before: Version, seen: Seen) -> bool:
        old = before.seen
        if old.mode != seen.mode or old.size != seen.size or old.link != seen.link:
            return False
        if seen.kind != "file":
            return True
        if before.object is not None:
            return self._pool.same(before.object, path)
        return (old.mtime, old.ino) == (seen.mtime, seen.ino)

    def version(self, path: bytes) -> Version | None:
        seen = self.files.get(path)
        return None if seen is None else Version(seen, self.objects.get(path))

    def put(self, path: bytes, version: Version | None) -> None:
        """A tool wrote this file, and what it is now is known."""
        self._unsaved = True
        self.objects.pop(path, None)
        if version is None:
            self.files.pop(path, None)
            return
        self.files[path] = version.seen
        if version.object is not None:
            self.objects[path] = version.object
        elif version.seen.kind == "file":
            self._queue.append(path)

    # ── contents ────────────────────────────────────────────────────────────────────────────────────────────────────

    def plan(self, words: Sequence[str], cwd: str) -> None:
        """Put what is to be kept in order: what the command names, then small files, then what comes from elsewhere."""
        if not self._queue:  # what another process had no time for, and what could not be kept before
            self._queue = [path for path, seen in self.files.items() if path not in self.objects and _holds(seen)]
        if not self._queue:
            return
        waiting_set = set(self._queue)
        named = set(self._named(words, os.fsencode(cwd), waiting_set))
        self.urgent = len(named)
        files = self.files

        def urgency(path: bytes) -> tuple[bool, bool, int]:
            seen = files.get(path)
            return path not in named, _LATER.search(path) is not None, seen.size if seen else 0

        self._queue = sorted(waiting_set, key=urgency, reverse=True)

    def _named(self, words: Sequence[str], cwd: bytes, waiting: set[bytes]) -> Iterator[bytes]:
        spoken = [word for text in words for word in _WORD.findall(os.fsencode(text))]
        for path in self._resolve(spoken, cwd, waiting):
            yield path
            seen = self.files.get(path)
            if seen is not None and seen.kind == "file" and seen.size <= _SCRIPT:
                with contextlib.suppress(OSError), open(path, "rb") as file:
                    yield from self._resolve(_WORD.findall(file.read(_SCRIPT)), cwd, waiting)

    def _resolve(self, words: Iterable[bytes], cwd: bytes, waiting: set[bytes]) -> list[bytes]:
        found: list[bytes] = []
        for word in dict.fromkeys(words):
            path = os.path.normpath(os.path.join(cwd, word))
            if path in waiting:
                found.append(path)
            elif path != self.root and path in self.files:
                beneath = path + b"/"
                found += [each for each in waiting if each.startswith(beneath)][:5000]
        return found

    def waiting(self) -> Iterator[tuple[bytes, Seen]]:
        """What is not kept yet, the most urgent first."""
        for path in reversed(self._queue):
            seen = self.files.get(path)
            if seen is not None and path not in self.objects and _holds(seen):
                yield path, seen

    def learn(self, path: bytes, seen: Seen, name: str) -> bool:
        """Somebody else has kept what this file held; whether that is of use."""
        if self.files.get(path) != seen or path in self.objects:
            return False
        self.objects[path] = name
        self._unsaved = True
        return True

    def fill_urgent(self, until: float) -> None:
        """Keep first what the next command names."""
        rest = self._queue[: -self.urgent] if self.urgent else self._queue
        if self.urgent:
            self._queue = self._queue[-self.urgent :]
            self.fill(until)
            self._queue = [*rest, *self._queue]
        self.urgent = 0

    def fill(self, until: float) -> bool:
        """Keep contents until a moment of the monotonic clock; whether there is more to do."""
        while self._queue:
            if time.monotonic() >= until:
                return True
            if self._pool.crowded:
                return False
            path = self._queue.pop()
            seen = self.files.get(path)
            if seen is None or path in self.objects or not _holds(seen):
                continue
            name = self._pool.keep(path, seen)
            if name is not None:
                self.objects[path] = name
                self._unsaved = True
        return False


def _beneath(path: bytes, folders: set[bytes]) -> bool:
    above = os.path.dirname(path)
    while len(above) > 1:
        if above in folders:
            return True
        above = os.path.dirname(above)
    return False


def _holds(seen: Seen) -> bool:
    return stat.S_ISREG(seen.mode) and seen.size > 0
