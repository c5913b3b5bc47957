"""Files that are rows of frames, each with its length before it: who dies while writing one loses that one alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


def framed(value: Any) -> bytes:
    """As it stands in such a file."""
    data = msgspec.msgpack.encode(value)
    return len(data).to_bytes(4, "big") + data


def pieces(path: str) -> Iterator[bytes]:
    """What the frames of a file hold, encoded; without one that was cut off. Nothing where there is no file."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        piece = data[at + 4 : at + 4 + size]
        if len(piece) < size:
            return
        yield piece
        at += 4 + size
