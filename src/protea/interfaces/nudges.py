"""Ctrl+C, and being told to end, in a thread that waits for keys while another runs the loop. Called by `repl`."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from functools import partial
from types import FrameType


class Nudges:
    """Makes sure that Ctrl+C is noticed: each raises `KeyboardInterrupt` in the keyboard's thread, which says when it
    has `noticed` it. So do SIGTERM and SIGHUP, where it is said what they raise.

    A signal that comes after that thread has looked for signals and before it waits for a key is handled by Python only
    at the next key. So the loop hears of every signal, and a moment later interrupts that wait by one that does
    nothing. And an exception that is raised where none can leave (a weak reference that dies) is printed and gone: what
    nobody has noticed by the last nudge is raised once more.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, leave: type[Exception] | None = None) -> None:
        """Must be made in the keyboard's thread, the main one. `leave` is raised by SIGTERM and SIGHUP."""
        self._loop = loop
        self._keyboard = threading.get_ident()
        self._raised: type[BaseException] | None = None
        """What nobody has noticed yet."""
        self._last = False
        """The nudge that comes is the last one for this signal."""
        self._heard, self._told = os.pipe()
        os.set_blocking(self._told, False)
        self._handlers = {signal.SIGURG: signal.signal(signal.SIGURG, self._nudge)}
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._handlers[signal.SIGINT] = signal.signal(signal.SIGINT, partial(self._raise, KeyboardInterrupt))
        if leave is not None:
            for number in (signal.SIGTERM, signal.SIGHUP):
                self._handlers[number] = signal.signal(number, partial(self._raise, leave))
        self._before = signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        loop.call_soon_threadsafe(loop.add_reader, self._heard, self._hear)

    def noticed(self) -> None:
        """It has arrived."""
        self._raised = None

    def close(self) -> None:
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._loop.call_soon_threadsafe(self._end)
        os.close(self._told)

    def _raise(self, what: type[BaseException], number: int, frame: FrameType | None) -> None:
        self._raised = what
        raise what

    def _nudge(self, number: int, frame: FrameType | None) -> None:
        if self._last and self._raised is not None:
            again, self._raised = self._raised, None
            raise again

    def _hear(self) -> None:
        if any(number != signal.SIGURG for number in os.read(self._heard, 256)):
            self._last = False
            self._loop.call_later(0.02, self._send, False)
            self._loop.call_later(0.2, self._send, True)

    def _send(self, last: bool) -> None:
        self._last = last
        signal.pthread_kill(self._keyboard, signal.SIGURG)

    def _end(self) -> None:
        self._loop.remove_reader(self._heard)
        os.close(self._heard)
