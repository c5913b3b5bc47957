"""Event streams and JSON lines, cut out of bytes as they arrive. Used by every model adapter; pure.

The rules are those of the WHATWG standard, "Interpreting an event stream": a line ends at LF, CRLF or CR and nowhere
else (providers send U+2028, U+0085 and their like raw inside JSON), a leading BOM is dropped, comments and unknown
fields are skipped, the lines of one event's data are joined with LF, an event without data is not dispatched.
Bytes are cut, not decoded: a character split between two blocks is whole again before anyone looks at it.
"""

from __future__ import annotations

MAX_LINE = 32 * 1024 * 1024
"""Bytes of one line or of one event's data; images and encrypted results come in one."""
_MAX_STRAY = 64 * 1024
_BOM = b"\xef\xbb\xbf"


class LineTooLong(Exception):
    """What comes is not lines, or not of a size anyone sends."""


class LineReader:
    """Lines of LF, CRLF or CR, without their ends."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max = max_line
        self._tail: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._start: bytes | None = b""

    def feed(self, block: bytes) -> list[bytes]:
        """The lines that became whole."""
        if self._start is not None:
            block = self._start + block
            if len(block) < 3 and _BOM.startswith(block):
                self._start = block
                return []
            self._start = None
            block = block.removeprefix(_BOM)
        if not block:
            return []
        if self._after_cr:
            self._after_cr = False
            if block[0] == 10:  # the second half of a CRLF that was cut
                block = block[1:]
                if not block:
                    return []
        if b"\r" in block:
            self._after_cr = block[-1] == 13
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = block.split(b"\n")
        if len(lines) > 1:
            if self._tail:
                self._tail.append(lines[0])
                lines[0] = b"".join(self._tail)
                self._tail.clear()
            self._size = 0
        last = lines.pop()
        if last:
            self._tail.append(last)
            self._size += len(last)
            if self._size > self._max:
                raise LineTooLong(f"a line of more than {self._max} bytes")
        return lines

    def finish(self) -> bytes:
        """What stands behind the last line end."""
        rest = (self._start or b"") + b"".join(self._tail)
        self._tail.clear()
        self._start = None
        return rest


class EventReader:
    """The `data` of each event. Names are not given: every wire says in its data what an event is.

    `stray` keeps the beginning of what was no field at all: some servers put a bare JSON error into an event stream.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._lines = LineReader(max_line)
        self._max = max_line
        self._data: list[bytes] = []
        self._size = 0
        self.stray = b""

    def feed(self, block: bytes) -> list[bytes]:
        """The data of the events that became whole."""
        out: list[bytes] = []
        data = self._data
        for line in self._lines.feed(block):
            if line.startswith(b"data:"):
                value = line[6:] if line[5:6] == b" " else line[5:]
                if data:
                    self._size += len(value)
                    if self._size > self._max:
                        raise LineTooLong(f"an event of more than {self._max} bytes")
                else:
                    self._size = len(value)
                data.append(value)
            elif not line:
                if data:
                    whole = data[0] if len(data) == 1 else b"\n".join(data)
                    data.clear()
                    if whole:
                        out.append(whole)
            elif not line.startswith((b":", b"event:", b"id:", b"retry:")):
                self._other(line)
        return out

    def _other(self, line: bytes) -> None:
        if line == b"data":
            self._data.append(b"")
        elif line not in (b"event", b"id", b"retry") and len(self.stray) < _MAX_STRAY:
            self.stray += line[:_MAX_STRAY] + b"\n"

    def finish(self) -> list[bytes]:
        """The data of an event whose empty line never came, if the stream ended by itself.

        The standard drops it. Servers that forget the last line end exist, and whether the data is whole shows when
        it is decoded.
        """
        rest = self._lines.finish()
        if rest.startswith(b"data:"):
            self._data.append(rest[6:] if rest[5:6] == b" " else rest[5:])
        elif rest and not rest.startswith((b":", b"event", b"id", b"retry", b"data")):
            self.stray += rest[:_MAX_STRAY]
        data = b"\n".join(self._data)
        self._data.clear()
        return [data] if data else []


class JsonLineReader:
    """The values of a stream of JSON lines (NDJSON); empty lines are skipped."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._lines = LineReader(max_line)

    def feed(self, block: bytes) -> list[bytes]:
        return [line for line in self._lines.feed(block) if line and not line.isspace()]

    def finish(self) -> list[bytes]:
        """The last line, if its line end never came."""
        rest = self._lines.finish()
        return [rest] if rest and not rest.isspace() else []
