"""Puts files back: works out what must become of each path, checks that it is as the turn left it, and does it.

Every path is reached from a root without following a link, so that a directory which became a link meanwhile leads
nowhere. Contents are written beside their place and moved there: cut off at any moment, each file is whole, as it was
or as it should be, and the same restore again does the rest.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence

import msgspec

from protea.adapters.checkpoint import _repositories
from protea.adapters.checkpoint._ghosts import Ghosts
from protea.adapters.checkpoint._pool import Pool, keep_over
from protea.adapters.checkpoint._records import Record
from protea.adapters.checkpoint._seen import Entry, Seen, Version, look, seen_of
from protea.adapters.checkpoint._telling import changed_files, restorable, shown
from protea.domain.changes import Direction, Restored, SkippedFile

_PLACE = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC
"""To go by, not to be read: a folder above that may only be searched is no obstacle, nor is a file nobody may read."""
_FOLDER = _PLACE | os.O_DIRECTORY
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MADE = 0o700
"""The mode of a folder until everything is in it."""
_INTO = b"into"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SINCE = "it was changed since"
_BETWEEN = "it was changed between these turns"
_REPOSITORY = "the repository was used since, and its history is undone as a whole or not at all"


class _Step(msgspec.Struct):
    """One path: as it should be now, and as it shall be."""

    path: bytes
    expected: Version | None
    target: Version | None


class _Skip(Exception):
    """This path is left as it is; the text is why."""


def restore(
    records: Sequence[Record],
    direction: Direction,
    pool: Pool,
    strange: Ghosts,
    *,
    dry_run: bool,
    open_folders: str,
    wrote: Callable[[bytes], None],
) -> Restored:
    """`records` in the order in which they are taken back (the latest first) or done again. Raises nothing.

    `open_folders` is a file in which it is kept which folders are writable for a moment; `wrote` hears of each path
    that was put back."""
    skipped: dict[bytes, str] = {}
    steps = _compose(records, direction, pool, skipped)
    _leave_used_repositories(records, direction, steps, skipped, strange)
    places = _Places(open_folders)
    try:
        places.take_up(act=not dry_run)
        pending: list[_Step] = []
        for step in steps.values():
            try:
                if places.matches(step.path, step.target, pool):
                    continue  # done before
                if not places.matches(step.path, step.expected, pool) and not places.halfway(step):
                    raise _Skip(_SINCE)
                pending.append(step)
            except _Skip as why:
                skipped[step.path] = str(why)
        sources = _sources(pending)
        for step in list(pending):
            if step.target is None or restorable(step.target) or step.path in sources or _mode_alone(step):
                continue
            skipped[step.path] = "what it was is not kept"
            pending.remove(step)
        failed: dict[bytes, str] = {}
        if not dry_run:
            places.know_twins([root for record in records[:1] for root in record.roots], pending, strange)
        done = pending if dry_run else _apply(pending, sources, places, pool, failed)
        skipped |= failed
    finally:
        places.close()
    for step in () if dry_run else done:
        wrote(step.path)
    _explain_folders(skipped)
    files = changed_files(Entry(step.path, step.expected, step.target) for step in done)
    return Restored(files=files, skipped=tuple(SkippedFile(shown(path), why) for path, why in sorted(skipped.items())))


# ── what is to be done ──────────────────────────────────────────────────────────────────────────────────────────────


def _compose(
    records: Sequence[Record], direction: Direction, pool: Pool, skipped: dict[bytes, str]
) -> dict[bytes, _Step]:
    """All the turns as one: where a path goes through several versions, only its first and last count."""
    steps: dict[bytes, _Step] = {}
    for record in records:
        for entry in record.entries:
            now, then = (entry.after, entry.before) if direction == "undo" else (entry.before, entry.after)
            step = steps.get(entry.path)
            if step is None:
                steps[entry.path] = _Step(entry.path, now, then)
            elif entry.path in skipped:
                continue
            elif _same(step.target, now, pool):
                step.target = then
            else:
                skipped[entry.path] = _BETWEEN  # it goes back to where somebody else came in
    return dict(sorted(steps.items()))


def _same(one: Version | None, two: Version | None, pool: Pool) -> bool:
    if one is None or two is None:
        return one is two
    if one.seen.mode != two.seen.mode or one.seen.size != two.seen.size or one.seen.link != two.seen.link:
        return False
    if one.seen.kind != "file" or one.seen == two.seen or not one.seen.size:
        return True
    if one.object is None or two.object is None:
        return False
    return one.object == two.object or pool.same(one.object, os.fsencode(pool.path(two.object)))


def _leave_used_repositories(
    records: Sequence[Record],
    direction: Direction,
    steps: dict[bytes, _Step],
    skipped: dict[bytes, str],
    strange: Ghosts,
) -> None:
    expected: dict[bytes, bytes] = {}
    refused: set[bytes] = set()
    for record in records:
        for folder, (before, after) in record.repositories.items():
            now, then = (after, before) if direction == "undo" else (before, after)
            if folder not in expected:
                found = _repositories.digest(folder, strange)
                wanted = [now]
                last = [each.repositories[folder] for each in records if folder in each.repositories][-1]
                wanted.append(last[0] if direction == "undo" else last[1])  # done before
                if found not in wanted:
                    refused.add(folder)
            elif expected[folder] != now:
                refused.add(folder)
            expected[folder] = then
    for path in list(steps):
        lies_in = _repositories.folder_of(path)
        if lies_in is not None and lies_in in refused:
            del steps[path]
            skipped.pop(path, None)
            skipped[lies_in] = _REPOSITORY


def _sources(steps: Sequence[_Step]) -> dict[bytes, bytes]:
    """Path → a path that goes and has the very file which belongs here: what was renamed is renamed back."""
    going = {
        (step.expected.seen.ino, step.expected.seen.size, step.expected.seen.mtime): step.path
        for step in steps
        if step.target is None and step.expected is not None and step.expected.seen.kind == "file"
    }
    found: dict[bytes, bytes] = {}
    for step in steps:
        target = step.target
        if target is not None and step.expected is None and target.seen.kind == "file" and not restorable(target):
            source = going.pop((target.seen.ino, target.seen.size, target.seen.mtime), None)
            if source is not None:
                found[step.path] = source
    return found


def _mode_alone(step: _Step) -> bool:
    """The same file with the same content under another mode: nothing but the mode is needed to put it back."""
    one, two = step.expected, step.target
    if one is None or two is None or one.seen.kind != two.seen.kind:
        return False
    return (one.seen.ino, one.seen.size, one.seen.mtime) == (two.seen.ino, two.seen.size, two.seen.mtime)


def _explain_folders(skipped: dict[bytes, str]) -> None:
    """A folder that stays because of what stays in it needs no line of its own."""
    above = {path[:at] for path in skipped for at in range(1, len(path)) if path[at : at + 1] == b"/"}
    for path in [path for path, why in skipped.items() if why == _NOT_EMPTY and path in above]:
        del skipped[path]


_NOT_EMPTY = "it holds files that are not the turn's"


# ── doing it ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _apply(
    steps: Sequence[_Step], sources: dict[bytes, bytes], places: _Places, pool: Pool, failed: dict[bytes, str]
) -> list[_Step]:
    done: list[_Step] = []

    def attempt(step: _Step, act: object, *arguments: object) -> bool:
        try:
            act(*arguments)  # type: ignore[operator]  # a bound method of `places`
        except _Skip as why:
            failed[step.path] = str(why)
            return False
        except OSError as error:
            failed[step.path] = (error.strerror or str(error)).lower()
            return False
        return True

    makes = [step for step in steps if step.target is not None]
    folders = [step for step in makes if step.target is not None and step.target.seen.kind == "directory"]
    # A folder where a file was, and a file where a folder was, are in each other's way: what is there goes first.
    for step in folders:
        there = step.expected is not None and step.expected.seen.kind != "directory"
        if (not there or attempt(step, places.remove, step)) and attempt(step, places.make_folder, step.path):
            done.append(step)
    for step in makes:
        if step.path in sources and attempt(step, places.rename, sources[step.path], step.path):
            done.append(step)
    moved = set(sources.values())
    for step in reversed(steps):  # what lies in a folder goes before the folder
        gone = step.target is None
        becomes = not gone and step.expected is not None and step.expected.seen.kind == "directory"
        if gone and (step.path in moved or attempt(step, places.remove, step)):
            done.append(step)
        elif becomes and step.target is not None and step.target.seen.kind != "directory":
            attempt(step, places.remove, step)
    for step in makes:
        if step.target is None or step.target.seen.kind == "directory":
            continue
        if step.path in sources or step.path in failed:
            continue
        if attempt(step, places.write, step, pool):
            done.append(step)
    for step in reversed(folders):  # last, and the deepest first: a mode may forbid what was done before
        if step.path not in failed and step.target is not None:
            attempt(step, places.set_mode, step.path, step.target.seen)
    places.give_back()
    return sorted(done, key=lambda step: step.path)


def _chmod(fd: int, mode: int) -> None:
    """Of what `_PLACE` opened."""
    # What is only gone by takes no fchmod; the name procfs has for it leads to nothing else.
    if hasattr(os, "O_PATH"):
        os.chmod(f"/proc/self/fd/{fd}", mode)
    else:
        os.fchmod(fd, mode)


class _Places:
    """Reaches paths without following links, and acts there."""

    def __init__(self, open_folders: str) -> None:
        self._folder: tuple[bytes, int] | None = None
        self._opened: dict[bytes, int] = {}
        """Folders that were made writable for a moment → the mode they had."""
        self._twins: dict[int, bytes] = {}
        """Inode → a name by which a file of several names can be reached."""
        self._into: set[bytes] = set()
        """Files in which a restore that was killed was writing."""
        self._open_folders = open_folders
        """Where it is written down what is open: who is killed leaves it to the next one to close it."""

    def know_twins(self, roots: Sequence[bytes], steps: Sequence[_Step], strange: Ghosts) -> None:
        """Find the other names of files that had several and lose one."""
        wanted = {
            step.target.seen.ino
            for step in steps
            if step.expected is None and step.target is not None and step.target.seen.names > 1
        }
        for root in roots if wanted else ():
            for path, seen in look(root, frozenset(), 10_000_000, strange).files.items():
                if seen.ino in wanted and seen.kind == "file":
                    self._twins.setdefault(seen.ino, path)

    def take_up(self, *, act: bool) -> None:
        """What a restore that was killed was in the midst of: folders it had opened get their modes again (with `act`),
        and of files it wrote into it does not matter what they say."""
        try:
            with open(self._open_folders, "rb") as file:
                lines = file.read().split(b"\0")
        except OSError:
            return
        for line in lines:
            mode, _, path = line.partition(b" ")
            if mode == _INTO:
                self._into.add(path)
            elif act:
                with contextlib.suppress(OSError, ValueError), self._in(path, writing=False) as (folder, name):
                    fd = os.open(name, _FOLDER, dir_fd=folder)
                    if stat.S_IMODE(os.fstat(fd).st_mode) == int(mode, 8) | 0o700:
                        _chmod(fd, int(mode, 8))
                    os.close(fd)

    def _write_down(self, what: bytes, path: bytes) -> None:
        fd = os.open(self._open_folders, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.write(fd, b"%s %s\0" % (what, path))
        os.close(fd)

    def close(self) -> None:
        if self._folder is not None:
            os.close(self._folder[1])
            self._folder = None

    def matches(self, path: bytes, version: Version | None, pool: Pool) -> bool:
        """Whether the path is this now."""
        seen = self._see(path)
        if version is None or seen is None:
            return version is None and seen is None
        wanted = version.seen
        if seen.kind != wanted.kind:
            return False
        if wanted.kind == "link":
            return seen.link == wanted.link
        if seen.permissions != wanted.permissions:
            return False
        if wanted.kind != "file" or seen == wanted:
            return True
        if seen.size != wanted.size:
            return False
        return not seen.size or (version.object is not None and pool.same(version.object, path))

    def halfway(self, step: _Step) -> bool:
        """Whether it is as a restore leaves it that is killed: a new folder before it has its mode, nothing where a
        folder and a file change places, a file of several names that is written into."""
        if step.target is None:
            return False
        seen, folder = self._see(step.path), step.target.seen.kind == "directory"
        if step.expected is None:
            return folder and seen is not None and seen.kind == "directory" and seen.permissions == _MADE
        if seen is None:
            return folder != (step.expected.seen.kind == "directory")
        return seen.kind == "file" and step.path in self._into and seen.ino == step.expected.seen.ino

    def remove(self, step: _Step) -> None:
        with self._in(step.path, writing=True) as (folder, name):
            if step.expected is not None and step.expected.seen.kind == "directory":
                try:
                    os.rmdir(name, dir_fd=folder)
                except OSError as error:
                    raise _Skip(_NOT_EMPTY) from error
            else:
                os.unlink(name, dir_fd=folder)

    def make_folder(self, path: bytes) -> None:
        with self._in(path, writing=True) as (folder, name), contextlib.suppress(FileExistsError):
            os.mkdir(name, _MADE, dir_fd=folder)

    def rename(self, source: bytes, path: bytes) -> None:
        with self._in(source, writing=True) as (folder, name):
            held = os.dup(folder)
        try:
            with self._in(path, writing=True) as (folder, last):
                os.rename(name, last, src_dir_fd=held, dst_dir_fd=folder)
        finally:
            os.close(held)

    def write(self, step: _Step, pool: Pool) -> None:
        """A file or a link, in place of what is there."""
        assert step.target is not None
        target = step.target.seen
        with self._in(step.path, writing=True) as (folder, name):
            if target.kind == "other":
                if not stat.S_ISFIFO(target.mode):
                    raise _Skip("it was a socket or a device")
                self._make_pipe(folder, name, target)
                return
            passing = b".%s.protea-undo" % name[:200]
            if target.kind == "link":
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(passing, dir_fd=folder)
                os.symlink(target.link or b"", passing, dir_fd=folder)
                os.rename(passing, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.utime(name, ns=(target.mtime, target.mtime), dir_fd=folder, follow_symlinks=False)
                return
            if not restorable(step.target):
                self._chmod(folder, name, target)
                return
            if self._write_through(step, folder, name, pool):
                return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(passing, dir_fd=folder)
            twin = self._twins.get(target.ino) if step.expected is None and target.names > 1 else None
            if twin is not None and self.link(twin, folder, passing, step.target, pool):
                os.rename(passing, name, src_dir_fd=folder, dst_dir_fd=folder)
                return
            fd = os.open(passing, _NEW, 0o600, dir_fd=folder)
            try:
                with contextlib.suppress(OSError):  # what it has now that nobody keeps: an access list, a label
                    keep_over(name, folder, fd)
                self._fill(step.target, fd, pool)
            finally:
                os.close(fd)
            os.rename(passing, name, src_dir_fd=folder, dst_dir_fd=folder)
            if target.names > 1:
                self._twins.setdefault(target.ino, step.path)

    def link(self, twin: bytes, folder: int, name: bytes, wanted: Version, pool: Pool) -> bool:
        """Give a file of several names one of them back, if that which has the others still holds the same."""
        try:
            above = self._walk(os.path.dirname(twin))  # not `_in`: the folder that is open now is needed still
        except OSError:
            return False
        last = os.path.basename(twin)
        try:
            found = os.stat(last, dir_fd=above, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode) or found.st_size != wanted.seen.size:
                return False
            if wanted.object is not None and not pool.same(wanted.object, twin):
                return False
            os.link(last, name, src_dir_fd=above, dst_dir_fd=folder, follow_symlinks=False)
        except OSError:
            return False
        finally:
            os.close(above)
        return True

    def _make_pipe(self, folder: int, name: bytes, target: Seen) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        os.mkfifo(name, 0o600, dir_fd=folder)
        os.chmod(name, target.permissions, dir_fd=folder)
        os.utime(name, ns=(target.mtime, target.mtime), dir_fd=folder)

    def _write_through(self, step: _Step, folder: int, name: bytes, pool: Pool) -> bool:
        """A file with several names that the turn wrote into is written into again, so that it keeps them."""
        assert step.target is not None
        expected = step.expected
        if expected is None or expected.seen.kind != "file" or expected.seen.ino != step.target.seen.ino:
            return False
        try:
            fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return False
        try:
            found = os.fstat(fd)
            if found.st_nlink < 2 or not stat.S_ISREG(found.st_mode):
                return False
            self._write_down(_INTO, step.path)
            os.ftruncate(fd, 0)
            self._fill(step.target, fd, pool)
            return True
        finally:
            os.close(fd)

    def _fill(self, version: Version, fd: int, pool: Pool) -> None:
        if version.object is not None:
            try:
                pool.copy_to(version.object, fd)
            except FileNotFoundError:
                raise _Skip("what it was is not kept any more") from None
        seen = version.seen
        found = os.fstat(fd)
        if seen.uid >= 0 and (found.st_uid, found.st_gid) != (seen.uid, seen.gid):
            with contextlib.suppress(OSError):  # only root may give it away; anybody to a group of theirs
                os.fchown(fd, -1, seen.gid)
            with contextlib.suppress(OSError):
                os.fchown(fd, seen.uid, -1)
        found = os.fstat(fd)
        # Never as somebody else's program: one that ran as its owner ran as another one.
        another = seen.uid >= 0 and (found.st_uid, found.st_gid) != (seen.uid, seen.gid)
        os.fchmod(fd, seen.permissions & 0o1777 if another else seen.permissions)
        os.utime(fd, ns=(seen.mtime, seen.mtime))

    def set_mode(self, path: bytes, seen: Seen) -> None:
        with self._in(path, writing=False) as (folder, name):
            fd = os.open(name, _FOLDER, dir_fd=folder)
            try:
                _chmod(fd, seen.permissions)
            finally:
                os.close(fd)
        self._opened.pop(path, None)

    def give_back(self) -> None:
        """Folders that were opened for writing get their modes again."""
        for path in sorted(self._opened, reverse=True):
            mode = self._opened[path]
            with contextlib.suppress(OSError), self._in(path, writing=False) as (folder, name):
                fd = os.open(name, _FOLDER, dir_fd=folder)
                _chmod(fd, mode)
                os.close(fd)
        self._opened.clear()
        with contextlib.suppress(OSError):
            os.unlink(self._open_folders)

    def _chmod(self, folder: int, name: bytes, seen: Seen) -> None:
        fd = os.open(name, _PLACE, dir_fd=folder)
        try:
            _chmod(fd, seen.permissions)
        finally:
            os.close(fd)

    def _see(self, path: bytes) -> Seen | None:
        try:
            with self._in(path, writing=False) as (folder, name):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                return seen_of(found, os.readlink(name, dir_fd=folder) if stat.S_ISLNK(found.st_mode) else None)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None  # a link stands where a folder was
            raise _Skip(f"it cannot be looked at: {(error.strerror or str(error)).lower()}") from error

    @contextlib.contextmanager
    def _in(self, path: bytes, *, writing: bool) -> Iterator[tuple[int, bytes]]:
        """The folder of a path, open, and the path's last part. Raises `OSError`."""
        above, _, name = path.rpartition(b"/")
        if self._folder is None or self._folder[0] != above:
            self.close()
            self._folder = (above, self._walk(above))
        folder = self._folder[1]
        if writing:
            mode = stat.S_IMODE(os.fstat(folder).st_mode)
            if mode & 0o300 != 0o300 and os.geteuid() != 0:
                if above not in self._opened:
                    self._opened[above] = mode
                    self._write_down(b"%o" % mode, above)
                _chmod(folder, mode | 0o700)
        yield folder, name

    def _walk(self, path: bytes) -> int:
        fd = os.open(b"/", _FOLDER)
        try:
            for part in path.split(b"/"):
                if part:
                    below = os.open(part, _FOLDER, dir_fd=fd)
                    os.close(fd)
                    fd = below
        except BaseException:
            os.close(fd)
            raise
        return fd
