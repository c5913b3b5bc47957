"""The HTTP client: connections kept between requests, answers read as they come. Called by the model adapters.

    client = Client(Settings(), environment)
    async with await client.request("POST", url, headers={...}, body=b"...") as response:
        async for block in response: ...

It follows no redirect, keeps no cookies and sends a request once. A kept connection is asked whether it still stands
before anything is written to it, so a server's closing of an idle one is not met by the request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any

import msgspec

from protea.adapters.http._address import Address, parse_address, proxy_for
from protea.adapters.http._connection import Connection, Guarding, Silence, connect, proxy_authorization
from protea.adapters.http._tls import make_context
from protea.adapters.http.errors import HttpError
from protea.adapters.http.framing import MAX_HEAD, Body, Head, body_of, encode_head, find_head_end, parse_head

MAX_IDLE = 8
"""Connections kept per place."""
MAX_IDLE_SECONDS = 90.0
"""After that a middlebox may have forgotten the connection without telling."""
MAX_INFLATED = 16 * 1024 * 1024
"""Bytes that one block of an answer may unfold to: what is more was made to fill memory."""
_DRAIN_SECONDS = 2.0
_DRAIN_BYTES = 64 * 1024


class Settings(msgspec.Struct, frozen=True):
    connect_timeout: float = 15.0
    """Seconds for name, connection, proxy and TLS together."""
    first_byte_timeout: float = 300.0
    """Seconds from the request's last byte to the answer's first: models think."""
    idle_timeout: float = 120.0
    """Seconds of silence inside an answer after which it counts as stalled."""
    proxy_url: str | None = None
    """Beats the environment's; empty for none."""
    ca_file: str | None = None
    """PEM file of certificate authorities to trust beside the system's."""


class Client:
    """Connections to any number of places. Belongs to one event loop at a time."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], guard: Guarding | None = None) -> None:
        self._settings = settings
        self._environment = environment
        self._guard = guard
        """Where connections may lead; None: anywhere."""
        self._idle: dict[tuple[Address, Address | None], list[Connection]] = {}
        self._busy: set[Connection] = set()
        self._context: asyncio.Future[ssl.SSLContext] | None = None
        self._made: ssl.SSLContext | None = None
        self._closed = False

    async def warm(self, url: str) -> None:
        """Do ahead what the first request to `url` will need: TLS context and connection. Never raises HttpError."""
        try:
            address = parse_address(url)
            proxy = proxy_for(address, self._settings.proxy_url, self._environment)
            key = _place_of(address), proxy
            if self._closed or self._idle.get(key):
                return
            connection = await connect(address, proxy, self._tls, self._settings.connect_timeout, self._guard)
        except HttpError:
            return  # the request itself will say it better
        self._keep(key, connection)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        first_byte_timeout: float | None = None,
    ) -> Response:
        """Send, and return when the answer's head is there. Raises HttpError; any status is an answer.

        Close the response, or use it as an async context manager. Host, Content-Length and Accept-Encoding are set
        here; a header given wins.
        """
        address = parse_address(url)
        proxy = proxy_for(address, self._settings.proxy_url, self._environment)
        key = _place_of(address), proxy
        data = _request_bytes(method, address, proxy, headers or {}, body)
        wait = self._settings.first_byte_timeout if first_byte_timeout is None else first_byte_timeout
        connection = await self._connection(key)
        try:
            connection.write(data)
            head, rest = await _read_head(connection, address, wait)
            idle = self._settings.idle_timeout
            return Response(self, key, connection, head, body_of(head, method), rest, max(wait, idle), idle)
        except BaseException:
            self._drop(connection)
            raise

    async def aclose(self) -> None:
        """Close every connection, also those in use."""
        self._closed = True
        connections = [c for idle in self._idle.values() for c in idle] + list(self._busy)
        self._idle.clear()
        self._busy.clear()
        for connection in connections:
            connection.close()
        if connections:
            await asyncio.sleep(0)  # lets the transports see it, so that none is reported as left open
            await asyncio.sleep(0)

    async def _connection(self, key: tuple[Address, Address | None]) -> Connection:
        if self._closed:
            raise HttpError("connection", "the model's connections are closed already", retryable=False)
        loop = asyncio.get_running_loop()
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if connection.loop is not loop:
                continue  # of a loop that is gone
            connection.on_data = None
            if connection.is_readable():  # the end of it, or only a TLS session ticket: let the loop look
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            young = loop.time() - connection.idle_since < MAX_IDLE_SECONDS
            if young and not connection.is_stale() and not connection.is_readable():
                self._busy.add(connection)
                return connection
            connection.close()
        connection = await connect(key[0], key[1], self._tls, self._settings.connect_timeout, self._guard)
        self._busy.add(connection)
        return connection

    async def _tls(self) -> ssl.SSLContext:
        if self._made is None:
            loop = asyncio.get_running_loop()
            if self._context is None or self._context.get_loop() is not loop:
                self._context = loop.run_in_executor(None, make_context, self._environment, self._settings.ca_file)
            try:
                self._made = await asyncio.shield(self._context)
            except HttpError:
                self._context = None
                raise
        return self._made

    def _keep(self, key: tuple[Address, Address | None], connection: Connection) -> None:
        self._busy.discard(connection)
        idle = self._idle.setdefault(key, [])
        if self._closed or connection.ended or len(idle) >= MAX_IDLE:
            connection.close()
            return

        def ended(_data: bytes) -> None:  # closed by the other side, or speaking out of turn
            if connection in idle:
                idle.remove(connection)
            connection.close()

        connection.on_data = ended
        connection.idle_since = connection.loop.time()
        idle.append(connection)

    def _drop(self, connection: Connection) -> None:
        self._busy.discard(connection)
        connection.close()


class Response:
    """An answer whose head has come. Iterating gives the body in blocks as they arrive."""

    def __init__(
        self,
        client: Client,
        key: tuple[Address, Address | None],
        connection: Connection,
        head: Head,
        body: Body,
        rest: bytes,
        first_timeout: float,
        idle_timeout: float,
    ) -> None:
        self.status = head.status
        self.reason = head.reason
        self.headers = head.headers
        """Names in small letters."""
        self._client, self._key, self._connection, self._head, self._body = client, key, connection, head, body
        self._rest = rest
        # Many servers send the head at once and think then: the first block is waited for like a first byte.
        self._patience = first_timeout
        self._idle_timeout = idle_timeout
        self._over = False
        self._inflate = _decoder(head)
        if body.done:
            body.rest = rest
            self._finish()

    async def read_block(self, patience: float | None = None) -> bytes:
        """The next bytes of the body, decoded; b"" at its end. Raises HttpError when it breaks off or stalls.

        `patience` replaces the timeout for this block.
        """
        waiting = self._patience if patience is None else patience
        while not self._over:
            data = self._rest
            if data:
                self._rest = b""
            else:
                try:
                    data = await self._connection.read(waiting)
                except Silence as exc:
                    self.close()
                    raise HttpError(
                        "timeout", f"{self._key[0].host_and_port} fell silent in mid-answer for {waiting:g} s"
                    ) from exc
                except BaseException:
                    self.close()
                    raise
            try:
                if data:
                    payload = self._body.feed(data)
                elif (error := self._connection.broken_by) is not None:
                    raise HttpError("truncated", f"the connection broke off in mid-answer ({_words(error)})")
                else:
                    payload = b""
                    self._body.end()
                if self._inflate is not None:
                    payload = self._inflate.feed(payload, self._body.done)
            except HttpError:
                self.close()
                raise
            if self._body.done:
                self._finish()
            if payload:
                self._patience = self._idle_timeout
                return payload
        return b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._blocks()

    async def _blocks(self) -> AsyncIterator[bytes]:
        while block := await self.read_block():
            yield block

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises HttpError `too_large` beyond `limit` bytes."""
        blocks, size = [], 0
        while block := await self.read_block():
            size += len(block)
            if size > limit:
                self.close()
                raise HttpError("too_large", f"{self._key[0].host_and_port} answered with more than {limit} bytes")
            blocks.append(block)
        return b"".join(blocks)

    async def read_start(self, limit: int, patience: float = 15.0) -> bytes:
        """At most `limit` bytes of the body and never an error of the transport: for the bodies of failures."""
        blocks, size = [], 0
        try:
            while size < limit and (block := await self.read_block(patience)):
                blocks.append(block)
                size += len(block)
        except HttpError:
            pass  # the status is known already; what came of the body will do
        self.close()
        return b"".join(blocks)[:limit]

    def release(self) -> None:
        """Nothing more is wanted. The connection is kept if the rest comes soon and is small; nobody waits for it."""
        if self._over:
            return
        self._over = True
        connection, body, client = self._connection, self._body, self._client
        left = _DRAIN_BYTES

        def take(data: bytes) -> None:
            nonlocal left
            left -= len(data)
            try:
                if not data or left < 0:
                    raise HttpError("truncated", "")
                body.feed(data)
            except HttpError:
                deadline.cancel()
                client._drop(connection)
                return
            if body.done:
                deadline.cancel()
                self._finish()

        deadline = connection.loop.call_later(_DRAIN_SECONDS, client._drop, connection)
        connection.on_data = take
        data = self._rest + connection.take()
        if data:
            take(data)
        elif connection.ended:
            take(b"")

    def close(self) -> None:
        """End the answer now. What was not read is lost, and the connection with it unless the body was whole."""
        if not self._over:
            self._over = True
            self._client._drop(self._connection)

    def _finish(self) -> None:
        self._over = True
        if self._head.keep_alive and not self._body.rest and not self._connection.unsent:
            self._client._keep(self._key, self._connection)
        else:
            self._client._drop(self._connection)

    async def __aenter__(self) -> Response:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def _read_head(connection: Connection, address: Address, wait: float) -> tuple[Head, bytes]:
    data = b""
    while True:
        try:
            piece = await connection.read(wait)
        except Silence as exc:
            raise HttpError("timeout", f"{address.host_and_port} did not begin to answer within {wait:g} s") from exc
        if not piece:
            raise _lost_error(connection, address)
        data += piece
        while (end := find_head_end(data)) >= 0:
            head = parse_head(data[:end])
            data = data[end:]
            if head.status >= 200:
                return head, data
        if len(data) > MAX_HEAD:
            raise HttpError("malformed", f"{address.host_and_port} answers with a head of more than {MAX_HEAD} bytes")


def _lost_error(connection: Connection, address: Address) -> HttpError:
    error = connection.broken_by
    what = f" ({_words(error)})" if error is not None else ""
    return HttpError("connection", f"{address.host_and_port} closed the connection without an answer{what}")


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionResetError):
        return "connection reset"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _place_of(address: Address) -> Address:
    return Address(address.scheme, address.host, address.port)


def _request_bytes(
    method: str, address: Address, proxy: Address | None, headers: Mapping[str, str], body: bytes
) -> bytes:
    all_headers = {"Host": address.authority, "Accept-Encoding": "identity"}
    target = address.target
    if proxy is not None and address.scheme == "http":
        target = f"http://{address.authority}{target}"
        all_headers |= proxy_authorization(proxy)
    names = {name.lower(): name for name in all_headers}
    for name, value in headers.items():
        all_headers.pop(names.get(name.lower(), name), None)
        all_headers[name] = value
    if body or method in ("POST", "PUT", "PATCH"):
        all_headers["Content-Length"] = str(len(body))
    return encode_head(method, target, all_headers) + body


class _Inflate:
    """A body the server compressed although it was asked not to."""

    def __init__(self, coding: str) -> None:
        import zlib  # nearly no answer needs it

        self._zlib = zlib
        self._make: Callable[[], Any] = lambda: zlib.decompressobj(47 if coding != "deflate" else 15)
        self._stream = self._make()
        self._fed = False

    def feed(self, data: bytes, last: bool) -> bytes:
        out = []
        left = MAX_INFLATED
        try:
            while data:
                self._fed = True
                out.append(self._stream.decompress(data, left))
                left -= len(out[-1])
                if self._stream.unconsumed_tail or left <= 0:
                    raise HttpError("too_large", f"the answer's compression unfolds to more than {MAX_INFLATED} bytes")
                data = self._stream.unused_data
                if data:
                    self._stream = self._make()  # gzip members may follow one another
        except self._zlib.error as exc:
            raise HttpError("malformed", f"the answer's compression is damaged: {exc}") from exc
        if last and self._fed and not self._stream.eof:
            raise HttpError("truncated", "the answer's compressed data ended too early")
        return b"".join(out)


def _decoder(head: Head) -> _Inflate | None:
    coding = head.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip", "deflate"):
        return _Inflate(coding)
    raise HttpError(
        "malformed", f"the answer is compressed with {coding}, which was not asked for and is not known here"
    )
