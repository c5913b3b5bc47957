"""One run of a language server: a process in the sandbox and the conversation with it.

A sandbox gives a command an empty standard input, so what the server is told goes through a named pipe in its own
folder, which a shell makes its input: that works behind every kind of wall.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from protea.adapters.diagnostics._framing import FramingError, Unframed, framed
from protea.domain.plain import plain
from protea.ports.sandbox import Launch, Process, Sandbox

FLOOD = 64 << 20
"""Bytes a server may write between two things it is told."""
BACKLOG = 64 << 20
"""Bytes that may wait for a server to read them."""
PATIENCE = 60.0
"""Seconds a server has to answer what it is asked."""
FAREWELL = 0.5
"""Seconds a server has to end politely, twice."""

Heard = Callable[[str, Any], None]
"""Is told of each notification: its method and what it brings."""


class GoneError(Exception):
    """The server has ended, or had to be ended; the message says why."""


class Link:
    """Raises `GoneError` from whatever is done with a server that is gone."""

    greeted = False
    """Whether it has answered at all: from one that has not no farewell is expected."""

    def __init__(
        self, process: Process, path: str, pipe: int, heard: Heard, settings: Mapping[str, Any], folders: Any
    ) -> None:
        self.why = ""
        """Why it is gone, once it is."""
        self._process = process
        self._path = path
        """Where the pipe lies until the server has opened it."""
        self._pipe = pipe
        self._heard = heard
        self._settings = settings
        self._folders = folders
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._count = 0
        self._waiting = bytearray()
        self._since = 0
        """Bytes heard since it was last told something."""
        self._errors = b""
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(), name="language server")

    async def ask(self, method: str, params: Any, patience: float = PATIENCE) -> Any:
        """Its answer. Raises `GoneError`, also where it gives none in time or refuses."""
        self._count += 1
        answer = self._asked[self._count] = asyncio.get_running_loop().create_future()
        self._send({"jsonrpc": "2.0", "id": self._count, "method": method, "params": params})
        try:
            async with asyncio.timeout(patience):
                return await answer
        except TimeoutError:
            raise GoneError(f"it gave no answer to {method} in {patience:g} s") from None
        finally:
            self._asked.pop(self._count, None)

    def tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def aclose(self) -> None:
        """Let it end; what does not is ended."""
        if self.greeted and not self.gone.done():
            with contextlib.suppress(GoneError):
                await self.ask("shutdown", None, FAREWELL)
            with contextlib.suppress(GoneError):
                self.tell("exit", None)
                await asyncio.wait([self.gone], timeout=FAREWELL)
        self._over("it was ended")
        await self._process.end(0.2)
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._process.close()

    # ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _read(self) -> None:
        unframed = Unframed()
        try:
            while chunk := await self._process.read():
                if chunk.stream == "stderr":
                    self._errors = (self._errors + chunk.data)[-4096:]
                    continue
                self._since += len(chunk.data)
                if self._since > FLOOD:
                    raise FramingError(f"it wrote more than {FLOOD >> 20} MB at a stretch")
                for message in unframed.feed(chunk.data):
                    self._take(message)
        except FramingError as error:
            self._over(str(error))
            await self._process.end(0)
        else:
            ended = await self._process.wait()
            how = f"signal {ended.signal}" if ended.signal is not None else f"exit code {ended.code}"
            self._over(f"it ended by itself ({how}){self._last_words()}")

    def _last_words(self) -> str:
        lines = [line for line in plain(self._errors.decode("utf-8", "replace")).splitlines() if line.strip()]
        return f": {lines[-1].strip()[:200]}" if lines else ""

    def _take(self, message: dict[str, Any]) -> None:
        self._hide()
        method, id = message.get("method"), message.get("id")
        if isinstance(method, str) and id is not None:
            self._answer(method, id, message.get("params"))
        elif isinstance(method, str):
            self._heard(method, message.get("params"))
        elif isinstance(id, int) and (answer := self._asked.get(id)) is not None and not answer.done():
            error = message.get("error")
            if isinstance(error, dict):
                answer.set_exception(GoneError(f"it refuses: {plain(str(error.get('message', 'no reason')))[:200]}"))
            else:
                answer.set_result(message.get("result"))

    def _answer(self, method: str, id: Any, params: Any) -> None:
        """What a server asks of an editor. It is not let change anything."""
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": id}
        if method == "workspace/configuration":
            items = params.get("items") if isinstance(params, dict) else None
            listed = items if isinstance(items, list) else []
            answer["result"] = [self._setting(each) for each in listed if isinstance(each, dict)]
        elif method == "workspace/workspaceFolders":
            answer["result"] = self._folders
        elif method == "workspace/applyEdit":
            answer["result"] = {"applied": False, "failureReason": "files are changed by nobody but the agent"}
        elif method in _AGREED:
            answer["result"] = None
        else:
            answer["error"] = {"code": -32601, "message": f"{method} is not known here"}
        with contextlib.suppress(GoneError):
            self._send(answer, asked=True)

    def _setting(self, item: Mapping[str, Any]) -> Any:
        found: Any = self._settings
        for name in str(item.get("section") or "").split("."):
            if name:
                found = found.get(name) if isinstance(found, dict) else None
        return found

    # ── what it is told ─────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, message: dict[str, Any], *, asked: bool = False) -> None:
        if self.gone.done():
            raise GoneError(self.why)
        if not asked:
            self._since = 0
        self._waiting += framed(message)
        if len(self._waiting) > BACKLOG:
            self._over("it does not read what it is told")
            self._process.close()
            raise GoneError(self.why)
        self._flush()

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_writer(self._pipe)
        with contextlib.suppress(BlockingIOError):
            while self._waiting:
                del self._waiting[: os.write(self._pipe, self._waiting[: 1 << 16])]
        if self._waiting:
            loop.add_writer(self._pipe, self._flush)

    def _over(self, why: str) -> None:
        if self.gone.done():
            return
        self.why = why
        self.gone.set_result(None)
        asyncio.get_running_loop().remove_writer(self._pipe)
        os.close(self._pipe)
        self._hide()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(GoneError(why))
                answer.exception()  # whoever waits hears it; nobody need wait

    def _hide(self) -> None:
        path, self._path = self._path, ""
        if path:
            with contextlib.suppress(OSError):
                os.unlink(path)


_AGREED = frozenset(
    {
        "client/registerCapability",
        "client/unregisterCapability",
        "window/workDoneProgress/create",
        "window/showMessageRequest",
        "workspace/semanticTokens/refresh",
        "workspace/inlayHint/refresh",
        "workspace/codeLens/refresh",
        "workspace/diagnostic/refresh",
    }
)
"""What a server asks that costs nothing to agree to."""


async def open_link(
    sandbox: Sandbox,
    launch: Launch,
    folder: str,
    heard: Heard,
    settings: Mapping[str, Any],
    folders: Any,
) -> Link:
    """Start a server. `launch.argv` is the server's own; `folder` is its own to write in. Raises `OSError`."""
    path = os.path.join(folder, f"in-{secrets.token_hex(8)}")
    os.mkfifo(path, 0o600)
    try:
        # For both directions, so that neither side waits for the other to open it.
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            argv = ("/bin/sh", "-c", 'program=$1; shift; exec "$program" "$@" <"$0"', path, *launch.argv)
            process = await sandbox.start(msgspec.structs.replace(launch, argv=argv))
        except BaseException:
            os.close(pipe)
            raise
        return Link(process, path, pipe, heard, settings, folders)
    except BaseException:
        os.unlink(path)
        raise
