"""A command in a container, from its start to its end. Called by `docker`; the other side of `_keeper`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from protea.adapters.sandbox._engine import Engine, EngineError, refusal, target
from protea.adapters.sandbox._keeper import Ear, printable
from protea.adapters.sandbox._supervised import TOLD_AS_CODES
from protea.ports.sandbox import Chunk, Exit

KEPT = 1 << 16
"""Bytes of output taken in before anybody reads them; then the command is made to wait."""
KEPT_AT_THE_END = 16 << 20
"""The same while somebody waits for the end and does not read: what lies in pipes must not keep it from coming."""
LAST_WORDS = 2.0
"""Seconds after the container's end in which its output may still come."""


class ContainerProcess:
    """`Process` for a container that was made and not started."""

    def __init__(self, engine: Engine, container: str, *, word: str, late: bool) -> None:
        self._engine = engine
        self._late = late
        """Whether its streams can be had only once it has started (Podman); its keeper waits for the word anyway."""
        self._container = container
        self._word = word
        self._ear = Ear(word)
        self._pid = 0
        self._ended: Exit | None = None
        self._left: list[str] = []
        self._writer: asyncio.StreamWriter | None = None
        self._chunks: deque[Chunk] = deque()
        self._size = 0
        self._drained = False
        """Nothing more comes."""
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._waiting = 0
        self._killed = False
        self._closed = False
        loop = asyncio.get_running_loop()
        self._started: asyncio.Future[None] = loop.create_future()
        self._gone: asyncio.Future[Exit] = loop.create_future()
        self._work: set[asyncio.Task[Any]] = set()
        self._when_gone: Callable[[], None] = lambda: None

    def when_gone(self, tell: Callable[[], None]) -> None:
        self._when_gone = tell

    async def start(self, program: str, before: Callable[[int], Awaitable[None]] | None = None) -> None:
        """Raises the `OSError` that kept it from starting. Cancelled, it ends what may run already.

        `before` is done when the container stands and the command has not begun; it is told its first process.
        """
        where = ("containers", self._container)
        if not self._late:
            await self._attach()
            self._task(self._watch())
        try:
            answer = await self._engine.call("POST", target(*where, "start"))
            if (error := refusal(answer)) is not None:
                raise OSError(errno.EPERM, f"nothing was run, because the container was refused: {error.strerror}")
            if self._late:
                await self._attach()
                self._task(self._watch())
            assert self._writer is not None
            if before is not None:
                self._pid = await self._look_up_pid()
                await before(self._pid)
            self._writer.write(f"{self._word}\n".encode())
            either: list[asyncio.Future[Any]] = [self._started, self._gone]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._started.done():
                raise OSError(errno.EIO, "the container ended before the command began; has its image a /bin/sh?")
            self._started.result()
            self._pid = self._pid or await self._look_up_pid()
        except OSError as error:
            for task in self._work:
                task.cancel()
            self._lost()
            if error.errno in (errno.ENOENT, errno.EACCES):
                raise OSError(error.errno, os.strerror(error.errno), program) from None
            raise

    async def _attach(self) -> None:
        where = target("containers", self._container, "attach", stream=True, stdin=True, stdout=True, stderr=True)
        reader, self._writer, rest = await self._engine.stream(where)
        self._task(self._pump(reader, rest))

    async def _look_up_pid(self) -> int:
        with contextlib.suppress(EngineError, TimeoutError):
            answer = await self._engine.call("GET", target("containers", self._container, "json"))
            if answer.status == 200:
                return int((answer.json().get("State") or {}).get("Pid") or 0)
        return 0

    # ── what comes ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _pump(self, reader: asyncio.StreamReader, data: bytes) -> None:
        """Take the engine's frames apart (kind, three zeros, length, payload) as room allows."""
        try:
            while True:
                while len(data) >= 8:
                    size = int.from_bytes(data[4:8], "big")
                    kind = data[0]
                    left, piece, data = size, data[8 : 8 + size], data[8 + size :]
                    while True:
                        self._take(kind, piece)
                        left -= len(piece)
                        while self._size > (KEPT_AT_THE_END if self._waiting else KEPT):
                            self._room.clear()
                            await self._room.wait()
                        if not left:
                            break
                        piece = await reader.read(min(left, 65536))
                        if not piece:
                            return
                piece = await reader.read(65536)
                if not piece:
                    return
                data += piece
        except OSError:
            return  # broken off: the end is told by `_watch`
        finally:
            if rest := self._ear.rest():
                self._keep(Chunk(rest, "stderr"))
            self._drained = True
            self._news.set()

    def _take(self, kind: int, data: bytes) -> None:
        if kind != 2:
            self._keep(Chunk(data))
            return
        own, said = self._ear.hear(data)
        self._keep(Chunk(own, "stderr"))
        for line in said:
            self._hear(line)

    def _keep(self, chunk: Chunk) -> None:
        if chunk.data:
            self._chunks.append(chunk)
            self._size += len(chunk.data)
            self._news.set()

    def _hear(self, line: str) -> None:
        what, _, rest = line.partition(" ")
        if what == "started":
            _finish(self._started)
        elif what == "failed" and not self._started.done():
            number = int(rest)
            self._started.set_exception(OSError(number, os.strerror(number)))
        elif what == "exit" and self._ended is None:
            code = int(rest)
            told = code - 128 in TOLD_AS_CODES
            self._ended = Exit(signal=code - 128) if told else Exit(code=code)
        elif what == "left":
            self._left.append(printable(rest))
        elif what == "gone":
            self._order("K")

    async def _watch(self) -> None:
        """Until the container is gone."""
        try:
            answer = await self._engine.call(
                "POST", target("containers", self._container, "wait", condition="next-exit"), patience=None
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    while not (self._drained or self._size > KEPT):
                        self._news.clear()
                        await self._news.wait()
            if self._ended is None and answer.status == 200:
                code = int(answer.json().get("StatusCode", 0))
                # Killed from outside, before the command's own end was told.
                self._ended = Exit(signal=code - 128) if code - 128 in TOLD_AS_CODES else None
        except (EngineError, TimeoutError):
            pass
        self._lost()

    def _lost(self) -> None:
        ended = self._ended or (Exit(signal=signal.SIGKILL) if self._killed else Exit(lost=True))
        self._ended = Exit(code=ended.code, signal=ended.signal, left=tuple(self._left), lost=ended.lost)
        if not self._started.done():
            self._started.set_exception(OSError(errno.EIO, "the container ended before the command began"))
            self._started.exception()  # looked at, so that asyncio does not complain where nobody waits
        if not self._gone.done():
            self._gone.set_result(self._ended)
            self._when_gone()

    # ── the port ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def ended(self) -> Exit | None:
        return self._ended

    async def read(self) -> Chunk | None:
        while not self._chunks:
            if self._drained or self._closed:
                return None
            self._news.clear()
            await self._news.wait()
        chunk = self._chunks.popleft()
        self._size -= len(chunk.data)
        self._room.set()
        return chunk

    async def wait(self) -> Exit:
        self._waiting += 1
        self._room.set()
        try:
            return await asyncio.shield(self._gone)
        finally:
            self._waiting -= 1

    async def end(self, grace: float = 0.5) -> Exit:
        try:
            if grace > 0 and not self._gone.done():
                self._order("T")
                self._waiting += 1
                self._room.set()
                try:
                    await asyncio.wait([self._gone], timeout=grace)
                finally:
                    self._waiting -= 1
        finally:
            if not self._gone.done():
                self._kill()
        return await self.wait()

    def close(self) -> None:
        self._closed = True
        self._chunks.clear()
        self._size = 0
        self._room.set()
        self._news.set()
        if not self._gone.done():
            self._kill()
        if self._writer is not None:
            # The end of its input ends it too, whatever becomes of the other order.
            self._writer.close()
            self._writer = None

    def _order(self, what: str) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(f"{what}\n".encode())

    def _kill(self) -> None:
        self._killed = True
        self._order("K")
        self._task(self._kill_container())

    async def _kill_container(self) -> None:
        with contextlib.suppress(EngineError, TimeoutError):
            await self._engine.call("POST", target("containers", self._container, "kill", signal="SIGKILL"))

    def _task(self, work: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
