"""Commands in containers, by the API of Docker or Podman: one container a command, gone with it.

A command sees an image's system read-only, the workspace where it is outside, a home and a /tmp of its own, no
processes but its own and, unless it was allowed, no network but its own loopback. What of the workspace is read-only or
hidden is decided as for `bubblewrap`. docs/sandbox.md says what is promised and what is not. Where containers cannot be
had, nothing runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import resource
from collections.abc import Coroutine, Sequence
from typing import Any

import msgspec

from protea.adapters.sandbox import _mounts
from protea.adapters.sandbox._container import ContainerProcess
from protea.adapters.sandbox._egress import Egress, Way, environment, way_to
from protea.adapters.sandbox._engine import Engine, EngineError, find_socket, refusal, target
from protea.adapters.sandbox._gitconfig import filtered
from protea.adapters.sandbox._keeper import SCRIPT, mark
from protea.adapters.sandbox._mounts import Mount, Places
from protea.adapters.sandbox._options import WallOptions
from protea.adapters.sandbox._places import enterable, records_of, roots_of
from protea.adapters.sandbox._ready import Ready
from protea.adapters.sandbox._seccomp import profile
from protea.adapters.sandbox._stand_ins import Record, sweep
from protea.adapters.sandbox._supervised import MARK
from protea.adapters.sandbox._survey import Survey, survey
from protea.adapters.sandbox._warden import tidy
from protea.domain.errors import ConfigError
from protea.domain.permission.paths import beneath
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Launch, Process, Sandbox, Wall

HOME, OWNER = "protea.home", "protea.owner"
"""Labels: whose containers these are, and the process they must not outlive."""
MOST = 1 << 15
"""Open files and processes a user may have in a container, whatever the container as a whole may."""
OTHERWISE = "or use --sandbox bubblewrap or none"


class Options(WallOptions, frozen=True, kw_only=True):
    image: str = "protea-general"
    """The image commands run in; those of docker/ are protea-general, -python, -node and -rust. Never pulled."""
    socket: str | None = None
    """Where the engine listens; None: DOCKER_HOST, or the usual places of Docker and Podman."""
    readable: tuple[str, ...] = ()
    """Files and folders of the machine that commands may read beside the image's, at the same place."""
    memory: int = 4 << 30
    """Bytes of memory of one command, what lies in its /tmp and home included."""
    uncounted: bool = False
    """Whether commands run as well where an engine limits neither their processes nor memory nor the size of files:
    without root, on control groups of version 1."""
    cpus: float | None = None
    """Processors one command may keep busy; None: all."""


def create(options: Options, *, surroundings: Surroundings) -> Sandbox:
    """Asks the engine nothing until the first command. Raises `ConfigError` for a workspace or socket that won't do."""
    roots = roots_of(surroundings)
    if "/" in roots:
        raise ConfigError("the docker sandbox cannot have all of / as its workspace; start Protea in a folder")
    try:
        engine = Engine(find_socket(surroundings.environment, options.socket))
    except EngineError as error:
        raise ConfigError(f"the docker sandbox cannot be used: {error.strerror}, {OTHERWISE}") from error
    way = way_to(options.allow_domains) if options.allow_domains and not options.network else None
    return ContainerSandbox(options, surroundings, roots, engine, way)


def obstacle(options: Options, surroundings: Surroundings) -> str | None:
    """Why containers cannot be had here and how to mend it, or None. Asks the engine: a few milliseconds."""
    try:
        _look(Engine(find_socket(surroundings.environment, options.socket)), options, patience=3.0)
    except EngineError as error:
        return error.strerror
    return None


class _Found(msgspec.Struct, frozen=True):
    """An engine and an image, once both were looked at."""

    podman: bool
    rootless: bool
    image: str
    environment: dict[str, str]
    """What the image itself sets."""


def _look(engine: Engine, options: Options, patience: float) -> _Found:
    image = options.image
    version = engine.ask("GET", "/version", patience=patience)
    if (error := refusal(version)) is not None:
        raise error
    info = engine.ask("GET", "/info", patience=patience)
    if (error := refusal(info)) is not None:
        raise error
    said = info.json() or {}
    if said.get("OSType", "linux") != "linux":
        raise EngineError("the container engine runs no Linux containers")
    found = engine.ask("GET", target("images", image, "json"), patience=patience)
    if found.status == 404:
        raise EngineError(
            f"there is no image {image} in the container engine; build it (docker build -t protea-general -f "
            "docker/general.Dockerfile docker), pull it, or name another: sandbox.image"
        )
    if (error := refusal(found)) is not None:
        raise error
    # Podman says it in a field of its own, and not among the options as Docker does.
    rootless = bool(said.get("Rootless")) or any("rootless" in str(each) for each in said.get("SecurityOptions") or ())
    counts = not rootless or (str(said.get("CgroupVersion", "2")) != "1" and said.get("CgroupDriver") != "none")
    if not counts and not options.uncounted:
        raise EngineError(
            "this engine runs without root on control groups of version 1, where nothing limits the processes and "
            "memory of a command, or the size of its files; ports.sandbox.uncounted = true goes without these walls"
        )
    settings = found.json().get("Config") or {}
    pairs = [text.partition("=") for text in settings.get("Env") or ()]
    return _Found(
        podman="podman" in msgspec.json.encode(version.json()).decode().lower(),
        rootless=rootless,
        image=str(found.json()["Id"]),
        environment={name: value for name, _, value in pairs},
    )


class ContainerSandbox:
    """`Sandbox` of one container a command. `Process.pid` is that of the container's first process, as the engine sees
    it; a signal that ends the program is told where its exit code (128 + its number) cannot be meant otherwise."""

    def __init__(
        self,
        options: Options,
        surroundings: Surroundings,
        roots: tuple[str, ...],
        engine: Engine,
        way: Way | None = None,
    ) -> None:
        self._way = way
        self._options = options
        self._surroundings = surroundings
        self._roots = roots
        self._engine = engine
        self._records = records_of(surroundings)
        self._label = hashlib.sha256(os.fsencode(self._records)).hexdigest()[:24]
        self._found: _Found | None = None
        self._surveys: dict[str, Survey] = {}
        self._ready = Ready(self._prepare, self._survey)
        self._running: set[ContainerProcess] = set()
        self._errands: set[asyncio.Task[Any]] = set()
        self._programs: dict[str, bool] = {}
        self._probe: str | None = None
        """A container that is never started: to look into the image."""

    @property
    def walls(self) -> frozenset[Wall]:
        walls: set[Wall] = {"files", "processes", "disk"}
        walls |= set() if self._options.uncounted else {"memory"}
        return frozenset(walls if self._options.network else {*walls, "network"})

    # ── what there is in the image ──────────────────────────────────────────────────────────────────────────────────

    @property
    def discards(self) -> bool:
        return False

    def which(self, program: str, path: str) -> str | None:
        """Asks the engine, some 50 ms, once for each place. None too where it cannot be asked."""
        try:
            self._found = self._found or _look(self._engine, self._options, patience=5.0)
            path = _joined(path, self._found.environment.get("PATH", ""))
            candidates = [program] if "/" in program else [os.path.join(folder, program) for folder in path.split(":")]
            return next((each for each in candidates if os.path.isabs(each) and self._runs(each)), None)
        except EngineError:
            return None  # the first command will say why
        finally:
            if self._probe is not None:
                with contextlib.suppress(EngineError):
                    self._engine.ask("DELETE", target("containers", self._probe, force=True))
                self._probe = None

    def _runs(self, path: str) -> bool:
        if path not in self._programs:
            shown = [*self._roots, *map(self._absolute, self._options.readable)]
            if any(beneath(path, each) or beneath(os.path.realpath(path), each) for each in shown):
                self._programs[path] = os.path.isfile(path) and os.access(path, os.X_OK)
            else:
                self._programs[path] = self._in_image(path)
        return self._programs[path]

    def _in_image(self, path: str) -> bool:
        if self._probe is None:
            assert self._found is not None
            made = self._engine.ask(
                "POST", "/containers/create", {"Image": self._found.image, "Labels": self._labels()}
            )
            if (error := refusal(made)) is not None:
                raise error
            self._probe = str(made.json()["Id"])
        for _ in range(8):
            answer = self._engine.ask("HEAD", target("containers", self._probe, "archive", path=path))
            said = answer.headers.get("x-docker-container-path-stat")
            if answer.status != 200 or not said:
                return False
            found = msgspec.json.decode(_base64(said))
            link = str(found.get("linkTarget") or "")
            mode = int(found.get("mode", 0))
            if not mode & _GO_SYMLINK or not link:
                # Go's numbering of kinds: none of them set means a regular file.
                return not mode & _GO_KINDS and bool(mode & 0o111)
            # Absolute already, and as the image sees it.
            path = link if link != path else ""
            if any(beneath(path, each) for each in map(self._absolute, self._options.readable)):
                return os.path.isfile(path) and os.access(path, os.X_OK)
        return False

    def _labels(self) -> dict[str, str]:
        return {HOME: self._label, OWNER: _owner(os.getpid())}

    # ── one command ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, launch: Launch) -> Process:
        if any("\0" in word for word in (*launch.argv, launch.cwd)):
            raise OSError("a command cannot hold a NUL character")
        if "=" in launch.argv[0].rpartition("/")[2]:
            raise OSError(errno.ENOENT, "a program with = in its name cannot be started in a container", launch.argv[0])
        found = await self._ready.wait()
        records: list[int] = []
        try:
            while True:
                try:
                    policy = self._policy(launch, found, records)
                    break
                except BlockingIOError:  # the walls of an earlier command are being taken down
                    _close(records)
                    await asyncio.sleep(0.002)
            return await self._run(launch, found, policy, records)
        except BaseException:
            _tidy(records)
            raise

    async def _run(self, launch: Launch, found: _Found, policy: dict[str, Any], records: list[int]) -> ContainerProcess:
        made = await self._engine.call("POST", "/containers/create", policy)
        if (error := refusal(made)) is not None:
            raise OSError(errno.EPERM, f"nothing was run, because the container was refused: {error.strerror}")
        container = str(made.json()["Id"])
        process = ContainerProcess(self._engine, container, word=mark(), late=found.podman)
        self._running.add(process)

        egress = Egress(self._way) if self._way is not None and launch.network else None

        def over() -> None:
            if egress is not None:
                egress.close()
            self._running.discard(process)
            _tidy(records)

        process.when_gone(over)
        try:
            await process.start(launch.argv[0], egress.open if egress is not None else None)
        except BaseException:
            process.close()
            self._errand(self._remove(container))
            raise
        return process

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _remove(self, container: str) -> None:
        with contextlib.suppress(EngineError, TimeoutError):
            await self._engine.call("DELETE", target("containers", container, force=True))

    async def aclose(self) -> None:
        for process in tuple(self._running):
            await process.end(grace=0.2)
            process.close()
        while self._errands:
            await asyncio.gather(*self._errands, return_exceptions=True)
        await self._ready.aclose()

    # ── before the first command ────────────────────────────────────────────────────────────────────────────────────

    async def _prepare(self) -> _Found:
        """In threads: a large workspace takes a moment to look through."""
        try:
            self._found = found = await asyncio.to_thread(_look, self._engine, self._options, 20.0)
        except EngineError as error:
            why = f"nothing was run, because the docker sandbox cannot be used: {error.strerror}, {OTHERWISE}"
            raise OSError(errno.EPERM, why) from error
        try:
            profile(os.uname().machine)
        except KeyError:
            machine = os.uname().machine
            why = f"nothing was run: there is no filter of system calls for {machine}; use --sandbox none"
            raise OSError(errno.ENOSYS, why) from None
        await asyncio.to_thread(_make_own, self._records)
        await self._reap()
        await asyncio.to_thread(sweep, self._records)
        await self._survey()
        return found

    async def _reap(self) -> None:
        """End containers of a Protea that is gone and could not."""
        with contextlib.suppress(EngineError, TimeoutError):
            answer = await self._engine.call(
                "GET", target("containers", "json", all=True, filters={"label": [f"{HOME}={self._label}"]})
            )
            for each in answer.json() or () if answer.status == 200 else ():
                if not _lives(str((each.get("Labels") or {}).get(OWNER, ""))):
                    await self._remove(str(each["Id"]))

    async def _survey(self) -> None:
        self._surveys = {root: await asyncio.to_thread(survey, root) for root in self._roots}

    # ── the policy ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _absolute(self, path: str) -> str:
        home = self._surroundings.user_home
        return os.path.join(self._surroundings.cwd, home + path[1:] if path[:2] in ("~", "~/") else path)

    def _policy(self, launch: Launch, found: _Found, records: list[int]) -> dict[str, Any]:
        """The container to make, in the engine's words."""
        options = self._options
        mounts = self._walls(launch, records)
        cwd = os.path.realpath(launch.cwd)
        enterable(launch.cwd, cwd, mounts)
        network = options.network and launch.network
        environment = self._environment(launch, found)
        memory = self._limit("memory", launch)
        uid, gid = (0, 0) if found.rootless and not found.podman else (os.getuid(), os.getgid())
        binds, folders = self._mounts_of(mounts, found, uid, gid)
        host: dict[str, Any] = {
            "NetworkMode": "default" if network else "none",
            "IpcMode": "private",
            # Without a network the engine would take ::1 away too.
            "Sysctls": {} if network else {"net.ipv6.conf.all.disable_ipv6": "0"},
            "AutoRemove": True,
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": [
                "no-new-privileges:true" if not found.podman else "no-new-privileges",
                f"seccomp={self._filter(found)}",
            ],
            "Mounts": binds,
            "Tmpfs": folders,
            "ShmSize": options.tmp_size,
            "PidsLimit": self._limit("processes", launch),
            "Memory": memory,
            "MemorySwap": memory,
            "Ulimits": [
                {"Name": name, "Soft": value, "Hard": value}
                for name, value in (
                    ("core", 0),
                    ("data", memory),
                    ("fsize", self._limit("file_size", launch)),
                    # Else Podman asks for more than it may have itself. Processes are counted by the container.
                    *((("nofile", _hard(resource.RLIMIT_NOFILE)), ("nproc", _hard(resource.RLIMIT_NPROC)))),
                )
            ],
            "LogConfig": {"Type": "none", "Config": {}},
        }
        if options.cpus is not None:
            host["NanoCpus"] = int(options.cpus * 1e9)
        if found.podman and found.rootless:
            host["UsernsMode"] = "keep-id"
        flags = ("k" if launch.keep else "") + ("m" if launch.merge else "")
        pairs = [f"{name}={value}" for name, value in environment.items()]
        return {
            "Image": found.image,
            "Entrypoint": ["/bin/sh", "-c", SCRIPT, "protea"],
            "Cmd": [flags or "-", environment.get("PATH", os.defpath), launch.argv[0], *pairs, *launch.argv],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "WorkingDir": cwd,
            "User": f"{uid}:{gid}",
            "Hostname": "sandbox",
            "Labels": self._labels(),
            **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr", "OpenStdin", "StdinOnce"), True),
            "HostConfig": host,
            "StopSignal": "SIGKILL",
        }

    def _filter(self, found: _Found) -> str:
        """As Docker takes it, itself; Podman takes the path of a file."""
        data = msgspec.json.encode(profile(os.uname().machine, unix_sockets=self._options.unix_sockets))
        return self._own_file("seccomp", data) if found.podman else data.decode()

    def _own_file(self, name: str, data: bytes) -> str:
        """Where the engine finds these bytes; a file of other bytes has another name."""
        path = f"{self._records}/own/{name}-{hashlib.sha256(data).hexdigest()[:16]}"
        with contextlib.suppress(FileExistsError), open(path, "xb") as file:
            file.write(data)
        return path

    def _environment(self, launch: Launch, found: _Found) -> dict[str, str]:
        """The image knows best where its own things lie; of PATH both count."""
        own = {name: value for name, value in found.environment.items() if name != "PATH"}
        path = _joined(launch.env.get("PATH", ""), found.environment.get("PATH", ""))
        way_out = environment() if self._way is not None and launch.network else {}
        chosen = {**launch.env, **own, **way_out, **({"PATH": path} if path else {}), MARK: "walled"}
        return {n: v for n, v in chosen.items() if n and "=" not in n and "\0" not in n + v}

    def _walls(self, launch: Launch, records: list[int]) -> list[Mount]:
        around, options = self._surroundings, self._options
        writable = (*launch.writable, *map(self._absolute, options.writable))
        readable = (*launch.readable, *map(self._absolute, options.readable))
        places = Places(
            home=around.user_home,
            protea_home=os.path.realpath(around.protea_home),
            roots=self._roots,
            writable=tuple(os.path.realpath(each) for each in writable if os.path.exists(each)),
            readable=tuple(os.path.realpath(each) for each in readable if os.path.exists(each)),
            environment=around.environment,
            network=options.network and launch.network,
            env_files=options.env_files,
            tmp_size=options.tmp_size,
            home_size=options.home_size,
        )
        for path in places.writable:
            if (beneath(places.home, path) and path not in self._roots) or path == "/":
                raise OSError(errno.EPERM, f"nothing was run: {path} is too much to be written in; work in a folder")
        mounts = [Mount("/", "absent"), Mount("/tmp", "private", options.tmp_size)]
        mounts.append(Mount("/var/tmp", "private", options.tmp_size))
        if places.home != "/":
            mounts.append(Mount(places.home, "private", options.home_size))
        if any(beneath(places.protea_home, root) for root in self._roots) and os.path.isdir(places.protea_home):
            mounts.append(Mount(places.protea_home, "empty"))
        for root in self._roots:
            record = Record(self._records, root)
            records.append(record.fd)
            own, wanted = _mounts.workspace(places, root, self._surveys.get(root, Survey()), record.names)
            failed = record.put(wanted)
            mounts += [mount for mount in own if mount.path not in failed]
        outside = [path for path in places.writable if not any(beneath(path, root) for root in self._roots)]
        mounts += [Mount(path, "write") for path in outside]
        mounts += [Mount(path, "read") for path in places.readable]
        return _mounts.ordered(mounts, places)

    def _mounts_of(
        self, mounts: Sequence[Mount], found: _Found, uid: int, gid: int
    ) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """As the engine takes them: what is bound, and folders in memory."""
        binds: list[dict[str, Any]] = []
        folders: dict[str, str] = {}

        def bind(source: str, path: str, *, write: bool = False) -> None:
            way: dict[str, Any] = {"Propagation": "rprivate"}
            if not write:
                # What is mounted below would stay writable.
                way["NonRecursive"] = True
            binds.append({"Type": "bind", "Source": source, "Target": path, "ReadOnly": not write, "BindOptions": way})

        for mount in mounts:
            if mount.how in ("write", "read"):
                bind(mount.path, mount.path, write=mount.how == "write")
            elif mount.how == "refused":
                bind(f"{self._records}/own/refused", mount.path)
            elif mount.how == "empty":
                bind(f"{self._records}/own/empty", mount.path)
            elif mount.how == "private":
                # Podman gives a folder no owner; nobody else is in the container anyway.
                anyones = mount.path in ("/tmp", "/var/tmp") or found.podman
                mode, owner = ("1777", "") if anyones else ("0700", f",uid={uid},gid={gid}")
                folders[mount.path] = f"rw,exec,nosuid,nodev,size={mount.size},mode={mode}{owner}"
        home = self._surroundings.user_home
        if home in folders and (configuration := self._git_configuration()):
            bind(configuration, f"{home}/.gitconfig")
        return binds, folders

    def _git_configuration(self) -> str | None:
        """A file that says what commands may know of the person's; written where it can be bound."""
        home = self._surroundings.user_home
        said = "".join(filtered(_mounts.text(f"{home}/{name}")) for name in (".config/git/config", ".gitconfig"))
        if not said:
            return None
        return self._own_file("gitconfig", said.encode("utf-8", "surrogateescape"))

    def _limit(self, name: str, launch: Launch) -> int:
        own, asked = getattr(self._options, name), getattr(launch.limits, name)
        return int(own if asked is None else min(own, asked))


def _hard(limit: int) -> int:
    """Our own, which nobody may raise, and no more than an engine itself may have."""
    _, hard = resource.getrlimit(limit)
    return hard if 0 <= hard < MOST else MOST


_GO_SYMLINK, _GO_KINDS = 1 << 27, 0x8F280000
"""In Go's fs.FileMode: the bit of a link, and those of all that is no regular file."""


def _base64(text: str) -> bytes:
    from binascii import a2b_base64  # only where an image is looked into

    return a2b_base64(text)


def _joined(*paths: str) -> str:
    return ":".join(dict.fromkeys(folder for path in paths for folder in path.split(":") if folder))


def _make_own(records: str) -> None:
    """What is bound over files and folders that commands must not see."""
    for each in (records, f"{records}/own"):  # `makedirs` gives its mode to the last alone
        os.makedirs(each, mode=0o700, exist_ok=True)
    os.makedirs(f"{records}/own/empty", mode=0o555, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(f"{records}/own/refused", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
    os.chmod(f"{records}/own/refused", 0)


def _close(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())


def _tidy(records: list[int]) -> None:
    while records:
        fd = records.pop()
        tidy(fd)
        os.close(fd)


def _owner(pid: int) -> str:
    """A process as nobody else ever is: boot, pid namespace, pid, and when it began."""
    return ".".join((*_here(), str(pid), _began(pid)))


def _here() -> tuple[str, str]:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip(), str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return ("", "")


def _began(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def _lives(owner: str) -> bool:
    """Whether a container's owner may still run. What cannot be judged from here (another pid namespace) may."""
    boot, _, rest = owner.partition(".")
    namespace, _, rest = rest.partition(".")
    pid, _, began = rest.partition(".")
    here = _here()
    if boot != here[0] and here[0]:
        return False
    if namespace != here[1] or not pid.isdigit():
        return True
    return _began(int(pid)) == began and bool(began)
