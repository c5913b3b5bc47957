"""The terminal: taken over from the first frame, read and written by the event loop itself.

Textual's driver with four differences: what the first frame already did is not done again (it would flicker), keys are
read once the composer stands (before that they would be dropped), a paste of any size is one event, and no thread
stands between the terminal and the loop: each one would have to be woken for every key.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from textual import constants, events
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.keys import _character_to_key
from textual.message import Message

from protea.interfaces.tui.background import MOST_COLUMNS, MOST_ROWS, QUESTION, Answers, Colour
from protea.interfaces.tui.writer import Writer

A_MOMENT = 0.05
"""Seconds for which a key is held back that looks like the beginning of something the terminal says."""
ESCAPE = 0.05
USUAL = 0.1
"""Seconds after which a lone Esc is one, where `$ESCDELAY` does not say otherwise, here and in Textual."""
AN_ANSWER = 2.0
"""Seconds a terminal has to answer; nobody waits for it."""
Told = Callable[[Sequence[bytes]], None]
_ALT = re.compile(rb"\x1b(?:\r|([!-@`{-~])|([\x00-\x06\x0a-\x0c\x0e-\x1a\x1c-\x1f]))")
"""What Textual's parser does not know: Alt+Enter (it gives Enter), Alt and a sign or a digit (it types `^` and the
sign, or what Alt and the digit write on some keyboards), and Esc with a control character behind it (it drops Esc)."""
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"
LARGEST_PASTE = 64 << 20
"""Bytes that are kept of one paste; what is more is left out, and the paste says so."""
CUT_OFF = b"\n[the paste went on; Protea keeps 64 MB of one]\n"
A_PAUSE = 1.0
"""Seconds without anything more after which Ctrl+C ends a paste whose end has not come."""


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
        self._writer = self._new_writer()
        self._flush_comes = False
        self._owed: Callable[[], None] | None = None
        """What is to be called when the terminal has taken everything."""
        self._ahead = b""
        self._taken_over = False
        self._reading = False
        self._ended = False
        self._parser = XTermParser(debug)
        self._answers = Answers()
        self.told_background: Callable[[Colour], None] = lambda colour: None
        """Called with the terminal's background once it has said it."""
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._pasted: list[bytes] | None = None
        """What has come of a paste that has not ended."""
        self._pasted_bytes = 0
        self._pasted_at = 0.0
        self._take: Callable[[events.Event], bool] = lambda event: False
        self._asked: tuple[Callable[[Sequence[bytes]], bool], Told] | None = None
        self._in_charge = False
        self.redraw: Callable[[], None] = lambda: None
        """Draws the whole screen anew; whoever has made us sets it."""

    # ── taking over and giving back ────────────────────────────────────────────────────────────────────────────────

    def start_application_mode(self) -> None:
        if self._ended:
            self._writer = self._new_writer()
            self._ended = False
        taking = type(self).first if not self._taken_over else None
        if taking is not None:
            type(self).typed = typed = taking.hand_over()
            self._ahead = typed.rest
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual left this one without types
        assert self._writer_thread is not None
        self._writer_thread.stop()  # nothing was ever given to it
        self._writer_thread = None
        self.flush()
        if taking is not None:
            self._taken_over = True
            self.attrs_before = taking.attributes
        elif self._reading:  # it was suspended
            self._loop.add_reader(self.fileno, self._readable)
            # It begins with an empty screen, and nobody else knows that anything is to be drawn.
            self._loop.call_soon_threadsafe(self.redraw)
        # Textual looks at the size within the handler, where the next signal may overtake it: an older size came last.
        self._loop.add_signal_handler(signal.SIGWINCH, self._measure)
        self._in_charge = True

    def _measure(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))

    def stop_application_mode(self) -> None:
        self._in_charge = False
        self._loop.remove_signal_handler(signal.SIGWINCH)
        super().stop_application_mode()

    def _sigcont_application(self, *_: Any) -> None:
        # Told to go on without having been stopped: the terminal is another one (`protea web`, a page that comes back).
        if self._in_charge:
            self._loop.call_soon_threadsafe(self._take_again)
        else:
            super()._sigcont_application()

    def _take_again(self) -> None:
        """Bring the terminal into the state we left it in, and draw all of it."""
        if self._in_charge:
            self._writer.write("\x1b[?1049h\x1b[?25l\x1b[?1004h")
            self._enable_mouse_support()
            self._enable_bracketed_paste()
            self._disable_line_wrap()
            self._request_terminal_sync_mode_support()
            self.redraw()

    def disable_input(self) -> None:
        self._loop.remove_reader(self.fileno)
        super().disable_input()

    def _get_terminal_size(self) -> tuple[int, int]:
        # As the first frame does: not as COLUMNS and LINES say, which a shell has exported and no window follows.
        try:
            columns, rows = os.get_terminal_size(self.fileno)
        except OSError:
            columns, rows = 0, 0
        if not (columns and rows):
            columns, rows = super()._get_terminal_size()
        return min(columns, MOST_COLUMNS), min(rows, MOST_ROWS)

    def _new_writer(self) -> Writer:
        assert self._file is not None  # there is a terminal
        return Writer(self._file.fileno(), self._file.encoding, self._caught_up)

    def close(self) -> None:
        self._writer.end()
        self._ended = True

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, data: str) -> None:
        if data == "\x1b[?1049h" and type(self).first is not None and not self._taken_over:
            return  # we are there, and some terminals would clear it
        self._writer.write(data)
        if not self._flush_comes:
            # Not everybody flushes; who draws a frame does, and then it goes out in one piece.
            self._flush_comes = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        self._flush_comes = False
        self._writer.flush()

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken yet what was drawn before."""
        return self._writer.behind

    def when_caught_up(self, do: Callable[[], None]) -> None:
        """Call that once the terminal has taken everything; only what was asked last is done."""
        self._owed = do
        if not self.behind:
            self._pay()

    def _caught_up(self) -> None:
        """Called by the writer's thread."""
        self._loop.call_soon_threadsafe(self._pay)

    def _pay(self) -> None:
        do, self._owed = self._owed, None
        if do is not None:
            do()

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

    def ask_background(self) -> None:
        """Ask the terminal; what it answers comes among the keys, soon, late or never."""
        self.write(QUESTION)
        self.flush()

    def ask(self, question: str, is_enough: Callable[[Sequence[bytes]], bool], told: Told) -> None:
        """Ask the terminal something. `told` gets what it has answered as soon as that is enough, or, where it says too
        little, after `AN_ANSWER`. One question at a time."""
        self._answers.said = []
        self._asked = (is_enough, told)
        self.write(question)
        self.flush()
        self._loop.call_later(AN_ANSWER, self._answered, told)

    def _answered(self, told: Told) -> None:
        if self._asked is not None and self._asked[1] is told:
            said, self._asked, self._answers.said = self._answers.said or [], None, None
            told(said)

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin_reading(self, take: Callable[[events.Event], bool]) -> None:
        """From here on keys reach the application, those that came early first. `take` is asked first of all whether it
        deals with an event, the moment it has come."""
        self._take = take
        ahead, self._ahead = self._ahead, b""
        self._reading = True
        self._loop.add_reader(self.fileno, self._readable)
        self._came(ahead)

    def _run_input_thread(self) -> None:
        """There is nothing for a thread to do."""

    def _readable(self) -> None:
        try:
            data = os.read(self.fileno, 1 << 16)
        except OSError:  # how Linux says that the terminal is gone
            data = b""
        if data:
            self._came(data)
        else:
            self._loop.remove_reader(self.fileno)
            self._hang_up()

    def _came(self, data: bytes) -> None:
        while data:
            if self._pasted is not None:
                paste = self._pasted
                if data == b"\x03" and get_time() - self._pasted_at > A_PAUSE:
                    data = PASTED  # no terminal pastes that; it is a person whose keys have gone nowhere
                paste.append(data)
                self._pasted_at = get_time()
                self._pasted_bytes += len(data)
                if self._pasted_bytes > LARGEST_PASTE and len(paste) > 2:
                    if self._pasted_bytes - len(data) <= LARGEST_PASTE:
                        paste.insert(-1, CUT_OFF)
                    paste[-2:] = [b"".join(paste[-2:])[-len(data) - len(PASTED) :]]
                # The end may be cut in two by the size of a read.
                tail = data if len(data) >= len(PASTED) else b"".join(paste[-len(PASTED) :])
                if PASTED not in tail and PASTED not in b"".join(paste[-2:]):
                    return
                content, _, data = b"".join(paste).partition(PASTED)
                self._pasted = None
                self.process_message(_paste(content))
                continue
            before, begun, data = data.partition(PASTE)
            self._keys(self._answers.take(before) + (self._answers.rest() if begun else b""))
            while self._answers.colours:
                self.told_background(self._answers.colours.pop(0))
            if begun:
                self._pasted = []
                self._pasted_bytes = 0
                self._pasted_at = get_time()
        if self._asked is not None and self._asked[0](self._answers.said or ()):
            self._answered(self._asked[1])
        if self._answers.holds:
            self._loop.call_later(A_MOMENT, self._let_go)
        self._look_again()

    def _keys(self, data: bytes) -> None:
        at = 0
        for found in _ALT.finditer(data):
            self._feed(data[at : found.start()])
            at = found.end()
            if found[0] == b"\x1b\r":
                self._give([events.Key("alt+enter", "\r")])
            elif found[1] is not None:
                sign = found[1].decode()
                self._give([events.Key(f"alt+{_character_to_key(sign)}", sign)])
            else:
                self._give([events.Key("escape", "\x1b")])
                self._feed(found[2])
        self._feed(data[at:])

    def _feed(self, data: bytes) -> None:
        text = self._decode(data)
        if not text:
            return
        try:
            self._give(self._parser.feed(text))
        except (ValueError, ArithmeticError):  # a key or a report that cannot be one; a parser that has failed is spent
            spent, self._parser = self._parser, XTermParser()
            self._parser.mouse_pixels = spent.mouse_pixels
            self._parser.terminal_size = spent.terminal_size
            self._parser.terminal_pixel_size = spent.terminal_pixel_size

    def _let_go(self) -> None:
        """What looked like the beginning of an answer was none."""
        self._keys(self._answers.rest())
        self._look_again()

    def _look_again(self) -> None:
        """A lone Escape counts as one once nothing has followed it for a moment; otherwise there is nothing to look at
        by the clock, and the processor may sleep."""
        if (waits_until := self._parser._timeout_time) is not None:
            if constants.ESCAPE_DELAY == USUAL:
                self._parser._timeout_time = waits_until = min(waits_until, get_time() + ESCAPE)
            self._loop.call_later(max(0.0, waits_until - get_time()) + 0.001, self._tick)

    def _tick(self) -> None:
        if self._parser._timeout_time is not None:
            self._give(self._parser.tick())
            self._look_again()

    def _give(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def send_message(self, message: Message) -> None:
        if not (isinstance(message, events.Event) and self._take(message)):
            self._app.post_message(message)

    def _hang_up(self) -> None:
        self._app.call_later(self._app.exit)


def _paste(content: bytes) -> events.Paste:
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return events.Paste(text)


def driver_for(first: FirstFrame | None) -> type[ScreenDriver]:
    """The driver of one run."""
    return type("RunDriver", (ScreenDriver,), {"first": first})
