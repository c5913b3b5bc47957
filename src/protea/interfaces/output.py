"""Bytes to a descriptor from the event loop, without waiting and without losing any.

Headless writes its event lines here. What is put in during one round of the loop goes out in one call to the system;
a reader that is slow makes `room` wait, never the loop; a reader that is gone is noticed also while nothing is
written. The descriptor stays as it is (blocking): it may be shared with a shell.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
from collections.abc import Callable

ENOUGH = 1 << 20
"""Bytes that may wait for a slow reader before `room` waits for it."""
PIECE = 4096
"""A pipe that `poll` calls writable takes at least this much (PIPE_BUF on Linux) without blocking."""


class Output:
    """One descriptor. `on_broken` is called once, with what went wrong, when nothing more can be written."""

    def __init__(self, descriptor: int, on_broken: Callable[[OSError], None]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._pending = bytearray()
        self._scheduled = False
        self._writer = False
        self._reader = False
        self._drained: asyncio.Future[None] | None = None
        self.broken: OSError | None = None
        kind = os.fstat(descriptor).st_mode
        self._waits = not stat.S_ISREG(kind)
        """Whether a write may block. A file's never does for long."""
        if stat.S_ISFIFO(kind):
            # A pipe's write end becomes "readable" only by an error: the other side was closed.
            try:
                self._loop.add_reader(descriptor, self._gone)
                self._reader = True
            except OSError:
                pass

    def put(self, data: bytes) -> None:
        """Write soon. After `broken` nothing happens."""
        if self.broken is not None:
            return
        self._pending += data
        if self._writer:
            return
        if len(self._pending) >= 1 << 16:
            self._write()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._write_scheduled)

    async def room(self) -> None:
        """Return at once unless a slow reader has much to catch up with."""
        if len(self._pending) > ENOUGH:
            await self.flush()

    async def flush(self) -> None:
        """Wait until everything is written or nothing can be."""
        self._write()
        if self._pending and self.broken is None:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    def close(self) -> None:
        """Stop watching the descriptor; it stays open."""
        if self._reader:
            self._loop.remove_reader(self._descriptor)
            self._reader = False
        if self._writer:
            self._loop.remove_writer(self._descriptor)
            self._writer = False

    def _write_scheduled(self) -> None:
        self._scheduled = False
        self._write()

    def _write(self) -> None:
        try:
            while self._pending and self.broken is None:
                if not self._waits:
                    del self._pending[: os.write(self._descriptor, self._pending)]
                elif self._writable():
                    del self._pending[: os.write(self._descriptor, memoryview(self._pending)[:PIECE].tobytes())]
                else:
                    self._wait()
                    return
        except BlockingIOError:
            self._wait()
            return
        except OSError as error:
            self._break(error)
        if self._writer:
            self._loop.remove_writer(self._descriptor)
            self._writer = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def _writable(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(0))

    def _wait(self) -> None:
        if not self._writer:
            self._writer = True
            try:
                self._loop.add_writer(self._descriptor, self._write)
            except OSError:  # a device that cannot be waited for (/dev/full, /dev/null) can be written
                self._writer = self._waits = False
                self._loop.call_soon(self._write)

    def _gone(self) -> None:
        self._break(BrokenPipeError(32, "Broken pipe"))
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _break(self, error: OSError) -> None:
        if self.broken is None:
            self.broken = error
            self._pending.clear()
            self.close()
            self._on_broken(error)
