"""The part of the Docker Engine's API that a sandbox needs, over its UNIX socket. Podman answers to the same.

https://docs.docker.com/reference/api/engine/. Called by `docker`. Every request has a connection of its own: two of
them are taken over by streams, and the others are few.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from protea.adapters.http.errors import HttpError
from protea.adapters.http.framing import MAX_HEAD, Body, Head, body_of, encode_head, find_head_end, parse_head

LARGEST = 8 << 20
"""Bytes of an answer."""
PATIENCE = 30.0
"""Seconds an answer may take, but for those that wait for something."""
UNREAD = 1 << 17
"""Bytes of a stream taken in before the engine is made to wait."""


class EngineError(OSError):
    """The engine cannot be reached, or refused. `strerror` says what a person can do about it."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(5, message)
        self.status = status


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes = b""

    def json(self) -> Any:
        return msgspec.json.decode(self.body) if self.body.strip() else None


class Engine:
    """One engine, at a socket. Holds no connection."""

    def __init__(self, path: str) -> None:
        self.path = path

    def ask(self, method: str, target: str, body: Any = None, patience: float = PATIENCE) -> Answer:
        """Blocking. Raises `EngineError` where there is no answer; any status is one."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
                door.settimeout(patience)
                door.connect(self.path)
                door.sendall(_request(method, target, body))
                data, head, framed = b"", None, None
                payload = bytearray()
                while framed is None or not framed.done:
                    piece = door.recv(65536)
                    if framed is None:
                        data += piece
                        if (end := find_head_end(data)) < 0:
                            if not piece or len(data) > MAX_HEAD:
                                raise EngineError(f"what listens at {self.path} does not answer")
                            continue
                        head = parse_head(data[:end])
                        framed = body_of(head, method)
                        piece = data[end:]
                        if not piece:
                            continue
                    _take(framed, piece, payload)
        except (OSError, HttpError) as error:
            raise self._unreachable(error) from error
        assert head is not None
        return Answer(head.status, head.headers, bytes(payload))

    async def call(self, method: str, target: str, body: Any = None, patience: float | None = PATIENCE) -> Answer:
        """The same without blocking. None: wait as long as it takes."""
        async with asyncio.timeout(patience):
            head, rest, reader, writer = await self._open(method, target, body, {})
            payload = bytearray()
            try:
                framed = body_of(head, method)
                if rest:
                    _take(framed, rest, payload)
                while not framed.done:
                    _take(framed, await reader.read(65536), payload)
            except HttpError as error:
                raise self._unreachable(error) from error
            finally:
                await _shut(writer)
        return Answer(head.status, head.headers, bytes(payload))

    async def stream(self, target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Take a connection over for bytes both ways; also what has come already."""
        taken = {"Connection": "Upgrade", "Upgrade": "tcp"}
        async with asyncio.timeout(PATIENCE):
            head, rest, reader, writer = await self._open("POST", target, None, taken)
        if head.status not in (101, 200):
            await _shut(writer)
            raise EngineError(f"the container engine gives no stream ({head.status} {head.reason})", head.status)
        return reader, writer, rest

    async def _open(
        self, method: str, target: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[Head, bytes, asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            reader, writer = await asyncio.open_unix_connection(self.path, limit=UNREAD)
        except OSError as error:
            raise self._unreachable(error) from error
        try:
            writer.write(_request(method, target, body, headers))
            data = b""
            while (end := find_head_end(data)) < 0:
                piece = await reader.read(65536)
                data += piece
                if not piece or len(data) > MAX_HEAD:
                    raise EngineError(f"what listens at {self.path} does not answer")
            return parse_head(data[:end]), data[end:], reader, writer
        except (OSError, HttpError) as error:
            await _shut(writer)
            raise self._unreachable(error) from error
        except BaseException:
            writer.transport.abort()
            raise

    def _unreachable(self, error: Exception) -> EngineError:
        if isinstance(error, EngineError):
            return error
        if isinstance(error, PermissionError):
            return EngineError(
                f"{self.path} may not be used by you; join the group that owns it (often: docker), or run the engine "
                "without root"
            )
        if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
            return EngineError(f"no container engine listens at {self.path}; start Docker or Podman")
        said = error.message if isinstance(error, HttpError) else getattr(error, "strerror", None) or error
        return EngineError(f"the container engine at {self.path} cannot be used: {said}")


def refusal(answer: Answer) -> EngineError | None:
    """The error an answer is, in the engine's own words."""
    if answer.status < 400:
        return None
    said = ""
    with contextlib.suppress(msgspec.DecodeError, AttributeError):
        said = str(answer.json().get("message") or answer.json().get("cause") or "")
    return EngineError(said.strip() or f"the container engine answered {answer.status}", answer.status)


def target(*parts: str, **query: Any) -> str:
    """A path of the API; values that are no strings go as JSON."""
    words = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode() for name, value in query.items()
    }
    return "/" + "/".join(quote(part, safe="") for part in parts) + (f"?{urlencode(words)}" if words else "")


def find_socket(environment: Mapping[str, str], named: str | None = None) -> str:
    """Where an engine listens: what is named, else DOCKER_HOST, else the first usual place that exists.

    Raises `EngineError` for an address that is no socket of this machine's.
    """
    address = named or environment.get("DOCKER_HOST") or ""
    if address:
        if "://" in address and not address.startswith("unix://"):
            raise EngineError(f"the container engine at {address} is not on this machine; only unix:// sockets work")
        return address.removeprefix("unix://")
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    usual = [
        f"{runtime}/docker.sock",
        "/var/run/docker.sock",
        f"{environment.get('HOME', '')}/.docker/run/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    ]
    return next((path for path in usual if os.path.exists(path)), "/var/run/docker.sock")


def _request(method: str, to: str, body: Any, headers: Mapping[str, str] | None = None) -> bytes:
    data = b"" if body is None else msgspec.json.encode(body)
    lines = {"Host": "engine", "Connection": "close", **(headers or {})}
    if data:
        lines["Content-Type"] = "application/json"
    if data or method == "POST":
        lines["Content-Length"] = str(len(data))
    return encode_head(method, to, lines) + data


def _take(framed: Body, piece: bytes, payload: bytearray) -> None:
    if piece:
        payload += framed.feed(piece)
    else:
        framed.end()
    if len(payload) > LARGEST:
        raise EngineError(f"the container engine answered with more than {LARGEST} bytes")


async def _shut(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
