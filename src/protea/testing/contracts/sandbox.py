"""What every `Sandbox` keeps: real commands, so a POSIX system with `sh` is needed where it runs them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping

from protea.ports.sandbox import Exit, Launch, Process, Sandbox

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def alive(pid: int) -> bool:
    """Whether a process of this machine runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except FileNotFoundError:
        return os.path.isdir("/proc/self") is False  # no /proc here: what answers to signal 0 is alive
    except (ProcessLookupError, PermissionError):
        return False


async def gone(pid: int, seconds: float = 5) -> bool:
    """Whether a process goes within some seconds."""
    return await _soon(lambda: not alive(pid), seconds)


async def _soon(true: Callable[[], bool], seconds: float = 5) -> bool:
    # Looked at again and again: nothing tells about processes that are not our children.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - no event to wait for
                await asyncio.sleep(0.01)
            return True
    return False


async def drain(process: Process) -> tuple[bytes, bytes]:
    """All of stdout and stderr, read to the end."""
    out, err = bytearray(), bytearray()
    while chunk := await process.read():
        (out if chunk.stream == "stdout" else err).extend(chunk.data)
    return bytes(out), bytes(err)


class SandboxContract:
    sees_pids = True
    """Whether process ids inside are those outside (false behind a pid namespace)."""

    def sandbox(self) -> Sandbox:
        """The sandbox under test; the same one at every call within one test. The test closes it."""
        raise NotImplementedError

    def folder(self) -> str:
        """A directory commands may write in."""
        raise NotImplementedError

    def _launch(
        self, script: str, *, merge: bool = False, keep: bool = False, env: Mapping[str, str] | None = None
    ) -> Launch:
        return Launch(
            argv=("/bin/sh", "-c", script),
            cwd=self.folder(),
            env={"PATH": PATH, **(env or {})},
            merge=merge,
            keep=keep,
            writable=(self.folder(),),
        )

    async def _run(
        self, script: str, *, merge: bool = False, env: Mapping[str, str] | None = None
    ) -> tuple[bytes, bytes, Exit]:
        process = await self.sandbox().start(self._launch(script, merge=merge, env=env))
        out, err = await drain(process)
        ended = await process.wait()
        process.close()
        return out, err, ended

    async def _pids(self, process: Process, count: int) -> list[int]:
        """Process ids a script writes, one a line."""
        seen = b""
        async with asyncio.timeout(10):
            while seen.count(b"\n") < count:
                chunk = await process.read()
                assert chunk is not None, f"it ended after {seen!r}"
                seen += chunk.data
        return [int(line) for line in seen.split()]

    async def test_output_and_exit_code_come_as_they_are(self) -> None:
        try:
            out, err, ended = await self._run(r"printf 'a\000\377b'; printf 'oh' >&2; exit 7")
            assert (out, err) == (b"a\0\xffb", b"oh")
            assert ended == Exit(code=7)
        finally:
            await self.sandbox().aclose()

    async def test_merged_output_is_in_the_order_it_was_written(self) -> None:
        try:
            script = "i=0; while [ $i -lt 50 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done"
            out, err, _ = await self._run(script, merge=True)
            assert out.split() == [f"{kind}{i}".encode() for i in range(50) for kind in ("out", "err")]
            assert err == b""
        finally:
            await self.sandbox().aclose()

    async def test_the_signal_that_ended_it_is_told(self) -> None:
        try:
            assert (await self._run("kill -9 $$"))[2].signal == signal.SIGKILL
        finally:
            await self.sandbox().aclose()

    async def test_standard_input_is_empty(self) -> None:
        try:
            assert (await self._run("cat; echo end"))[0] == b"end\n"
        finally:
            await self.sandbox().aclose()

    async def test_the_environment_is_what_was_asked_for_and_one_mark(self) -> None:
        try:
            out, _, _ = await self._run("env", env={"GREETING": "hello\nyou"})
            names = {line.partition(b"=")[0] for line in out.split(b"\n") if b"=" in line}
            assert b"GREETING=hello\nyou\n" in out
            assert names - {b"PWD", b"_", b"SHLVL", b"OLDPWD"} <= {b"PATH", b"GREETING", b"PROTEA_COMMAND"}
        finally:
            await self.sandbox().aclose()

    async def test_it_starts_where_it_was_told_to(self) -> None:
        try:
            out, _, _ = await self._run("pwd")
            assert os.fsdecode(out.strip()) == os.path.realpath(self.folder())  # noqa: ASYNC240 - one look
        finally:
            await self.sandbox().aclose()

    async def test_what_cannot_start_raises(self) -> None:
        try:
            for launch in (
                Launch(argv=("no-such-program-anywhere",), cwd=self.folder(), env={"PATH": PATH}),
                Launch(argv=("/bin/sh", "-c", "true"), cwd=f"{self.folder()}/missing", env={"PATH": PATH}),
                Launch(argv=("/bin/sh", "-c", "nul\0"), cwd=self.folder(), env={}),
            ):
                try:
                    await self.sandbox().start(launch)
                except OSError:
                    continue
                raise AssertionError(f"{launch} started")
        finally:
            await self.sandbox().aclose()

    async def test_unread_output_makes_it_wait(self) -> None:
        try:
            process = await self.sandbox().start(self._launch("yes 0123456789 | head -c 8000000; echo done >&2"))
            await asyncio.sleep(0.1)
            assert process.ended is None
            out, err = await drain(process)
            assert (len(out), err) == (8_000_000, b"done\n")
            process.close()
        finally:
            await self.sandbox().aclose()

    async def test_a_cancelled_read_loses_nothing(self) -> None:
        try:
            process = await self.sandbox().start(self._launch("for i in 1 2 3 4 5; do echo $i; sleep 0.05; done"))
            out = b""
            while True:
                try:
                    async with asyncio.timeout(0.02):
                        chunk = await process.read()
                except TimeoutError:
                    continue
                if chunk is None:
                    break
                out += chunk.data
            assert out == b"1\n2\n3\n4\n5\n"
            process.close()
        finally:
            await self.sandbox().aclose()

    async def test_what_a_command_leaves_behind_is_ended_with_it(self) -> None:
        try:
            out, _, ended = await self._run("sleep 300 & echo $!")
            assert ended.code == 0
            assert len(ended.left) == 1
            if self.sees_pids:
                assert not alive(int(out))
        finally:
            await self.sandbox().aclose()

    async def test_what_a_background_command_leaves_behind_goes_on_until_it_is_ended(self) -> None:
        try:
            process = await self.sandbox().start(self._launch("sleep 300 & echo $!", keep=True))
            (pid,) = await self._pids(process, 1)
            assert await _soon(lambda: process.ended is not None)
            if self.sees_pids:
                assert alive(pid)
            async with asyncio.timeout(5):
                await process.end()
            if self.sees_pids:
                assert not alive(pid)
            process.close()
        finally:
            await self.sandbox().aclose()

    async def test_ending_reaches_double_forks_and_new_sessions_that_ignore_signals(self) -> None:
        script = """
            trap '' TERM HUP INT
            (setsid sh -c 'trap "" TERM HUP; echo $$; sleep 300' &)
            sh -c '(nohup sleep 301 >/dev/null 2>&1 & echo $!)'
            env -i setsid setsid sh -c 'echo $$; exec sleep 302' &
            echo $$
            sleep 303
        """
        try:
            process = await self.sandbox().start(self._launch(script))
            pids = await self._pids(process, 4)
            async with asyncio.timeout(5):
                ended = await process.end(grace=0.1)
            assert ended.signal in (signal.SIGKILL, signal.SIGTERM)
            if self.sees_pids:
                assert [pid for pid in pids if alive(pid)] == []
            process.close()
        finally:
            await self.sandbox().aclose()

    async def test_a_polite_command_may_clean_up_when_it_is_ended(self) -> None:
        try:
            process = await self.sandbox().start(
                self._launch("trap 'echo bye; exit 3' TERM; sleep 300 & echo ready; wait")
            )
            assert await process.read() is not None
            ended = await process.end(grace=5)
            assert ended.code == 3
            assert (await drain(process))[0] == b"bye\n"
            process.close()
        finally:
            await self.sandbox().aclose()

    async def test_ending_twice_and_closing_twice_is_harmless(self) -> None:
        try:
            process = await self.sandbox().start(self._launch("sleep 300"))
            first, second = await asyncio.gather(process.end(), process.end())
            assert first == second == await process.end()
            process.close()
            process.close()
        finally:
            await self.sandbox().aclose()

    async def test_closing_a_running_command_ends_it(self) -> None:
        try:
            process = await self.sandbox().start(self._launch("echo $$; sleep 300"))
            (pid,) = await self._pids(process, 1)
            process.close()
            if self.sees_pids:
                assert await gone(pid)
        finally:
            await self.sandbox().aclose()

    async def test_closing_the_sandbox_ends_everything(self) -> None:
        process = await self.sandbox().start(self._launch("setsid sleep 300 & echo $!; echo $$; sleep 301"))
        pids = await self._pids(process, 2)
        async with asyncio.timeout(5):
            await self.sandbox().aclose()
        if self.sees_pids:
            assert [pid for pid in pids if alive(pid)] == []

    async def test_no_descriptor_is_left_open(self) -> None:
        try:
            await self._run("true")
            before = len(os.listdir("/dev/fd"))
            for _ in range(5):
                await self._run("true")
            assert len(os.listdir("/dev/fd")) == before
        finally:
            await self.sandbox().aclose()

    async def test_many_commands_run_side_by_side(self) -> None:
        try:
            async with asyncio.timeout(20):
                results = await asyncio.gather(*(self._run(f"echo {i}; exit {i}") for i in range(20)))
            assert [(out, ended.code) for out, _, ended in results] == [(b"%d\n" % i, i) for i in range(20)]
        finally:
            await self.sandbox().aclose()
