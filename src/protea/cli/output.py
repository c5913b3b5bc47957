"""What the process itself says: to standard output past Python's buffers, and in one line on standard error."""

from __future__ import annotations

import os
import sys


class StdoutError(Exception):
    """Standard output cannot be written."""


def write(text: str) -> None:
    """To standard output, past Python's own buffers: nothing is left that could fail when the interpreter exits.

    A terminal is shown control characters and obeys none: names, and what files and databases hold, come from anywhere.
    """
    if sys.stdout is None:
        raise StdoutError("it is closed")
    if not text.replace("\n", "").isprintable():
        from protea.interfaces.terminal import is_terminal, visible  # few say more than what is printed

        text = visible(text) if is_terminal(1) else text
    data = text.encode("utf-8", "replace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StdoutError(error.strerror or str(error)) from error


class Stdout:
    """What writes to a stream, given `write`: an error is told where it happens, not when the interpreter exits."""

    def write(self, text: str) -> int:
        write(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is ever kept back."""


def complain(text: str) -> None:
    from protea.interfaces.terminal import say

    say(text)


def mistake(text: str) -> Exception:
    from protea.interfaces.arguments import Mistake

    return Mistake(text)
