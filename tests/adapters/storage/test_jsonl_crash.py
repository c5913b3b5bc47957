"""Writers that are killed, disks that are full: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from protea.adapters.storage.jsonl import JsonlStore
from protea.domain.errors import SessionError, StoreError
from protea.ports.session_store import EventLog
from protea.testing.contracts.session_store import conversation, notices

WRITER = """
import os, signal, sys
from protea.adapters.storage.jsonl import JsonlStore
from protea.testing.contracts.session_store import notices

folder, die_at = sys.argv[1], int(sys.argv[2])
write, writes = os.write, 0

def dying_write(fd, data):
    # Half of the bytes, then the end: as far as a kill in the middle of a write can be brought about.
    global writes
    writes += 1
    if writes == die_at:
        write(fd, bytes(data)[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(fd, data)

store = JsonlStore(folder)
log = store.open("s1")
say = os.dup(1)
if die_at:
    os.write = dying_write
write(say, b"%d\\n" % log.last)
while True:
    size = 1 + log.last % 4
    events = notices("s1", log.last + 1, log.last + size)
    log.append(events, durable=True)
    write(say, b"%d\\n" % log.last)
"""


class Writer:
    """A process that appends and says after each append how far it is."""

    def __init__(self, folder: Path, die_at: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(die_at)], stdout=subprocess.PIPE, bufsize=0
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self.said = b""

    def hear(self, lines: int) -> None:
        while self.said.count(b"\n") < lines:
            assert select.select([self.out], [], [], 60)[0]
            data = os.read(self.out.fileno(), 65536)
            assert data
            self.said += data

    def end(self) -> int:
        """Wait until it has died; the last seq it acknowledged."""
        while data := os.read(self.out.fileno(), 65536):
            self.said += data
        self.process.wait(60)
        self.out.close()
        return int(self.said[: self.said.rindex(b"\n")].split()[-1])


def prepared(folder: Path) -> JsonlStore:
    store = JsonlStore(str(folder))
    log = store.create("s1")
    log.append(notices("s1", 1, 3), durable=True)
    log.close()
    return store


def continued(store: JsonlStore, acknowledged: int) -> None:
    """Whatever happened: what was acknowledged is there, and the session goes on."""
    log = store.open("s1")
    assert log.last >= acknowledged
    assert [event.seq for event in log.read()] == [*range(1, log.last + 1)]
    log.append(notices("s1", log.last + 1, log.last + 1), durable=True)
    last = log.last
    log.close()
    assert [summary.events for summary in store.list()] == [last]


def test_a_writer_killed_in_any_of_its_writes_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    for nth in range(1, 13):
        store = prepared(tmp_path / str(nth))
        writer = Writer(tmp_path / str(nth), nth)
        acknowledged = writer.end()
        assert writer.process.returncode == -signal.SIGKILL
        continued(store, acknowledged)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kills", [25, pytest.param(100, marks=pytest.mark.long)])
def test_a_session_killed_at_random_moments_opens_and_continues_each_time(tmp_path: Path, kills: int) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    store = prepared(tmp_path)
    for moment in range(kills):
        writer = Writer(tmp_path)
        writer.hear(1 + chance.randrange(12))
        # Some microseconds more, spent waiting for what never comes.
        select.select([], [], [], chance.random() * 0.003)
        writer.process.kill()
        acknowledged = writer.end()
        log = store.open("s1")
        assert log.last >= acknowledged, f"seed {seed}, kill {moment}"
        log.close()
    continued(store, 1)


def test_the_second_process_is_refused_and_told_the_first_ones_pid(tmp_path: Path) -> None:
    store = prepared(tmp_path)
    writer = Writer(tmp_path)
    writer.hear(2)
    with pytest.raises(SessionError, match=rf"in use by process {writer.process.pid}\b"):
        store.open("s1")
    with pytest.raises(SessionError, match="in use"):
        store.delete("s1")
    assert len(list(store.read("s1"))) >= 4
    assert [summary.id for summary in store.list()] == ["s1"]
    writer.process.kill()
    writer.end()
    store.open("s1").close()


def test_looking_at_a_running_session_never_gets_in_its_way(tmp_path: Path) -> None:
    """A list asks whether a session is at work; who opens it in that moment is not refused."""
    store = JsonlStore(str(tmp_path))
    log = store.create("s1")
    log.append(conversation("s1")[:3], durable=False)
    log.close()
    code = (
        "import sys\nfrom protea.adapters.storage.jsonl import JsonlStore\n"
        f"store = JsonlStore({str(tmp_path)!r})\nprint(1, flush=True)\n"
        "while True: store.list()\n"
    )
    looking = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert looking.stdout is not None
        looking.stdout.readline()
        for _ in range(300):
            store.open("s1").close()
    finally:
        looking.kill()
        looking.communicate(timeout=60)


FULL = """
import resource, signal, sys
from protea.adapters.storage.jsonl import JsonlStore
from protea.domain.errors import StoreError
from protea.testing.contracts.session_store import notices

# A limit on a file's size acts like a disk that fills up: a part is written, then comes the error.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = JsonlStore(sys.argv[1])
log = store.create("s1")
log.append(notices("s1", 1, 3), durable=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))
try:
    log.append(notices("s1", 4, 40), durable=True)
except StoreError as error:
    print(error)
assert log.last == 3
assert [event.seq for event in log.read()] == [1, 2, 3]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.append(notices("s1", 4, 40), durable=True)
assert [event.seq for event in log.read()] == [*range(1, 41)]
log.close()
log = store.open("s1")
assert log.mended is None
print(log.last)
"""


def test_a_write_that_fails_half_way_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    said, last = ran.stdout.splitlines()
    assert "events.jsonl: the session's log could not be written: file too large" in said
    assert last == "40"


def fill(log: EventLog) -> None:
    while True:
        log.append(notices("any", log.last + 1, log.last + 50), durable=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_one_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, timeout=60
    )
    if mounted.returncode:
        pytest.skip(f"this machine lets nobody mount: {mounted.stderr.decode().strip()}")
    try:
        store = JsonlStore(str(disk / "sessions"))
        log = store.create("s1")
        with pytest.raises(StoreError, match=r"no space left on device; free some space"):
            fill(log)
        last = log.last
        assert [event.seq for event in log.read()] == [*range(1, last + 1)]
        log.close()
        assert list(store.read("s1"))[-1].seq == last
        log = store.open("s1")
        assert log.last == last
        log.close()
        with pytest.raises(StoreError, match="no space left on device"):
            fill(store.create("s2"))
        assert store.find("s1") == "s1"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=60)


def test_where_sessions_cannot_be_kept_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = JsonlStore(str(tmp_path / "file" / "sessions"))
    with pytest.raises(StoreError, match="not a directory") as caught:
        store.create("s1")
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match="not a directory"):
        store.list()
    assert "a file is where a folder should be" in (JsonlStore(str(tmp_path / "file" / "sessions")).unusable() or "")
    assert "/proc/nowhere" in (JsonlStore("/proc/nowhere/sessions").unusable() or "")
    assert JsonlStore(str(tmp_path / "new" / "sessions")).unusable() is None
    assert (tmp_path / "new" / "sessions").stat().st_mode & 0o777 == 0o700


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = JsonlStore(str(tmp_path / "home" / "sessions"))
        log = store.create("s1")
        log.append(conversation("s1"), durable=True)
        log.close()
    finally:
        os.umask(before)
    for folder in (tmp_path / "home", tmp_path / "home" / "sessions", tmp_path / "home" / "sessions" / "s1"):
        assert folder.stat().st_mode & 0o777 == 0o700
    for file in (tmp_path / "home" / "sessions" / "s1").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file.name
    path = tmp_path / "home" / "sessions" / "s1" / "events.jsonl"
    path.chmod(0o644)
    store.open("s1").close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_activity_is_told_in_lines_without_what_a_terminal_would_obey(tmp_path: Path) -> None:
    store = JsonlStore(str(tmp_path))
    log = store.create("s1")
    log.append(conversation("s1", prompt="look\nup \x1b[31mred " + "star " * 100), durable=False)
    log.close()
    lines = (tmp_path / "s1" / "activity.log").read_text().splitlines()
    assert [text.split()[1] for text in lines] == ["session", "prompt", "answer", "success", "answer", "turn"]
    assert "look up \ufffd[31mred star" in lines[1]
    assert len(lines[1]) < 220
    assert "Read path='sky.txt'" in lines[3]
    assert lines[5].endswith("finished (30 in, 3 out)")


def test_a_deletion_that_was_cut_off_is_completed_by_the_next(tmp_path: Path) -> None:
    store = prepared(tmp_path)
    (tmp_path / ".deleted-s0-1").mkdir()
    (tmp_path / ".deleted-s0-1" / "events.jsonl").write_text("x")
    assert [summary.id for summary in store.list()] == ["s1"]
    store.delete("s1")
    assert os.listdir(tmp_path) == []


def test_a_long_log_costs_neither_memory_nor_time_to_look_at(tmp_path: Path) -> None:
    """Its whole text would be many times the growth that is allowed here."""
    store = JsonlStore(str(tmp_path))
    log = store.create("s1")
    for first in range(1, 40_001, 1000):
        events = notices("s1", first, first + 999)
        log.append(events, durable=False)
    log.close()
    os.unlink(tmp_path / "s1" / "summary.json")
    code = (
        "import resource\nfrom protea.adapters.storage.jsonl import JsonlStore\n"
        f"store = JsonlStore({str(tmp_path)!r})\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "log = store.open('s1')\nassert len(log.tail(200)) == 200\nassert sum(1 for _ in log.read()) == 40_000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    scale = 1024 if sys.platform != "darwin" else 1
    assert int(ran.stdout) * scale < 24 << 20
    assert (tmp_path / "s1" / "events.jsonl").stat().st_size > 4 << 20
