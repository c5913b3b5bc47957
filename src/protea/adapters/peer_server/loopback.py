"""A small HTTP server for agents of this machine: a card, a sign of life, and questions for who knows the token.

    GET  /health                          200 {"ok": true}
    GET  /card                            200, the card
    POST /ask  {"text", "conversation"?}  200 {"text"}; needs `Authorization: Bearer TOKEN`

The token is in a file that only its owner can read. It is no A2A: that is an adapter of its own.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any

import msgspec

from protea.domain.errors import ProteaError, StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.peer_server import PeerCard, PeerQuestion

_log = logging.getLogger("protea.peers")

LARGEST = 1 << 20
"""Bytes of a question."""
PATIENCE = 15.0
"""Seconds a request has to arrive."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """On 127.0.0.1; 0: one that is free."""
    most: Annotated[int, msgspec.Meta(ge=1)] = 8
    """Questions that are answered at the same time; others are told to come back."""


class _Ask(msgspec.Struct):
    text: str
    conversation: str = ""


class _Refused(Exception):
    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


class Loopback:
    def __init__(self, options: Options, folder: str) -> None:
        self._options = options
        self._folder = folder
        self._server: asyncio.Server | None = None
        self._token = ""
        self._connections: set[asyncio.Task[None]] = set()
        self._asked = 0

    async def start(self, card: PeerCard, answer: Callable[[PeerQuestion], Awaitable[str]]) -> str:
        self._token = self._read_token()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            try:
                await self._exchange(reader, writer, card, answer)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                _log.debug("a peer left before it was answered")
            finally:
                self._connections.discard(task)
                writer.close()

        try:
            self._server = await asyncio.start_server(serve, "127.0.0.1", self._options.port, limit=65536)
        except OSError as error:
            raise StoreError(f"port {self._options.port} cannot be listened on: {error.strerror}") from error
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def aclose(self) -> None:
        if self._server is None:
            return
        self._server.close()
        connections = [*self._connections]
        for task in connections:
            task.cancel()
        if connections:
            await asyncio.wait(connections)
        await self._server.wait_closed()
        self._server = None

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        card: PeerCard,
        answer: Callable[[PeerQuestion], Awaitable[str]],
    ) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                method, path, headers, body = await _request(reader)
            status, told = "200 OK", await self._told(method, path, headers, body, card, answer)
        except _Refused as refused:
            status, told = refused.status, {"error": str(refused)}
        data = msgspec.json.encode(told)
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode("ascii") + data)
        await writer.drain()

    async def _told(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        card: PeerCard,
        answer: Callable[[PeerQuestion], Awaitable[str]],
    ) -> Any:
        # A page in a browser of this machine could be made to ask: it sends an origin, and no agent does.
        if "origin" in headers or not headers.get("host", "").startswith(("127.0.0.1", "localhost")):
            raise _Refused("403 Forbidden", "this server is for agents of this machine")
        match method, path:
            case "GET", "/health":
                return {"ok": True}
            case "GET", "/card":
                return card
            case "POST", "/ask":
                return {"text": await self._answered(headers, body, answer)}
        raise _Refused("404 Not Found", "there are GET /health, GET /card and POST /ask")

    async def _answered(
        self, headers: dict[str, str], body: bytes, answer: Callable[[PeerQuestion], Awaitable[str]]
    ) -> str:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            raise _Refused("401 Unauthorized", "the token is missing or wrong")
        try:
            asked = msgspec.json.decode(body, type=_Ask)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _Refused("400 Bad Request", f"this is no question: {error}") from None
        if self._asked >= self._options.most:
            raise _Refused("503 Service Unavailable", "too many questions at once; come back")
        self._asked += 1
        try:
            return await answer(PeerQuestion(peer="loopback", text=asked.text, conversation=asked.conversation))
        except ProteaError as error:
            raise _Refused("502 Bad Gateway", str(error)) from None
        finally:
            self._asked -= 1

    def _read_token(self) -> str:
        """The token, made the first time."""
        path = os.path.join(self._folder, "peer.token")
        try:
            os.makedirs(self._folder, 0o700, exist_ok=True)
            with suppress(FileExistsError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(path, flags, 0o600)
                with open(descriptor, "wb") as file:
                    file.write(secrets.token_urlsafe(32).encode())
            with open(path, encoding="utf-8") as kept:
                token = kept.read().strip()
                others = os.fstat(kept.fileno()).st_mode & 0o077
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{path} cannot be used: {error}") from error
        if len(token) < 16 or others:
            raise StoreError(f"{path} is no secret; remove it, and a new one is made")
        return token


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        raise _Refused("431 Request Header Fields Too Large", "the head is too long") from None
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise _Refused("400 Bad Request", "this is no HTTP request")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name
    }
    length = headers.get("content-length", "0")
    if not length.isdecimal() or "transfer-encoding" in headers:
        raise _Refused("411 Length Required", "say how long it is")
    if int(length) > LARGEST:
        raise _Refused("413 Content Too Large", f"a question has at most {LARGEST} bytes")
    return words[0], words[1], headers, await reader.readexactly(int(length))


def create(options: Options, *, surroundings: Surroundings) -> Loopback:
    return Loopback(options, surroundings.protea_home)
