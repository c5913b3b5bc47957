"""The screens behind the pages: each a process of its own in a pseudo-terminal, which stays while nobody looks.

A page that comes back finds its screen as it stands. One that nobody has looked at and that has drawn nothing for a
while is ended; its session is in the log and is gone on with when the page is opened again. When this process dies, the
kernel hangs up on every screen, and they end by themselves.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import pty
import signal
import struct
import termios
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

import msgspec

KEPT = 65_536
"""Bytes a screen has drawn since its start that are given once more to a page that comes back. Beyond them it is asked
to draw itself anew: by then it can."""
READ = 65_536
MOST_PENDING = 1 << 20
"""Bytes a page may be behind; then the screen waits for it."""
MOST_TYPED = 1 << 20
"""Bytes typed or pasted that a screen may have yet to read; then its page waits."""
AWAY = 1800.0
"""Seconds without anybody looking and anything being drawn after which a screen is ended."""
PATIENCE = 5.0
"""Seconds a screen has to close its session."""
MOST = 64
"""Screens at once."""


class Size(msgspec.Struct, frozen=True):
    columns: int
    rows: int

    def fitting(self) -> Size:
        """As far as a terminal can be so large, or so small."""
        return Size(min(max(self.columns, 2), 2000), min(max(self.rows, 1), 1000))


class Ended(msgspec.Struct, frozen=True):
    """Why a page is told nothing more."""

    why: str
    """`over` (the program has ended), `elsewhere` (another page shows it now), `closing` (the server ends)."""
    code: int = 0


class Viewer:
    """One page that looks at a screen: what it has yet to be sent."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._ended: Ended | None = None
        self._something = asyncio.Event()
        self._taken = asyncio.Event()

    @property
    def behind(self) -> int:
        return len(self._pending)

    def give(self, data: bytes) -> None:
        if data:
            self._pending += data
            self._something.set()

    def end(self, ended: Ended) -> None:
        if self._ended is None:
            self._ended = ended
        self._something.set()

    async def take(self) -> bytes | Ended:
        """What is to be sent next; `Ended` behind all of it."""
        await self._something.wait()
        if self._pending:
            data = bytes(self._pending)
            self._pending.clear()
            if self._ended is None:
                self._something.clear()
            self._taken.set()
            return data
        assert self._ended is not None
        return self._ended

    async def caught_up(self) -> None:
        self._taken.clear()
        if self._pending:
            await self._taken.wait()


class Terminal:
    """One screen. Made by `Terminals`."""

    def __init__(self, command: list[str], environment: Mapping[str, str], size: Size) -> None:
        self._loop = asyncio.get_running_loop()
        self.leader, follower = pty.openpty()
        name = os.ttyname(follower)
        self._size = size.fitting()
        self._set_size()
        # The first terminal that the leader of a session opens becomes its own: then what dies here hangs up there.
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ]
        try:
            self.pid = os.posix_spawn(command[0], command, environment, file_actions=actions, setsid=True)
        except BaseException:
            os.close(self.leader)
            raise
        finally:
            os.close(follower)
        os.set_blocking(self.leader, False)
        self._drawn = bytearray()
        self._all_drawn = 0
        self.viewer: Viewer | None = None
        self.code: int | None = None
        """How it ended; None while it runs."""
        self.gone = asyncio.Event()
        self._typed: deque[memoryview] = deque()
        self.unread = 0
        """Bytes of what was typed that it has not read."""
        self._read_something = asyncio.Event()
        self._quiet = self._loop.time()
        self._loop.add_reader(self.leader, self._read)

    # ── what it draws ──────────────────────────────────────────────────────────────────────────────────────────────

    def attach(self, size: Size) -> Viewer:
        """Show it to a page, and no longer to the one before."""
        if self.viewer is not None:
            self.viewer.end(Ended("elsewhere"))
        self.viewer = viewer = Viewer()
        self.resize(size)
        if self.code is None and self._all_drawn <= KEPT:
            viewer.give(bytes(self._drawn))
        elif self.code is None:
            os.kill(self.pid, signal.SIGCONT)  # the screen takes it for: the terminal is another, draw all of it
        else:
            viewer.end(Ended("over", self.code))
        return viewer

    def detach(self, viewer: Viewer) -> None:
        if self.viewer is viewer:
            self.viewer = None
            self._quiet = self._loop.time()

    def idle(self) -> float:
        """Seconds in which nobody looked and nothing was drawn."""
        return 0.0 if self.viewer is not None else self._loop.time() - self._quiet

    def _read(self) -> None:
        try:
            data = os.read(self.leader, READ)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # how Linux says that nobody has it open any more
                raise
            data = b""
        if not data:
            self._loop.remove_reader(self.leader)
            return
        self._quiet = self._loop.time()
        self._all_drawn += len(data)
        if self._all_drawn <= KEPT:
            self._drawn += data
        else:
            self._drawn.clear()
        if (viewer := self.viewer) is not None:
            viewer.give(data)
            if viewer.behind > MOST_PENDING:
                self._loop.remove_reader(self.leader)
                self._waiting = self._loop.create_task(self._read_on(viewer))

    async def _read_on(self, viewer: Viewer) -> None:
        while viewer is self.viewer and viewer.behind > MOST_PENDING // 2:
            with suppress(TimeoutError):
                await asyncio.wait_for(viewer.caught_up(), 1.0)
        if self.code is None:
            self._loop.add_reader(self.leader, self._read)

    # ── what it is told ────────────────────────────────────────────────────────────────────────────────────────────

    def type(self, data: bytes) -> None:
        """Keys. What it does not read at once waits its turn."""
        if self.code is not None or not data:
            return
        if not self._typed:
            self._loop.add_writer(self.leader, self._write)
        self._typed.append(memoryview(data))
        self.unread += len(data)

    async def has_read(self) -> None:
        """Wait until little of what was typed is unread."""
        while self.unread > MOST_TYPED // 2:
            self._read_something.clear()
            await self._read_something.wait()

    def _write(self) -> None:
        self._read_something.set()
        try:
            written = os.write(self.leader, self._typed[0][:4096])
        except BlockingIOError:
            return
        except OSError:  # it has ended
            self._forget_typed()
        else:
            self.unread -= written
            self._typed[0] = self._typed[0][written:]
            if not self._typed[0]:
                self._typed.popleft()
        if not self._typed:
            self._loop.remove_writer(self.leader)

    def _forget_typed(self) -> None:
        self._typed.clear()
        self.unread = 0

    def resize(self, size: Size) -> None:
        size = size.fitting()
        if size != self._size and self.code is None:
            self._size = size
            self._set_size()

    def _set_size(self) -> None:
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", self._size.rows, self._size.columns, 0, 0))

    # ── its end ────────────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self, status: int) -> None:
        """Something has become of the process; called for every status that `waitpid` tells."""
        if os.WIFSTOPPED(status):
            # There is no shell here that could let it go on.
            os.kill(self.pid, signal.SIGCONT)
            return
        self.code = os.waitstatus_to_exitcode(status)
        self._read_rest()
        if self.viewer is not None:
            self.viewer.end(Ended("over", self.code))
        self._loop.remove_reader(self.leader)
        self._loop.remove_writer(self.leader)
        self._forget_typed()
        self._read_something.set()
        os.close(self.leader)
        self.gone.set()

    def _read_rest(self) -> None:
        """Its last words."""
        with suppress(OSError):
            while self.viewer is not None and (data := os.read(self.leader, READ)):
                self.viewer.give(data)

    def hang_up(self, number: int = signal.SIGHUP) -> None:
        if self.code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


class Terminals:
    """All screens of one server, by the name their page gave them."""

    def __init__(self, environment: Mapping[str, str], *, away: float = AWAY) -> None:
        self._environment = environment
        self._away = away
        self._open: dict[str, Terminal] = {}

    def find(self, name: str) -> Terminal | None:
        found = self._open.get(name)
        return found if found is not None and found.code is None else None

    def start(self, name: str, command: list[str], size: Size) -> Terminal | None:
        """A new screen; None where there are too many."""
        if sum(each.code is None for each in self._open.values()) >= MOST:
            return None
        self._open[name] = started = Terminal(command, self._environment, size)
        return started

    def reap(self) -> None:
        """To be called when a child has ended or stopped."""
        for terminal in self._open.values():
            if terminal.code is not None:
                continue
            pid, status = os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)
            if pid:
                terminal.changed(status)
        self._open = {name: each for name, each in self._open.items() if each.code is None}

    def end_idle(self) -> None:
        """End what nobody misses. To be called every so often."""
        for terminal in self._open.values():
            if terminal.idle() > self._away:
                terminal.hang_up()

    async def close(self, hurry: asyncio.Event) -> None:
        """End them all: each may close its session first, unless there is a hurry."""
        running = [each for each in self._open.values() if each.code is None]
        for each in running:
            if each.viewer is not None:
                each.viewer.end(Ended("closing"))
            each.hang_up()
        gone = asyncio.gather(*(each.gone.wait() for each in running))
        hurried = asyncio.ensure_future(hurry.wait())
        await asyncio.wait((gone, hurried), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        for each in running:
            each.hang_up(signal.SIGKILL)
        await gone
