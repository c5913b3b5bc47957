"""Reads an instruction file, and nothing else by its name: no link out of where it may lie, no FIFO, no device."""

from __future__ import annotations

import codecs
import os
import stat

LARGEST = 1 << 20
"""Bytes. What is longer is no instruction."""


class Unread(str):
    """In place of a text: why a file that is there was not read."""


def read(path: str, within: tuple[str, ...]) -> bytes | Unread | None:
    """What it says, whole; None where there is no file that may be read."""
    real = os.path.realpath(path)
    if not any(real.startswith(os.path.realpath(each).rstrip("/") + "/") for each in within):
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
        try:
            data = file.read(LARGEST + 1)
        except OSError:
            return None
    return data if len(data) <= LARGEST else Unread(f"larger than {LARGEST >> 20} MiB")


def decoded(data: bytes) -> str | Unread:
    """As text with plain line ends: UTF-8, or UTF-16 that says so at its beginning."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    elif b"\0" in data:
        return Unread("no text")
    else:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
