"""Real commands without walls: what is promised of processes holds all the same."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from protea.adapters.sandbox import none
from protea.ports.sandbox import Exit, Launch, Sandbox
from protea.testing.contracts.sandbox import PATH, SandboxContract, alive, drain, gone

linux = pytest.mark.skipif(sys.platform != "linux", reason="what a killed Protea takes with it is kept by Linux means")

PROGRAM = """
import asyncio, os, sys
from protea.adapters.sandbox import none
from protea.ports.sandbox import Launch

async def main():
    sandbox = none.create(none.Options())
    script = "echo $$; (setsid sh -c 'trap \\"\\" TERM HUP; echo $$; sleep 300' &); nohup sleep 301 >/dev/null 2>&1 & echo $!; sleep 302"
    process = await sandbox.start(Launch(argv=("/bin/sh", "-c", script), cwd="/", env={"PATH": os.environ["PATH"]}))
    seen = b""
    while seen.count(b"\\n") < 3:
        seen += (await process.read()).data
    print(seen.decode(), sandbox._supervisor._warden._pid, sep="", flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""  # noqa: E501 - a script in a script


class TestNone(SandboxContract):
    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._sandbox = none.create(none.Options())
        self._folder = os.path.realpath(tmp_path)

    def sandbox(self) -> Sandbox:
        return self._sandbox

    def folder(self) -> str:
        return self._folder


def launch(script: str, *, merge: bool = True) -> Launch:
    return Launch(argv=("/bin/sh", "-c", script), cwd="/", env={"PATH": PATH}, merge=merge)


def test_it_claims_no_walls() -> None:
    assert none.create(none.Options()).walls == frozenset()


def test_programs_are_found_on_the_path_given(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    sandbox = none.create(none.Options())
    assert sandbox.which("tool", str(tmp_path)) is None
    program.chmod(0o755)
    assert sandbox.which("tool", f"/nowhere:{tmp_path}") == str(program)
    assert sandbox.which("tool", "/usr/bin") is None
    assert sandbox.which("tool", "") is None


async def _protea_with_commands() -> tuple[asyncio.subprocess.Process, list[int]]:
    protea = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE)
    assert protea.stdout is not None
    async with asyncio.timeout(20):
        return protea, [int(await protea.stdout.readline()) for _ in range(4)]


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_nothing_survives_protea_however_it_ends(number: int) -> None:
    protea, pids = await _protea_with_commands()
    assert all(map(alive, pids))
    protea.send_signal(number)
    await protea.wait()
    assert [pid for pid in pids if not await gone(pid)] == []


@linux
async def test_nothing_survives_when_the_warden_is_killed_and_then_protea() -> None:
    protea, pids = await _protea_with_commands()
    os.kill(pids[3], signal.SIGKILL)
    assert await gone(pids[3])
    protea.kill()
    await protea.wait()
    assert [pid for pid in pids if not await gone(pid)] == []


@linux
async def test_a_command_that_kills_its_supervisor_is_ended_by_the_warden(tmp_path: Path) -> None:
    sandbox = none.create(none.Options())
    try:
        # Not before it is told to: a supervisor that is killed at once cannot say that the command has started.
        go = str(tmp_path / "go")
        wait = f"while [ ! -e '{go}' ]; do sleep 0.01; done"
        process = await sandbox.start(
            launch(f'setsid sh -c "echo \\$\\$; {wait}; kill -9 $PPID; exec sleep 300" & sleep 301')
        )
        chunk = await process.read()
        assert chunk is not None
        os.close(os.open(go, os.O_CREAT))
        async with asyncio.timeout(5):
            assert (await process.wait()).lost
        assert await gone(int(chunk.data))
        process.close()
        again = await sandbox.start(launch("echo still here"))
        assert (await drain(again))[0] == b"still here\n"
        again.close()
    finally:
        await sandbox.aclose()


@linux
async def test_a_killed_warden_is_replaced() -> None:
    sandbox = none.create(none.Options())
    try:
        first = await sandbox.start(launch("echo $PPID; sleep 300"))
        chunk = await first.read()
        assert chunk is not None
        warden = _parent(int(chunk.data))
        os.kill(warden, signal.SIGKILL)
        assert await gone(warden)
        second = await sandbox.start(launch("echo two"))
        assert (await drain(second))[0] == b"two\n"
        second.close()
        assert (await first.end(grace=0)).signal == signal.SIGKILL
        first.close()
    finally:
        await sandbox.aclose()


@linux
async def test_a_command_gets_no_descriptors_but_three_though_protea_was_started_with_more() -> None:
    read, write = os.pipe()
    os.set_inheritable(read, True)
    sandbox = none.create(none.Options())
    try:
        process = await sandbox.start(launch("ls /proc/self/fd | wc -l"))
        # Three, and the one `ls` has the directory open by.
        assert (await drain(process))[0].strip() == b"4"
        process.close()
    finally:
        os.close(read)
        os.close(write)
        await sandbox.aclose()


@linux
async def test_a_command_leads_a_session_and_has_no_terminal_and_default_signals() -> None:
    sandbox = none.create(none.Options())
    try:
        script = "cut -d' ' -f1,5,6,7 /proc/$$/stat; grep -E 'SigIgn|SigBlk' /proc/self/status"
        process = await sandbox.start(launch(script))
        first, *signals = (await drain(process))[0].decode().splitlines()
        pid, group, session, terminal = first.split()
        assert pid == group == session == str(process.pid)
        assert terminal == "0"
        # 32 and 33 belong to the C library, which lets nobody set them.
        assert [int(line.split()[1], 16) & ~0x1_8000_0000 for line in signals] == [0, 0]
        process.close()
    finally:
        await sandbox.aclose()


@linux
async def test_a_fork_bomb_of_some_size_is_ended() -> None:
    sandbox = none.create(none.Options())
    try:
        script = "echo $$; for i in $(seq 60); do (setsid sh -c 'sleep 300 & sleep 301; sleep 302' &) ; done; sleep 303"
        process = await sandbox.start(launch(script))
        assert await process.read() is not None
        async with asyncio.timeout(10):
            await process.end(grace=0)
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and _marked(pid)]
        assert left == []
        process.close()
    finally:
        await sandbox.aclose()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _marked(pid: str) -> bool:
    try:
        return f"PROTEA_COMMAND={os.getpid()}.".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


async def test_a_writer_that_outlives_the_shell_for_a_moment_is_heard_out() -> None:
    sandbox = none.create(none.Options())
    try:
        process = await sandbox.start(
            Launch(
                argv=("/bin/bash", "-c", "echo one | tee >(sleep 0.03; cat)"), cwd="/", env={"PATH": PATH}, merge=True
            )
        )
        out, _ = await drain(process)
        assert out == b"one\none\n"
        assert await process.wait() == Exit(code=0)
        process.close()
    finally:
        await sandbox.aclose()


async def test_a_gibibyte_costs_little_memory_and_time() -> None:
    import resource

    size = 1 << 30
    sandbox = none.create(none.Options())
    try:
        warm = await sandbox.start(launch("true"))
        await drain(warm)
        warm.close()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Processor time of our own: on a busy machine the clock on the wall says nothing.
        begin = time.process_time()
        process = await sandbox.start(launch(f"head -c {size} /dev/zero"))
        read = 0
        while chunk := await process.read():
            read += len(chunk.data)
        assert read == size
        assert time.process_time() - begin < 3
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
        process.close()
    finally:
        await sandbox.aclose()


@linux
async def test_a_start_that_is_cancelled_leaves_nothing() -> None:
    sandbox = none.create(none.Options())
    try:
        warm = await sandbox.start(launch("true"))
        await drain(warm)
        warm.close()
        for pause in (0, 0.0005, 0.001, 0.002, 0.003):
            task = asyncio.create_task(sandbox.start(launch("setsid sleep 300 & sleep 301")))
            await asyncio.sleep(pause)
            if task.done():
                await task.result().end(0)
                task.result().close()
                continue
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert [pid for pid in os.listdir("/proc") if pid.isdigit() and _marked(pid) and alive(int(pid))] == []
    finally:
        await sandbox.aclose()
