"""Contents of files, each in a file of its own, never changed once it is there.

Where the file system can share blocks between files (btrfs, XFS, bcachefs …) keeping one costs no space and no time;
elsewhere it is copied. Hard links would be as cheap everywhere, and wrong: what writes into a file in place would write
into what was kept, and a second name changes the person's own file (its link count, its ctime, git's index).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator

from protea.adapters.checkpoint._private import make_private
from protea.adapters.checkpoint._seen import Seen, seen_of

_CLONE = 0x40049409
"""FICLONE of linux/fs.h."""
_BLOCK = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Pool:
    """The contents in one folder. Names begin with what no other process has, so that none is ever written twice."""

    def __init__(self, folder: str, limit: int, largest: int) -> None:
        self._folder = folder
        self._limit = limit
        self.largest = largest
        """Bytes of a file that is copied; what can be shared may be larger."""
        self._prefix = os.urandom(5).hex()
        self._count = 0
        self._clones = True
        self._refused = False
        """Whether something was not kept because there was no room."""
        self._made: set[str] = set()
        self.used = _number(f"{folder}/used")
        """Bytes in the folder, about: told exactly when it was tidied, and reckoned on since."""

    @property
    def full(self) -> bool:
        """Whether it is time to tidy."""
        return self._refused or self.used >= 0.85 * self._limit

    @property
    def crowded(self) -> bool:
        """Whether the rest of the room is for what turns change."""
        return self.used >= 0.6 * self._limit

    def keep(self, path: bytes, expected: Seen) -> str | None:
        """Keep what a file holds, provided that it is `expected` before and after; the name it has from now on.

        None where it is not, cannot be read, is too large, or there is no room: never an error.
        """
        try:
            source = os.open(path, _READ)
        except OSError:
            return None
        try:
            if seen_of(os.fstat(source)) != expected:
                return None
            self._count += 1
            name = f"{self._count % 256:02x}/{self._prefix}{self._count:x}"
            if not self._take(source, expected.size, name):
                return None
            if seen_of(os.fstat(source)) != expected:
                self.drop(name)
                return None
            return name
        except OSError:
            return None
        finally:
            os.close(source)

    def promise(self, size: int) -> str | None:
        """A name under which somebody else may keep so much; None where there is no room."""
        if not self._fits(size):
            return None
        self._count += 1
        return f"{self._count % 256:02x}/{self._prefix}{self._count:x}"

    def promised(self, size: int) -> None:
        """That is kept now."""
        self.used += size

    def open(self, name: str) -> int:
        """A descriptor to read it by. Raises `OSError` where it is not kept any more."""
        return os.open(self.path(name), _READ)

    def read(self, name: str, most: int = -1) -> bytes:
        """What is kept, at most that many bytes of it. Raises `OSError`."""
        with os.fdopen(self.open(name), "rb") as file:
            return file.read(most)

    def same(self, name: str, path: bytes) -> bool:
        """Whether a file holds exactly this now."""
        try:
            kept = os.fdopen(self.open(name), "rb", buffering=0)
        except OSError:
            return False
        with kept:
            try:
                other = os.fdopen(os.open(path, _READ), "rb", buffering=0)
            except OSError:
                return False
            with other:
                try:
                    if os.fstat(kept.fileno()).st_size != os.fstat(other.fileno()).st_size:
                        return False
                    while True:
                        one, two = kept.read(_BLOCK), other.read(_BLOCK)
                        if one != two:
                            return False
                        if not one:
                            return True
                except OSError:
                    return False

    def drop(self, name: str) -> None:
        """Remove what nobody refers to."""
        with contextlib.suppress(OSError):
            size = os.lstat(self.path(name)).st_size
            os.unlink(self.path(name))
            self.used = max(0, self.used - size)

    def copy_to(self, name: str, target: int) -> None:
        """Write it into an open file, sharing blocks where that is possible. Raises `OSError`."""
        source = self.open(name)
        try:
            copy(source, target, os.fstat(source).st_size)
            give_attributes(source, target)
        finally:
            os.close(source)

    def path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def names(self) -> Iterator[tuple[str, int]]:
        """All there is, with sizes."""
        for part in range(256):
            with contextlib.suppress(OSError), os.scandir(f"{self._folder}/{part:02x}") as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        yield f"{part:02x}/{entry.name}", entry.stat(follow_symlinks=False).st_size

    def tidied(self, used: int) -> None:
        """This is what there is now."""
        self.used, self._refused = used, False
        self.save_size()

    def save_size(self) -> None:
        """Let the next process know how much there is. A figure that is lost is found again by tidying."""
        with contextlib.suppress(OSError):
            make_private(self._folder)
            fd = os.open(f"{self._folder}/used.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            try:
                os.write(fd, b"%d\n" % self.used)
            finally:
                os.close(fd)
            os.replace(f"{self._folder}/used.new", f"{self._folder}/used")

    def _fits(self, size: int) -> bool:
        self._refused = self._refused or self.used + size > self._limit
        return size <= self.largest and self.used + size <= self._limit

    def _create(self, name: str) -> int:
        part = name[:2]
        if part not in self._made:
            make_private(f"{self._folder}/{part}")
            self._made.add(part)
        return os.open(self.path(name), _NEW, 0o600)

    def _take(self, source: int, size: int, name: str) -> bool:
        if not self._clones and not self._fits(size):
            return False
        target = self._create(name)
        try:
            if self._clones and size:
                try:
                    fcntl.ioctl(target, _CLONE, source)
                    keep_attributes(source, target)
                    return True
                except OSError:
                    self._clones = False  # another file system, or one that cannot: not tried again
            if not self._fits(size):
                os.unlink(self.path(name))
                return False
            copy(source, target, size)
            keep_attributes(source, target)
            self.used += size
            return True
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(self.path(name))
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self._limit = self.used  # nothing more is kept by this process
            return False
        finally:
            os.close(target)


_KEPT = b"user.protea."
"""What a file of the store has in front of the name of an attribute that the file it was made of had."""


def keep_attributes(source: int, target: int) -> None:
    """Extended attributes and access lists, as far as the file system of the store takes them. They do not hold there:
    what nobody but this person may enter needs none."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            with contextlib.suppress(OSError):
                os.setxattr(target, _KEPT + os.fsencode(name), os.getxattr(source, name))


def give_attributes(kept: int, target: int) -> None:
    """The same ones again, as far as this person may."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in map(os.fsencode, os.listxattr(kept)):
            if name.startswith(_KEPT):
                with contextlib.suppress(OSError):
                    os.setxattr(target, name[len(_KEPT) :], os.getxattr(kept, name))


def keep_over(name: bytes, folder: int, target: int) -> None:
    """Give a file that takes the place of another one what attributes that one has. Raises `OSError`."""
    source = os.open(name, _READ, dir_fd=folder)
    try:
        for each in os.listxattr(source) if hasattr(os, "listxattr") else ():
            if each == "security.capability":
                continue  # it is said of what the file holds now
            with contextlib.suppress(OSError):
                os.setxattr(target, each, os.getxattr(source, each))
    finally:
        os.close(source)


def copy(source: int, target: int, size: int) -> None:
    """Everything from one open file into another, from where both stand. Raises `OSError`."""
    left = size
    while left > 0 and hasattr(os, "copy_file_range"):
        try:
            moved = os.copy_file_range(source, target, left)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
                raise
            break
        if not moved:
            return
        left -= moved
    while block := os.read(source, _BLOCK):
        view = memoryview(block)
        while view:
            view = view[os.write(target, view) :]


def _number(path: str) -> int:
    try:
        with open(path, "rb") as file:
            text = file.read(32).strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
