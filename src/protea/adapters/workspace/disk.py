"""Files on this machine's disk, opened component by component so that no link swapped in meanwhile leads away.

Every opening resolves the path first, checks where it leads, and then walks from a root (or from `/`) with
`O_NOFOLLOW` on each component: if anything on the way turned into a link between the check and the walk, it fails.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

import msgspec

from protea.domain.surroundings import Surroundings
from protea.ports.workspace import Entry, Kind, Trouble, Workspace, WorkspaceError

T = TypeVar("T")

SLOW = 1 << 20
"""Bytes from which reading and writing are done in a thread."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe nobody writes to must not wait; what is no regular file is refused right after.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

TROUBLES: dict[int, tuple[Trouble, str]] = {
    errno.ENOENT: ("missing", "does not exist"),
    errno.EISDIR: ("directory", "is a directory"),
    errno.ENOTDIR: ("not_directory", "goes through a file as if it were a directory"),
    errno.EACCES: ("denied", "cannot be used: permission denied"),
    errno.EPERM: ("denied", "cannot be used: not permitted"),
    errno.EROFS: ("read_only", "is on a read-only file system"),
    errno.ENOSPC: ("full", "cannot be written: the disk is full"),
    errno.EDQUOT: ("full", "cannot be written: the quota is used up"),
    errno.ELOOP: ("outside", "became a link while it was being opened, or is a loop of links"),
    errno.ENAMETOOLONG: ("other", "has too long a name"),
    errno.EEXIST: ("exists", "exists already"),
    errno.ENXIO: ("special", "is a pipe, socket or device, not a file"),
}


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to choose."""


def create(options: Options, *, surroundings: Surroundings) -> Workspace:
    """The project's root, the directory the session began in, and the added directories."""
    wanted = (surroundings.root, surroundings.cwd, *surroundings.add_dirs)
    return DiskWorkspace(tuple(dict.fromkeys(wanted)))


class DiskWorkspace:
    """`Workspace` over the operating system."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = tuple(roots)

    @property
    def roots(self) -> Sequence[str]:
        return self._roots

    @property
    def on_disk(self) -> bool:
        return True

    async def stat(self, path: str) -> Entry:
        with _translated(path):
            real = self._real(path)
            return _entry(real, os.stat(real, follow_symlinks=False))

    async def list(self, path: str) -> Sequence[Entry]:
        return await asyncio.to_thread(self._list, path) if _looks_slow(path) else self._list(path)

    def _list(self, path: str) -> Sequence[Entry]:
        with _translated(path):
            real = self._real(path)
            if not stat.S_ISDIR(os.stat(real, follow_symlinks=False).st_mode):
                raise WorkspaceError("not_directory", f"{path} is not a directory.")
            with self._directory(real) as fd:
                entries = []
                for item in os.scandir(fd):
                    with suppress(FileNotFoundError):
                        entries.append(_entry(f"{real.rstrip('/')}/{item.name}", item.stat(follow_symlinks=False)))
            return sorted(entries, key=lambda entry: entry.path)

    async def read(self, path: str, *, start: int = 0, size: int | None = None) -> bytes:
        with _translated(path):
            real = self._real(path)
            with self._parent(real) as (folder, name):
                fd = os.open(name, _FILE, dir_fd=folder)
            try:
                found = os.fstat(fd)
                _refuse_special(path, found.st_mode)
                wanted = max(0, found.st_size - start) if size is None else size
                if min(wanted, found.st_size) < SLOW:
                    return _read(fd, start, size)
                return await _in_thread(lambda: _read(fd, start, size))
            finally:
                os.close(fd)

    async def write(self, path: str, data: bytes, *, expect: Entry | None = None) -> Entry:
        def work() -> Entry:
            with _translated(path):
                return self._write(path, data, expect)

        return work() if len(data) < SLOW else await _in_thread(work)

    def _write(self, path: str, data: bytes, expect: Entry | None) -> Entry:
        real = self._real(path, missing=True)
        with self._parent(real, make=True) as (folder, name):
            before = _lstat(name, folder)
            if before is not None:
                if stat.S_ISLNK(before.st_mode):
                    raise WorkspaceError("outside", f"{path} became a link while it was being written.")
                _refuse_special(path, before.st_mode)
                if not before.st_mode & 0o222:
                    raise WorkspaceError(
                        "read_only",
                        f"{path} is read-only (mode {stat.S_IMODE(before.st_mode):04o}); change its mode first.",
                    )
            if expect is not None and (before is None or _entry(real, before) != expect):
                raise WorkspaceError("changed", f"{path} was changed by someone else meanwhile; read it again.")
            try:
                _replace(folder, name, data, before)
            except OSError as error:
                # A directory without the right to create files in it, or a file that is a mount point of its own.
                if before is None or error.errno not in (errno.EACCES, errno.EPERM, errno.EBUSY):
                    raise
                _overwrite(folder, name, data)
            after = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if before is not None and after.st_mtime_ns == before.st_mtime_ns:
                # The system's clock of files ticks every few milliseconds; what has changed is to look like it.
                later = (after.st_atime_ns, after.st_mtime_ns + 1)
                os.utime(name, ns=later, dir_fd=folder, follow_symlinks=False)
                after = os.stat(name, dir_fd=folder, follow_symlinks=False)
            return _entry(real, after)

    async def remove(self, path: str) -> None:
        with _translated(path):
            folder_path, _, last = path.rstrip("/").rpartition("/")
            real = f"{self._real(folder_path or '/').rstrip('/')}/{last}"
            with self._parent(real) as (folder, name):
                os.unlink(name, dir_fd=folder)

    # ── paths ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _real(self, path: str, *, missing: bool = False) -> str:
        """Where the path leads; refuses a link that leads out of the workspace."""
        if "\0" in path:
            raise WorkspaceError("other", "A path cannot hold a NUL character.")
        if not os.path.isabs(path):
            raise WorkspaceError("other", f"{path} is not an absolute path.")
        lexical = os.path.normpath(path)
        real = os.path.realpath(path)
        if real != lexical and _root_of(lexical, self._roots) and not _root_of(real, self._roots):
            raise WorkspaceError(
                "outside",
                f"{path} is, or goes through, a link that leads out of the workspace, to {real}. "
                "Name that path itself if it is what you mean.",
            )
        return real

    @contextmanager
    def _directory(self, real: str) -> Iterator[int]:
        with self._parent(real.rstrip("/") + "/.") as (folder, _):
            yield folder

    @contextmanager
    def _parent(self, real: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the directory a real path is in, and its last component."""
        root = _root_of(real, self._roots) or "/"
        *folders, name = [part for part in real[len(root) :].split("/") if part] or ["."]
        fd = os.open(root, _DIRECTORY)
        try:
            for part in folders:
                try:
                    below = os.open(part, _DIRECTORY, dir_fd=fd)
                except FileNotFoundError:
                    if not make:
                        raise
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=fd)
                    below = os.open(part, _DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = below
            yield fd, name
        finally:
            os.close(fd)


def _root_of(path: str, roots: Sequence[str]) -> str | None:
    inside = [root for root in roots if path == root or path.startswith(root.rstrip("/") + "/")]
    return max(inside, key=len) if inside else None


def _looks_slow(path: str) -> bool:
    """A directory file grows with its entries; a megabyte of them is some ten thousand names."""
    try:
        return os.stat(path).st_size >= SLOW
    except (OSError, ValueError):
        return False


async def _in_thread(work: Callable[[], T]) -> T:
    """Like `to_thread`, but a cancellation waits for the thread: it uses descriptors we are about to close."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _entry(path: str, found: os.stat_result) -> Entry:
    return Entry(path, _kind(found.st_mode), found.st_size, found.st_mtime_ns, stat.S_IMODE(found.st_mode))


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"


def _refuse_special(path: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise WorkspaceError("directory", f"{path} is a directory, not a file.")
    if not stat.S_ISREG(mode):
        raise WorkspaceError("special", f"{path} is a pipe, socket or device, not a file.")


def _lstat(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _read(fd: int, start: int, size: int | None) -> bytes:
    if start:
        os.lseek(fd, start, os.SEEK_SET)
    pieces = []
    left = size
    while left is None or left > 0:
        piece = os.read(fd, 1 << 20 if left is None else min(left, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        left = None if left is None else left - len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _replace(folder: int, name: str, data: bytes, before: os.stat_result | None) -> None:
    temporary = f".{name[:200]}.{os.getpid():x}{os.urandom(4).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if before is None and _named_once_whole(folder, name, data, before):
            return
        if not _named_once_whole(folder, temporary, data, before):
            fd = os.open(temporary, flags, 0o666, dir_fd=folder)
            try:
                _fill(fd, data, before)
            finally:
                os.close(fd)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _named_once_whole(folder: int, name: str, data: bytes, before: os.stat_result | None) -> bool:
    """Write a file that has no name before it is whole, so that a process that is killed over it leaves nothing; False
    where this system or file system knows no such thing, or something has that name."""
    if sys.platform != "linux":
        return False
    try:
        fd = os.open(".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o666, dir_fd=folder)
    except OSError:  # where nothing may be written at all, the other way says so
        return False
    try:
        _fill(fd, data, before)
        try:
            os.link(f"/proc/self/fd/{fd}", name, dst_dir_fd=folder, follow_symlinks=True)
        except OSError:
            return False
    finally:
        os.close(fd)
    return True


def _fill(fd: int, data: bytes, before: os.stat_result | None) -> None:
    if before is not None:
        with suppress(PermissionError):
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(fd, before.st_uid, before.st_gid)
        os.fchmod(fd, stat.S_IMODE(before.st_mode))
    _write_all(fd, data)
    os.fsync(fd)


def _overwrite(folder: int, name: str, data: bytes) -> None:
    fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        _write_all(fd, data)
        os.ftruncate(fd, len(data))
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except WorkspaceError:
        raise
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        trouble, words = TROUBLES.get(number or 0, ("other", f"cannot be used: {error}"))
        shown = path.encode("utf-8", "backslashreplace").decode()
        raise WorkspaceError(trouble, f"{shown} {words}.") from error
