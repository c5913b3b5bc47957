"""What is known of a file without reading it, and how a whole tree is looked through in a fraction of a second."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Container

import msgspec

from protea.adapters.checkpoint._ghosts import Ghosts

RACY = 20_000_000
"""Nanoseconds: a file changed so shortly before it was looked at may change again without its times telling."""


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file as `lstat` tells of it. Of directories only the mode: their times change with every file in them."""

    mode: int
    size: int = 0
    mtime: int = 0
    ctime: int = 0
    ino: int = 0
    link: bytes | None = None
    """Where a symbolic link leads."""
    uid: int = -1
    gid: int = -1
    """Of directories they are not told, as they were not in what older versions have kept."""
    names: int = 1
    """How many the file has."""

    @property
    def kind(self) -> str:
        return kind_of(self.mode)

    @property
    def permissions(self) -> int:
        return stat.S_IMODE(self.mode)


class Version(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file at one moment, and where its content is kept, if it is."""

    seen: Seen
    object: str | None = None


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What happened to one path; None is a file that is not there."""

    path: bytes
    before: Version | None
    after: Version | None


def kind_of(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"


def seen_of(found: os.stat_result, link: bytes | None = None) -> Seen:
    if stat.S_ISDIR(found.st_mode):
        return Seen(found.st_mode)
    return Seen(
        found.st_mode,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_ino,
        link,
        found.st_uid,
        found.st_gid,
        found.st_nlink,
    )


def see(path: bytes) -> Seen | None:
    """The file itself, links not followed; None where there is none or it cannot be told."""
    try:
        found = os.lstat(path)
        return seen_of(found, os.readlink(path) if stat.S_ISLNK(found.st_mode) else None)
    except OSError:
        return None


class Look(msgspec.Struct):
    """One walk through a tree."""

    files: dict[bytes, Seen]
    """Absolute path → what is there; the root itself is left out."""
    racy: set[bytes]
    closed: set[bytes]
    """Folders that could not be read: what lies in them is not known."""
    whole: bool = True
    """False where there were more files than anyone wants to look through, and it stopped."""
    seconds: float = 0.0


def look(root: bytes, outside: Container[bytes], most: int, ghosts: Ghosts) -> Look:
    """Everything beneath `root` but what is `outside`. Other file systems mounted in it are left out."""
    strange = ghosts.paths
    begin, recent = time.monotonic(), time.time_ns() - RACY
    files: dict[bytes, Seen] = {}
    racy: set[bytes] = set()
    found = Look(files, racy, set())
    try:
        device = os.lstat(root).st_dev
    except OSError:
        return found
    folders = [root]
    is_dir, is_link = stat.S_ISDIR, stat.S_ISLNK
    while folders:
        folder = folders.pop()
        try:
            entries = os.scandir(folder)
        except PermissionError:
            found.closed.add(folder)
            continue
        except OSError:
            continue  # gone meanwhile
        with entries:
            for entry in entries:
                path = entry.path
                try:
                    one = entry.stat(follow_symlinks=False)
                    mode = one.st_mode
                    if is_dir(mode):
                        if path in outside or one.st_dev != device or (path in strange and ghosts.hold(path)):
                            continue
                        files[path] = Seen(mode)
                        folders.append(path)
                        continue
                    if path in strange and ghosts.hold(path):
                        continue
                    link = os.readlink(path) if is_link(mode) else None
                except OSError:
                    continue
                files[path] = Seen(
                    mode,
                    one.st_size,
                    one.st_mtime_ns,
                    one.st_ctime_ns,
                    one.st_ino,
                    link,
                    one.st_uid,
                    one.st_gid,
                    one.st_nlink,
                )
                if one.st_ctime_ns > recent:
                    racy.add(path)
        if len(files) > most:
            found.whole = False
            break
    found.seconds = time.monotonic() - begin
    return found
