"""What is drawn, on its way to the terminal.

What the terminal takes at once is written at once, by whoever draws: handing it to a thread first would cost a key more
than all else. What it does not take a thread writes, in order, so nobody waits for a slow line; and as long as there is
such a rest, `behind` says so, for drawing more would only make it longer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


class Writer:
    """Writes to a terminal. `write` and `flush` are called by one thread."""

    def __init__(self, target: int, encoding: str = "utf-8", caught_up: Callable[[], None] = lambda: None) -> None:
        self._target = target
        self._encoding = encoding
        self._caught_up = caught_up
        """Called by the thread when the terminal has taken everything."""
        self._quick = _never_waiting(target)
        self._drawn: list[str] = []
        self._rest = bytearray()
        self._there = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ended = False

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken all that was flushed."""
        return bool(self._rest)

    def write(self, text: str) -> None:
        """Goes out with the next `flush`."""
        self._drawn.append(text)

    def flush(self) -> None:
        """Let the terminal have what was written. Returns at once."""
        if not self._drawn:
            return
        data = "".join(self._drawn).encode(self._encoding, "replace")
        self._drawn.clear()
        with self._there:
            if not self._rest:
                data = data[self._write_what_is_taken(data) :]
            if not data:
                return
            self._rest += data
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_rest, name="terminal", daemon=True)
                self._thread.start()
            self._there.notify()

    def end(self) -> None:
        """Wait until the terminal has everything."""
        self.flush()
        with self._there:
            self._ended = True
            self._there.notify()
        if self._thread is not None:
            self._thread.join()
        if self._quick >= 0:
            os.close(self._quick)
            self._quick = -1

    def _write_what_is_taken(self, data: bytes) -> int:
        if self._quick < 0:
            return 0
        try:
            return os.write(self._quick, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # the terminal is gone; who reads from it will notice

    def _write_rest(self) -> None:
        while True:
            with self._there:
                while not self._rest:
                    if self._ended:
                        return
                    self._there.wait()
                data = bytes(self._rest[:4096])
            try:
                taken = os.write(self._target, data)
            except OSError:
                taken = len(data)
            with self._there:
                del self._rest[:taken]
                done = not self._rest and not self._ended
            if done:
                self._caught_up()


def _never_waiting(target: int) -> int:
    """The same terminal, opened once more so that a write to it never waits: to say so of `target` would say it to all
    who share it, the shell too. -1 where that is not allowed."""
    try:
        return os.open(os.ttyname(target), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return -1
