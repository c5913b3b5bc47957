"""The first frame of the full screen: the composer, live and echoing, while the application loads behind it.

Called by `cli` before anything else is imported; a thread of its own reads the keyboard and draws, the main thread
loads. `interfaces.tui` then calls `hand_over` and takes the terminal as it is: same screen, same rows, same text. Keys
are never lost or given twice: what was read before is in `Typed`, what comes later waits in the terminal.

It knows the keys that people type without thinking. At the first one it does not know it stops interpreting: that key
and all after it are handed over as they came.
"""

from __future__ import annotations

import _thread
import os
import select
import sys
import termios

from protea.interfaces.tui.frame import (
    PROMPT,
    RULE,
    STARTING,
    cells,
    drawable,
    most_rows,
    place,
    placeholder,
    width_of,
    window,
    wrap,
)

TYPE_CHECKING = False  # `typing` would cost more than all of this
if TYPE_CHECKING:
    from typing import Any

ENTER_SCREEN = "\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J"
LEAVE_SCREEN = "\x1b[?7h\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m"


class Typed:
    """What was typed before the application took over."""

    __slots__ = ("cursor", "rest", "sent", "text")

    def __init__(self, text: str, cursor: int, sent: tuple[str, ...], rest: bytes) -> None:
        self.text = text
        self.cursor = cursor
        self.sent = sent
        """Prompts that were sent with Enter, in order."""
        self.rest = rest
        """Keys that were read and not interpreted, in the terminal's own bytes."""


class FirstFrame:
    """Holds the terminal from the first frame until `hand_over`."""

    def __init__(self, version: str, cwd: str, source: int = 0, target: int = 1) -> None:
        self._source = source
        self._target = target
        self._head = (f"Protea {version}", cwd)
        self._text = ""
        self._cursor = 0
        self._top = 0
        self._sent: list[str] = []
        self._rest = b""
        self._status = STARTING
        self._hint = ""
        self._pasted: bytes | None = None
        """What has come of a paste that has not ended."""
        self.left = False
        """Whether a person has left it: the main thread is then interrupted."""
        self._size = (0, 0)
        self._done = _thread.allocate_lock()
        self._wake_end, self._wake = os.pipe()
        self.attributes: list[Any] = termios.tcgetattr(source)
        """The terminal as it was found."""
        self._holding = False
        self._plain, self._dim = _colours()

    # ── called by the main thread ──────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Take the terminal, draw, and listen."""
        # Who answers keys waits for the interpreter no longer than this: here the thread, while the main one imports;
        # later the main one, while a thread reads a long list of files.
        sys.setswitchinterval(0.001)
        raw = termios.tcgetattr(self._source)
        raw[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
        raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw[6][termios.VMIN] = 1
        termios.tcsetattr(self._source, termios.TCSANOW, raw)
        self._holding = True
        self._take_early()
        self._write(ENTER_SCREEN)
        self._draw(whole=True)
        self._done.acquire()
        _thread.start_new_thread(self._listen, ())

    def tell(self, text: str) -> None:
        """Show what is being done in place of the status."""
        self._status = text
        self._nudge()

    def hand_over(self) -> Typed:
        """Stop reading and drawing; the terminal stays as it is. What was typed."""
        self._nudge(stop=True)
        self._holding = False
        self._rest = (b"\x1b[200~" + self._pasted if self._pasted is not None else b"") + self._rest
        return Typed(self._text, self._cursor, tuple(self._sent), self._rest)

    def give_back(self) -> None:
        """Leave the terminal as it was found, unless it was handed over. May be called more than once."""
        if self._holding:
            self._nudge(stop=True)
            self._holding = False
            self._write(LEAVE_SCREEN)
            termios.tcsetattr(self._source, termios.TCSANOW, self.attributes)

    def _nudge(self, *, stop: bool = False) -> None:
        try:
            os.write(self._wake, b"q" if stop else b".")
        except OSError:
            return  # it has stopped by itself
        if stop:
            with self._done:
                os.close(self._wake)
                os.close(self._wake_end)
                self._wake = self._wake_end = -1

    def _take_early(self) -> None:
        """What was typed before the terminal was ours: there it made a line feed, here a new line, of every Enter."""
        if self.attributes[0] & termios.ICRNL and select.select([self._source], [], [], 0)[0]:
            self._take(os.read(self._source, 65536).replace(b"\n", b"\r"))

    # ── the thread ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _listen(self) -> None:
        try:
            while True:
                # Woken every so often to see whether the window has another size: a handler would need the main thread.
                ready, _, _ = select.select([self._source, self._wake_end], [], [], 0.1)
                if self._wake_end in ready:
                    if b"q" in os.read(self._wake_end, 64):
                        return
                elif self._source in ready:
                    data = os.read(self._source, 65536)
                    if not data:
                        self._end_main()
                        return
                    self._take(data)
                    if self.left:
                        self._end_main()
                        return
                elif os.get_terminal_size(self._target) == self._size:
                    continue
                self._draw(whole=os.get_terminal_size(self._target) != self._size)
        except OSError:
            self._end_main()  # the terminal is gone
        finally:
            self._done.release()

    def _end_main(self) -> None:
        self.left = True
        os.kill(os.getpid(), 2)  # SIGINT, a real one: it ends a wait of the main thread, too

    def _take(self, data: bytes) -> None:
        data = self._rest + data
        self._rest = b""
        while data:
            if self._pasted is not None:
                data = self._paste(data)
                continue
            taken = self._key(data)
            if not taken:
                self._rest = data
                if data.endswith(b"\x03\x03\x03"):
                    self.left = True  # who wants out is let out, whatever was typed before
                return
            data = data[taken:]

    def _paste(self, data: bytes) -> bytes:
        """Takes what belongs to the paste and returns what comes after it."""
        whole = (self._pasted or b"") + data
        content, end, after = whole.partition(b"\x1b[201~")
        if not end and len(whole) <= 4096:
            self._pasted = whole
            return b""
        if len(content) > 4096:
            # A large one is for the application, which folds it up.
            self._rest, self._pasted = b"\x1b[200~" + whole, None
            return b""
        self._pasted = None
        text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        if not text.replace("\n", "").isprintable():
            # What has no picture of its own is for the application, which shows it as one.
            self._rest = b"\x1b[200~" + whole
            return b""
        self._insert(text)
        return after

    def _key(self, data: bytes) -> int:
        """Do what the first key of `data` says; how many bytes it had, 0 where it is not known (here)."""
        first = data[0]
        if first >= 0x20 and first != 0x7F:
            return self._characters(data)
        for known in _SEQUENCES:
            if data.startswith(known):
                self._do(_SEQUENCES[known])
                return len(known)
        if first in _CONTROLS:
            self._do(_CONTROLS[first])
            return 1
        return 0

    def _characters(self, data: bytes) -> int:
        end = 0
        while end < len(data) and data[end] >= 0x20 and data[end] != 0x7F:
            end += 1
        chunk = data[:end]
        if not self._text and chunk[:1] in b"/!?@":
            return 0  # these open something that only the application has
        if b"@" in chunk:
            end = chunk.index(b"@")
            chunk = chunk[:end]
            if not end:
                return 0
        try:
            text = chunk.decode()
        except UnicodeDecodeError as error:
            if error.end < len(chunk) or len(chunk) - error.start > 3:
                text = chunk.decode("utf-8", "replace")
            else:  # the rest of a character is still to come
                end = error.start
                text = chunk[:end].decode()
        if not text.isprintable():
            return 0
        if text:
            self._insert(text)
        return end

    def _insert(self, text: str) -> None:
        self._hint = ""
        self._text = self._text[: self._cursor] + text + self._text[self._cursor :]
        self._cursor += len(text)

    def _do(self, action: str) -> None:
        text, cursor = self._text, self._cursor
        hint, self._hint = self._hint, ""
        if action == "send":
            if text[cursor - 1 : cursor] == "\\":
                self._text, self._cursor = text[: cursor - 1] + "\n" + text[cursor:], cursor
            elif text.strip():
                self._sent.append(text)
                self._text, self._cursor = "", 0
        elif action == "newline":
            self._insert("\n")
        elif action == "back" and cursor:
            self._text, self._cursor = text[: cursor - 1] + text[cursor:], cursor - 1
        elif action == "left":
            self._cursor = max(0, cursor - 1)
        elif action == "right":
            self._cursor = min(len(text), cursor + 1)
        elif action == "home":
            self._cursor = text.rfind("\n", 0, cursor) + 1
        elif action == "end":
            end = text.find("\n", cursor)
            self._cursor = len(text) if end < 0 else end
        elif action == "word back":
            kept = text[:cursor].rstrip()
            kept = kept[: max(kept.rfind(" "), kept.rfind("\n")) + 1]
            self._text, self._cursor = kept + text[cursor:], len(kept)
        elif action == "line back":
            begin = text.rfind("\n", 0, cursor) + 1
            self._text, self._cursor = text[:begin] + text[cursor:], begin
        elif action == "paste":
            self._pasted = b""
        elif action == "clear":
            if text:
                self._text, self._cursor = "", 0
            elif hint:
                self.left = True
            else:
                self._hint = "Ctrl+C again leaves"
        elif action == "leave" and not text:
            self.left = True

    # ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, *, whole: bool = False) -> None:
        size = os.get_terminal_size(self._target)
        columns, height = size
        self._size = size
        rows = wrap(self._text, columns - 3)
        row, _ = place(rows, self._text, self._cursor)
        most = most_rows(height)
        self._top = window(len(rows), row, self._top, most)
        shown = rows[self._top : self._top + most]
        plain, dim = self._plain, self._dim
        out = ["\x1b[?2026h", plain]
        if whole:
            out.append("\x1b[2J")
        out.append(
            f"\x1b[1;2H\x1b[1m{self._head[0]}{plain}\x1b[2;2H{dim}{_fit(drawable(self._head[1]), columns - 2)}{plain}"
        )
        if self._sent:
            out.append(
                "".join(
                    f"\x1b[{4 + number};1H{_fit(PROMPT + text.partition(chr(10))[0], columns)}\x1b[K"
                    for number, text in enumerate(self._sent[: max(0, height - 8 - len(shown))])
                )
            )
        y = height - 2 - len(shown)
        # One row more than is needed is cleared: it was the rule when there was a row less.
        if y > 3 + len(self._sent):
            out.append(f"\x1b[{y - 1};1H\x1b[K")
        out.append(f"\x1b[{y};1H{dim}{RULE * columns}{plain}")
        for number, (begin, end) in enumerate(shown):
            text = self._text[begin:end]
            if self._top + number == row:
                text = _with_cursor(text, self._cursor - begin, plain)
            if not self._text:
                words = placeholder(columns - 3)
                text = f"\x1b[7m{words[:1]}{plain}{dim}{words[1:]}{plain}"
            out.append(f"\x1b[{y + 1 + number};1H{PROMPT if self._top + number == 0 else '  '}{text}\x1b[K")
        out.append(f"\x1b[{height - 1};1H{dim}{RULE * columns}{plain}")
        out.append(f"\x1b[{height};2H{dim}{_fit(drawable(self._hint or self._status), columns - 2)}{plain}\x1b[K")
        out.append("\x1b[0m\x1b[?2026l")
        self._write("".join(out))

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._target, data) :]


def _with_cursor(text: str, at: int, plain: str) -> str:
    """The row with the cell of the cursor reversed, as the application draws it."""
    under = text[at : at + 1] or " "
    return f"{text[:at]}\x1b[7m{under}{plain}{text[at + 1 :]}"


def _colours() -> tuple[str, str]:
    """What text and what is dim are drawn with: as the last run left it, else the terminal's own."""
    home = os.path.expanduser(os.environ.get("PROTEA_HOME") or "~/.protea")
    try:
        descriptor = os.open(f"{home}/first-frame", os.O_RDONLY)
    except OSError:
        return "\x1b[0m", "\x1b[0;2m"
    try:
        text = os.read(descriptor, 200).decode("ascii", "replace")
    finally:
        os.close(descriptor)
    plain, _, dim = text.partition("\n")
    if os.environ.get("NO_COLOR") or not set(plain + dim) <= set("\x1b[0123456789;m"):
        return "\x1b[0m", "\x1b[0;2m"
    return f"\x1b[0m{plain}", f"\x1b[0m{dim}"


def _fit(text: str, columns: int) -> str:
    if width_of(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        used += cells(character)
        if used >= columns:
            break
        kept += character
    return kept + "…"


_CONTROLS = {
    0x01: "home",
    0x02: "left",
    0x03: "clear",
    0x04: "leave",
    0x05: "end",
    0x06: "right",
    0x08: "back",
    0x0A: "newline",
    0x0D: "send",
    0x15: "line back",
    0x17: "word back",
    0x7F: "back",
}
_SEQUENCES = {
    b"\x1b[200~": "paste",
    b"\x1b[D": "left",
    b"\x1b[C": "right",
    b"\x1bOD": "left",
    b"\x1bOC": "right",
    b"\x1b[H": "home",
    b"\x1b[F": "end",
    b"\x1bOH": "home",
    b"\x1bOF": "end",
}


def can_start() -> bool:
    """Whether the full screen can be opened here: the terminal can do it, and its library is installed."""
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", "") or not (os.isatty(0) and os.isatty(1)):
        return False
    return installed("textual")


def installed(package: str) -> bool:
    """Whether a package can be imported, without the price of asking the import machinery."""
    return any(os.path.isfile(f"{path}/{package}/__init__.py") for path in sys.path if path)
