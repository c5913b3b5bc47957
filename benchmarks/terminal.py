"""A terminal with a screen model for one program: keys go in, and what stands on the screen is known at any time."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import pyte

COLUMNS, ROWS = 120, 40
PATIENCE = 120.0


class _Screen(pyte.Screen):
    """Lets pass what pyte does not know."""

    def report_device_status(self, *_: Any, **__: Any) -> None: ...

    def report_device_attributes(self, *_: Any, **__: Any) -> None: ...

    def select_graphic_rendition(self, *attributes: Any, **_: Any) -> None:
        super().select_graphic_rendition(*attributes)


class Terminal:
    """Runs `command`. Times are from here: what the program draws counts once it stands in the screen model."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: str = "/", rate: int = 0) -> None:
        self.rate = rate
        """Bytes a second that are read, as over a slow line; 0 is all there is."""
        self.screen = _Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self.screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        self._unread: str | None = None
        self.begun = time.perf_counter()
        self.pid, self.leader = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.execve(command[0], list(command), {"TERM": "xterm-256color", **environment})
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.leader)

    @property
    def shown(self) -> str:
        return "\n".join(self.screen.display)

    def read(self, seconds: float = 0.0) -> bool:
        """Take what has been drawn; whether there was anything."""
        if not select.select([self.leader], [], [], seconds)[0]:
            return False
        if self.rate:
            time.sleep(64 / self.rate)
        try:
            data = os.read(self.leader, 64 if self.rate else 1 << 16)
        except OSError:
            return False
        text = self._decode(data)
        if self._unread is None:
            self._stream.feed(text)
        else:
            self._unread += text
        return bool(data)

    def put_off(self) -> None:
        """Keep what comes unread: the screen model is slower than the screen, and would be measured itself."""
        self._unread = ""

    def wrote(self, words: str) -> bool:
        """Whether that has come in what was put off, styles left out."""
        return words in _STYLE.sub("", (self._unread or "")[-20_000:])

    @property
    def unread(self) -> int:
        """Characters that were put off."""
        return len(self._unread or "")

    def until_written(self, words: str) -> float:
        """Seconds since the start when that has come in what was put off."""
        while words not in (self._unread or ""):
            if not self.read(PATIENCE):
                sys.exit(f"{words!r} did not come: {self._unread!r}")
        return time.perf_counter() - self.begun

    def catch_up(self) -> None:
        """Read what was put off."""
        text, self._unread = self._unread or "", None
        self._stream.feed(text)

    def echo_in_row(self, character: str, before: str, row: int) -> float:
        """Seconds from a key until a row (from 0) was written that says `before` and it. For while reading is put
        off: it is looked for in what the program wrote since."""
        while self.read():
            pass
        assert self._unread is not None
        at, wanted = len(self._unread), before + character
        begin = time.perf_counter()
        self.type(character)
        while not _written(self._unread[at:], row, wanted):
            if not self.read(PATIENCE):
                sys.exit(f"no echo of {character!r} behind {before!r}")
        return time.perf_counter() - begin

    def until(self, come: Callable[[str], bool]) -> float:
        """Seconds since the start when it stands there."""
        while not come(self.shown):
            if not self.read(PATIENCE):
                sys.exit(f"it did not come; what stands there:\n{self.shown}")
        return time.perf_counter() - self.begun

    def settle(self, seconds: float = 1.0, most: float = 6.0) -> None:
        """Wait until nothing has been drawn for that long; where a cursor blinks for ever, no longer than `most`."""
        end = time.perf_counter() + most
        while time.perf_counter() < end and self.read(seconds):
            pass

    def type(self, text: str) -> None:
        os.write(self.leader, text.encode())

    def cpu(self) -> float:
        """Seconds of processor time so far, of all threads (Linux): as the scheduler has measured them, where it does,
        for the clock's ticks tell nothing of what takes less than one."""
        threads = [f"/proc/{self.pid}/task/{each}" for each in os.listdir(f"/proc/{self.pid}/task")]
        try:
            return sum(int(_text(f"{each}/schedstat").split()[0]) for each in threads) / 1e9
        except OSError:
            fields = _text(f"/proc/{self.pid}/stat").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def woken(self) -> int:
        """How often its threads have been woken so far (Linux)."""
        threads = os.listdir(f"/proc/{self.pid}/task")
        texts = [_text(f"/proc/{self.pid}/task/{each}/status") for each in threads]
        return sum(int(re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", each, re.M)[0]) for each in texts)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def drawn(self, do: Callable[[], None], seconds: float = 0.1) -> tuple[float, float, int]:
        """What something makes the program do, for while reading is put off: seconds until it has begun to draw for the
        last time, processor time, characters."""
        while self.read(seconds):
            pass
        self._unread, before, begin = "", self.cpu(), time.perf_counter()
        do()
        last = begin
        while self.read(seconds):
            last = time.perf_counter()
        return last - begin, self.cpu() - before, len(self._unread)

    def peak(self) -> float:
        """MB held at most (Linux)."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def _text(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


_ROW = re.compile(r"\x1b\[(\d+);\d+H((?:[^\x1b\r\n]|\x1b\[[\d;]*m)*)")
_STYLE = re.compile(r"\x1b\[[\d;]*m")


def _written(text: str, row: int, wanted: str) -> bool:
    return any(int(found[1]) == row + 1 and wanted in _STYLE.sub("", found[2]) for found in _ROW.finditer(text))


def percentile(values: Sequence[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
