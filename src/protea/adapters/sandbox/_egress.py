"""The way out for commands that may reach some domains and nothing else: an HTTP proxy in Protea itself.

It listens in the command's own network namespace (`_netns`), knows CONNECT and plain HTTP, lets pass the hosts it was
told, and connects only to public addresses (`protea.adapters.http.guard`). What it tunnels it does not look into: a
host that serves others under its own name serves them here too. Ports of this machine that are named stand open as they
are, at the same number of the command's own loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from protea.adapters.http.errors import HttpError
from protea.adapters.http.framing import MAX_HEAD, Body, Head, body_of
from protea.adapters.http.guard import USUAL_PORTS, Guard, RefusedError, Resolve, resolve
from protea.adapters.sandbox._netns import PORT, listeners
from protea.domain.errors import ConfigError
from protea.domain.permission.address import loopback, numeric
from protea.domain.permission.rules import host_matches

CONNECT_SECONDS = 20.0
SILENT_SECONDS = 600.0
"""After that a tunnel nobody uses is closed."""
AT_ONCE = 128
BLOCK = 1 << 16


class Way(msgspec.Struct, frozen=True):
    """What may be reached."""

    domains: tuple[str, ...]
    """`example.org`, `*.example.org`, either with `:port`."""
    guard: Guard
    local: tuple[int, ...] = ()
    """Ports of this machine's loopback."""

    def may(self, host: str, port: int) -> bool:
        name = host.strip("[]").lower().rstrip(".")
        for domain in self.domains:
            named = domain.rpartition(":")[2].isdigit()
            if host_matches(domain, name, port) and (named or port in USUAL_PORTS):
                return True
        return False


def way_to(said: Sequence[str], *, resolver: Resolve = resolve) -> Way:
    """Raises `ConfigError` for what cannot be meant."""
    ports, local, domains = set(USUAL_PORTS), list[int](), list[str]()
    for each in said:
        text = each.strip().lower().rstrip(".")
        host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
        if not host or host == "*":
            raise ConfigError(f"sandbox.allow_domains: {each!r} is any host; to allow the network say network = true")
        if set("/@ *:") & set(host.removeprefix("*.")) or (text.count(":") == 1 and not 0 < _number(port) < 65536):
            why = "is no host; write example.org, *.example.org or host:port"
            raise ConfigError(f"sandbox.allow_domains: {each!r} {why}")
        if host == "localhost" or loopback(numeric(host) or ""):
            if not port or int(port) == PORT:
                why = f"needs a port, any but {PORT}: this machine is not opened as a whole"
                raise ConfigError(f"sandbox.allow_domains: {each!r} {why}")
            local.append(int(port))
            continue
        if port:
            ports.add(int(port))
        domains.append(text)
    return Way(tuple(domains), Guard(frozenset(ports), resolver=resolver), tuple(dict.fromkeys(local)))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def environment() -> dict[str, str]:
    """The variables by which programs find the proxy."""
    address = f"http://127.0.0.1:{PORT}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    own = "localhost,127.0.0.1,::1"
    both = dict.fromkeys(names, address) | {"NO_PROXY": own}
    return both | {name.lower(): value for name, value in both.items()}


class Egress:
    """A proxy for one command, from when its namespace stands until it is gone."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._servers: list[asyncio.Server] = []
        self._visits: set[asyncio.Task[None]] = set()

    async def open(self, pid: int) -> None:
        """Listen in the network namespace of `pid`. Raises `OSError`."""
        doors = await listeners(pid, (PORT, *self._way.local))
        await self.serve(doors[0])
        for door, port in zip(doors[1:], self._way.local, strict=True):
            await self.serve(door, port)

    async def serve(self, door: socket.socket, port: int | None = None) -> None:
        """The proxy, or what listens at a port of this machine."""

        def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # A task of our own: asyncio calls it an error when one that it made is cancelled.
            task = asyncio.get_running_loop().create_task(self._visit(reader, writer, port))
            self._visits.add(task)
            task.add_done_callback(self._visits.discard)

        self._servers.append(await asyncio.start_server(visit, sock=door, limit=MAX_HEAD))

    def close(self) -> None:
        while self._servers:
            self._servers.pop().close()
        for visit in self._visits:
            visit.cancel()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int | None) -> None:
        try:
            if len(self._visits) > AT_ONCE:
                await _answer(writer, 503, "too many connections at once")
            elif port is None:
                await self._serve_one(reader, writer)
            else:
                way_in, way_out = await asyncio.open_connection("127.0.0.1", port)
                try:
                    await _both(_pipe(reader, way_out), _pipe(way_in, writer))
                finally:
                    way_out.transport.abort()
        except (OSError, HttpError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the visitor broke off, or speaks something else
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(SILENT_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, _, rest = head.partition("\r\n")
        method, target, version = (*first.split(" "), "", "")[:3]
        if not version.startswith("HTTP/1."):
            return await _answer(writer, 400, "this is an HTTP proxy")
        tunnel = method.upper() == "CONNECT"
        try:
            parts = urlsplit(f"//{target}" if tunnel else target)
            host, port = (parts.hostname or "").rstrip("."), parts.port or (0 if tunnel else 80)
        except ValueError:
            host, port = "", 0
        if set("\r\n") & set(head.replace("\r\n", "")):
            # Servers that take one of these for the end of a line would read headers, or requests, of its making.
            return await _answer(writer, 400, "the request is not read with certainty")
        if not host or not port or (not tunnel and parts.scheme != "http") or parts.username is not None:
            return await _answer(writer, 400, "the request names no host")
        headers = _headers(rest)
        if sum(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers) > 1:
            return await _answer(writer, 400, "the request says more than once how long it is")
        if not self._way.may(host, port):
            return await _answer(writer, 403, f"{host}:{port} is not in sandbox.allow_domains")
        try:
            way_in, way_out = await self._dial(host, port)
        except RefusedError as error:
            return await _answer(writer, 403, error.message)
        except (OSError, HttpError, TimeoutError) as error:
            said = error.message if isinstance(error, HttpError) else str(error) or "no answer"
            return await _answer(writer, 502, f"{host}:{port} cannot be reached: {said}")
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _both(_pipe(reader, way_out), _pipe(way_in, writer))
            else:
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                way_out.write(_forwarded(method, path, host if port == 80 else f"{host}:{port}", headers))
                # Nothing behind this one request: the next may be for another host.
                body = body_of(Head(200, "", _named(headers) or {"content-length": "0"}, False), method)
                await _both(_send(reader, way_out, body), _pipe(way_in, writer))
        finally:
            way_out.transport.abort()

    async def _dial(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(CONNECT_SECONDS):
            addresses = await self._way.guard.addresses(host, port)
            failure: OSError | None = None
            for address in addresses:
                try:
                    return await asyncio.open_connection(address, port)
                except OSError as error:
                    failure = error
        raise failure or OSError("no address")


async def _answer(writer: asyncio.StreamWriter, status: int, why: str) -> None:
    text = f"protea: {why}\n".encode()
    reason = {400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway", 503: "Service Unavailable"}[status]
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(text)}\r\n"
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + text)
    await writer.drain()


def _headers(text: str) -> list[tuple[str, str]]:
    pairs = [line.partition(":") for line in text.split("\r\n") if line]
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _named(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of a request's headers those that tell how long its body is."""
    return {n.lower(): v for n, v in headers if n.lower() in ("content-length", "transfer-encoding")}


_OURS = frozenset({"host", "connection", "keep-alive", "trailer", "upgrade"})


def _forwarded(method: str, path: str, host: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Under the host that was looked at, whatever the command says of it."""
    kept = [f"{n}: {v}" for n, v in headers if n.lower() not in _OURS and not n.lower().startswith("proxy-")]
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *kept, "Connection: close", "", ""]).encode(
        "latin-1"
    )


async def _both(one: Coroutine[Any, Any, None], two: Coroutine[Any, Any, None]) -> None:
    """Until the second is done, or either fails."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(two)]
    try:
        await tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        async with asyncio.timeout(SILENT_SECONDS):
            data = await reader.read(BLOCK)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: Body) -> None:
    """A request's body as it comes, and no byte more."""
    while not body.done:
        async with asyncio.timeout(SILENT_SECONDS):
            data = await reader.read(BLOCK)
        if not data:
            break
        body.feed(data)
        writer.write(data[: len(data) - len(body.rest)])
        await writer.drain()
