"""Watches files that are not copied yet while the first command already runs: nobody overwrites one before it is kept.

A process of its own, because the kernel tells by a signal. It holds each file open under a lease: who opens one for
writing, or cuts it short, is made to wait by the kernel until it is copied; one that is removed, or whose name is given
to another, is still there for who holds it open. Linux only; where there are no leases nobody watches.

It is told by lines of JSON on its standard input and answers by lines on its standard output. When its input ends it
lets everything go at once.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protea.adapters.checkpoint._seen import Seen

LIBRARIES = ("LD_LIBRARY_PATH",)
MOST = 8000
"""Files that are watched at a time."""
PATIENCE = 30.0
"""Seconds to wait for an answer; then it is gone on without."""


class Watch(msgspec.Struct, frozen=True):
    """One file."""

    path: bytes
    seen: Seen
    target: str
    """Where its content goes."""
    frame: bytes
    """What is written into the turn's journal once it is there."""


CODE = r"""
import base64, errno, fcntl, json, os, resource, select, signal, stat, sys
def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65536 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    wake, waker = os.pipe()
    os.set_blocking(wake, False); os.set_blocking(waker, False)
    signal.signal(signal.SIGIO, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    journal, held, kept = None, {}, []
    def say(**what):
        os.write(1, json.dumps(what).encode() + b"\n")
    def sign(fd):
        s = os.fstat(fd)
        return [s.st_mode, s.st_size, s.st_mtime_ns, s.st_ino]
    def take(one):
        path = base64.b64decode(one["path"])
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return
        try:
            if sign(fd) != one["sign"] or len(held) + 64 > most:
                raise OSError
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError:
            os.close(fd)
            return
        held[fd] = (path, one)
    def free(fd):
        try:
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError:
            pass
        os.close(fd)
        del held[fd]
    def keep(fd):
        path, one = held[fd]
        target, done = one["target"], False
        try:
            os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
            to = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.lseek(fd, 0, 0)
                while block := os.read(fd, 1 << 20):
                    view = memoryview(block)
                    while view:
                        view = view[os.write(to, view):]
                # A removed file has other times; what it holds nobody but who holds it open could have changed.
                now, was = sign(fd), one["sign"]
                done = now[1:] == was[1:] and stat.S_ISREG(now[0])
            finally:
                os.close(to)
            if not done:
                os.unlink(target)
        except OSError:
            pass
        if done:
            kept.append(one["path"])
            if journal is not None:
                os.write(journal, base64.b64decode(one["frame"]))
        free(fd)
    def broken():
        return [fd for fd in held if fcntl.fcntl(fd, fcntl.F_GETLEASE) != fcntl.F_RDLCK]
    def moved():
        found = []
        for fd, (path, one) in held.items():
            try:
                there = os.lstat(path).st_ino == one["sign"][3]
            except OSError:
                there = False
            if not there:
                found.append(fd)
        return found
    rest = b""
    while True:
        ready = select.select([0, wake], [], [], 60)[0]
        if wake in ready:
            try:
                os.read(wake, 4096)
            except BlockingIOError:
                pass
        for fd in broken():
            keep(fd)
        if 0 not in ready:
            continue
        data = os.read(0, 1 << 16)
        if not data:
            return
        rest += data
        while b"\n" in rest:
            line, _, rest = rest.partition(b"\n")
            order = json.loads(line)
            if order["do"] == "journal":
                journal = os.open(order["path"], os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            elif order["do"] == "watch":
                for one in order["files"]:
                    take(one)
                say(watched=len(held))
            elif order["do"] == "free":
                names = set(order["paths"])
                for fd in [fd for fd, (_, one) in held.items() if one["path"] in names]:
                    free(fd)
            elif order["do"] == "tell":
                for fd in dict.fromkeys((*broken(), *moved())):
                    keep(fd)
                say(kept=kept)
                kept = []
main()
"""


class Leases:
    """The process, as who started it sees it. Nothing here raises: without it less can be undone, and that is told."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Of `environment` it sees only what its interpreter may need to find its libraries."""
        self._process: subprocess.Popen[bytes] | None = None
        if not sys.platform.startswith("linux") or not sys.executable:
            return
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", CODE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt is for commands, not for what keeps files
                env={name: environment[name] for name in LIBRARIES if name in environment},
                cwd="/",
            )

    def write_to(self, journal: str) -> None:
        """Where it is written down from now on what was copied."""
        self._send(do="journal", path=journal)

    def watch(self, files: Sequence[Watch]) -> int:
        """How many of these are watched from now on."""
        told = [
            {
                "path": _text(each.path),
                "sign": [each.seen.mode, each.seen.size, each.seen.mtime, each.seen.ino],
                "target": each.target,
                "frame": _text(each.frame),
            }
            for each in files[:MOST]
        ]
        self._send(do="watch", files=told)
        return int(self._answer().get("watched", 0))

    def free(self, paths: Sequence[bytes]) -> None:
        """These are kept otherwise."""
        self._send(do="free", paths=[_text(each) for each in paths])

    def kept(self) -> list[bytes]:
        """Those that somebody wanted to change, or has removed, since this was asked last: they are copied."""
        self._send(do="tell")
        import base64  # only where a tree is seen for the first time

        return [base64.b64decode(each) for each in self._answer().get("kept", ())]

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _send(self, **order: object) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            self.close()

    def _answer(self) -> dict[str, Any]:
        import select  # the same

        if self._process is None or self._process.stdout is None:
            return {}
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self.close()
            return {}
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer


def _text(data: bytes) -> str:
    import base64  # the same

    return base64.b64encode(data).decode()
