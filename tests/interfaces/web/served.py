"""`protea web` as a process of its own, and what knocks at it without being a browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.journeys.world import World

PATIENCE = 40.0
"""Seconds something may take on a machine that is busy with other things."""


class Served:
    """Starts it in a world of its own; `with` ends it."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world = World(folder, **environment)
        self._start("--port=0", *([] if "--open" in words else ["--no-open"]), *words)

    def _start(self, *words: str) -> None:
        self.process = self.world.start("web", *words)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode()
        found = re.search(r"(http://[^/]+:(\d+)/)\?token=(\S+)", self.said)
        assert found, (self.said, self.process.stderr and self.process.stderr.read())
        self.base, self.port, self.token = found[1], int(found[2]), found[3]
        self.url = found[0]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def again(self) -> None:
        """Start it once more, on the same port."""
        self._start(f"--port={self.port}", "--no-open")

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def get(self, path: str, headers: Mapping[str, str] = {}, method: str = "GET") -> http.client.HTTPResponse:
        """One answer, its body read: `answer.text`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            answer.text = answer.read().decode()  # type: ignore[attr-defined]  # kept beside what it belongs to
            return answer
        finally:
            connection.close()

    def cookie(self) -> str:
        """The pass that the token is exchanged for."""
        given = self.get(f"/?token={self.token}").headers["Set-Cookie"]
        return str(given).partition(";")[0]

    def screens(self) -> list[int]:
        """The processes of the screens it has started."""
        return sorted(
            int(line.split()[0])
            for line in subprocess.run(
                ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
            ).stdout.splitlines()
            if "protea" in line
        )


class Client:
    """Speaks as a page does."""

    def __init__(
        self, served: Served, screen: str, *, token: str | None = None, session: str = "", cookie: str | None = None
    ) -> None:
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(
            connect(
                f"ws://127.0.0.1:{served.port}/socket",
                origin=served.base.rstrip("/"),  # type: ignore[arg-type]  # a new type of str
                additional_headers={"Cookie": cookie if cookie is not None else served.cookie()},
                max_size=None,
                open_timeout=PATIENCE,
            )
        )
        self.shown = b""
        hello = {"token": served.token if token is None else token, "terminal": screen, "session": session}
        self.socket.send(json.dumps({**hello, "columns": 100, "rows": 30}))

    def type(self, text: str) -> None:
        self.socket.send(text.encode())

    def see(self, wanted: str) -> None:
        """Wait until `wanted` has been drawn."""
        deadline = time.monotonic() + PATIENCE
        while wanted.encode() not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} was not drawn: {self.shown[-2000:]!r}"
            data = self.socket.recv(timeout=left)
            assert isinstance(data, bytes)
            self.shown += data

    def closed(self) -> tuple[int, str]:
        """Wait for the other side to close; its code and reason."""
        deadline = time.monotonic() + PATIENCE
        with suppress(ConnectionClosed):
            for _ in self.socket:
                assert time.monotonic() < deadline
        self.leave()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""

    def leave(self) -> None:
        self._open.close()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
    except OSError:
        return os.path.exists(f"/proc/{pid}")
