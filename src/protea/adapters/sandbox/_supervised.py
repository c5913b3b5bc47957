"""Protea's side of the warden: starts it, sends it requests, follows the commands it runs.

Used by the adapters of this family that run commands on this machine (`none`, and those that put walls in front of
the argv). See `_warden` for what happens on the other side.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from protea.ports.sandbox import Chunk, Exit, Launch

PIPE_SIZE = 1 << 20
"""Asked of the kernel: fewer wake-ups for long outputs."""
F_SETPIPE_SZ = 1031
READ_SIZE = 1 << 18
MARK = "PROTEA_COMMAND"
LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
TOLD_AS_CODES = frozenset(
    {signal.SIGINT, signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE}
    | {signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU, signal.SIGXFSZ}
    | {signal.SIGSYS}
)
"""A wrapper tells of a signal by the exit code 128 + its number, as shells do. SIGHUP is left out: git and others exit
with 129 on their own."""


class Wrapping(msgspec.Struct, frozen=True):
    """What a program that puts walls around a command needs beside its argv."""

    passed: tuple[int, ...] = ()
    """Descriptors it finds as 3, 4 …"""
    records: tuple[int, ...] = ()
    """Descriptors of lists of stand-ins, with locks on them, to be held until everything is gone."""
    environment: Mapping[str, str] = {}
    """Where the warden's interpreter may find its libraries; the wrapper itself must not look there."""


class Warden:
    """The warden process, started when first needed, and again should something have killed it."""

    def __init__(self, on_start: Callable[[int], None] | None = None) -> None:
        self._on_start = on_start
        self._door: socket.socket | None = None
        self._pid = 0

    def send(self, request: bytes, fds: Sequence[int], env: Mapping[str, str]) -> None:
        """Blocks for microseconds, unless the request is larger than a socket buffer. Raises `OSError`.

        Of `env` the warden sees only what its interpreter may need to find its libraries.
        """
        message = len(request).to_bytes(4, "big") + request
        for attempt in (1, 2):
            door = self._door or self._open(env)
            try:
                sent = socket.send_fds(door, [message], list(fds))
                door.sendall(message[sent:])
                return
            except (BrokenPipeError, ConnectionResetError):
                self.close()
                if attempt == 2:
                    raise

    def _open(self, env: Mapping[str, str]) -> socket.socket:
        if not sys.executable:
            raise OSError("cannot start commands: this program does not know its Python interpreter (sys.executable)")
        ours, theirs = socket.socketpair()
        here = os.path.dirname(os.path.abspath(__file__))
        # Imported by name, not run as a file, so that its compiled form is used.
        code = f"import sys; sys.path.append({here!r}); import _warden; _warden.main()"
        number = max(3, theirs.fileno())
        null = os.open(os.devnull, os.O_RDWR)
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", code, str(number)],
                {"LC_ALL": "C"} | {name: env[name] for name in LIBRARIES if name in env},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), number),
                    *((os.POSIX_SPAWN_DUP2, null, target) for target in (0, 1, 2)),
                ],
                # From the first moment: a Ctrl+C in the terminal is for Protea. Elsewhere the warden does it itself.
                setsid=sys.platform == "linux",
                setsigmask=[],
            )
            if self._on_start:
                self._on_start(self._pid)
        finally:
            os.close(null)
            theirs.close()
        self._door = ours
        return ours

    def close(self) -> None:
        """Let the warden go; it ends by itself when its supervisors have."""
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, os.WNOHANG)

    async def gone(self) -> None:
        """Close, and wait (a few seconds at most) until the process is reaped."""
        self.close()
        for _ in range(500):
            if not self._pid:
                return
            try:
                reaped, _ = os.waitpid(self._pid, os.WNOHANG)  # noqa: ASYNC222 - WNOHANG does not wait
            except ChildProcessError:
                reaped = self._pid
            if reaped:
                self._pid = 0
                return
            await asyncio.sleep(0.005)


class SupervisedProcess:
    """`Process` for a command under a supervisor."""

    def __init__(
        self, control: socket.socket, outputs: dict[int, Literal["stdout", "stderr"]], *, wrapped: bool = False
    ) -> None:
        self._wrapped = wrapped
        self._loop = asyncio.get_running_loop()
        self._control = control
        self._outputs = outputs
        self._turn = -1
        self._heard = b""
        self._pid = 0
        self._status: int | None = None
        self._left: list[str] = []
        self._started: asyncio.Future[None] = self._loop.create_future()
        self._gone: asyncio.Future[Exit] = self._loop.create_future()
        self._ended: Exit | None = None
        control.setblocking(False)
        self._loop.add_reader(control.fileno(), self._hear)

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def ended(self) -> Exit | None:
        return self._ended

    def when_gone(self, tell: Callable[[], None]) -> None:
        self._gone.add_done_callback(lambda _: tell())

    async def started(self) -> None:
        """Raises the `OSError` that kept the program from starting."""
        try:
            await asyncio.shield(self._started)
        except asyncio.CancelledError:
            # It may run already: gone before the cancellation passes, whatever comes meanwhile.
            self._order(b"K")
            while not self._gone.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([self._gone])
            self.close()
            raise
        except OSError:
            self.close()
            raise

    async def read(self) -> Chunk | None:
        if self._turn % 4 == 3:
            # A command that writes without pause must not stop everything else on the loop.
            await asyncio.sleep(0)
        while self._outputs:
            # Taking turns keeps one stream from hiding the other.
            fds = list(self._outputs)
            self._turn += 1
            for at in range(len(fds)):
                fd = fds[(at + self._turn) % len(fds)]
                try:
                    data = os.read(fd, READ_SIZE)
                except BlockingIOError:
                    continue
                if data:
                    return Chunk(data, self._outputs[fd])
                self._drop(fd)
            if self._outputs:
                await self._readable()
        return None

    async def _readable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        fds = list(self._outputs)
        for fd in fds:
            self._loop.add_reader(fd, _finish, ready)
        try:
            if self._gone.done():
                # The tree is gone, so nobody can write; only something that was handed the pipe (a daemon of the
                # system's) could keep it open, and that is not waited for.
                await asyncio.wait([ready], timeout=0.2)
                if not ready.done():
                    self._close_outputs()
            else:
                either: list[asyncio.Future[Any]] = [ready, self._gone]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for fd in fds:
                self._loop.remove_reader(fd)
            ready.cancel()

    async def wait(self) -> Exit:
        return await asyncio.shield(self._gone)

    async def end(self, grace: float = 0.5) -> Exit:
        try:
            if grace > 0 and not self._gone.done():
                self._order(b"T")
                await asyncio.wait([self._gone], timeout=grace)
        finally:
            if not self._gone.done():
                self._order(b"K")
        return await self.wait()

    def close(self) -> None:
        self._close_outputs()
        if not self._gone.done():
            self._lost()
        self._close_control()

    def _order(self, what: bytes) -> None:
        with contextlib.suppress(OSError):
            self._control.send(what)

    def _hear(self) -> None:
        try:
            data = self._control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            self._close_control()
            return
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        word, _, rest = line.partition(b" ")
        if word == b"started":
            self._pid = int(rest)
            _finish(self._started)
        elif word == b"failed":
            number, _, what = rest.partition(b" ")
            if not self._started.done():
                self._started.set_exception(OSError(int(number), os.strerror(int(number)), what.decode()))
        elif word == b"exit":
            self._status = int(rest)
            self._ended = self._exit()
        elif word == b"left":
            self._left.append(rest.decode("utf-8", "replace"))

    def _exit(self) -> Exit:
        left = tuple(self._left)
        if self._status is None:
            return Exit(lost=True, left=left)
        if os.WIFSIGNALED(self._status):
            return Exit(signal=os.WTERMSIG(self._status), left=left)
        code = os.WEXITSTATUS(self._status)
        if self._wrapped and code - 128 in TOLD_AS_CODES:
            return Exit(signal=code - 128, left=left)
        return Exit(code=code, left=left)

    def _lost(self) -> None:
        """The control socket is at its end: everything is gone, in order or not."""
        if not self._started.done():
            self._started.set_exception(OSError("the process that starts commands has ended"))
            self._started.exception()  # looked at, so that asyncio does not complain where nobody waits
        self._ended = self._exit()
        if not self._gone.done():
            self._gone.set_result(self._ended)

    def _drop(self, fd: int) -> None:
        del self._outputs[fd]
        os.close(fd)

    def _close_outputs(self) -> None:
        for fd in list(self._outputs):
            self._drop(fd)

    def _close_control(self) -> None:
        if self._control.fileno() >= 0:
            self._loop.remove_reader(self._control.fileno())
            self._control.close()


class Supervisor:
    """Starts processes through one warden and keeps track of them. `on_start` hears of each warden's process id before
    it starts anything."""

    def __init__(self, on_start: Callable[[int], None] | None = None) -> None:
        self._warden = Warden(on_start)
        self._running: set[SupervisedProcess] = set()
        self._count = 0

    async def start(self, launch: Launch, wrapping: Wrapping | None = None) -> SupervisedProcess:
        if any("\0" in word for word in (*launch.argv, launch.cwd)):
            raise OSError("a command cannot hold a NUL character")
        self._count += 1
        mark = f"{MARK}={os.getpid()}.{self._count}"
        request = _request(launch, mark, wrapping)
        extra = (*wrapping.records, *wrapping.passed) if wrapping else ()
        outputs: dict[int, Literal["stdout", "stderr"]] = {}
        theirs: list[int] = []
        for stream in ("stdout",) if launch.merge else ("stdout", "stderr"):
            read, write = os.pipe()
            os.set_blocking(read, False)
            # Refused where pipes of this size are rationed; then it stays as it is.
            with contextlib.suppress(OSError):
                fcntl.fcntl(read, F_SETPIPE_SZ, PIPE_SIZE)
            outputs[read] = "stdout" if stream == "stdout" else "stderr"
            theirs.append(write)
        ours, control = socket.socketpair()
        try:
            self._warden.send(
                request,
                (control.fileno(), theirs[0], theirs[-1], *extra),
                wrapping.environment if wrapping else launch.env,
            )
        except BaseException:
            ours.close()
            for fd in outputs:
                os.close(fd)
            raise
        finally:
            control.close()
            for fd in theirs:
                os.close(fd)
        process = SupervisedProcess(ours, outputs, wrapped=wrapping is not None)
        self._running.add(process)
        process._gone.add_done_callback(lambda _: self._running.discard(process))
        try:
            await process.started()
        except OSError as error:
            # The warden says which of the two it was; its name is here.
            named = {"program": launch.argv[0], "cwd": launch.cwd}.get(error.filename)
            if named is None:
                raise
            raise OSError(error.errno, error.strerror, named) from None
        return process

    async def aclose(self) -> None:
        for process in tuple(self._running):
            await process.end(grace=0.2)
            process.close()
        await self._warden.gone()


def _request(launch: Launch, mark: str, wrapping: Wrapping | None) -> bytes:
    env: Mapping[str, str] = launch.env
    pairs = [os.fsencode(f"{name}={value}") for name, value in env.items() if "\0" not in name + value]
    argv = [os.fsencode(word) for word in launch.argv]
    flags = (b"k" if launch.keep else b"-") + (b"w" if wrapping else b"")
    kept = b"%d" % (len(wrapping.records) if wrapping else 0)
    head = [flags, os.fsencode(launch.cwd), mark.encode(), kept, b"%d" % len(argv)]
    return b"\0".join([*head, *argv, *pairs, mark.encode()])


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
