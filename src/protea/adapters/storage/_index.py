"""The index that makes lists cheap: beside each log its summary, and the size and time of the log it was true for.

A file per session has one writer, so that there is nothing to lock, and a damaged one costs one log to read again.
"""

from __future__ import annotations

import os
from functools import cache

import msgspec

from protea.adapters.storage import _lines
from protea.domain.event_codec import decode, to_json
from protea.domain.session import SessionSummary
from protea.domain.summary import advance, begin

NAME = "summary.json"
VERSION = 1
"""Changed where `advance` changes its mind, so that old summaries are made again."""


class Entry(msgspec.Struct, frozen=True):
    version: int
    size: int
    """Of the log, in bytes."""
    mtime_ns: int
    summary: SessionSummary
    plain: bool = True
    """Whether line n of the log is event n, to its end: no byte order mark, no blank line, no damage."""


@cache
def _decoder() -> msgspec.json.Decoder[Entry]:
    """Made when one is read: a new session's is only written."""
    return msgspec.json.Decoder(Entry)


def load(folder: str) -> Entry | None:
    """The entry as it was left; None where it is missing or unreadable."""
    try:
        fd = os.open(os.path.join(folder, NAME), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        entry = _decoder().decode(os.read(fd, 1 << 16))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    finally:
        os.close(fd)
    return entry if entry.version == VERSION else None


def save(folder: str, entry: Entry) -> None:
    """Leave the entry; where that fails the next reader makes it again."""
    path = os.path.join(folder, NAME)
    passing = f"{path}.{os.getpid()}"
    try:
        fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, to_json(entry))
        finally:
            os.close(fd)
        os.rename(passing, path)
    except OSError:
        return


def fits(entry: Entry | None, status: os.stat_result) -> bool:
    """Whether the log is still the one the entry was made from."""
    return entry is not None and entry.size == status.st_size and entry.mtime_ns == status.st_mtime_ns


def catch_up(session: str, fd: int, entry: Entry | None) -> Entry:
    """The entry for a log as it is now: from where `entry` ends if the log only grew, else from its beginning."""
    status = os.fstat(fd)
    if entry is not None and fits(entry, status):
        return entry
    if entry is not None and entry.plain and entry.size < status.st_size:
        grown = _grown(fd, status, entry)
        if grown is not None:
            return grown
    sound = _lines.examine(fd, status.st_size)
    summary = begin(session)
    for _, line in _lines.lines(fd, sound.start, sound.end):
        if line.strip():
            summary = advance(summary, decode(line))
    plain = sound.start == 0 and not sound.blank and not sound.open_ended and sound.end == status.st_size
    return Entry(VERSION, status.st_size, status.st_mtime_ns, summary, plain)


def _grown(fd: int, status: os.stat_result, entry: Entry) -> Entry | None:
    summary = entry.summary
    line = b""
    for _, line in _lines.lines(fd, entry.size, status.st_size):
        try:
            event = decode(line)
        except ValueError:
            return None
        if event.seq != summary.events + 1:
            return None
        summary = advance(summary, event)
    return Entry(VERSION, status.st_size, status.st_mtime_ns, summary) if line.endswith(b"\n") else None
