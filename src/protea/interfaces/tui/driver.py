"""The terminal: taken over from the first frame, read in one thread, written by Textual's own.

Textual's driver with three differences: what the first frame already did is not done again (it would flicker), keys are
read once the composer stands (before that they would be dropped), and a paste of any size is one event.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from codecs import getincrementaldecoder
from typing import Any, Protocol

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

TICKS = 4
"""Times the parser is asked for what it waits for, after the last key."""
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"


class Typed(Protocol):
    """What was typed before the screen stood; see `boot.Typed`."""

    text: str
    cursor: int
    sent: tuple[str, ...]
    rest: bytes


class FirstFrame(Protocol):
    """What draws and listens until the screen stands; see `boot.FirstFrame`."""

    attributes: list[Any]

    def tell(self, text: str) -> None: ...
    def hand_over(self) -> Typed: ...
    def give_back(self) -> None: ...


class ScreenDriver(LinuxDriver):
    """Made by `driver_for`, which says whose terminal it takes over."""

    first: FirstFrame | None = None
    typed: Typed | None = None

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None):
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = sys.__stdout__
        self._reading = threading.Event()
        self._wake_end, self._wake = os.pipe()
        self._ahead = b""
        self._taken_over = False
        self._closing = False

    def start_application_mode(self) -> None:
        taking = type(self).first if not self._taken_over else None
        if taking is not None:
            type(self).typed = typed = taking.hand_over()
            self._ahead = typed.rest
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual left this one without types
        if taking is not None:
            self._taken_over = True
            self.attrs_before = taking.attributes
        else:
            self._reading.set()

    def write(self, data: str) -> None:
        if data == "\x1b[?1049h" and type(self).first is not None and not self._taken_over:
            return  # we are there, and some terminals would clear it
        super().write(data)

    def begin_reading(self) -> None:
        """From here on keys reach the application, those that came early first."""
        self._reading.set()

    def set_mouse(self, on: bool) -> None:
        """Let the terminal report the mouse, or leave it to the terminal's own selection."""
        if on:
            self._mouse = True
            self._enable_mouse_support()
        else:
            self._disable_mouse_support()
            self._mouse = False

    def show_cursor(self, on: bool) -> None:
        """Let the terminal's own cursor be seen (and be followed by what reads the screen aloud)."""
        self.write("\x1b[?25h" if on else "\x1b[?25l")
        self.flush()

    def disable_input(self) -> None:
        self._closing = True
        self._reading.set()
        os.write(self._wake, b".")
        super().disable_input()
        self._closing = False

    def run_input_thread(self) -> None:
        self._reading.wait()
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        paste: list[bytes] | None = None

        def give(messages: Any) -> None:
            for message in messages:
                self.process_message(message)

        def take(data: bytes) -> None:
            nonlocal paste
            while data:
                if paste is not None:
                    paste.append(data)
                    # The end may be cut in two by the size of a read.
                    tail = data if len(data) >= len(PASTED) else b"".join(paste[-len(PASTED) :])
                    if PASTED not in tail and PASTED not in b"".join(paste[-2:]):
                        return
                    content, _, data = b"".join(paste).partition(PASTED)
                    paste = None
                    self.process_message(_paste(content))
                    continue
                before, begun, data = data.partition(PASTE)
                if before:
                    give(parser.feed(decode(before)))
                if begun:
                    paste = []

        ahead, self._ahead = self._ahead, b""
        take(ahead)
        ticks = TICKS
        while not (self.exit_event.is_set() or self._closing):
            # A lone Escape counts as one once nothing has followed it for a moment; otherwise there is nothing to
            # look at by the clock, and the processor may sleep.
            wait = 0.05 if ticks else None
            ready, _, _ = select.select([self.fileno, self._wake_end], [], [], wait)
            ticks = TICKS if ready else ticks - 1
            if self._wake_end in ready:
                os.read(self._wake_end, 64)
            if self.fileno in ready:
                try:
                    data = os.read(self.fileno, 1 << 16)
                except OSError:  # how Linux says that the terminal is gone
                    data = b""
                if not data:
                    self._hang_up()
                    return
                take(data)
            give(parser.tick())

    def _hang_up(self) -> None:
        self._app.call_later(self._app.exit)


def _paste(content: bytes) -> events.Paste:
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return events.Paste(text)


def driver_for(first: FirstFrame | None) -> type[ScreenDriver]:
    """The driver of one run."""
    return type("RunDriver", (ScreenDriver,), {"first": first})
