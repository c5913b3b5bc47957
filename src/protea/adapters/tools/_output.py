"""Takes in what a command writes: all of it into a file once it is much, its beginning and end for the model, and a
trickle of text for whoever watches. Memory stays the same however much comes."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
from typing import Literal

from protea.domain.cut import cut, joined
from protea.domain.plain import plain, unfinished
from protea.ports.toolset import ToolContext

KEPT = 1 << 16
"""Bytes kept of the beginning and of the end: more than the model sees, as escape sequences are taken out."""
IN_THREAD = 1 << 20
"""Bytes from which writing to the file is done in a thread: a full page cache would stop the loop."""


class Output:
    """Everything one command writes."""

    def __init__(self, context: ToolContext, limit: int) -> None:
        self._path = context.output_path()
        self._limit = limit
        self._memory = bytearray()
        self._head = b""
        self._tail = bytearray()
        self._fd: int | None = None
        self.size = 0
        self._lines = 0
        self._written = False
        self.trouble: str | None = None
        """Why the file is not whole."""

    async def add(self, data: bytes) -> None:
        self.size += len(data)
        self._lines += data.count(b"\n")
        if not self._written:
            self._memory += data
            if self.size > self._limit:
                self._spill()
            return
        self._tail += data[-KEPT:]
        if len(self._tail) > 4 * KEPT:
            del self._tail[:-KEPT]
        if self.size > IN_THREAD:
            await asyncio.to_thread(self._write, data)
        else:
            self._write(data)

    def finish(self) -> tuple[str, str | None]:
        """What the model reads, and the path of the file where it is not everything."""
        if not self._written:
            data = bytes(self._memory)
            if _odd(data):
                self._spill()
            text = plain(data.decode("utf-8", "backslashreplace"))
            where = self._path if self._written and not self.trouble else None
            text = cut(text, self._limit, where)
        else:
            where = None if self.trouble else self._path
            half = self._limit // 2
            head = plain(_whole_end(self._head).decode("utf-8", "backslashreplace"))
            tail = plain(_whole_start(bytes(self._tail[-KEPT:])).decode("utf-8", "backslashreplace"))
            if self.size == len(self._head) + len(self._tail):
                text = cut(
                    plain((self._head + bytes(self._tail)).decode("utf-8", "backslashreplace")), self._limit, where
                )
            else:
                text = joined(head[:half], tail[-half:], self.size, self._lines, where)
        self.close()
        if self.trouble:
            text += f"\n[{self.trouble}]"
        return text, where

    def so_far(self) -> bytes:
        """What has come; of much, its beginning and its end, and where the whole is."""
        if not self._written:
            return bytes(self._memory)
        missing = self.size - len(self._head) - len(self._tail)
        between = f"\n[… {missing:,} bytes more are in {self._path}]\n".encode() if missing > 0 else b""
        return self._head + between + bytes(self._tail)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _spill(self) -> None:
        """From memory to the file."""
        self._written = True
        data = bytes(self._memory)
        self._memory.clear()
        self._head, self._tail = data[:KEPT], bytearray(data[KEPT:])
        try:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._give_up(error)
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self._fd is None:
            return
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # A full disk must not end the command: what the model sees is still right.
        self.trouble = f"the whole output could not be kept in {self._path}: {os.strerror(error.errno or 0)}"
        self.close()


class Teller:
    """Tells watchers what a command writes, as plain text, but no more than a person could look at."""

    BUDGET = 1 << 16
    PERIOD = 0.1

    def __init__(self, context: ToolContext) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._held = {"stdout": "", "stderr": ""}
        self._since = self._loop.time()
        self._spent = 0
        self._skipped = 0

    def tell(self, data: bytes, stream: Literal["stdout", "stderr"]) -> None:
        now = self._loop.time()
        if now - self._since > self.PERIOD:
            self._since, self._spent = now, 0
        if self._spent + len(data) > self.BUDGET and self._spent:
            self._skipped += len(data)
            return
        self._spent += len(data)
        if len(data) > self.BUDGET:
            self._skipped += len(data) - self.BUDGET
            data = data[-self.BUDGET :]
        if self._skipped:
            self._context.say(f"\n[… {self._skipped:,} bytes not shown …]\n", stream)
            self._skipped = 0
        if stream not in self._decoders:
            self._decoders[stream] = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        text = self._held[stream] + self._decoders[stream].decode(data)
        keep = unfinished(text)
        if text.endswith("\r"):
            keep = max(keep, 1)  # a line feed may follow
        self._held[stream] = text[len(text) - keep :] if keep else ""
        text = plain(text[: len(text) - keep] if keep else text)
        if text:
            self._context.say(text, stream)

    def finish(self) -> None:
        for stream in ("stdout", "stderr"):
            decoder = self._decoders.get(stream)
            rest = plain(self._held[stream] + (decoder.decode(b"", True) if decoder else ""))
            if rest:
                self._context.say(rest, "stdout" if stream == "stdout" else "stderr")


def _odd(data: bytes) -> bool:
    """Whether text would not show every byte: then the file has to."""
    if b"\0" in data:
        return True
    with contextlib.suppress(UnicodeDecodeError):
        data.decode()
        return False
    return True


def _whole_end(data: bytes) -> bytes:
    """Without the beginning of a UTF-8 character at the end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if needed > back else data
        if byte & 0x80 == 0:
            break
    return data


def _whole_start(data: bytes) -> bytes:
    """Without the end of a UTF-8 character at the start."""
    at = 0
    while at < min(3, len(data)) and data[at] & 0xC0 == 0x80:
        at += 1
    return data[at:]
