"""A terminal of its own for a program: a pseudo-terminal, and a screen model of what the program drew."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyte

PATIENCE = 40.0
"""Seconds something may take on a machine that is busy with other things."""


class _Screen(pyte.Screen):
    """Answers nothing, and lets pass what pyte does not know."""

    def report_device_status(self, *args: Any, **kwargs: Any) -> None: ...

    def report_device_attributes(self, *args: Any, **kwargs: Any) -> None: ...

    def select_graphic_rendition(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("private", None)
        super().select_graphic_rendition(*args)


class Terminal:
    """Runs `command`; `see` waits until something stands on the screen."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, cwd: str, columns: int = 80, rows: int = 24
    ) -> None:
        self.screen = _Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.raw = ""
        self.code: int | None = None
        self.pid, self.leader = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            # The size must be right before the program asks for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(command[0], list(command), dict(environment))
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    # ── doing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def type(self, text: str | bytes) -> None:
        """Keys; a long text goes as fast as the program reads it, and what it draws meanwhile is read."""
        data = text.encode() if isinstance(text, str) else text
        deadline = time.monotonic() + PATIENCE
        while data and time.monotonic() < deadline:
            reads, writes, _ = select.select([self.leader], [self.leader], [], 1)
            if reads:
                self._read()
            if writes:
                data = data[os.write(self.leader, data[:1024]) :]
        assert not data, "the program reads no keys"

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def clear(self) -> None:
        """Forget what was drawn."""
        self.quiet(0.1)
        self.screen.erase_in_display(2)

    # ── seeing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def shown(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def see(self, *wanted: str) -> str:
        """Wait until all of it stands on the screen; the screen."""
        return self.until(lambda shown: all(each in shown for each in wanted), f"{wanted} did not come")

    def gone(self, *unwanted: str) -> str:
        return self.until(lambda shown: not any(each in shown for each in unwanted), f"{unwanted} did not go")

    def until(self, come: Callable[[str], bool], complaint: str = "it did not come") -> str:
        deadline = time.monotonic() + PATIENCE
        while not come(self.shown):
            if not self._read(max(0.0, deadline - time.monotonic())):
                raise AssertionError(f"{complaint}; what stands there:\n{self.shown}")
        return self.shown

    def quiet(self, seconds: float = 0.4) -> str:
        """Wait until nothing has been drawn for a moment; the screen."""
        while self._read(seconds):
            pass
        return self.shown

    def _read(self, seconds: float = 0.0) -> bool:
        ready, _, _ = select.select([self.leader], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.leader, 1 << 16)
        except OSError:
            return False
        text = self._decode(data)
        self.raw = (self.raw + text)[-2_000_000:]
        self._stream.feed(text)
        return bool(data)

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

    def ends(self) -> int:
        """The exit code, once the program has ended."""
        deadline = time.monotonic() + PATIENCE
        while self.code is None and time.monotonic() < deadline:
            self._read(0.05)
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.code = os.waitstatus_to_exitcode(status)
                while self._read():
                    pass
        assert self.code is not None, f"it does not end; what stands there:\n{self.shown}"
        return self.code

    def hang_up(self) -> None:
        """Take the terminal away; what stands in its place swallows what is still read of it."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self.leader)
        os.close(nothing)

    def kill(self) -> None:
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        self.kill()
        os.close(self.leader)
