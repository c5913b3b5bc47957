"""Files on disk and in memory keep the same promises; the disk keeps some more."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from protea.adapters.workspace.disk import DiskWorkspace
from protea.adapters.workspace.memory import MemoryWorkspace, Options, create
from protea.domain.surroundings import Surroundings
from protea.ports.workspace import Workspace, WorkspaceError
from protea.testing.contracts.workspace import WorkspaceContract
from protea.testing.workspace import ScriptedWorkspace


class TestMemory(WorkspaceContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self._workspace = MemoryWorkspace(["/project"])

    def workspace(self) -> Workspace:
        return self._workspace


class TestScripted(WorkspaceContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self._workspace = ScriptedWorkspace()

    def workspace(self) -> Workspace:
        return self._workspace

    async def test_what_should_fail_fails(self) -> None:
        self._workspace.failing["/project/x"] = "full"
        with pytest.raises(WorkspaceError) as caught:
            await self._workspace.write("/project/x", b"")
        assert caught.value.trouble == "full"
        assert self._workspace.writes == []


class TestDisk(WorkspaceContract):
    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._workspace = DiskWorkspace([os.path.realpath(tmp_path)])

    def workspace(self) -> Workspace:
        return self._workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = Path(os.path.realpath(tmp_path)) / "root"
    found.mkdir()
    return found


@pytest.fixture
def files(root: Path) -> DiskWorkspace:
    return DiskWorkspace([str(root)])


def files_root_parent(files: DiskWorkspace) -> Path:
    return Path(files.roots[0]).parent


def _bind(listener: socket.socket, path: Path) -> None:
    # Addresses are short: bound from where it is.
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        listener.bind(path.name)
    finally:
        os.chdir(before)


async def test_memory_begins_with_the_files_it_was_given() -> None:
    surroundings = Surroundings(cwd="/p", root="/p", user_home="/h", protea_home="/h/.protea", environment={})
    files = create(Options(files={"a.txt": "hello", "/p/b/c.txt": "c"}), surroundings=surroundings)
    assert await files.read("/p/a.txt") == b"hello"
    assert [entry.name for entry in await files.list("/p")] == ["a.txt", "b"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664])
async def test_a_replaced_file_keeps_its_mode(files: DiskWorkspace, root: Path, mode: int) -> None:
    path = root / "x"
    path.write_bytes(b"old")
    path.chmod(mode)
    await files.write(str(path), b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


async def test_a_reader_sees_the_old_bytes_or_the_new_ones(files: DiskWorkspace, root: Path) -> None:
    path = root / "x"
    versions = [bytes([letter]) * 200_000 for letter in b"abc"]
    path.write_bytes(versions[0])
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(30):
            await files.write(str(path), versions[number % 3])
            await asyncio.sleep(0)
    finally:
        stop.set()
        reader.join()
    assert seen <= set(versions)
    assert os.listdir(root) == ["x"]


async def test_a_failed_write_leaves_the_old_file_and_nothing_else(files: DiskWorkspace, root: Path) -> None:
    import resource

    path = root / "x"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(WorkspaceError):
            await files.write(str(path), b"n" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert os.listdir(root) == ["x"]


WRITER = """
import asyncio, sys
from protea.adapters.workspace.disk import DiskWorkspace

async def main():
    files = DiskWorkspace([sys.argv[1]])
    for number in range(1_000):
        await files.write(f"{sys.argv[1]}/{sys.argv[2]}-{number}.txt", b"x" * 4_000_000)
        print("written", flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a file without a name is Linux's")
def test_a_process_that_is_killed_while_it_writes_a_new_file_leaves_it_whole_or_leaves_nothing(root: Path) -> None:
    for turn in range(8):
        words = [sys.executable, "-c", WRITER, str(root), str(turn)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"written\n"
            with suppress(subprocess.TimeoutExpired):
                process.wait(turn / 200)  # whatever it is at by then
            process.kill()
    found = {path.name: path.stat().st_size for path in root.iterdir()}
    assert [name for name in found if not name.endswith(".txt")] == []
    assert set(found.values()) == {4_000_000}


async def test_a_link_inside_stays_a_link_and_its_target_is_written(files: DiskWorkspace, root: Path) -> None:
    (root / "real").write_bytes(b"old")
    (root / "link").symlink_to("real")
    entry = await files.write(str(root / "link"), b"new")
    assert (root / "link").is_symlink()
    assert (root / "real").read_bytes() == b"new"
    assert entry.path == str(root / "real")


async def test_a_link_that_leads_out_is_refused_both_ways(files: DiskWorkspace, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (root / "link").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    for path in (root / "link", root / "folder" / "secret", root / "folder" / "new"):
        with pytest.raises(WorkspaceError, match="leads out of the workspace") as caught:
            await files.read(str(path))
        assert caught.value.trouble == "outside"
        with pytest.raises(WorkspaceError, match="leads out"):
            await files.write(str(path), b"x")
    assert secret.read_bytes() == b"secret"


async def test_a_path_that_is_itself_outside_is_opened_as_it_is(files: DiskWorkspace) -> None:
    outside = files_root_parent(files) / "outside.txt"
    outside.write_bytes(b"x")
    assert await files.read(str(outside)) == b"x"


async def test_a_directory_swapped_for_a_link_meanwhile_is_not_followed(
    files: DiskWorkspace, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "folder").mkdir()
    (root / "folder" / "x").write_bytes(b"inside")
    (tmp_path / "x").write_bytes(b"outside")
    resolve = os.path.realpath

    def swap(path: str) -> str:
        found = resolve(path)
        (root / "folder").rename(root / "moved")
        (root / "folder").symlink_to(tmp_path)
        return found

    monkeypatch.setattr(os.path, "realpath", swap)
    with pytest.raises(WorkspaceError):
        await files.read(str(root / "folder" / "x"))


async def test_pipes_sockets_and_devices_are_refused_without_waiting(files: DiskWorkspace, root: Path) -> None:
    os.mkfifo(root / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    _bind(listener, root / "socket")
    try:
        for path in (str(root / "pipe"), str(root / "socket"), "/dev/zero"):
            async with asyncio.timeout(2):
                with pytest.raises(WorkspaceError) as caught:
                    await files.read(path)
                assert caught.value.trouble == "special"
                with pytest.raises(WorkspaceError) as caught:
                    await files.write(path, b"x")
                assert caught.value.trouble == "special"
    finally:
        listener.close()


async def test_a_read_only_file_is_not_replaced(files: DiskWorkspace, root: Path) -> None:
    path = root / "x"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(WorkspaceError, match="read-only") as caught:
        await files.write(str(path), b"new")
    assert caught.value.trouble == "read_only"
    assert path.read_bytes() == b"old"


async def test_removing_a_link_leaves_what_it_leads_to(files: DiskWorkspace, root: Path) -> None:
    (root / "real").write_bytes(b"x")
    (root / "link").symlink_to("real")
    await files.remove(str(root / "link"))
    assert os.listdir(root) == ["real"]


async def test_a_loop_of_links_is_an_error_and_not_a_hang(files: DiskWorkspace, root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(WorkspaceError):
        await files.read(str(root / "a"))


async def test_names_that_are_not_utf8_work(files: DiskWorkspace, root: Path) -> None:
    path = os.fsdecode(os.fsencode(root) + b"/\xff\xfe")
    await files.write(path, b"x")
    assert await files.read(path) == b"x"
    with pytest.raises(WorkspaceError) as caught:
        await files.read(path + "no")
    str(caught.value).encode()


async def test_large_files_are_written_and_read_whole(files: DiskWorkspace, root: Path) -> None:
    data = os.urandom(5 << 20)
    await files.write(str(root / "big"), data)
    assert await files.read(str(root / "big")) == data
    assert await files.read(str(root / "big"), start=1 << 20, size=3 << 20) == data[1 << 20 : 4 << 20]


async def test_no_descriptor_is_left_open(files: DiskWorkspace, root: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    await files.write(str(root / "a/b/c"), b"x")
    await files.read(str(root / "a/b/c"))
    await files.list(str(root / "a"))
    with pytest.raises(WorkspaceError):
        await files.read(str(root / "a/none"))
    with pytest.raises(WorkspaceError):
        await files.read(str(root / "a/b"))
    assert len(os.listdir("/dev/fd")) == before
