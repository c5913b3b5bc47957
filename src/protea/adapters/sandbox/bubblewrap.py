"""Commands behind walls of the Linux kernel, put up by `bwrap` (bubblewrap): https://github.com/containers/bubblewrap.

A command sees the system read-only, the workspace writable except for what steers other programs, a home, a /tmp and
a /dev of its own, no processes but its own and, unless it was allowed, no network but its own loopback. docs/sandbox.md
says what is promised and what is not. Where such walls cannot be had, nothing runs.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from protea.adapters.sandbox import _discarding, _mounts
from protea.adapters.sandbox._egress import Egress, Way, environment, way_to
from protea.adapters.sandbox._gitconfig import filtered
from protea.adapters.sandbox._groups import Groups
from protea.adapters.sandbox._mounts import Mount, Places
from protea.adapters.sandbox._obstacles import find_bwrap, trouble
from protea.adapters.sandbox._options import WallOptions
from protea.adapters.sandbox._places import enterable, records_of, roots_of, visible
from protea.adapters.sandbox._ready import Ready
from protea.adapters.sandbox._seccomp import build
from protea.adapters.sandbox._stand_ins import Record, sweep
from protea.adapters.sandbox._supervised import MARK, SupervisedProcess, Supervisor, Wrapping
from protea.adapters.sandbox._survey import Survey, survey
from protea.domain.errors import ConfigError
from protea.domain.permission.paths import beneath
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Launch, Process, Sandbox, Wall

PATIENCE = 20.0
"""Seconds bubblewrap has to say what it started, where that must be known."""


class Options(WallOptions, frozen=True, kw_only=True):
    readable: tuple[str, ...] = ()
    """Files and folders of the home, or of what else is hidden, that commands may read."""
    memory: int = 4 << 30
    """Bytes of data a process may hold."""
    all_processes: int = 2048
    """Processes and threads of all commands together, where control groups can be made."""
    all_memory: int = 8 << 30
    """Bytes of memory for all commands together, what lies in /tmp included, where control groups can be made."""


def create(options: Options, *, surroundings: Surroundings) -> Sandbox:
    """Starts nothing until the first command. Raises `ConfigError` where bubblewrap is not installed."""
    roots = roots_of(surroundings)
    if "/" in roots:
        raise ConfigError("the bubblewrap sandbox cannot have all of / as its workspace; start Protea in a folder")
    bwrap = find_bwrap(surroundings.environment.get("PATH", ""), roots)
    if bwrap is None:
        raise ConfigError(f"the bubblewrap sandbox cannot be used: {trouble(None)}")
    way = way_to(options.allow_domains) if options.allow_domains and not options.network else None
    return BubblewrapSandbox(options, surroundings, roots, bwrap, way)


def obstacle(surroundings: Surroundings) -> str | None:
    """Why bubblewrap cannot be used here and how to mend it, or None. Tries it: some 15 ms."""
    return trouble(find_bwrap(surroundings.environment.get("PATH", ""), roots_of(surroundings)))


class BubblewrapSandbox:
    """`Sandbox` with walls. `Process.pid` is bubblewrap's, outside; a signal that ends the program is told where
    bubblewrap's exit code (128 + its number) cannot be meant otherwise."""

    def __init__(
        self,
        options: Options,
        surroundings: Surroundings,
        roots: tuple[str, ...],
        bwrap: str,
        way: Way | None = None,
    ) -> None:
        self._way = way
        self._options = options
        self._surroundings = surroundings
        self._roots = roots
        self._bwrap = bwrap
        self._groups = Groups(options.all_processes, options.all_memory)
        self._supervisor = Supervisor(self._groups.take_in)
        self._records = records_of(surroundings)
        self._surveys: dict[str, Survey] = {}
        self._ready = Ready(self._prepare, self._survey)
        self._filter = b""
        self._place = f"{os.path.realpath(surroundings.protea_home)}/overlay"
        """An empty folder; what commands write that is not to stay lies there, for them alone."""
        self._discards: bool | None = None
        self._outside: dict[bool, list[Mount]] = {}
        """With and without the network."""
        self._seen: list[Mount] = []

    @property
    def walls(self) -> frozenset[Wall]:
        walls: set[Wall] = {"files", "processes", "memory", "disk"}
        return frozenset(walls if self._options.network else {*walls, "network"})

    @property
    def discards(self) -> bool:
        if self._discards is None:
            self._discards = _discarding.possible(self._place, self._roots)
        return self._discards

    def which(self, program: str, path: str) -> str | None:
        candidates = [program] if "/" in program else [os.path.join(folder, program) for folder in path.split(":")]
        if not self._seen:
            places = self._places(None)
            shown = (*self._roots, *places.writable, *places.readable)
            mounts = [*_mounts.outside(places), *(Mount(path, "read") for path in shown)]
            self._seen = _mounts.ordered(mounts, places)
        for candidate in candidates:
            if (
                os.path.isabs(candidate)
                and os.path.isfile(candidate)
                and os.access(candidate, os.X_OK)
                and visible(candidate, self._seen)
                and visible(os.path.realpath(candidate), self._seen)  # an environment's python lies elsewhere
            ):
                return candidate
        return None

    async def start(self, launch: Launch) -> Process:
        await self._ready.wait()
        if any("\0" in word for word in (*launch.argv, launch.cwd)):
            raise OSError("a command cannot hold a NUL character")
        descriptors: list[int] = []
        try:
            while True:
                try:
                    words, records = self._walls(launch, descriptors)
                    break
                except BlockingIOError:  # the walls of an earlier command are being taken down
                    while descriptors:
                        os.close(descriptors.pop())
                    await asyncio.sleep(0.002)
            passed = [_memory_file(self._filter, descriptors)]
            config = self._git_configuration()
            if config:
                passed.append(_memory_file(config.encode("utf-8", "surrogateescape"), descriptors))
                words += ["--perms", "0444", "--ro-bind-data", "5", f"{self._surroundings.user_home}/.gitconfig"]
            egress = self._way is not None and launch.network
            info, told, hold, held = *(os.pipe() if egress else (-1, -1)), *(os.pipe() if egress else (-1, -1))
            if egress:
                descriptors += [info, told, hold, held]
                words += ["--info-fd", str(4 + len(passed)), "--block-fd", str(5 + len(passed))]
                passed += [told, hold]
            arguments = _memory_file("\0".join(words).encode("utf-8", "surrogateescape") + b"\0", descriptors)
            outer = replace(
                launch,
                # The word is for those who look for Protea's processes in order to end them.
                argv=(
                    *self._before(launch),
                    self._bwrap,
                    "--args",
                    "3",
                    "--unsetenv",
                    "protea",
                    "--",
                    *self._bounded(launch),
                ),
                cwd="/",
                env={},
            )
            wrapping = Wrapping(
                passed=(arguments, *passed),
                records=tuple(records),
                environment=self._surroundings.environment,
            )
            process = await self._supervisor.start(outer, wrapping)
            if self._way is not None and egress:
                os.close(descriptors.pop(descriptors.index(told)))
                await self._let_out(process, self._way, info, held)
            return process
        finally:
            for fd in descriptors:
                os.close(fd)

    async def _let_out(self, process: SupervisedProcess, way: Way, info: int, held: int) -> None:
        """Put the proxy up before the command begins. Raises `OSError`; then the command does not run."""
        egress = Egress(way)
        process.when_gone(egress.close)
        try:
            said = b""
            async with asyncio.timeout(PATIENCE):
                while b"}" not in said:
                    piece = await asyncio.to_thread(os.read, info, 4096)
                    if not piece:
                        raise OSError(errno.EIO, "nothing was run: bubblewrap did not say what it started")
                    said += piece
            await egress.open(int(msgspec.json.decode(said)["child-pid"]))
            os.write(held, b"x")
        except BaseException:
            await process.end(0)
            process.close()
            raise

    async def aclose(self) -> None:
        await self._supervisor.aclose()
        self._groups.drop()
        await self._ready.aclose()

    # ── before the first command ────────────────────────────────────────────────────────────────────────────────────

    async def _prepare(self) -> None:
        """In threads: a large workspace takes a moment to look through."""
        why = await asyncio.to_thread(trouble, self._bwrap)
        if why is not None:
            raise OSError(errno.EPERM, f"nothing was run, because the bubblewrap sandbox cannot be used: {why}")
        try:
            self._filter = build(os.uname().machine, unix_sockets=self._options.unix_sockets)
        except KeyError:
            machine = os.uname().machine
            raise OSError(
                errno.ENOSYS, f"nothing was run: there is no filter of system calls for {machine}; use --sandbox none"
            ) from None
        await asyncio.to_thread(sweep, self._records)
        await self._survey()

    async def _survey(self) -> None:
        places = self._places(None)
        self._outside = {
            network: await asyncio.to_thread(_mounts.outside, replace(places, network=network))
            for network in (False, True)
        }
        self._surveys = {root: await asyncio.to_thread(survey, root) for root in self._roots}

    # ── one command ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _places(self, launch: Launch | None) -> Places:
        around, options = self._surroundings, self._options
        writable = (*(launch.writable if launch else ()), *map(self._absolute, options.writable))
        readable = (*(launch.readable if launch else ()), *map(self._absolute, options.readable))
        return Places(
            home=around.user_home,
            protea_home=os.path.realpath(around.protea_home),
            roots=self._roots,
            writable=tuple(os.path.realpath(each) for each in writable if os.path.exists(each)),
            readable=tuple(os.path.realpath(each) for each in readable if os.path.exists(each)),
            environment=around.environment,
            network=options.network and (launch is None or launch.network),
            env_files=options.env_files,
            tmp_size=options.tmp_size,
            home_size=options.home_size,
        )

    def _absolute(self, path: str) -> str:
        home = self._surroundings.user_home
        return os.path.join(self._surroundings.cwd, home + path[1:] if path[:2] in ("~", "~/") else path)

    def _walls(self, launch: Launch, descriptors: list[int]) -> tuple[list[str], list[int]]:
        """bubblewrap's words for a command, and the records of its stand-ins."""
        places = self._places(launch)
        for path in places.writable:
            if (beneath(places.home, path) and path not in self._roots) or path == "/":
                raise OSError(errno.EPERM, f"nothing was run: {path} is too much to be written in; work in a folder")
        mounts = list(self._outside[places.network])
        records: list[int] = []
        if launch.discard:
            # What guards the workspace from being written has nothing to guard, and no stand-ins are needed.
            hidden = replace(places, writable=())
            for root in self._roots:
                own, _ = _mounts.workspace(hidden, root, self._surveys.get(root, Survey()), ())
                mounts += [Mount(root, "write"), *(mount for mount in own if mount.path != root)]
        for root in () if launch.discard else self._roots:
            record = self._record(root, descriptors)
            records.append(record.fd)
            own, wanted = _mounts.workspace(places, root, self._surveys.get(root, Survey()), record.names)
            failed = record.put(wanted)
            mounts += [mount for mount in own if mount.path not in failed]
        inside = [path for path in places.writable if not any(beneath(path, root) for root in self._roots)]
        mounts += [Mount(path, "write") for path in inside]
        mounts += [Mount(path, "read") for path in places.readable]
        mounts = _mounts.ordered(mounts, places)
        cwd = os.path.realpath(launch.cwd)
        enterable(launch.cwd, cwd, mounts)
        _startable(launch, mounts)
        network = () if places.network else ("--unshare-net",)
        words = [
            *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", *network),
            # Before bubblewrap somebody who may mount was needed: here that is nobody again.
            *(("--uid", str(os.geteuid()), "--gid", str(os.getegid())) if launch.discard else ()),
            *("--new-session", "--cap-drop", "ALL", "--seccomp", "4"),
            *("--dev", "/dev", "--perms", "1777", "--size", str(places.tmp_size), "--tmpfs", "/dev/shm"),
            *("--remount-ro", "/dev", "--proc", "/proc"),
            # The settings in /proc/sys belong to root, and a command of root's is root's still.
            *(("--remount-ro", "/proc") if os.geteuid() == 0 else ()),
            *_mounts.words(mounts),
            *("--remount-ro", "/"),
            *("--chdir", cwd, "--clearenv"),
        ]
        way_out = environment() if self._way is not None and launch.network else {}
        for name, value in {**launch.env, **way_out, MARK: "walled"}.items():
            if "\0" not in name + value and name and "=" not in name:
                words += ["--setenv", name, value]
        return words, records

    def _before(self, launch: Launch) -> tuple[str, ...]:
        """What goes before bubblewrap. Raises `OSError`."""
        if not launch.discard:
            return ()
        before = None
        if self.discards:
            mixed = _discarding.mixed(self._roots)
            before = _discarding.words(self._place, self._options.tmp_size, self._roots, mixed=mixed)
        if before is None:
            raise OSError(errno.ENOTSUP, "nothing was run: what it writes cannot be thrown away here")
        return before

    def _record(self, root: str, descriptors: list[int]) -> Record:
        try:
            record = Record(self._records, root)
        except BlockingIOError:
            raise
        except OSError as error:
            raise OSError(
                error.errno,
                f"nothing was run: {self._records} cannot be written ({error.strerror}), and it is needed "
                "to put the workspace's walls up",
            ) from error
        descriptors.append(record.fd)
        return record

    def _git_configuration(self) -> str:
        """Empty where the home is the workspace, or there is none: then there is nothing to stand in for."""
        home = self._surroundings.user_home
        if home == "/" or any(beneath(home, root) for root in self._roots):
            return ""
        return "".join(filtered(_mounts.text(f"{home}/{name}")) for name in (".config/git/config", ".gitconfig"))

    def _limit(self, name: str, launch: Launch) -> int:
        own, asked = getattr(self._options, name), getattr(launch.limits, name)
        return int(own if asked is None else min(own, asked))

    def _bounded(self, launch: Launch) -> tuple[str, ...]:
        """The command under `prlimit`: inside, because processes are counted per user namespace."""
        limits = (
            f"--nproc={self._limit('processes', launch)}",
            f"--data={self._limit('memory', launch)}",
            f"--fsize={self._limit('file_size', launch)}",
            "--core=0",
        )
        return ("/usr/bin/prlimit", *limits, "--", *launch.argv)


def _memory_file(data: bytes, descriptors: list[int]) -> int:
    fd = os.memfd_create("protea", os.MFD_CLOEXEC)
    descriptors.append(fd)
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _startable(launch: Launch, mounts: list[Mount]) -> None:
    """Raises what the system would: inside, a missing program could not be told from a program that fails."""
    name = launch.argv[0]
    path: Mapping[str, str] = launch.env
    folders = path.get("PATH", os.defpath).split(":")
    candidates = [os.path.join(launch.cwd, name)] if "/" in name else [os.path.join(f or ".", name) for f in folders]
    number = errno.ENOENT
    for candidate in candidates:
        full = os.path.join(launch.cwd, candidate)
        if not os.path.isfile(full) or not visible(full, mounts):
            continue
        if os.access(full, os.X_OK):
            return
        number = errno.EACCES
    raise OSError(number, os.strerror(number), name)
