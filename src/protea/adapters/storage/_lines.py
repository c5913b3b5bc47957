"""The lines of a log file: which of them are sound, and where to begin reading.

Called by `jsonl`. Everything here reads by position in pieces, so a long log costs little memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from protea.domain.event_codec import decode_header, follow

PIECE = 1 << 20
BOM = b"\xef\xbb\xbf"


class Soundness(msgspec.Struct, frozen=True):
    """What reading a whole log for damage found."""

    start: int
    """Where the first line begins: after a byte order mark, if there is one."""
    end: int
    """Where the longest sound beginning ends."""
    last: int
    """The seq of its last event."""
    blank: bool
    """Whether it has blank lines."""
    open_ended: bool
    """Whether its last line is whole but for the line's end."""


def examine(fd: int, size: int) -> Soundness:
    """Find the longest beginning of a log whose lines are events numbered from 1 without a gap."""
    start = len(BOM) if os.pread(fd, len(BOM), 0) == BOM else 0
    end, last, blank = start, 0, False
    for offset, piece in pieces(fd, start, size):
        if not piece.endswith(b"\n"):
            header = decode_header(piece)
            if header is not None and header.seq == last + 1:
                return Soundness(start, offset + len(piece), last + 1, blank, True)
            break
        following = follow(piece, last)
        if following is not None:
            end, last = offset + len(piece), following
            continue
        for line in _lines(piece):
            if not line.strip():
                blank = True
            else:
                header = decode_header(line)
                if header is None or header.seq != last + 1:
                    return Soundness(start, end, last, blank, False)
                last += 1
            end += len(line)
    return Soundness(start, end, last, blank, False)


def pieces(fd: int, start: int, end: int, size: int = PIECE) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) from `start` to `end`, each of whole lines; the very last may lack its end."""
    offset = start
    wanted = size
    while offset < end:
        piece = os.pread(fd, min(wanted, end - offset), offset)
        if not piece:
            return  # somebody cut the file while we read it
        if offset + len(piece) < end:
            cut = piece.rfind(b"\n") + 1
            if not cut:
                wanted *= 2  # one line longer than a piece
                continue
            piece = piece[:cut]
        elif (cut := piece.rfind(b"\n") + 1) and cut < len(piece):
            yield offset, piece[:cut]
            offset, piece = offset + cut, piece[cut:]
        yield offset, piece
        offset += len(piece)
        wanted = size


def lines(fd: int, start: int, end: int, size: int = PIECE) -> Iterator[tuple[int, bytes]]:
    """(offset, line with its end), in order."""
    for offset, piece in pieces(fd, start, end, size):
        for line in _lines(piece):
            yield offset, line
            offset += len(line)


def skip(fd: int, start: int, end: int, count: int) -> int:
    """Where the line after the first `count` lines begins."""
    offset = start
    while offset < end and count:
        piece = os.pread(fd, min(PIECE, end - offset), offset)
        if not piece:
            break
        found = piece.count(b"\n")
        if found >= count:
            position = -1
            for _ in range(count):
                position = piece.index(b"\n", position + 1)
            return offset + position + 1
        count -= found
        offset += len(piece)
    return offset


def skip_back(fd: int, end: int, count: int) -> int:
    """Where the last `count` lines before `end` begin; `end` is just after a line's end."""
    if count <= 0:
        return end
    stop = max(end - 1, 0)  # before the last line's own end
    while stop > 0:
        begin = max(0, stop - (PIECE >> 3))
        piece = os.pread(fd, stop - begin, begin)
        found = piece.count(b"\n")
        if found >= count:
            position = len(piece)
            for _ in range(count):
                position = piece.rindex(b"\n", 0, position)
            return begin + position + 1
        count -= found
        stop = begin
    return 0


def _lines(piece: bytes) -> Iterator[bytes]:
    # `bytes.splitlines` also breaks at a lone carriage return, which JSON takes for a blank.
    begin = 0
    while begin < len(piece):
        end = piece.find(b"\n", begin) + 1 or len(piece)
        yield piece[begin:end]
        begin = end
