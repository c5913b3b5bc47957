"""The audit log in Protea's home: JSON lines only their owner reads, chained by hashes across files and processes.

`audit/audit.jsonl` is written to; when it has grown it becomes `audit-000001.jsonl` and so on, and the chain goes on in
a new one. Processes take turns by `flock`.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator

import msgspec

from protea.domain.audit import BEGINNING, AuditRecord, chained, read
from protea.domain.errors import StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.audit import Audit

NAME = "audit.jsonl"
_OLDER = re.compile(r"audit-(\d{6})\.jsonl\Z")
_TAIL = 1 << 20
"""Bytes at a file's end in which its last record is looked for; records are far shorter."""
_NEAR = 1 << 12
"""Bytes that are looked at first: where several sessions write in turn, each looks before each of its records."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rotate: int = 16 << 20
    """Bytes after which a new file is begun. Older ones are kept until you remove them."""


def create(options: Options, *, surroundings: Surroundings) -> Audit:
    """Opens nothing until the first record."""
    return FileAudit(os.path.join(surroundings.protea_home, "audit"), options.rotate)


class FileAudit:
    """`Audit` over files."""

    def __init__(self, folder: str, rotate: int) -> None:
        self._folder = folder
        self._rotate = rotate
        self._lock: int | None = None
        self._fd: int | None = None
        self._size = -1
        """Of the file after our last record: where it is another now, others have written."""
        self._inode = 0
        self._seq = 0
        self._hash = BEGINNING

    def record(self, record: AuditRecord) -> None:
        try:
            if self._lock is None:
                os.makedirs(self._folder, 0o700, exist_ok=True)
                self._lock = os.open(
                    f"{self._folder}/lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
                )
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                self._append(record)
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        except OSError as error:
            raise StoreError(f"the audit log in {self._folder} cannot be written: {error.strerror or error}") from error

    def _append(self, record: AuditRecord) -> None:
        fd = self._current()
        line, digest = chained(record, self._seq + 1, self._hash)
        written = os.write(fd, line)
        if written != len(line):
            os.ftruncate(fd, max(0, self._size))
            raise OSError(28, "no space left on device")
        self._size += written
        self._seq, self._hash = self._seq + 1, digest

    def _current(self) -> int:
        """The file to write to, with what is known of its end brought up to date."""
        path = f"{self._folder}/{NAME}"
        if self._fd is not None:
            there = _identity(path)
            if there != (self._inode, self._size) and not self._caught_up(self._fd, there):
                os.close(self._fd)
                self._fd = None
        if self._fd is None:
            self._open(path)
        if self._size >= self._rotate and self._fd is not None:
            os.close(self._fd)
            self._fd = None
            os.rename(path, f"{self._folder}/audit-{_next(self._folder):06}.jsonl")
            self._open(path)
        assert self._fd is not None
        return self._fd

    def _open(self, path: str) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = fd = os.open(path, flags, 0o600)
        found = os.fstat(fd)
        self._inode, self._size = found.st_ino, found.st_size
        last = self._near(fd)
        if last is not None:
            self._seq, self._hash = last.seq, last.hash
            return
        start = max(0, self._size - _TAIL)
        tail = os.pread(fd, _TAIL, start)
        if tail and not tail.endswith(b"\n"):  # torn by a loss of power: it was never acknowledged
            self._size = start + tail.rfind(b"\n") + 1
            os.ftruncate(fd, self._size)
            tail = tail[: tail.rfind(b"\n") + 1]
        last = next((record for line in reversed(tail.splitlines()) if (record := read(line)) is not None), None)
        if last is None and self._size == 0:
            last = self._last_of_older()
        self._seq, self._hash = (last.seq, last.hash) if last is not None else (0, BEGINNING)

    def _caught_up(self, fd: int, there: tuple[int, int] | None) -> bool:
        """Whether others have only written on, and their last record is known now."""
        if there is None or there[0] != self._inode or there[1] < self._size:
            return False
        before, self._size = self._size, there[1]
        last = self._near(fd)
        if last is None:
            self._size = before
            return False
        self._seq, self._hash = last.seq, last.hash
        return True

    def _near(self, fd: int) -> AuditRecord | None:
        """The last record, where it is whole, readable and short, as nearly all are."""
        tail = os.pread(fd, _NEAR, max(0, self._size - _NEAR))
        return read(tail[tail.rfind(b"\n", 0, -1) + 1 :]) if tail.endswith(b"\n") else None

    def _last_of_older(self) -> AuditRecord | None:
        for path in reversed(older(self._folder)):
            with open(path, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                for line in reversed(file.read().splitlines()):
                    record = read(line)
                    if record is not None:
                        return record
        return None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return found.st_ino, found.st_size


def older(folder: str) -> list[str]:
    """Files that are full, the oldest first."""
    try:
        names = sorted(name for name in os.listdir(folder) if _OLDER.match(name))
    except OSError:
        return []
    return [f"{folder}/{name}" for name in names]


def _next(folder: str) -> int:
    paths = older(folder)
    found = _OLDER.search(paths[-1]) if paths else None
    return int(found[1]) + 1 if found is not None else 1


def files(folder: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Every file, the oldest first, with its lines. Raises `StoreError` where one cannot be read."""
    current = f"{folder}/{NAME}"
    for path in (*older(folder), *([current] if os.path.exists(current) else [])):
        yield path, _lines(path)


def _lines(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield from file
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error
