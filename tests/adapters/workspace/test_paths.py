"""Ways out of a project by the name of a file: decided by the engine, opened by the workspace, as a tool call is.

Under rules that allow reading and writing all of the project, nothing outside it may be read or written, whatever a
name says.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from protea.adapters.permission import rules
from protea.adapters.workspace.disk import DiskWorkspace
from protea.domain.permission import PermissionRequest, RuleLayer
from protea.domain.surroundings import Surroundings
from protea.ports.workspace import WorkspaceError

SECRET = b"SECRET"
AT_FDCWD, EXCHANGE = -100, 2
ALL = RuleLayer("flags", allow=("Read(**)", "Edit(**)"))


class Place:
    """A project beside things that are none of its business."""

    def __init__(self, folder: Path) -> None:
        self.top = Path(os.path.realpath(folder))
        self.root, self.outside, self.home = self.top / "project", self.top / "outside", self.top / "home"
        for each in (self.root / "src", self.root / ".git/hooks", self.outside, self.home / ".ssh"):
            each.mkdir(parents=True)
        for file in (self.outside / "secret.txt", self.home / ".ssh/id_rsa", self.home / ".netrc", self.root / ".env"):
            file.write_bytes(SECRET)
        (self.top / "project-2").mkdir()
        (self.top / "project-2/secret.txt").write_bytes(SECRET)
        (self.root / "src/a.py").write_text("a")
        (self.root / ".git/config").write_text("[core]\n")
        for name, target in {
            "link": "../outside/secret.txt",
            "folder": "../outside",
            "chain": "chain2",
            "chain2": "folder/secret.txt",
            "loop": "loop2",
            "loop2": "loop",
            "absolute": str(self.outside / "secret.txt"),
            "key": "../home/.ssh/id_rsa",
            "new": "../outside/made.txt",
            "hooks": ".git/hooks",
            "inside": "src/a.py",
            "up": "..",
            "proc": "/proc/self",
            "null": "/dev/null",
            "zero": "/dev/zero",
        }.items():
            (self.root / name).symlink_to(target)
        (self.root / "src/deep").symlink_to("../folder")
        os.link(self.home / ".netrc", self.root / "twin")
        os.mkfifo(self.root / "pipe")
        self.socket = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(self.root)  # the name of a socket must be short
        try:
            self.socket.bind("socket")
        finally:
            os.chdir(here)
        around = Surroundings(
            cwd=str(self.root),
            root=str(self.root),
            user_home=str(self.home),
            protea_home=str(self.home / ".protea"),
            environment={},
        )
        self.engine = rules.create(rules.Options(layers=(ALL,)), surroundings=around)
        self.files = DiskWorkspace([str(self.root)])

    def allowed(self, tool: str, path: str) -> bool:
        request = PermissionRequest(
            tool=tool,
            arguments={"path": path},
            cwd=str(self.root),
            root=str(self.root),
            home=str(self.home),
            interactive=False,
        )
        return self.engine.decide(request).verdict == "allow"

    def full(self, path: str) -> str:
        """As the tools make a path whole."""
        if path == "~" or path.startswith("~/"):
            return f"{self.home}{path[1:]}"
        return os.path.join(self.root, path)

    async def read(self, path: str) -> bytes | None:
        """What a Read gives, or None where it is refused."""
        if not self.allowed("Read", path):
            return None
        try:
            return await self.files.read(self.full(path), size=100)
        except WorkspaceError:
            return None

    async def write(self, path: str) -> bool:
        if not self.allowed("Write", path):
            return False
        try:
            await self.files.write(self.full(path), b"EVIL")
        except WorkspaceError:
            return False
        return True

    def guarded(self) -> dict[str, tuple[int, bytes]]:
        """All that must stay as it is."""
        tops = (self.outside, self.home, self.top / "project-2", self.root / ".git", self.root / ".env")
        found = {}
        for top in tops:
            for path in [top, *sorted(top.rglob("*"))] if top.is_dir() else [top]:
                found[str(path)] = (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.socket.close()


NEVER_READ = {
    "up": "../outside/secret.txt",
    "up and down": "src/../../outside/secret.txt",
    "up through what is not there": "nowhere/../../outside/secret.txt",
    "up with slashes": "src//..//..//outside//secret.txt",
    "up with dots": "./././../outside/./secret.txt",
    "absolute": "{top}/outside/secret.txt",
    "absolute with a detour": "{root}/../outside/secret.txt",
    "two slashes first": "//{top}/outside/secret.txt",
    "a folder whose name begins alike": "../project-2/secret.txt",
    "a link": "link",
    "a link with a detour": "src/../link",
    "an absolute link": "absolute",
    "a link to a folder": "folder/secret.txt",
    "a chain of links": "chain",
    "a link below a link": "src/deep/secret.txt",
    "up through a link": "folder/../outside/secret.txt",
    "a link to the folder above": "up/outside/secret.txt",
    "a loop": "loop",
    "a key by a link": "key",
    "a key by the home": "~/.ssh/id_rsa",
    "a key with a detour by the home": "~/x/../.ssh/id_rsa",
    "a secret of the project": ".env",
    "a secret in another case": ".ENV",
    "a secret with a detour": "src/../.env",
    "a second name of a foreign file": "twin",
    "the process by proc": "/proc/self/environ",
    "the process by a link": "proc/environ",
    "the root by proc": "/proc/self/root{top}/outside/secret.txt",
    "the working directory by proc": "/proc/self/cwd/../outside/secret.txt",
    "a descriptor": "/dev/fd/0",
    "a device": "/dev/zero",
    "a device by a link": "zero",
    "a pipe": "pipe",
    "a socket": "socket",
    "a NUL": "src/a.py\0",
    "a NUL that cuts": "../outside/secret.txt\0.py",
    "a name that is too long": "x" * 300,
    "a path that is too long": "x/" * 3000,
    "nothing": "",
    "another user's home": "~root/.ssh/id_rsa",
    "a file URL": "file://{top}/outside/secret.txt",
    "a folder": "src",
}
NEVER_WRITTEN = {
    **{name: path for name, path in NEVER_READ.items() if name != "nothing"},
    "a file that is not there, by a link": "new",
    "a new file up": "../outside/made.txt",
    "a new file by a folder's link": "folder/made.txt",
    "a new folder by a folder's link": "folder/made/x.txt",
    "a hook": ".git/hooks/pre-commit",
    "a hook by a link": "hooks/pre-commit",
    "a hook in another case": ".GIT/hooks/pre-commit",
    "a hook by another spelling": ".git\u200d/hooks/pre-commit",
    "a hook with a dot at the end": ".git./hooks/pre-commit",
    "a hook by a stream's name": ".git::$INDEX_ALLOCATION/hooks/pre-commit",
    "git's short name": "GIT~1/hooks/pre-commit",
    "git's configuration": ".git/config",
    "a nested repository's configuration": "src/.git/config",
    "a server's configuration": ".mcp.json",
    "another agent's": ".claude/settings.json",
    "Protea's": ".protea/config.toml",
    "an editor's": ".vscode/tasks.json",
    "a shell's start-up file": "~/.bashrc",
    "one in the project": ".envrc",
    "a package manager's": ".npmrc",
    "a project's root itself": ".",
    "the null device": "null",
}


@pytest.mark.parametrize("path", NEVER_READ.values(), ids=NEVER_READ.keys())
async def test_it_is_not_read(place: Place, path: str) -> None:
    path = path.format(top=place.top, root=place.root) if "{" in path else path
    assert await place.read(path) is None


@pytest.mark.parametrize("path", NEVER_WRITTEN.values(), ids=NEVER_WRITTEN.keys())
async def test_it_is_not_written(place: Place, path: str) -> None:
    path = path.format(top=place.top, root=place.root) if "{" in path else path
    before = place.guarded()
    await place.write(path)
    assert place.guarded() == before
    assert not (place.outside / "made.txt").exists()
    assert not list(place.root.rglob(".mcp.json"))


@pytest.mark.parametrize(
    "path", ["src/a.py", "./src/a.py", "src/../src/a.py", "inside", "{root}/src/a.py", "src//a.py", "src/./a.py"]
)
async def test_what_is_the_projects_own_is_read_and_written(place: Place, path: str) -> None:
    path = path.format(root=place.root)
    assert await place.read(path) == b"a"
    assert await place.write(path)
    assert (place.root / "src/a.py").read_bytes() == b"EVIL"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets two names change places at once")
async def test_a_name_that_turns_into_a_link_after_it_was_decided_leads_nowhere(place: Place) -> None:
    """A folder above the file and a link that leads out change places, again and again, while it is used."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder, link = bytes(place.root / "src"), bytes(place.root / "folder")
    stop = threading.Event()

    def turn() -> None:
        while not stop.is_set():
            libc.renameat2(AT_FDCWD, folder, AT_FDCWD, link, EXCHANGE)

    (place.outside / "a.py").write_bytes(SECRET)
    before = place.guarded()
    turner = threading.Thread(target=turn)
    turner.start()
    try:
        for _ in range(300):
            assert await place.read("src/a.py") in (b"a", b"EVIL", None)
            await place.write("src/a.py")
    finally:
        stop.set()
        turner.join(30)
    assert place.guarded() == before


NAMES = """
    .. . src a.py link folder chain up outside secret.txt project project-2 home .ssh id_rsa ~ key deep hooks .git
    config new made.txt x proc cwd root \0 twin pipe .env .ENV \u2025 \uff0e\uff0e loop inside absolute
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
PARTS = st.sampled_from(["", " ", *NAMES])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(PARTS, min_size=1, max_size=8), absolute=st.sampled_from(["", "/", "{root}/", "{top}/", "~/"]))
@example(parts=["up", "up", "outside", "secret.txt"], absolute="")
def test_no_path_made_of_these_leads_out(place: Place, parts: list[str], absolute: str) -> None:
    import asyncio

    path = absolute.format(root=place.root, top=place.top) + "/".join(parts)
    before = place.guarded()

    async def both() -> bytes | None:
        read = await place.read(path)
        await place.write(path)
        return read

    assert asyncio.run(both()) in (None, b"a", b"EVIL")
    assert place.guarded() == before
    for made in place.root.rglob("*"):
        assert (
            made.is_symlink() or not made.is_file() or made.name in (".env", "twin") or SECRET not in made.read_bytes()
        )
