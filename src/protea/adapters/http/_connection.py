"""One connection: bytes out, bytes in, a watch over silence. Used by `client` alone.

It is a Protocol and not a pair of streams: the end of an idle connection is then known at once, closing is one call,
and reading twenty thousand pieces sets one timer, not twenty thousand.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from protea.adapters.http._address import Address
from protea.adapters.http._tls import tls_error
from protea.adapters.http.errors import HttpError
from protea.adapters.http.framing import MAX_HEAD, encode_head, find_head_end, parse_head

_FULL = 4 * 1024 * 1024
"""Bytes kept unread before the other side is made to wait."""


class Silence(Exception):
    """Nothing came for as long as `read` was told to wait."""


class Guarding(Protocol):
    """Says where a connection may lead. `guard.Guard` does; it is not named here, because models need none of it."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses to try. Raises HttpError where there is none that may be."""
        ...


class Connection(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.idle_since = 0.0
        self.ended = False
        """The other side has closed, or the connection broke."""
        self.on_data: Callable[[bytes], None] | None = None
        """Takes what comes (b"" for the end) while nobody reads: idle in the pool, or draining."""
        self._transport: asyncio.Transport | None = None
        self._error: Exception | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._since = 0.0
        self._limit = 0.0
        self._unsent = 0
        self._watch: asyncio.TimerHandle | None = None

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self.on_data is not None:
            self.on_data(data)
            return
        self._chunks.append(data)
        self._size += len(data)
        if self._size > _FULL and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _end(self, exc: Exception | None) -> None:
        if self.ended:
            return
        self.ended, self._error = True, exc
        if self.on_data is not None:
            self.on_data(b"")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- what the client calls

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    @property
    def unsent(self) -> int:
        """Bytes of the request not yet given to the system."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    @property
    def broken_by(self) -> Exception | None:
        return self._error

    async def read(self, patience: float | None) -> bytes:
        """All that has come, or what comes next; b"" at the end. Raises Silence after `patience` seconds of nothing."""
        if not self._chunks and not self.ended:
            self._waiter = self.loop.create_future()
            if patience is not None:
                self._start_watch(patience)
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.take()

    def take(self) -> bytes:
        """All that has come and was not read yet."""
        chunks = self._chunks
        if not chunks:
            return b""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._size = 0
        if self._paused and self._transport is not None and not self.ended:
            self._paused = False
            self._transport.resume_reading()
        return data

    def _start_watch(self, timeout: float) -> None:
        now = self.loop.time()
        self._since, self._limit, self._unsent = now, timeout, self.unsent
        if self._watch is not None:
            if self._watch.when() <= now + timeout:
                return  # it looks early enough, and then again
            self._watch.cancel()
        self._watch = self.loop.call_later(timeout, self._look)

    def _look(self) -> None:
        self._watch = None
        if self._waiter is None or self._waiter.done():
            return
        now, unsent = self.loop.time(), self.unsent
        if unsent < self._unsent:  # a big request on a slow line is not silence
            self._since, self._unsent = now, unsent
        left = self._since + self._limit - now
        if left <= 0:
            self._waiter.set_exception(Silence())
        else:
            self._watch = self.loop.call_later(left, self._look)

    def is_stale(self) -> bool:
        """Whether an idle connection is known to have ended, or said something nobody asked for."""
        return self.ended or bool(self._chunks) or self._transport is None or self._transport.is_closing()

    def is_readable(self) -> bool:
        """Whether the system has something for an idle connection that the loop has not seen yet, or its end."""
        if self._transport is None:
            return True
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
        return bool(poll.poll(0))

    def close(self) -> None:
        """End it now; what was not sent is dropped."""
        self.on_data = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._transport is not None:
            self._transport.abort()
        self._chunks.clear()

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        assert self._transport is not None
        transport = await self.loop.start_tls(self._transport, self, context, server_hostname=host)
        if transport is None:
            raise ConnectionResetError(errno.ECONNRESET, "closed during the TLS handshake")
        self._transport = transport


async def connect(
    address: Address,
    proxy: Address | None,
    context: Callable[[], Awaitable[ssl.SSLContext]],
    patience: float,
    guard: Guarding | None = None,
) -> Connection:
    """A connection ready for requests to `address`, through `proxy` if there is one. Raises HttpError.

    With a `guard` only where that lets it lead; behind a proxy the guard judges the name, and the proxy connects.
    """
    first = proxy or address
    connection: Connection | None = None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience):
            checked = await guard.addresses(address.host, address.port) if guard is not None else None
            connection = await _dial(loop, first, context, checked if proxy is None else None)
            if proxy is not None and address.scheme == "https":
                await _tunnel(connection, address, proxy)
                try:
                    await connection.start_tls(await context(), address.host)
                except (ssl.SSLError, ssl.CertificateError, ConnectionError) as exc:
                    raise _connect_error(exc, address, None) from exc
            return connection
    except TimeoutError as exc:
        if connection is not None:
            connection.close()
        raise HttpError("timeout", f"{_place(first, proxy)} did not take the connection within {patience:g} s") from exc
    except (OSError, HttpError) as exc:
        if connection is not None:
            connection.close()
        if isinstance(exc, HttpError):
            raise
        raise _connect_error(exc, first, proxy) from exc
    except BaseException:
        if connection is not None:
            connection.close()
        raise


async def _dial(
    loop: asyncio.AbstractEventLoop,
    place: Address,
    context: Callable[[], Awaitable[ssl.SSLContext]],
    checked: Sequence[str] | None,
) -> Connection:
    secure = await context() if place.scheme == "https" else None
    for number, each in enumerate(checked or (), 1):
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(loop), each, place.port, ssl=secure, server_hostname=place.host if secure else None
            )
        except ConnectionError:
            if number == len(checked or ()):
                raise
        else:
            return connection
    # Two addresses of a name (IPv6 and IPv4) race; an address that is a number has no rival.
    racing = 0.25 if not (":" in place.host or place.host.replace(".", "").isdigit()) else None
    _, connection = await loop.create_connection(
        lambda: Connection(loop),
        place.host,
        place.port,
        ssl=secure,
        server_hostname=place.host if secure else None,
        happy_eyeballs_delay=racing,
    )
    return connection


async def _tunnel(connection: Connection, address: Address, proxy: Address) -> None:
    headers = {"Host": address.host_and_port} | proxy_authorization(proxy)
    connection.write(encode_head("CONNECT", address.host_and_port, headers))
    data = b""
    while (end := find_head_end(data)) < 0:
        piece = await connection.read(None)
        if not piece or len(data) > MAX_HEAD:
            raise HttpError("connection", f"the proxy {proxy.host_and_port} did not answer as a proxy does")
        data += piece
    head = parse_head(data[:end])
    if not 200 <= head.status < 300:
        what = (
            "wants a user and password (proxy_url = http://user:password@host:port)"
            if head.status == 407
            else (f"refused the way to {address.host_and_port} ({head.status} {head.reason})")
        )
        raise HttpError("connection", f"the proxy {proxy.host_and_port} {what}", retryable=head.status >= 500)


def proxy_authorization(proxy: Address) -> dict[str, str]:
    if proxy.user is None:
        return {}
    from binascii import b2a_base64  # only proxies with a password need it

    return {"Proxy-Authorization": "Basic " + b2a_base64(proxy.user.encode(), newline=False).decode()}


_CONNECT_CAUSES = {
    errno.ECONNREFUSED: "nothing listens there (connection refused); is the server running and the address right?",
    errno.EHOSTUNREACH: "no route leads there (host unreachable); check the network",
    errno.ENETUNREACH: "no network leads there (network unreachable); check the network",
    errno.ECONNRESET: "the other side broke the connection off",
    errno.EPIPE: "the other side broke the connection off",
    errno.ETIMEDOUT: "it did not answer (timed out); check the network or a firewall",
}


def _place(address: Address, proxy: Address | None) -> str:
    return f"the proxy {address.host_and_port}" if proxy is not None else address.host_and_port


def _connect_error(exc: OSError, address: Address, proxy: Address | None) -> HttpError:
    place = _place(address, proxy)
    if isinstance(exc, (ssl.SSLError, ssl.CertificateError)):
        return tls_error(exc, place)
    if isinstance(exc, socket.gaierror):
        return HttpError(
            "connection",
            f"the name {address.host} cannot be found ({exc.strerror or exc}); check the address and the network",
        )
    if exc.errno is None and "onnect call failed" in str(exc):  # several addresses, each refused in its own words
        return HttpError(
            "connection", f"cannot connect to {place}: none of its addresses answers; is the server running?"
        )
    what = _CONNECT_CAUSES.get(exc.errno or 0) or str(exc) or type(exc).__name__
    return HttpError("connection", f"cannot connect to {place}: {what}")
