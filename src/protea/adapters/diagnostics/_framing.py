"""Messages of the Language Server Protocol as bytes: a head of lines with the length, then so many bytes of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

LONGEST_HEAD = 8 << 10
LARGEST = 32 << 20
"""Bytes of one message. What is larger is no message of use."""


class FramingError(Exception):
    """What came cannot be taken apart, so nothing that follows can be."""


def framed(message: dict[str, Any]) -> bytes:
    body = msgspec.json.encode(message)
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Unframed:
    """Takes bytes as they come and gives messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._wanted: int | None = None
        """Bytes of the body that is being waited for."""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The messages that are complete with `data`. Raises `FramingError`."""
        self._bytes += data
        while True:
            if self._wanted is None:
                end = self._bytes.find(b"\r\n\r\n", 0, LONGEST_HEAD)
                if end < 0:
                    if len(self._bytes) >= LONGEST_HEAD:
                        raise FramingError("it writes something else than messages")
                    return
                self._wanted = _length(bytes(self._bytes[:end]))
                del self._bytes[: end + 4]
            if len(self._bytes) < self._wanted:
                return
            body = bytes(self._bytes[: self._wanted])
            del self._bytes[: self._wanted]
            self._wanted = None
            yield _decoded(body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            if not value.strip().isdigit() or len(value) > 16:
                break
            if int(value) > LARGEST:
                raise FramingError(f"it announces a message of {int(value):,} bytes")
            return int(value)
    raise FramingError("it writes a message without a length")


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FramingError("it writes a message that is no JSON object of that length") from None
