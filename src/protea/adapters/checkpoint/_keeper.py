"""Takes down what a turn changes. All of it runs in one thread, one call after another: see `snapshots`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from protea.adapters.checkpoint import _repositories
from protea.adapters.checkpoint._activity import Activity
from protea.adapters.checkpoint._frames import framed
from protea.adapters.checkpoint._ghosts import ghosts
from protea.adapters.checkpoint._known import KnownTree
from protea.adapters.checkpoint._pool import Pool
from protea.adapters.checkpoint._private import make_private
from protea.adapters.checkpoint._records import VERSION, Journal, Noted, Record, Shelf, Watched, frames
from protea.adapters.checkpoint._seen import Entry, Seen, Version, see
from protea.adapters.checkpoint._telling import changed_files, uncovered
from protea.adapters.checkpoint._tidying import tidy
from protea.domain.changes import Changes

if TYPE_CHECKING:
    from protea.adapters.checkpoint._leases import Leases

QUICK = 0.3
"""Seconds of looking through trees that a turn may cost besides its first and last look: small trees are looked through
around every command, so that what a person changes in between is not taken for the command's."""
AFTER = 0.4
"""Seconds that may go into keeping what files became, at the end of a turn; the rest is kept when it is undone."""
URGENT = 1.0
"""Seconds that may go into keeping what a command names, before it runs."""
BOTH = "a command of another session ran at the same time: nobody can tell whose change it is"
TIDY = 86_400.0
"""Seconds after which the store is tidied."""


class Settings(msgspec.Struct, frozen=True):
    """What `snapshots.Options` and the surroundings say."""

    folder: str
    roots: tuple[bytes, ...]
    outside: frozenset[bytes]
    wait: float
    most_files: int
    largest: int
    limit: int
    keep: float
    environment: Mapping[str, str] = {}


class _Turn:
    """One that runs."""

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint
        self.before: dict[bytes, Version | None] = {}
        self.after: dict[bytes, Version | None] = {}
        self.journal: Journal | None = None
        self.watching = False
        self.looked = True
        """Whether the trees were looked through since the last command."""
        self.spent = 0.0
        self.notes: list[tuple[bytes, str]] = []
        self.looked_at = 0
        """When the trees were last looked through: what is found next happened since."""
        self.commands: list[tuple[int, int]] = []
        """When commands of it ran."""
        self.begun = 0
        """When those that run began."""
        self.elsewhere: dict[bytes, bytes] = {}
        """A root → what its repository, which lies outside of it, said of itself."""


def _touched(turn: _Turn, tree: KnownTree) -> None:
    """What a tool wrote and a program wrote once more, the same, is still what the turn left."""
    turn.after.update({path: version for path, version in tree.touched.items() if path in turn.after})


class Keeper:
    """Everything that touches the disk."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = Pool(f"{settings.folder}/objects", settings.limit, settings.largest)
        self.shelf = Shelf(f"{settings.folder}/turns")
        self._trees: list[KnownTree] | None = None
        self._turn: _Turn | None = None
        self._lock: int | None = None
        self._tidied = False
        self.activity = Activity(settings.folder)
        self._leases: Leases | None = None
        self._promised: dict[bytes, tuple[KnownTree, Seen, str]] = {}
        """Files that are watched until they are copied, and the names their contents will have if somebody wants to
        change them before."""

    @property
    def pool(self) -> Pool:
        return self._pool

    def begin(self, session: str, turn: str) -> None:
        self._turn = _Turn(f"{session}/{turn}")
        self.activity.who = session

    # ── files that a tool names ─────────────────────────────────────────────────────────────────────────────────────

    def before_write(self, path: str) -> None:
        turn = self._current()
        for each in _meant(path):
            if each in turn.before:
                continue
            seen = see(each)
            version = None if seen is None else Version(seen, self._kept(each, seen))
            self._note(turn, each, version)
            above = os.path.dirname(each)
            while seen is None and above not in turn.before and not os.path.lexists(above):
                self._note(turn, above, None)
                above = os.path.dirname(above)

    def after_write(self, path: str) -> None:
        turn = self._current()
        for each in dict.fromkeys(above for one in _meant(path) for above in _upwards(one)):
            if each in turn.before:
                seen = see(each)
                turn.after[each] = None if seen is None else Version(seen)
                for tree in self._trees or ():
                    if tree.holds(each):
                        tree.put(each, turn.after[each])
                self.activity.wrote(each)

    def _kept(self, path: bytes, seen: object) -> str | None:
        for tree in self._trees or ():
            known = tree.version(path)
            if known is not None and known.seen == seen and known.object is not None:
                return known.object
        found = see(path)
        if found is None or found.kind != "file" or not found.size:
            return None
        return self._pool.keep(path, found)

    # ── programs, which name nothing ────────────────────────────────────────────────────────────────────────────────

    def before_command(self, words: Sequence[str], cwd: str) -> None:
        turn = self._current()
        first = not turn.watching
        began = self.activity.began()
        turn.begun = turn.begun or began
        if first:
            self._open_trees()
            for root in self._settings.roots:
                if (state := _repositories.elsewhere(root)) is not None:
                    turn.elsewhere[root] = state
        elif turn.looked is False or turn.spent > QUICK:
            turn.looked = False  # what it does is seen at the end of the turn
            return
        begin = time.monotonic()
        self._hear()
        turn.looked_at = time.time_ns()
        for tree in self._trees or ():
            if first:
                tree.mark()
            tree.refresh(None)
            _touched(turn, tree)
            tree.plan(words, cwd)
        turn.spent += 0.0 if first else time.monotonic() - begin
        if first:
            for tree in self._trees or ():
                tree.fill_urgent(time.monotonic() + URGENT)
            self.fill(max(begin + self._settings.wait, time.monotonic() + self._settings.wait / 4))
            journal = self._journal(turn)
            self._watch(journal)
            for tree in self._trees or ():
                tree.save()
                journal.write(Watched(tree.root, tree.slot, tree.stamp))
                if not tree.whole:
                    most = f"{self._settings.most_files:,}"
                    turn.notes.append((tree.root, f"it holds more than {most} files: what commands do is not kept"))
        turn.watching, turn.looked = True, False

    def _watch(self, journal: Journal) -> None:
        """The command runs beside the rest of the copying: until it is done nothing may be overwritten uncopied."""
        if self._leases is None and not any(True for tree in self._trees or () for _ in tree.waiting()):
            return
        from protea.adapters.checkpoint._leases import MOST, Leases, Watch  # only while a tree is copied

        files: list[Watch] = []
        for tree in self._trees or ():
            for path, seen in tree.waiting():
                if path in self._promised or len(files) >= MOST:
                    continue
                name = self._pool.promise(seen.size)
                if name is not None:
                    self._promised[path] = (tree, seen, name)
                    frame = framed(Noted(path, Version(seen, name)))
                    files.append(Watch(path, seen, self._pool.path(name), frame))
        if files and self._leases is None:
            self._leases = Leases(self._settings.environment)
        if self._leases is not None:
            self._leases.write_to(journal.path)
        if self._leases is not None and files:
            self._leases.watch(files)

    def _hear(self) -> None:
        """Take over what was copied because somebody wanted to change it."""
        for path in self._leases.kept() if self._leases is not None else ():
            tree, seen, name = self._promised.pop(path)
            if tree.learn(path, seen, name):
                self._pool.promised(seen.size)
            else:
                self._pool.drop(name)

    def _unwatch(self) -> None:
        self._hear()
        if self._leases is not None:
            self._leases.close()
        self._leases = None
        self._promised.clear()

    def after_command(self) -> None:
        self.activity.ended()
        turn = self._turn
        if turn is None or not turn.watching:
            return
        if turn.begun:
            turn.commands.append((turn.begun, time.time_ns()))
            turn.begun = 0
        last = max((tree.seconds for tree in self._trees or ()), default=0.0)
        if turn.spent + last > QUICK:
            return
        begin = time.monotonic()
        self._look(turn)
        turn.spent += time.monotonic() - begin

    def _look(self, turn: _Turn) -> None:
        others = self.activity.others(turn.looked_at)
        turn.looked_at = time.time_ns()
        own = [*turn.commands, *([(turn.begun, time.time_ns())] if turn.begun else ())]

        def told(path: bytes, before: Version | None, after: Version | None) -> None:
            whose = others.whose(path, None if after is None else after.seen, own)
            if whose != "ours":
                if whose == "unclear" and (after is None or after.seen.kind != "directory"):
                    turn.notes.append((path, BOTH))
                return
            if path not in turn.before:
                turn.before[path] = before
                fresh.append(Noted(path, before))
            turn.after[path] = after

        self._hear()
        for tree in self._trees or ():
            fresh: list[Noted] = []
            tree.refresh(told)
            _touched(turn, tree)
            hidden = "it could not be looked into before: what was changed in it is not known"
            turn.notes += [(each, hidden) for each in sorted(tree.unknown)]
            tree.unknown.clear()
            if fresh:
                self._journal(turn).write(*fresh)
        turn.looked = True

    def fill(self, until: float) -> bool:
        """Keep contents of the trees that are known; whether there is more to do."""
        more = False
        for tree in self._trees or ():
            more = tree.fill(until) or more
        return more

    def filled(self) -> None:
        """There is nothing more to keep for now."""
        for tree in self._trees or ():
            tree.save()
        if not any(True for tree in self._trees or () for _ in tree.waiting()):
            self._unwatch()
        self._tidy()

    # ── the end of a turn ───────────────────────────────────────────────────────────────────────────────────────────

    def finish(self) -> Changes | None:
        turn, self._turn = self._turn, None
        if turn is None or (turn.journal is None and not turn.watching):
            return None
        if turn.watching and not turn.looked:
            self._look(turn)
        return self._finish(turn)

    def recover(self, session: str, turn: str) -> Changes | None:
        lost = _Turn(f"{session}/{turn}")
        path = self.shelf.open_path(lost.checkpoint)
        found = list(frames(path))
        if not found:
            return None
        for frame in found:
            if isinstance(frame, Noted):
                before = lost.before.setdefault(frame.path, frame.before)
                if frame.before is not None and before is not None and before.object is None:
                    lost.before[frame.path] = frame.before  # what it held was kept while a command ran
            elif isinstance(frame, Watched):
                self._recover_tree(lost, frame)
        for each in lost.before:
            if each not in lost.after:
                seen = see(each)
                lost.after[each] = None if seen is None else Version(seen)
        changes = self._finish(lost)
        with contextlib.suppress(OSError):
            os.unlink(path)
        return changes

    def _recover_tree(self, turn: _Turn, frame: Watched) -> None:
        self._open_lock()
        tree = self._tree(frame.root)
        tree.open(frame.slot)
        if tree.stamp != frame.stamp:
            why = "another session has worked here since: what commands of the interrupted turn changed is not known"
            turn.notes.append((frame.root, why))
        else:

            def told(path: bytes, before: Version | None, after: Version | None) -> None:
                turn.before.setdefault(path, before)
                turn.after[path] = after

            tree.refresh(told)
        tree.close()

    def _finish(self, turn: _Turn) -> Changes | None:
        until = time.monotonic() + AFTER
        entries = []
        for path in sorted(turn.before):
            before, after = turn.before[path], turn.after.get(path)
            if path not in turn.after:
                seen = see(path)
                after = None if seen is None else Version(seen)
            after = self._keep_after(path, after, until)
            if not self._same(before, after):
                entries.append(Entry(path, before, after))
        changes = None
        for root, state in turn.elsewhere.items():
            if _repositories.elsewhere(root) != state:
                turn.notes.append((os.path.join(root, b".git"), _repositories.ELSEWHERE))
        if entries or turn.notes:
            record = Record(VERSION, list(self._settings.roots), entries)
            record.repositories = _repositories.digests(entries, ghosts(os.path.dirname(self._settings.folder)))
            self.shelf.save(turn.checkpoint, record)
            changes = Changes(
                checkpoint=turn.checkpoint,
                files=changed_files(entries),
                uncovered=uncovered(entries, turn.notes, self._settings.largest),
            )
        if turn.watching:
            for tree in self._trees or ():
                tree.save()
        if turn.journal is not None:
            turn.journal.remove()
        return changes

    def _keep_after(self, path: bytes, after: Version | None, until: float) -> Version | None:
        if after is None or after.object is not None or after.seen.kind != "file" or not after.seen.size:
            return after
        if time.monotonic() > until:
            return after
        name = self._pool.keep(path, after.seen)
        if name is None:
            return after
        kept = Version(after.seen, name)
        for tree in self._trees or ():
            if tree.holds(path) and tree.files.get(path) == after.seen:
                tree.put(path, kept)
        return kept

    def _same(self, before: Version | None, after: Version | None) -> bool:
        if before is None or after is None:
            return before is after
        if before.seen.mode != after.seen.mode or before.seen.size != after.seen.size:
            return False
        if before.seen.kind != "file":
            return before.seen.link == after.seen.link
        if before.seen == after.seen or not before.seen.size:
            return True
        if before.object is None or after.object is None:
            return False
        return self._pool.same(before.object, os.fsencode(self._pool.path(after.object)))

    # ── what is open ────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        self._unwatch()
        for tree in self._trees or ():
            tree.close()
        self._trees = None
        if self._lock is not None:
            self._tidy()
            with contextlib.suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.activity.clear()
            self._pool.save_size()
            os.close(self._lock)
            self._lock = None

    def _current(self) -> _Turn:
        if self._turn is None:
            self._turn = _Turn("outside/any-turn")
        return self._turn

    def _journal(self, turn: _Turn) -> Journal:
        if turn.journal is None:
            self._open_lock()
            turn.journal = Journal(self.shelf.open_path(turn.checkpoint))
        return turn.journal

    def _note(self, turn: _Turn, path: bytes, before: Version | None) -> None:
        self._journal(turn).write(Noted(path, before))
        turn.before[path] = before

    def _open_trees(self) -> None:
        self._open_lock()
        if self._trees is None:
            self._trees = [self._tree(root) for root in self._settings.roots]
            for tree in self._trees:
                tree.open()

    def _tree(self, root: bytes) -> KnownTree:
        settings = self._settings
        return KnownTree(root, f"{settings.folder}/trees", self._pool, settings.outside, settings.most_files)

    def _open_lock(self) -> None:
        """Held, shared, by all who use the store: only who is alone may tidy it."""
        if self._lock is None:
            make_private(self._settings.folder)
            fd = os.open(f"{self._settings.folder}/lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fcntl.flock(fd, fcntl.LOCK_SH)
            self._lock = fd

    def _tidy(self) -> None:
        mark = f"{self._settings.folder}/tidied"
        if self._lock is None or self._turn is not None:
            return
        with contextlib.suppress(OSError):
            if not self._pool.full and (self._tidied or time.time() - os.stat(mark).st_mtime < TIDY):
                return
        self._tidied = True
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            return
        try:
            for tree in self._trees or ():
                tree.save()
            with contextlib.suppress(OSError):
                settings = self._settings
                left = tidy(settings.folder, self._pool, self.shelf, settings.keep, settings.limit)
                for tree in self._trees or ():
                    tree.keep_only(left)
                fd = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                os.utime(fd)
                os.close(fd)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_SH)


def _upwards(path: bytes) -> Iterator[bytes]:
    """The path and the folders it lies in."""
    while len(path) > 1:
        yield path
        path = os.path.dirname(path)


def _meant(path: str) -> tuple[bytes, ...]:
    """The file a path leads to, and the link it may be itself."""
    real = os.path.realpath(path)
    itself = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    return tuple(dict.fromkeys((os.fsencode(real), os.fsencode(itself))))
