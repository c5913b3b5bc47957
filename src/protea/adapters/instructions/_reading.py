"""Reads an instruction file, and nothing else by its name: no link out of where it may lie, no FIFO, no device."""

from __future__ import annotations

import os
import stat


def read(path: str, within: tuple[str, ...], most_bytes: int) -> str | None:
    """The text, at most one byte more than `most_bytes`; None where there is no file that may be read."""
    real = os.path.realpath(path)
    if not any(real.startswith(each.rstrip("/") + "/") for each in within):
        return None  # a link out of the project would send the model whatever it points to
    try:
        # O_NONBLOCK: a FIFO of that name must not hold up the start.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most_bytes + 1).decode("utf-8", "replace")
