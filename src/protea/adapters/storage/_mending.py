"""Making a damaged log usable again: what is sound stays, what is not is kept beside it, and a person is told.

Called by `jsonl` with the session locked. A crash in the middle of mending leaves the log as it was, or mended.
"""

from __future__ import annotations

import os

from protea.adapters.storage import _index, _lines
from protea.adapters.storage._lines import Soundness
from protea.domain.event_codec import decode_header


def mend(folder: str, path: str, fd: int, size: int, sound: Soundness) -> str | None:
    """Bring the log to its longest sound beginning, one event a line. Returns what was lost or set aside, in words.

    Raises `OSError` where that cannot be written; the log is then as it was.
    """
    said: str | None = None
    if sound.end < size:
        said = _set_aside(path, fd, size, sound)
        _forget_summary(folder)
    if sound.start or sound.blank:
        _rewrite(path, fd, sound)
        _forget_summary(folder)
        what = "a byte order mark was" if sound.start else "blank lines were"
        return said or f"{what} removed from the session's log; no event was lost"
    if sound.end < size:
        os.ftruncate(fd, sound.end)
        os.fsync(fd)
    elif sound.open_ended:
        os.write(fd, b"\n")
        os.fsync(fd)
    elif not size:
        said = "the session's log was empty: the events it had, if any, are lost"
    return said


def _set_aside(path: str, fd: int, size: int, sound: Soundness) -> str:
    count, top = 0, sound.last
    for _, line in _lines.lines(fd, sound.end, size):
        if not line.strip(b"\0 \t\r\n"):
            continue
        count += 1
        header = decode_header(line)
        # Believed only where it is near: a flipped bit may sit in the number itself.
        if header is not None and count <= header.seq - sound.last <= 4 * count + 100:
            top = header.seq
    torn = count <= 1
    kept = _copy(path, fd, sound.end if torn else 0, size)
    lost = max(count, top - sound.last)
    events = f"{lost} event{'' if lost == 1 else 's'}"
    if not count:
        return (
            f"the session's log ended in {size - sound.end} empty bytes after event {sound.last}; they are now {kept}"
        )
    if torn and lost == 1:
        return (
            f"the last line of the session's log was damaged and has been cut off: 1 event after event {sound.last} is "
            f"missing; its remains are {kept}"
        )
    return (
        f"the session's log is damaged after event {sound.last}: {events} that followed {'is' if lost == 1 else 'are'} "
        f"missing; the damaged {'part' if torn else 'log'} is kept as {kept}"
    )


def _copy(path: str, fd: int, start: int, end: int) -> str:
    """Keep the bytes from `start` on as a file of their own, safe on disk, and return its name."""
    number = 1
    while True:
        name = f"{path}.damaged-{number}"
        try:
            copy = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            break
        except FileExistsError:
            number += 1
    try:
        _pour(fd, start, end, copy)
        os.fsync(copy)
    except BaseException:
        os.unlink(name)
        raise
    finally:
        os.close(copy)
    return name


def _rewrite(path: str, fd: int, sound: Soundness) -> None:
    """Replace the log by its sound lines, all at once."""
    passing = path + ".mending"
    out = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        for _, piece in _lines.pieces(fd, sound.start, sound.end):
            lines = [line for line in piece.split(b"\n") if line.strip()]
            _write(out, b"".join(line + b"\n" for line in lines))
        os.fsync(out)
    except BaseException:
        os.unlink(passing)
        raise
    finally:
        os.close(out)
    os.rename(passing, path)


def _pour(fd: int, start: int, end: int, out: int) -> None:
    while start < end:
        piece = os.pread(fd, min(_lines.PIECE, end - start), start)
        if not piece:
            return
        _write(out, piece)
        start += len(piece)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _forget_summary(folder: str) -> None:
    try:
        os.unlink(os.path.join(folder, _index.NAME))
    except FileNotFoundError:
        return
