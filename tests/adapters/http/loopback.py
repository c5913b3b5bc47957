"""Real servers on 127.0.0.1 that behave, and misbehave, byte by byte. For the tests of the HTTP client."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


@dataclass
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    port: int
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


Answer = Callable[[Asked, Writer], Awaitable[None]]


async def read_request(reader: Reader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


@contextlib.asynccontextmanager
async def serving(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answer each request of each connection with `answer`, until it closes the writer or the client goes."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while (asked := await read_request(reader)) is not None:
                server.asked.append(asked)
                await answer(asked, writer)
                if writer.is_closing():
                    break
        tasks.discard(task)
        writer.transport.abort()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    server = Server(listening.sockets[0].getsockname()[1], "https" if context else "http")
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


def saying(data: bytes, *, close: bool = False) -> Answer:
    """Always these bytes; then the end of the connection if `close`."""

    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return answer


def reply(body: bytes = b"hello", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


async def proxy(reader: Reader, writer: Writer) -> None:
    """An HTTP proxy of the plainest kind: CONNECT joins two connections, anything else is refused."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    host, _, port = head.split(" ")[1].rpartition(":")
    far_reader, far_writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def pump(source: Reader, sink: Writer) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
