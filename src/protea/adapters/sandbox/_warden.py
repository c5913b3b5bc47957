"""The process that starts commands for Protea and ends them when Protea ends, however it ends.

Started by `_supervised` as `python -I -S`, once, at the first command. Protea sends it one request per command over a
socket, with the descriptors for stdout, stderr and a control socket of that command. For each it forks a supervisor,
which is a *subreaper*: whatever descends from the command (double forks, `setsid`, `nohup`) stays among the
supervisor's descendants, so ending the tree needs no guessing by names or groups.

    Protea ── requests ──> warden ── fork ──> supervisor ── fork, exec ──> the command
       └────────────── control socket ────────────┘

Control, towards the supervisor: `T` (SIGTERM to the tree), `K` (SIGKILL to the tree), end of file = `K`: that is how
a Protea killed by -9 takes its commands with it. Towards Protea, lines: `started PID`, `failed ERRNO WHAT`,
`exit STATUS` (of `waitpid`), `left NAME`; end of file once everything is gone and reaped.

A request may say that its program is a wrapper that runs the command (`bwrap`): then signals spare the wrapper's own
processes, it gets more descriptors (from 3 on), and the supervisor holds others, records with locks on them, until
everything is gone: the names in them stood in for what does not exist (`_stand_ins`) and are removed again.

Should a command kill its supervisor, the warden (a subreaper too) inherits what is left and ends it.

It is a fresh, small, single-threaded process because forking Protea itself would copy its memory, its threads' locks
and its signal handlers. It imports only modules built into the interpreter: `os`, `signal` and `socket` would triple
the time it needs to be ready.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` imports enum: 5 ms
import _socket
import posix
import select
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform == "linux"

SETTLE = 0.1
"""Seconds that what a command leaves behind has to end by itself (`> >(tee log)` does) before it is told to."""
GRACE = 0.2
"""Seconds from being told to being killed, for what a command leaves behind."""
PATIENCE = 5.0
"""Seconds after which processes that cannot be killed (another user's, or stuck in the kernel) are given up."""


def _prctl(option: int, value: int) -> None:
    if LINUX:
        import _ctypes  # a tenth of the time `ctypes` takes; only where it is used

        libc = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None: what this program is linked with
        _ctypes.call_function(_ctypes.dlsym(libc, "prctl"), (option, value, 0, 0, 0))


def _now() -> float:
    import time

    return time.monotonic()


# ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────────────


def descendants(root: int, mark: bytes = b"") -> set[int]:
    """Process ids of all that descend from `root`, zombies left out. Elsewhere than on Linux, where a double fork
    loses its line of descent, also those whose environment carries `mark`."""
    if not LINUX:
        return _descendants_by_ps(root, mark)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        for child in _children(waiting.pop()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return {pid for pid in found if _state(pid) not in (b"Z", b"X", b"")}


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for task in posix.listdir(f"/proc/{pid}/task"):
            children += map(int, _slurp(f"/proc/{pid}/task/{task}/children").split())
    except FileNotFoundError:
        # Either the process is gone, or the kernel was built without CONFIG_PROC_CHILDREN.
        if pid == posix.getpid():
            return _children_by_parent(pid)
        if not _has_children_files():
            return _children_by_parent(pid)
    except OSError:
        pass
    return children


def _has_children_files() -> bool:
    own = posix.getpid()
    try:
        _slurp(f"/proc/{own}/task/{own}/children")
    except OSError:
        return False
    return True


def _children_by_parent(parent: int) -> list[int]:
    children = []
    for name in posix.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if len(fields) > 1 and fields[1] == b"%d" % parent:
                children.append(int(name))
    return children


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat after the name (which may hold anything): state, parent, group, session …"""
    try:
        return _slurp(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return []


def _state(pid: int) -> bytes:
    fields = _stat(pid)
    return fields[0] if fields else b""


def _slurp(path: str | bytes) -> bytes:
    fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        data = b""
        while piece := posix.read(fd, 65536):
            data += piece
        return data
    finally:
        posix.close(fd)


def _descendants_by_ps(root: int, mark: bytes) -> set[int]:
    read, write = posix.pipe()
    ps = posix.fork()
    if ps == 0:
        try:
            posix.dup2(write, 1)
            posix.execv("/bin/ps", ["ps", "-axEww", "-o", "pid=,ppid=,stat=,command="])
        finally:
            posix._exit(127)
    posix.close(write)
    data = b""
    while piece := posix.read(read, 65536):
        data += piece
    posix.close(read)
    posix.waitpid(ps, 0)
    parent: dict[int, int] = {}
    marked: set[int] = set()
    for line in data.splitlines():
        fields = line.split(None, 3)
        if len(fields) < 3 or fields[2].startswith(b"Z") or int(fields[0]) == ps:
            continue
        parent[int(fields[0])] = int(fields[1])
        if mark and len(fields) > 3 and mark in fields[3]:
            marked.add(int(fields[0]))
    found = set(marked)
    grown = True
    while grown:
        more = {pid for pid, above in parent.items() if (above == root or above in found) and pid not in found}
        found |= more
        grown = bool(more)
    return found - {root, posix.getpid()}


def _name(pid: int) -> str:
    try:
        words = _slurp(f"/proc/{pid}/cmdline").rstrip(b"\0").split(b"\0")
    except OSError:
        return "?"
    line = b" ".join(words).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in line)[:120] or "?"


def _send(pids: set[int], number: int) -> None:
    for pid in pids:
        try:
            posix.kill(pid, number)
        except OSError:  # gone meanwhile, or another user's
            continue


def _kill(root: int, mark: bytes, spare: frozenset[int] = frozenset()) -> None:
    """SIGKILL to the tree. First everything is stopped, until nothing new appears, so that none can fork away."""
    stopped: set[int] = set()
    for _ in range(50):
        new = descendants(root, mark) - stopped - spare
        if not new:
            break
        _send(new, signal.SIGSTOP)
        stopped |= new
    _send(stopped, signal.SIGKILL)


# ── one command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _supervise(control: int, out: int, err: int, extra: list[int], request: bytes) -> None:
    flags, cwd, mark, kept, count, *rest = request.split(b"\0")
    records, passed = extra[: int(kept)], extra[int(kept) :]
    argv, env = rest[: int(count)], dict(pair.split(b"=", 1) for pair in rest[int(count) :] if b"=" in pair)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, alarm = posix.pipe()
    for fd in (wake, alarm):
        posix.set_blocking(fd, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)

    failure, report = posix.pipe()  # closed by a successful exec
    shell = posix.fork()
    if shell == 0:
        _become(argv, cwd, env, out, err, report, passed)
    posix.close(report)
    posix.close(out)
    posix.close(err)
    for fd in passed:
        posix.close(fd)
    trouble = posix.read(failure, 4096)
    posix.close(failure)
    if trouble:
        posix.waitpid(shell, 0)
        _tell(control, b"failed " + trouble)
        return
    _tell(control, b"started %d\n" % shell)
    _Watch(control, wake, shell, mark, keep=b"k" in flags, wrapped=b"w" in flags).until_gone()
    # First say that everything is gone: on a busy machine some file systems take milliseconds to remove a folder.
    posix.close(control)
    for record in records:
        tidy(record)


def _become(
    argv: list[bytes],
    cwd: bytes,
    env: dict[bytes, bytes],
    out: int,
    err: int,
    report: int,
    passed: list[int],
) -> None:
    """In the child: turn into the program, or say why not."""
    what = b"cwd"
    try:
        posix.setsid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        posix.chdir(cwd)
        signal.set_wakeup_fd(-1)
        for number in range(1, signal.NSIG):
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError):  # SIGKILL, SIGSTOP, and those the C library keeps for itself
                continue
        what = b"program"
        posix.dup2(posix.open("/dev/null", posix.O_RDONLY), 0)
        posix.dup2(out, 1)
        posix.dup2(err, 2)
        if passed:
            # Out of the way first: one's number may be another's place.
            fcntl = __import__("fcntl")
            report = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 64)
            passed = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64) for fd in passed]
            for number, fd in enumerate(passed, 3):
                posix.dup2(fd, number)
        # All descriptors of a supervisor are small numbers: the warden closed what it inherited.
        posix.closerange(3 + len(passed), report)
        posix.closerange(report + 1, 256)
        _exec(argv, env)
    except OSError as error:
        posix.write(report, b"%d %s\n" % (error.errno or 0, what))
    finally:
        posix._exit(127)


def _exec(argv: list[bytes], env: dict[bytes, bytes]) -> None:
    if b"/" in argv[0]:
        posix.execve(argv[0], argv, env)
    denied = None
    for folder in env.get(b"PATH", b"/usr/local/bin:/usr/bin:/bin").split(b":"):
        try:
            posix.execve((folder or b".") + b"/" + argv[0], argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            denied = error
    raise denied or FileNotFoundError(2, "not found")


class _Watch:
    """Over one command and all that descends from it: reaps, does what the control socket says, ends what is left."""

    def __init__(self, control: int, wake: int, shell: int, mark: bytes, *, keep: bool, wrapped: bool) -> None:
        self._own = posix.getpid()
        self._control, self._wake, self._shell, self._mark = control, wake, shell, mark
        self._keep, self._wrapped = keep, wrapped
        self._running = True
        self._killed_at: float | None = None
        """When everything was first killed."""
        self._steps: list[tuple[float, str]] = []
        """What is to be done to leftovers, and when."""
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._poll.register(wake, select.POLLIN)

    def until_gone(self) -> None:
        """Return once nothing descends from here any more, or what does cannot be killed."""
        while True:
            alone = self._reap()
            if not self._running and alone and (LINUX or not descendants(self._own, self._mark)):
                return
            if self._killed_at is None:
                self._next_step()
            if self._killed_at is not None:
                _kill(self._own, self._mark)
                if _now() - self._killed_at > PATIENCE:
                    return
            for fd, _ in self._poll.poll(self._pause()):
                if fd == self._wake:
                    posix.read(fd, 4096)
                else:
                    self._obey(_hear(fd))

    def _reap(self) -> bool:
        """Take in those that have ended. Whether no child is left."""
        while True:
            try:
                pid, status = posix.waitpid(-1, posix.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self._shell:
                self._running = False
                _tell(self._control, b"exit %d\n" % status)
                if not self._keep:
                    self._steps = [(_now() + SETTLE, "term"), (_now() + SETTLE + GRACE, "kill")]

    def _next_step(self) -> None:
        if not self._steps or _now() < self._steps[0][0]:
            return
        if self._steps.pop(0)[1] == "kill":
            self._killed_at = _now()
            return
        left = self._reached()
        for pid in sorted(left)[:10]:
            _tell(self._control, b"left " + _name(pid).encode() + b"\n")
        _end(left)

    def _obey(self, order: bytes | None) -> None:
        if order == b"T":
            _end(self._reached())
        elif order is not None:
            self._killed_at = self._killed_at or _now()
            if order == b"":
                self._poll.unregister(self._control)

    def _pause(self) -> float | None:
        """Milliseconds to wait for something to happen; None: until it does."""
        if self._killed_at is not None:
            return 20
        if self._steps:
            return max(0.0, self._steps[0][0] - _now()) * 1000 + 1
        return None if LINUX or self._running else 200

    def _reached(self) -> set[int]:
        """Whom a signal is for. Of `bwrap` there is one process outside, our child, and one inside, its child and
        ours once the outer one has ended: it takes in the command's orphans, so no other becomes a child of ours."""
        tree = descendants(self._own, self._mark)
        if not self._wrapped:
            return tree
        return tree - {self._shell, *_children(self._own), *(_children(self._shell) if self._running else ())}


def _end(tree: set[int]) -> None:
    """Tell them to end, those that are stopped as well."""
    _send(tree, signal.SIGTERM)
    _send(tree, signal.SIGCONT)


def _hear(control: int) -> bytes | None:
    """`T`, `K`, or nothing (b"") at the end: Protea is gone."""
    try:
        data = posix.read(control, 64)
    except BlockingIOError:
        return None
    except OSError:
        return b""
    return b"K" if b"K" in data else data[:1]


def _tell(control: int, line: bytes) -> None:
    try:
        posix.write(control, line)
    except OSError:  # nobody listens any more: the end of file on the control socket is acted on elsewhere
        return


# ── what a command's walls leave behind ────────────────────────────────────────────────────────────────────────────


def tidy(record: int) -> None:
    """Remove the stand-ins a record names (see `_stand_ins`), unless another command still needs them."""
    fcntl = __import__("fcntl")  # not built in everywhere, and most commands need none of this
    try:
        fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        posix.lseek(record, 0, 0)
        data = b""
        while piece := posix.read(record, 65536):
            data += piece
        for path in reversed(data.split(b"\0")):
            if path and _straight(path):
                _remove(path)
        # Emptied, not removed: another command may have it open and wait for the lock.
        posix.ftruncate(record, 0)
    except OSError:  # somebody else is at work behind the same walls, and will tidy up; or the next start does
        return


def _straight(path: bytes) -> bool:
    """Whether no folder above it is a link: a command might have turned one."""
    parts = path.split(b"/")
    try:
        return all(posix.lstat(b"/".join(parts[:end])).st_mode & 0o170000 == 0o040000 for end in range(2, len(parts)))
    except OSError:
        return False


def _remove(path: bytes) -> None:
    """A stand-in: an empty folder, an empty file, or a file that holds a dot."""
    try:
        found = posix.lstat(path)
        if found.st_mode & 0o170000 == 0o040000:
            posix.rmdir(path)
        elif found.st_mode & 0o170000 == 0o100000 and (
            found.st_size == 0 or (found.st_size == 2 and _slurp(path) == b".\n")
        ):
            posix.unlink(path)
    except OSError:  # not empty: it is somebody's now
        return


# ── the warden ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Warden:
    """Forks a supervisor per request, and ends what a killed supervisor leaves behind."""

    def __init__(self, door: _socket.socket) -> None:
        self.door = door
        self.supervisors: set[int] = set()
        self.strays = False

    def reap(self, *_: object) -> None:
        while True:
            try:
                pid, status = posix.waitpid(-1, posix.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid in self.supervisors:
                self.supervisors.discard(pid)
                self.strays = self.strays or status != 0
        if self.strays and LINUX:
            self._sweep()

    def _sweep(self) -> None:
        """End all that descends from here and belongs to no living supervisor."""
        spare = set(self.supervisors)
        for supervisor in self.supervisors:
            spare |= descendants(supervisor)
        _kill(posix.getpid(), b"", frozenset(spare))
        self.strays = bool(descendants(posix.getpid()) - spare)

    def serve(self) -> None:
        """Until Protea is gone; then wait for the supervisors, which notice that by themselves."""
        while True:
            got = self._receive()
            if got is None:
                break
            request, (control, out, err, *extra) = got
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            pid = posix.fork()
            if pid == 0:
                code = 1
                try:
                    self.door.close()
                    signal.pthread_sigmask(signal.SIG_SETMASK, set())
                    _supervise(control, out, err, extra, request)
                    code = 0
                finally:
                    posix._exit(code)
            self.supervisors.add(pid)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            for fd in {control, out, err, *extra}:
                posix.close(fd)
        limit = _now() + 2 * PATIENCE
        while self.supervisors and _now() < limit:
            select.select([], [], [], 0.05)
            self.reap()

    def _receive(self) -> tuple[bytes, list[int]] | None:
        data, extra, _flags, _address = self.door.recvmsg(65536, _socket.CMSG_SPACE(1000))
        fds: list[int] = []
        for _level, _kind, packed in extra:
            fds += [int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed) - 3, 4)]
        if not data or len(fds) < 3:
            return None
        while len(data) < 4:
            data += self.door.recv(4 - len(data))
        size = int.from_bytes(data[:4], "big")
        body = bytearray(data[4:])
        while len(body) < size:
            piece = self.door.recv(min(1 << 20, size - len(body)))
            if not piece:
                return None
            body += piece
        return bytes(body), fds


def main() -> None:
    fd = int(sys.argv[1])
    # Descriptors that Protea itself was started with must not reach any command.
    posix.closerange(3, fd)
    posix.closerange(fd + 1, 65536)
    posix.set_inheritable(fd, False)
    posix.chdir("/")
    if not LINUX:
        posix.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    warden = Warden(_socket.socket(fileno=fd))
    signal.signal(signal.SIGCHLD, warden.reap)
    warden.serve()
