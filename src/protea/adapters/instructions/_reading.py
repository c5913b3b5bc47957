"""Reads an instruction file, and nothing else by its name: no link out of where it may lie, no FIFO, no device."""

from __future__ import annotations

import os
import stat

LARGEST = 1 << 20
"""Bytes. What is longer is no instruction."""


def read(path: str, within: tuple[str, ...]) -> bytes | None:
    """What it says, whole; None where there is no file that may be read."""
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
        data = file.read(LARGEST + 1)
    return data if len(data) <= LARGEST else None
