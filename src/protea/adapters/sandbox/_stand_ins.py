"""Names that do not exist yet and must not come to be: something stands in for them while commands run.

A mount needs something to be mounted on. Where `.mcp.json` must not be written and there is none, an empty folder of
that name is put there (git does not see empty folders), mounted over read-only, and removed when the last command
behind these walls has ended. Who removes it is the command's supervisor (`_warden.tidy`), which outlives a Protea that
is killed; if that is killed too, the next command or the next start does it.

What was put down is written into a record first: one file per workspace folder, beneath Protea's own home, where no
command reaches it. Whoever uses the stand-ins holds a shared lock on it, whoever removes them an exclusive one:
removing one that is mounted elsewhere would take that mount away.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterable
from typing import Literal

from protea.adapters.sandbox._warden import tidy

Kind = Literal["folder", "file", "dot"]
"""`dot`: a file that holds a dot and a newline, which is what git's `commondir` says where it says nothing new."""


class Record:
    """The stand-ins of one workspace folder, under a shared lock. `fd` is the caller's to close.

    Raises `BlockingIOError` while a supervisor is removing them; that takes it milliseconds.
    """

    def __init__(self, folder: str, root: str) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:24]
        self.fd = os.open(
            f"{folder}/{name}", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(self.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BaseException:
            os.close(self.fd)
            raise
        size = os.fstat(self.fd).st_size
        self.names = {os.fsdecode(each) for each in os.pread(self.fd, size, 0).split(b"\0") if each}

    def put(self, wanted: Iterable[tuple[str, Kind]]) -> list[str]:
        """Make the stand-ins that are missing. Returns the paths where nothing could be put (a folder that may not be
        written in: then nobody else can put anything there either)."""
        failed = []
        for path, kind in wanted:
            if path not in self.names:
                os.write(self.fd, os.fsencode(path) + b"\0")
                self.names.add(path)
            try:
                _make(path, kind)
            except FileExistsError:
                continue
            except OSError:
                failed.append(path)
        return failed


def _make(path: str, kind: Kind) -> None:
    if kind == "folder":
        os.mkdir(path, 0o755)
        return
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        if kind == "dot":
            os.write(fd, b".\n")
    finally:
        os.close(fd)


def sweep(folder: str) -> None:
    """Remove what crashes left behind, wherever no command runs."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                fd = os.open(f"{folder}/{name}", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    tidy(fd)
                finally:
                    os.close(fd)
