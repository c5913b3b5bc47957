"""The server of `protea web`: one page, its few files, and a WebSocket between each page and its screen.

Called by `cli`. Everything that is asked for passes `Door` first; nothing is ever fetched from elsewhere.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import parse_qs

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from protea.domain.errors import ConfigError
from protea.interfaces.web.door import HEADERS, Door
from protea.interfaces.web.strangers import Strangers, quietly
from protea.interfaces.web.terminals import AWAY, MOST_TYPED, Ended, Size, Terminal, Terminals, Viewer

LARGEST = 1 << 24
"""Bytes of one message from a page: a paste."""
LARGEST_HELLO = 1 << 13
"""Bytes of its first one: who has not said the token is not listened to for long."""
MOST_QUEUED = 4
"""Messages of one page that wait to be looked at; then no more are read."""
HELLO = 10.0
"""Seconds a page has to say which screen it wants."""
LOOK = 30.0
"""Seconds between two looks for screens that nobody misses."""

STRANGER, ENDED, ELSEWHERE, CLOSING, FULL = 4403, 4000, 4001, 4002, 4003
"""Why a WebSocket was closed; `page.js` tells it to a person."""

_FILES: Mapping[str, str] = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "again.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "vendor/xterm.css": "text/css",
    "vendor/xterm.mjs": "text/javascript",
    "vendor/addon-fit.mjs": "text/javascript",
    "vendor/addon-image.mjs": "text/javascript",
    "vendor/addon-unicode-graphemes.mjs": "text/javascript",
}
"""All that is served, beside the page itself."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
T = TypeVar("T")


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve, and where."""

    command: tuple[str, ...]
    """Starts a screen; `--resume=ID` is added where a page brings a session along."""
    first: tuple[str, ...] = ()
    """More words for the first screen."""
    environment: Mapping[str, str]
    host: str
    port: int
    """0 takes a free one."""
    door: Callable[[int], Door]
    """The door of the port that was taken."""
    away: float = AWAY


class _Hello(msgspec.Struct, frozen=True, kw_only=True):
    """A page's first words."""

    token: str
    terminal: str
    session: str = ""
    columns: int
    rows: int


_NAME = re.compile(r"[0-9a-zA-Z_-]{8,64}")
_SESSION = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z_.-]{0,127}")


async def run(serving: Serving, told: Callable[[Door], None]) -> None:
    """Serve until a signal ends it. `told` is called once pages can be opened. Raises `ConfigError` where the address
    cannot be had."""
    server = _Server(serving)
    await server.run(told)


class _Server:
    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._terminals = Terminals(_for_screens(serving.environment), away=serving.away)
        self._first = list(serving.first)
        self._door = serving.door(serving.port)
        self._strangers = Strangers()
        self._closing = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self, told: Callable[[Door], None]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGCHLD, self._terminals.reap)
        loop.set_exception_handler(quietly)
        silent = logging.getLogger("protea.web")
        silent.addHandler(logging.NullHandler())
        silent.propagate = False  # what strangers send is no news for the person at the shell
        try:
            server = await serve(
                self._page_is_here,
                self._serving.host,
                self._serving.port,
                process_request=self._answer,
                compression=None,
                max_size=LARGEST_HELLO,
                max_queue=MOST_QUEUED,
                create_connection=self._strangers.connection(),
                server_header=None,
                close_timeout=2,
                logger=silent,
            )
        except OSError as error:
            raise ConfigError(_why_not(error, self._serving)) from error
        try:
            self._door = self._serving.door(next(iter(server.sockets)).getsockname()[1])
            told(self._door)
            looking = loop.create_task(self._look())
            await self._closing.wait()
            looking.cancel()
        finally:
            server.close(close_connections=False)
            await self._terminals.close(self._hurry)
            server.close()
            await server.wait_closed()

    def _end(self) -> None:
        if self._closing.is_set():
            self._hurry.set()
        self._closing.set()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._terminals.end_idle()

    # ── HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """What is sent back; None lets a page through to `_page_is_here`."""
        hosts = request.headers.get_all("Host")
        if not self._door.is_here(hosts):
            return _response(HTTPStatus.MISDIRECTED_REQUEST, b"This is not the address of Protea.\n")
        if request.method != "GET":
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, b"Only GET is answered.\n")
        path, _, query = request.path.partition("?")
        known = self._door.has_pass(request.headers.get_all("Cookie"))
        if path == "/socket":
            if known and self._door.is_own_page(request.headers.get_all("Origin"), hosts):
                return None
            return _response(HTTPStatus.FORBIDDEN, b"This page may not see the screen.\n")
        if path == "/":
            given = parse_qs(query).get("token", [])
            if given and not (len(given) == 1 and self._door.is_token(given[0])):
                return _refused()
            if given or known:
                return _page(hosts[0], self._door.set_cookie())
            return _refused()
        if path.startswith("/static/") and (kind := _FILES.get(path.removeprefix("/static/"))):
            return _file(path.removeprefix("/static/"), kind)
        return _response(HTTPStatus.NOT_FOUND, b"There is nothing here.\n")

    # ── WebSocket ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _page_is_here(self, connection: ServerConnection) -> None:
        try:
            async with asyncio.timeout(HELLO):
                hello = _read(await connection.recv(), _Hello)
        except (TimeoutError, ConnectionClosed):
            hello = None
        if hello is None:
            await connection.close(STRANGER, "this is not how a page begins")
            return
        # The cookie goes to every port of this machine, the token is kept from them: both are wanted.
        if not self._door.is_token(hello.token) or not _NAME.fullmatch(hello.terminal):
            await connection.close(STRANGER, "the token is another one")
            return
        self._strangers.forget(connection)
        connection.protocol.max_message_size = LARGEST
        size = Size(hello.columns, hello.rows)
        terminal = self._terminals.find(hello.terminal)
        if terminal is None and not self._closing.is_set():
            terminal = self._terminals.start(hello.terminal, self._command(hello.session), size)
        if terminal is None:
            await connection.close(FULL, "too many screens are open")
            return
        viewer = terminal.attach(size)
        showing = asyncio.create_task(_show(connection, viewer))
        try:
            await _listen(connection, terminal, viewer)
        except ConnectionClosed:
            pass
        finally:
            terminal.detach(viewer)
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing

    def _command(self, session: str) -> list[str]:
        words, self._first = self._first, []
        if _SESSION.fullmatch(session):
            words = [f"--resume={session}"]
        return [*self._serving.command, *words]


async def _show(connection: ServerConnection, viewer: Viewer) -> None:
    with suppress(ConnectionClosed):
        while True:
            match await viewer.take():
                case Ended(why, code):
                    closed = {"over": ENDED, "elsewhere": ELSEWHERE}.get(why, CLOSING)
                    await connection.close(closed, str(code))
                    return
                case data:
                    await connection.send(data)


async def _listen(connection: ServerConnection, terminal: Terminal, viewer: Viewer) -> None:
    async for message in connection:
        if terminal.viewer is not viewer:
            continue  # it has yet to notice that another page has the screen
        if isinstance(message, str):
            if (size := _read(message, Size)) is not None:
                terminal.resize(size)
            continue
        terminal.type(message)
        if terminal.unread > MOST_TYPED:
            # No more is taken from the page until the screen has read on, or the page has gone.
            waits = [asyncio.ensure_future(each) for each in (terminal.has_read(), connection.wait_closed())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()


def _read(message: str | bytes, kind: type[T]) -> T | None:
    """What a page has said; None where it is nothing a page says, however that is wrong."""
    try:
        return msgspec.json.decode(message, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _response(
    status: HTTPStatus, body: bytes, kind: str = "text/plain", more: Mapping[str, str] = _NOTHING
) -> Response:
    headers = Headers(
        {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **HEADERS,
            **more,
        }
    )
    return Response(status.value, status.phrase, headers, body)


def _file(name: str, kind: str, more: Mapping[str, str] = _NOTHING) -> Response:
    return _response(HTTPStatus.OK, (files(__package__) / "static" / name).read_bytes(), kind, more)


def _page(host: str, cookie: str) -> Response:
    """The page itself. Not every browser takes the WebSocket of its own address for its own."""
    policy = HEADERS["Content-Security-Policy"].replace("connect-src 'self'", f"connect-src 'self' ws://{host}")
    return _file("page.html", "text/html", {"Set-Cookie": cookie, "Content-Security-Policy": policy})


def _refused() -> Response:
    body = (files(__package__) / "static" / "refused.html").read_bytes()
    return _response(HTTPStatus.FORBIDDEN, body, "text/html")


def _why_not(error: OSError, serving: Serving) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {serving.port} is taken; choose another with --port N (0 takes a free one)"
    where = f"{serving.host} port {serving.port}"
    return f"cannot listen on {where}: {error.strerror or error}"


_TERMINALS_OWN = (
    "COLORFGBG", "COLUMNS", "ITERM_SESSION_ID", "KITTY_PID", "KITTY_WINDOW_ID", "LINES", "SSH_TTY", "STY",
    "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "TMUX_PANE", "VTE_VERSION", "WEZTERM_PANE", "WT_SESSION",
)  # fmt: skip
"""Variables that tell of the terminal the server was started in, which is not the one its screens are in."""


def _for_screens(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if name not in _TERMINALS_OWN}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TERM_PROGRAM": "protea-web"}
