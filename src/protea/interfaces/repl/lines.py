"""Lines from the keyboard, with readline where Python has it; from a pipe where there is no terminal."""

from __future__ import annotations

import os
import re
import select
import sys
from collections.abc import Callable
from contextlib import suppress

from protea.interfaces.terminal import Paint, say

UNREAD = 0.25
"""Seconds after a question is drawn in which nothing that is typed counts as its answer."""

KEPT = 5000
"""Inputs the history keeps."""
_UNESCAPE = re.compile(r"\\[n\\]")
"""In the file an input is one line: a newline is `\\n` there, a backslash two."""


class History:
    """Lines from the keyboard, with readline where Python has it."""

    def __init__(self, path: str, complete: Callable[[str], list[str]], *, plain: bool = False) -> None:
        self._path = path
        self._plain = plain
        self._complete = complete
        self._found: list[str] = []
        if plain:
            self._readline = None
            return
        try:
            import readline  # not in every build of Python
        except ImportError:
            self._readline = None
            return
        self._readline = readline
        readline.set_auto_history(False)
        readline.set_completer(self._completion)
        readline.set_completer_delims("")
        readline.parse_and_bind("tab: complete")
        with suppress(OSError), open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            for line in file.read().split("\n")[-KEPT:]:
                if line:
                    readline.add_history(_UNESCAPE.sub(lambda found: "\n" if found[0] == "\\n" else "\\", line))

    def read(self, paint: Paint) -> str:
        """One input, several lines where they end with a backslash. Raises `EOFError`, `KeyboardInterrupt`."""
        parts = [self._line("> ", paint)]
        while parts[-1].endswith("\\"):
            parts[-1] = parts[-1][:-1].rstrip(" \t")
            parts.append(self._line("… ", paint))
        text = "\n".join(parts).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if self._readline is not None and text.strip():
            self._readline.add_history(text)
        return text

    def typed(self) -> bool:
        """Whether something stood in the line that a Ctrl+C has just ended."""
        return self._readline is not None and bool(self._readline.get_line_buffer())

    def _line(self, prompt: str, paint: Paint) -> str:
        if self._plain:
            return piped_line()
        # \\x01 and \\x02 tell readline which characters take no room.
        return input(f"\x01\x1b[1m\x02{prompt}\x01\x1b[0m\x02" if paint.on and self._readline else prompt)

    def save(self) -> None:
        """Keep what was typed, for this person's eyes only."""
        if self._readline is None:
            return
        with suppress(OSError):  # a read-only home: nothing is kept, and nothing else is lost
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            last = self._readline.get_current_history_length()
            items = [self._readline.get_history_item(at) or "" for at in range(max(1, last - KEPT + 1), last + 1)]
            lines = [each.replace("\\", "\\\\").replace("\n", "\\n") + "\n" for each in items]
            path = os.path.realpath(self._path)
            beside = f"{path}.{os.getpid()}.new"
            descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
            try:
                with open(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
                    file.writelines(lines)
                os.replace(beside, path)
            except OSError:
                os.unlink(beside)
                raise

    def _completion(self, text: str, state: int) -> str | None:
        if state == 0:
            try:
                self._found = self._complete(text)
            except Exception:
                self._found = []  # a completion that fails must not end the line that is being typed
        return self._found[state] if state < len(self._found) else None


def piped_line() -> str:
    """The next line of standard input. Raises `EOFError`; where it cannot be read that is told, and is its end."""
    try:
        line = sys.stdin.buffer.readline()
    except OSError as error:
        say(f"standard input cannot be read: {error.strerror}")
        raise EOFError from error
    if not line:
        raise EOFError
    return line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r").replace("\0", "\ufffd")


def forget_typed_ahead() -> None:
    """Wait until the question can have been read, and drop what was typed before that."""
    import termios

    select.select([], [], [], UNREAD)
    with suppress(termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
