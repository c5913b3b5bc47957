"""A web server on this machine's loopback that says what it was told and keeps what it was asked."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Site:
    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.answers: dict[str, bytes] = {}
        """Path → a whole answer; None there: silence."""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def page(self, path: str, body: str | bytes, kind: str = "text/html", status: str = "200 OK", **more: str) -> str:
        data = body.encode() if isinstance(body, str) else body
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            **{k.replace("_", "-"): v for k, v in more.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.answers[path] = f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + data
        return self.url(path)

    def redirect(self, path: str, to: str, status: str = "302 Found") -> str:
        return self.page(path, "", status=status, Location=to)

    def zipped(self, path: str, body: bytes) -> str:
        return self.page(path, gzip.compress(body), "text/plain", Content_Encoding="gzip")

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ")[1]
                self.asked.append(path)
                self.heads.append(head)
                if path == "/silent":
                    await asyncio.sleep(60)
                writer.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site = Site()
    visits: set[asyncio.Task[None]] = set()

    def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(site._visit(reader, writer))
        visits.add(task)
        task.add_done_callback(visits.discard)

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
