"""Sessions as folders with a log of JSON lines that is only ever added to.

    sessions/<id>/events.jsonl            the events, one a line: the only truth
                  events.jsonl.damaged-n  what was cut off or replaced when a damaged log was opened
                  lock                    held by the one process that writes
                  summary.json            the session's line in a list; made again where missing or behind
                  activity.log            a line per notable event, for people

Called through the `SessionStore` port. Everything is blocking and quick; an interrupted or failed write never leaves
half an event: it is cut away at once, or, where the process died, when the log is next opened.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence

import msgspec

from protea.adapters.storage import _activity, _index, _lines
from protea.adapters.storage._lock import SessionLock, held
from protea.adapters.storage._names import check_order, near, proper
from protea.domain.errors import SessionError, StoreError
from protea.domain.event_codec import decode, encode_lines
from protea.domain.events import LastingEvent, SessionEnded, TurnFinished
from protea.domain.session import SessionSummary
from protea.domain.summary import advance, begin
from protea.domain.surroundings import Surroundings

NAME = "events.jsonl"
TRUSTED_SIZE = 4 << 20
"""Bytes. A longer log whose summary fits it is not read for damage again when it is opened."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""Not waiting, as a pipe in the place of a file would make us."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folder: str = ""
    """Where sessions are kept; empty means `sessions` in Protea's home."""


def create(options: Options, *, surroundings: Surroundings) -> JsonlStore:
    """Touches nothing: folders are made with the first session."""
    folder = options.folder or "sessions"
    if folder.startswith("~/"):
        folder = os.path.join(surroundings.user_home, folder[2:])
    return JsonlStore(os.path.join(surroundings.protea_home, folder))


class JsonlLog:
    """One session's log, locked from the time it is made until `close`."""

    def __init__(self, session: str, folder: str, *, new: bool) -> None:
        self._session = session
        self._folder = folder
        self._path = os.path.join(folder, NAME)
        self._activity: int | None = None
        self._mended: str | None = None
        self._failed: str | None = None
        self._entered = not new
        """Whether the folder's own entry is known to survive the loss of power."""
        self._lock = SessionLock(folder, session)
        self._fd = -1
        self._size = self._last = 0
        self._summary: SessionSummary | None = begin(session)
        """None where reading a long log only for this would keep someone waiting."""
        self._left: _index.Entry | None = None
        """What was left last for those who list sessions."""
        try:
            if new:
                self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            else:
                self._fd, self._mended, self._size, self._last, self._summary = _opened(session, folder)
        except BaseException:
            if self._fd >= 0:
                os.close(self._fd)
            self._lock.release()
            raise

    @property
    def last(self) -> int:
        return self._last

    @property
    def mended(self) -> str | None:
        return self._mended

    @property
    def folder(self) -> str:
        return self._folder

    def append(self, events: Sequence[LastingEvent], *, durable: bool) -> None:
        check_order(events, self.last)
        self._check()
        data = encode_lines(events)
        summary = self._summary
        if summary is not None:
            for event in events:
                summary = advance(summary, event)
        try:
            _write_whole(self._fd, data)
        except BaseException as error:
            self._take_back()
            if isinstance(error, OSError):
                raise self._store_error("written", error) from error
            raise
        self._size, self._last, self._summary = self._size + len(data), self._last + len(events), summary
        if durable:
            self.sync()
        self._note(events)
        if isinstance(events[-1] if events else None, TurnFinished | SessionEnded):
            self._save_summary()

    def sync(self) -> None:
        self._check()
        try:
            _reach_disk(self._fd)
            if not self._entered:
                for folder in (self._folder, os.path.dirname(self._folder)):
                    _folder_reaches_disk(folder)
                self._entered = True
        except OSError as error:
            # What the kernel held may be gone, and a second try would not say so.
            self._failed = _reason(error)
            raise self._store_error("made safe", error) from error

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        after, end, size = max(after, 0), self._last, self._size
        backwards = end - after
        if limit is not None:
            end = min(end, after + max(limit, 0))
        if after >= end:
            return
        fd = self._reading()
        try:
            near_end = backwards < after
            start = _lines.skip_back(fd, size, backwards) if near_end else _lines.skip(fd, 0, size, after)
            for _, line in _lines.lines(fd, start, size, _piece(end - after)):
                event = _sound_event(line)
                if event is None or event.seq != after + 1:
                    raise StoreError(f"{self._path}: the session's log was changed by something else while it was open")
                yield event
                after += 1
                if after == end:
                    return
        finally:
            os.close(fd)

    def tail(self, count: int) -> Sequence[LastingEvent]:
        return [*self.read(max(0, self.last - max(count, 0)))]

    def close(self) -> None:
        if self._fd < 0:
            return
        self._save_summary()
        fd, self._fd = self._fd, -1
        os.close(fd)
        if self._activity is not None:
            os.close(self._activity)
            self._activity = None
        self._lock.release()

    def _reading(self) -> int:
        # A descriptor of its own: the reader may outlive this log.
        self._check()
        try:
            return os.open(self._path, _READ)
        except OSError as error:
            raise StoreError(f"{self._path}: the session's log cannot be read: {_reason(error)}") from error

    def _check(self) -> None:
        if self._fd < 0:
            raise SessionError(f"session {self._session} is closed")
        if self._failed:
            raise StoreError(f"{self._path}: an earlier write failed ({self._failed}); open the session again")

    def _take_back(self) -> None:
        """Remove what a failed write left."""
        try:
            os.ftruncate(self._fd, self._size)
        except OSError as error:
            self._failed = _reason(error)

    def _store_error(self, done: str, error: OSError) -> StoreError:
        hint = "free some space, then resume the session" if error.errno in _FULL else "the session stands as it was"
        return StoreError(f"{self._path}: the session's log could not be {done}: {_reason(error)}; {hint}")

    def _note(self, events: Sequence[LastingEvent]) -> None:
        text = _activity.activity(events)
        if not text:
            return
        try:
            if self._activity is None:
                self._activity = os.open(
                    os.path.join(self._folder, _activity.NAME),
                    os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK,
                    0o600,
                )
            os.write(self._activity, text.encode("utf-8", "replace"))
        except OSError:
            return  # a convenience: the log has it all

    def _save_summary(self) -> None:
        if not self._size or self._summary is None:
            return
        status = os.fstat(self._fd)
        if status.st_size == self._size:
            entry = _index.Entry(_index.VERSION, self._size, status.st_mtime_ns, self._summary)
            if entry != self._left:
                _index.save(self._folder, entry)
            self._left = entry


class JsonlStore:
    def __init__(self, folder: str) -> None:
        self._root = folder
        self._left_off: tuple[str, int, int, int] | None = None
        """Where the last page ended: session, inode of its log, number of the last event, where the next one begins."""

    def unusable(self) -> str | None:
        try:
            os.makedirs(os.path.dirname(self._root), 0o700, exist_ok=True)  # the mode is the last folder's alone
            _make_folder(self._root)
        except OSError as error:
            return f"{error.filename or self._root}: {_reason(error)}"
        if not os.access(self._root, os.W_OK | os.X_OK):
            return f"{self._root}: it cannot be written to"
        return None

    def create(self, session: str) -> JsonlLog:
        proper(session)
        folder = self._folder(session)
        try:
            try:
                os.mkdir(folder, 0o700)
            except FileNotFoundError:
                _make_folder(self._root)
                os.mkdir(folder, 0o700)
            return JsonlLog(session, folder, new=True)
        except FileExistsError as error:
            if error.filename == folder and os.path.isdir(folder):
                raise SessionError(f"session {session} exists already") from None
            raise StoreError(f"{error.filename}: {_reason(error)}") from error
        except OSError as error:
            raise StoreError(f"{folder}: the session cannot be made: {_reason(error)}") from error

    def open(self, session: str) -> JsonlLog:
        folder = self._known(session)
        try:
            return JsonlLog(session, folder, new=False)
        except OSError as error:
            raise StoreError(f"{error.filename or folder}: the session cannot be opened: {_reason(error)}") from error

    def read(self, session: str, after: int = 0, limit: int | None = None) -> Iterator[LastingEvent]:
        after = max(after, 0)
        end = None if limit is None else after + max(limit, 0)
        fd = self._reading(session)
        try:
            status, last = os.fstat(fd), 0
            size = status.st_size
            begin = len(_lines.BOM) if os.pread(fd, len(_lines.BOM), 0) == _lines.BOM else 0
            if after:
                known = self._sound(session, fd)
                last = min(after, known.last)
                size = known.end
                if known.blank:
                    begin, last = known.start, 0
                elif self._left_off is not None and self._left_off[:3] == (session, status.st_ino, last):
                    begin = self._left_off[3]  # page by page a long log is gone through once, not once for every page
                else:
                    begin = _lines.skip(fd, known.start, known.end, last)
            for offset, line in _lines.lines(fd, begin, size, _piece(limit)):
                if end is not None and last >= end:
                    self._left_off = (session, status.st_ino, last, offset)
                    return
                if not line.strip():
                    continue
                event = _sound_event(line)
                if event is None or event.seq != last + 1:
                    return
                last += 1
                if last > after:
                    yield event
        finally:
            os.close(fd)

    def tail(self, session: str, count: int) -> Sequence[LastingEvent]:
        fd = self._reading(session)
        try:
            known = self._sound(session, fd)
            if known.blank or known.open_ended:
                return [*self.read(session, max(0, known.last - max(count, 0)))]
            begin = _lines.skip_back(fd, known.end, min(count, known.last)) if count > 0 else known.end
            begin = max(begin, known.start)
            return [decode(line) for _, line in _lines.lines(fd, begin, known.end, _piece(count))]
        except ValueError as error:
            raise StoreError(f"{self._folder(session)}: the session's log changed while it was read") from error
        finally:
            os.close(fd)

    def list(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        summaries = [summary for session in self._ids() if (summary := self._summary(session)) is not None]
        chosen = [summary for summary in summaries if summary.events and (cwd is None or summary.cwd == cwd)]
        return sorted(chosen, key=lambda summary: (summary.updated, summary.id), reverse=True)

    def find(self, wanted: str) -> str:
        if wanted and wanted[0] != "." and os.sep not in wanted and os.path.lexists(self._path(wanted)):
            return wanted
        return near(wanted, self._ids())

    def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        from protea.adapters.storage._matching import matching, words_of  # when somebody searches

        words = words_of(text)
        # What stands in the file as it is typed: everything else is looked for only after decoding.
        plain = [word.encode() for word in words if word.isascii() and word.isalnum()]
        return matching(self.list(), lambda session: self._candidates(session, plain), words, limit)

    def delete(self, session: str) -> None:
        folder = self._known(session)
        import shutil  # not needed by a run

        try:
            lock = SessionLock(folder, session)
        except OSError as error:
            raise StoreError(f"{error.filename or folder}: {_reason(error)}") from error
        try:
            # Out of sight in one step: a crash leaves no half of a session in the lists.
            gone = os.path.join(self._root, f".deleted-{session}-{os.getpid()}")
            os.rename(folder, gone)
        except OSError as error:
            raise StoreError(f"{folder}: the session cannot be deleted: {_reason(error)}") from error
        finally:
            lock.release()
        for name in os.listdir(self._root):
            if name.startswith(".deleted-"):
                shutil.rmtree(os.path.join(self._root, name), ignore_errors=True)

    def _folder(self, session: str) -> str:
        return os.path.join(self._root, session)

    def _path(self, session: str) -> str:
        return os.path.join(self._root, session, NAME)

    def _known(self, session: str) -> str:
        """The folder of a session that exists."""
        proper(session)
        if not os.path.lexists(self._path(session)):
            near(session, [name for name in self._ids() if name != session])
            raise SessionError(f"there is no session {session!r}; `protea sessions list` shows those there are")
        return self._folder(session)

    def _ids(self) -> Sequence[str]:
        try:
            with os.scandir(self._root) as entries:
                return [entry.name for entry in entries if entry.name[0] != "." and entry.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self._root}: sessions cannot be listed: {_reason(error)}") from error

    def _reading(self, session: str) -> int:
        self._known(session)
        path = self._path(session)
        try:
            fd = os.open(path, _READ)
        except OSError as error:
            raise StoreError(f"{path}: the session's log cannot be read: {_reason(error)}") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise StoreError(f"{path}: a session's log must be a file")
        return fd

    def _sound(self, session: str, fd: int) -> _lines.Soundness:
        status = os.fstat(fd)
        entry = _index.load(self._folder(session))
        if entry is not None and entry.plain and _index.fits(entry, status):
            return _lines.Soundness(0, status.st_size, entry.summary.events, False, False)
        return _lines.examine(fd, status.st_size)

    def _summary(self, session: str) -> SessionSummary | None:
        folder = self._folder(session)
        entry = _index.load(folder)
        try:
            if entry is None or not _index.fits(entry, os.stat(self._path(session), follow_symlinks=False)):
                fd = self._reading(session)
                try:
                    entry = _index.catch_up(session, fd, entry)
                finally:
                    os.close(fd)
                _index.save(folder, entry)
        except (OSError, StoreError, SessionError):
            return None  # no log, or one that cannot be read: opening it says why
        summary = entry.summary
        if summary.state != "idle" and not held(folder):
            return msgspec.structs.replace(summary, state="interrupted")
        return summary

    def _candidates(self, session: str, words: Sequence[bytes]) -> Iterator[LastingEvent]:
        """Events whose lines may contain the words, as far as that can be told without reading them as JSON."""
        try:
            fd = self._reading(session)
        except (StoreError, SessionError):
            return
        try:
            for _, piece in _lines.pieces(fd, 0, os.fstat(fd).st_size):
                folded = piece.lower()
                if not all(word in folded for word in words):
                    continue
                for line in piece.split(b"\n"):
                    folded = line.lower()
                    if line and all(word in folded for word in words):
                        event = _sound_event(line)
                        if event is None:
                            return
                        yield event
        finally:
            os.close(fd)


_FULL = (errno.ENOSPC, errno.EDQUOT)


def _opened(session: str, folder: str) -> tuple[int, str | None, int, int, SessionSummary | None]:
    """Open and, where it is needed, mend a log: (descriptor, what was mended, size, last, summary if known)."""
    path = os.path.join(folder, NAME)
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    fd = os.open(path, flags)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"{path}: a session's log must be a file")
        if status.st_mode & 0o077:
            os.fchmod(fd, 0o600)
        size = status.st_size
        entry = _index.load(folder)
        if entry is not None and entry.plain and size > TRUSTED_SIZE and _index.fits(entry, status):
            return fd, None, size, entry.summary.events, entry.summary
        sound = _lines.examine(fd, size)
        from protea.adapters.storage._mending import mend  # new sessions have nothing to mend

        mended = mend(folder, path, fd, size, sound)
        if sound.start or sound.blank:
            os.close(fd)
            fd = os.open(path, flags)
        size = os.fstat(fd).st_size
        if entry is None and size > TRUSTED_SIZE:
            return fd, mended, size, sound.last, None  # the next list makes one; nobody waits for it here
        entry = _index.catch_up(session, fd, entry)
        return fd, mended, size, sound.last, entry.summary
    except BaseException:
        os.close(fd)
        raise


def _sound_event(line: bytes) -> LastingEvent | None:
    try:
        return decode(line)
    except ValueError:
        return None


def _write_whole(fd: int, data: bytes) -> None:
    """One call, as a rule; a disk that fills up may take a part and then refuse."""
    written = os.write(fd, data) if data else 0
    while written < len(data):
        written += os.write(fd, memoryview(data)[written:])


def _reach_disk(fd: int) -> None:
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
        return
    import fcntl  # macOS: fsync alone stops at the drive's cache

    fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined]  # known on macOS only


def _make_folder(folder: str) -> None:
    # One by one: `makedirs` gives its mode to the last alone, and the one above may be Protea's home.
    for each in (os.path.dirname(folder), folder):
        os.makedirs(each, 0o700, exist_ok=True)


def _folder_reaches_disk(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _piece(count: int | None) -> int:
    """How much to read at once for so many events."""
    return _lines.PIECE if count is None else min(_lines.PIECE, 1 << 14 << max(count, 0).bit_length() // 2)


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return "a file is where a folder should be"
    return (error.strerror or str(error)).lower()
