"""HTTP/1.1 as a server speaks it: requests out of bytes, bytes out of answers. Keeps connections open."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

import msgspec

_MAX_HEAD = 256 * 1024
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Payload Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    529: "Overloaded",
}
LAST_CHUNK = b"0\r\n\r\n"


class Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes


class NotHttpError(Exception):
    """The client does not speak HTTP/1.1."""


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\n{lines}\r\n".encode("latin-1", "replace")


def whole(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """An answer whose length is known."""
    return head(status, headers | {"content-length": str(len(body))}) + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection(asyncio.Protocol):
    """One client. Requests are served one after another, in the order they came."""

    def __init__(
        self, number: int, serve: Callable[[Connection, Request], None], left: Callable[[Connection], None]
    ) -> None:
        self.number = number
        self.gone = asyncio.Event()
        """The client left, or the connection was reset."""
        self._serve = serve
        self._left = left
        self._held = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._busy = False
        self._transport: asyncio.Transport | None = None
        self._on_empty: list[Callable[[], None]] = []
        self._closing = False

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # so that `resume_writing` means: all is sent

    def data_received(self, data: bytes) -> None:
        self._held += data
        self._next()

    def resume_writing(self) -> None:
        waiting, self._on_empty = self._on_empty, []
        for done in waiting:
            done()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        self._left(self)
        self.resume_writing()

    # -- reading

    def _next(self) -> None:
        while not self._busy and not self._closing:
            try:
                request = self._take()
            except NotHttpError:
                self.write(whole(400, {"connection": "close", "content-type": "text/plain"}, b"not HTTP/1.1\n"))
                self.close()
                return
            if request is None:
                return
            self._busy = True
            self._closing = request.headers.get("connection", "").lower() == "close"
            self._serve(self, request)

    def _take(self) -> Request | None:
        """The next request, once it is there as a whole."""
        if self._head is None:
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                if len(self._held) > _MAX_HEAD:
                    raise NotHttpError
                return None
            self._head = _parse_head(bytes(self._held[:end]))
            del self._held[: end + 4]
            if self._head[2].get("expect", "").lower() == "100-continue":
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, path, headers = self._head
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = self._take_chunks()
            if body is None:
                return None
        else:
            length = headers.get("content-length", "0")
            if not length.isdigit():
                raise NotHttpError
            size = int(length)
            if len(self._held) < size:
                return None
            body = bytes(self._held[:size])
            del self._held[:size]
        self._head = None
        return Request(method, path, headers, body)

    def _take_chunks(self) -> bytes | None:
        parts, at = [], 0
        while True:
            end = self._held.find(b"\r\n", at)
            if end < 0:
                return None
            try:
                size = int(bytes(self._held[at:end]).partition(b";")[0], 16)
            except ValueError:
                raise NotHttpError from None
            start = end + 2
            if len(self._held) < start + size + 2:
                return None
            parts.append(bytes(self._held[start : start + size]))
            at = start + size + 2
            if size == 0:
                del self._held[:at]
                return b"".join(parts)

    # -- writing

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def when_sent(self, done: Callable[[], None]) -> None:
        """Call `done` once everything written is with the operating system, or the client is gone."""
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._on_empty.append(done)
        else:
            done()

    def finished(self) -> None:
        """The answer is written: go on with the next request."""
        self._busy = False
        if self._closing:
            self.close()
        elif self._held:
            self._next()

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """End the connection by a reset and not by a goodbye."""
        self._closing = True
        if self._transport is None:
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _parse_head(data: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise NotHttpError
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise NotHttpError
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], headers
