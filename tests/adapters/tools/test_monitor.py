"""Monitor: lines of a command become news, a flood stays bounded, its end is told, and ending it leaves nothing."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from protea.adapters.tools import _ear
from protea.domain.tools import ToolResult
from protea.testing.toolset import RecordedCall
from tests.adapters.tools.beside import RecordedBeside
from tests.adapters.tools.conftest import Project

WITHIN = 30


async def watch(project: Project, beside: RecordedBeside | None, **arguments: object) -> ToolResult:
    tool = project.tools.tool("Monitor")
    assert tool is not None
    return await tool.run(arguments, RecordedCall(str(project.outputs), beside=beside))


def lines(beside: RecordedBeside) -> list[str]:
    """Those that were told, without what stands around them."""
    found = (line for told in beside.told for line in told.splitlines())
    return [line.removeprefix("> ") for line in found if not re.match(r"b\d+ says:|\[that is the last", line)]


async def test_lines_that_fit_are_told_as_they_come_and_the_rest_is_in_the_file(project: Project) -> None:
    beside = RecordedBeside()
    command = "echo 'ok 1'; echo 'ERROR disk'; while [ ! -e go ]; do sleep 0.02; done; echo 'ok 2'; echo 'ERROR net'"
    result = await watch(project, beside, command=command, pattern="^ERROR")
    assert result.text.startswith("[b1 is running] You are told of lines that fit")
    await beside.until(lambda: bool(beside.told))
    assert beside.told == ["b1 says:\n> ERROR disk"], "while it runs"
    project.write({"go": ""})
    await beside.until(lambda: bool(beside.ends))
    assert lines(beside) == ["ERROR disk", "ERROR net"]
    assert beside.ends["k1"] == "done: 2 lines fit. [b1 has ended: exit code 0]", "not all of it once more"
    assert beside.progress[-1] == "2 lines fit; the last: ERROR net"
    assert result.file is not None
    assert Path(result.file).read_text() == "ok 1\nERROR disk\nok 2\nERROR net\n"  # noqa: ASYNC240 - a test's own file


async def test_a_shortened_timeout_is_told(project: Project) -> None:
    result = await watch(project, RecordedBeside(), command="sleep 300", pattern="x", timeout=5000)
    assert "[the timeout was 600 s" in result.text


async def test_a_flood_is_told_up_to_a_bound_and_then_only_counted(project: Project) -> None:
    beside = RecordedBeside()
    await watch(project, beside, command="yes x | head -n 200000", pattern="x", most=7)
    await beside.until(lambda: bool(beside.ends))
    assert lines(beside) == ["x"] * 7
    assert beside.told[0].endswith("[that is the last line that is told; further ones are only counted]")
    assert beside.progress[-1] == "200000 lines fit; the last: x"
    assert len(beside.told) == 1


async def test_however_many_are_asked_for_a_flood_stays_bounded_and_leaves_room(project: Project) -> None:
    beside = RecordedBeside()
    await watch(project, beside, command="yes hello | head -n 300000", pattern="hello", most=1_000_000_000)
    turns = 0
    while not beside.ends:
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100, "others had their turn"
    assert sum(map(len, beside.told)) < 30_000
    assert beside.ends["k1"].startswith("done: 300000 lines fit.")


async def test_a_pattern_that_keeps_the_engine_busy_holds_nobody_up(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ear, "SECONDS", 1.0)
    beside = RecordedBeside()
    command = f"echo {'a' * 60}; echo {'a' * 60}b; echo a; echo done > done"
    await watch(project, beside, command=command, pattern="(a+)+$")
    await beside.until(lambda: bool(beside.ends))
    assert (project.root / "done").exists()
    assert "were not looked at: the pattern keeps the engine busy for too long" in beside.ends["k1"]


async def test_without_a_bound_of_its_own_fifty_are_told(project: Project) -> None:
    beside = RecordedBeside()
    await watch(project, beside, command="seq 1000", pattern=".")
    await beside.until(lambda: bool(beside.ends))
    assert lines(beside) == [str(number) for number in range(1, 51)]


async def test_output_without_an_end_of_line_costs_little_and_its_last_line_is_told(project: Project) -> None:
    beside = RecordedBeside()
    command = "head -c 3000000 /dev/zero | tr '\\0' a; printf ' END'"
    await watch(project, beside, command=command, pattern="END$")
    await beside.until(lambda: bool(beside.ends))
    (line,) = lines(beside)
    assert line == "a" * 500, "cut"


async def test_odd_bytes_and_escape_sequences_are_told_as_plain_text(project: Project) -> None:
    beside = RecordedBeside()
    await watch(project, beside, command=r"printf '\033[31mred\033[0m \377\n'", pattern="red")
    await beside.until(lambda: bool(beside.ends))
    assert lines(beside) == ["red \\xff"]


async def test_a_command_that_fails_is_told_as_failed(project: Project) -> None:
    beside = RecordedBeside()
    await watch(project, beside, command="echo no; exit 3", pattern="never")
    await beside.until(lambda: bool(beside.ends))
    assert beside.told == []
    assert beside.ends["k1"].startswith("failed: ")
    assert beside.ends["k1"].endswith("no\n[b1 has ended: exit code 3]")


async def test_a_timeout_ends_it(project: Project) -> None:
    beside = RecordedBeside()
    await watch(project, beside, command="echo begun; sleep 600", pattern="begun", timeout=0.3)
    await beside.until(lambda: bool(beside.ends))
    assert "longer than 0.3 s" in beside.ends["k1"]


async def test_stopping_it_ends_all_its_processes(project: Project) -> None:
    beside = RecordedBeside()
    command = "(trap '' TERM; sleep 600) & setsid sleep 601 & echo pids $! $$; wait"
    await watch(project, beside, command=command, pattern="pids")
    await beside.until(lambda: bool(beside.told))
    pids = [int(word) for word in lines(beside)[0].split()[1:]]
    assert all(alive(pid) for pid in pids)
    async with asyncio.timeout(WITHIN):
        result = await project.call("KillShell", id="b1")
    assert "b1 has ended" in result.text
    assert not any(alive(pid) for pid in pids)
    assert beside.ends == {} or "k1" in beside.ends


async def test_stopping_its_task_ends_the_command_too(project: Project) -> None:
    beside = RecordedBeside()
    await watch(project, beside, command="echo pid $$; sleep 600", pattern="pid")
    await beside.until(lambda: bool(beside.told))
    pid = int(lines(beside)[0].split()[1])
    async with asyncio.timeout(WITHIN):
        assert await beside.stop("k1") == "stopped"
    assert not alive(pid)


async def test_what_cannot_be_watched_is_said(project: Project) -> None:
    beside = RecordedBeside()
    assert "not a valid regular expression" in (await watch(project, beside, command="true", pattern="(")).text
    assert "empty" in (await watch(project, beside, command=" ", pattern="x")).text
    assert "Nothing can be told" in (await watch(project, None, command="true", pattern="x")).text


def alive(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIG_DFL)  # 0: nothing is sent
    except ProcessLookupError:
        return False
    return True


async def test_a_command_that_closes_its_output_and_lives_is_running_until_it_ends(project: Project) -> None:
    beside = RecordedBeside()
    command = "echo heard; exec >&- 2>&-; until [ -e go ]; do sleep 0.02; done; exit 3"
    await watch(project, beside, command=command, pattern="heard")
    await beside.until(lambda: bool(beside.told))
    assert beside.ends == {}
    project.write({"go": ""})
    await beside.until(lambda: bool(beside.ends))
    assert "exit code 3" in beside.ends["k1"]
