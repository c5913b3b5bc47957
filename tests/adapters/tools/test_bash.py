"""Commands, in front and in the background: real shells, real processes."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from pathlib import Path

import pytest

from protea.adapters.tools import builtin
from protea.adapters.workspace import disk
from protea.domain.tools import ToolResult
from protea.ports.toolset import Toolset
from protea.testing.contracts.sandbox import alive, gone
from protea.testing.sandbox import RecordingSandbox, Script
from protea.testing.search import ListSearch
from protea.testing.web import ScriptedWeb
from tests.adapters.tools.conftest import Project


def whole(path: str) -> bytes:
    return Path(path).read_bytes()


async def test_output_comes_in_order_and_the_exit_code_is_said(project: Project) -> None:
    result = await project.call("Bash", command="echo one; echo two >&2; echo three; exit 3")
    assert result == ToolResult("one\ntwo\nthree\n[exit code 3]", is_error=True)
    assert project.last.text == "one\ntwo\nthree\n"


async def test_silence_is_said(project: Project) -> None:
    assert await project.call("Bash", command="true") == ToolResult("[no output]")


@pytest.mark.parametrize("project", [builtin.Options(bash_streams="apart")], indirect=True)
async def test_streams_can_be_told_apart(project: Project) -> None:
    await project.call("Bash", command="echo out; echo err >&2")
    assert sorted(project.last.said) == [("stderr", "err\n"), ("stdout", "out\n")]


async def test_the_directory_lasts_between_calls(project: Project) -> None:
    project.write({"a/b/x": ""})
    result = await project.call("Bash", command="cd a && cd b; false")
    assert f"[the working directory is now {project.root}/a/b]" in result.text
    assert project.tools.cwd == f"{project.root}/a/b"
    assert (await project.call("Bash", command="pwd")).text == f"{project.root}/a/b"
    assert (await project.call("Read", path="x")).text == "x is empty."
    await project.call("Bash", command="pushd .. >/dev/null")
    assert project.tools.cwd == f"{project.root}/a"


@pytest.mark.parametrize("command", ["cd /", "cd ..; exit 4", "cd $HOME", "eval 'cd /tmp'"])
async def test_a_directory_outside_is_not_kept(project: Project, command: str) -> None:
    result = await project.call("Bash", command=command)
    assert "is outside the workspace" in result.text
    assert project.tools.cwd == str(project.root)


async def test_asking_for_the_directory_changes_nothing_else(project: Project) -> None:
    script = "cd . ; env | grep -c -e BASH_ENV -e PROTEA_SCRIPT; echo \"$#\"; bash -c 'trap -p'; exit 5"
    result = await project.call("Bash", command=script)
    assert result.text == "0\n0\n[exit code 5]"
    assert os.listdir(project.outputs) == []


async def test_a_quote_in_the_path_of_outputs_is_no_code(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s $(touch hacked) "here"'
    folder.mkdir()
    project = Project(folder, builtin.Options())
    try:
        project.write({"sub/x": ""})
        await project.call("Bash", command="cd sub")
        assert project.tools.cwd == str(project.root / "sub")
        assert "hacked" not in [name for _, _, names in os.walk(tmp_path) for name in names]
    finally:
        await project.close()


@pytest.mark.parametrize("more", [{}, {"background": True}])
async def test_a_directory_that_vanished_is_left_before_anything_runs_elsewhere(
    project: Project, more: dict[str, object]
) -> None:
    project.write({"sub/x": "", "private": "what was decided about was sub/private"})
    await project.call("Bash", command="cd sub")
    await project.call("Bash", command="rm -r ../sub")
    result = await project.call("Bash", command="cat private", **more)
    assert result.is_error
    assert result.text.startswith(f"Nothing was run: {project.root}/sub is gone.")
    assert (await project.call("Bash", command="pwd")).text == str(project.root)


async def test_secrets_are_not_in_the_environment(project: Project) -> None:
    result = await project.call("Bash", command="env")
    assert "hush-hush" not in result.text
    assert "PAGER=cat" in result.text
    assert "GIT_TERMINAL_PROMPT=0" in result.text


async def test_startup_files_are_not_read(project: Project, tmp_path: Path) -> None:
    for name in (".bashrc", ".bash_profile", ".profile"):
        (tmp_path / name).write_text("echo SOURCED")
    result = await project.call("Bash", command=f"HOME={tmp_path} bash -c 'echo inner'; echo outer")
    assert result.text == "inner\nouter"


async def test_what_takes_too_long_is_ended_with_all_it_started(project: Project) -> None:
    begin = time.monotonic()
    result = await project.call(
        "Bash", command="trap '' TERM; (setsid sleep 300 & echo $!); echo $$; sleep 301", timeout=0.3
    )
    assert time.monotonic() - begin < 60, "of 300 seconds"
    assert result.is_error
    first, second, said = result.text.split("\n", 2)
    assert "longer than 0.3 s" in said
    assert not alive(int(first))
    assert not alive(int(second))


async def test_a_command_that_closed_its_output_still_has_its_time(project: Project) -> None:
    begin = time.monotonic()
    result = await project.call("Bash", command="exec >/dev/null 2>&1; sleep 300", timeout=0.2)
    assert "longer than" in result.text
    assert time.monotonic() - begin < 60, "of 300 seconds"


async def test_milliseconds_are_understood_and_the_ceiling_is_said(project: Project) -> None:
    assert (await project.call("Bash", command="true", timeout=120_000)).text == "[no output]"
    assert "was 600 s" in (await project.call("Bash", command="true", timeout=5000)).text


async def test_children_left_behind_are_ended_and_named(project: Project) -> None:
    begin = time.monotonic()
    result = await project.call("Bash", command="sleep 300 & echo $!")
    assert time.monotonic() - begin < 60, "of 300 seconds"
    pid, said = result.text.split("\n")
    assert said.startswith("[left running and ended with the command: sleep 300.")
    assert not result.is_error
    assert not alive(int(pid))


async def test_an_interrupt_ends_everything_before_it_passes(project: Project) -> None:
    tool = project.tools.tool("Bash")
    assert tool is not None
    script = "trap '' TERM; setsid sleep 300 & echo $!; echo $$; sleep 301"
    task = asyncio.create_task(tool.run({"command": script}, project.last))
    async with asyncio.timeout(10):
        while project.last.text.count("\n") < 2:  # noqa: ASYNC110 - the call has no event for us
            await asyncio.sleep(0.005)
    pids = list(map(int, project.last.text.split()))
    assert all(map(alive, pids))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(map(alive, pids))


async def test_a_second_interrupt_does_not_cut_the_first_short(project: Project) -> None:
    tool = project.tools.tool("Bash")
    assert tool is not None
    task = asyncio.create_task(tool.run({"command": "trap '' TERM; echo $$; sleep 301"}, project.last))
    async with asyncio.timeout(10):
        while "\n" not in project.last.text:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(int(project.last.text))


async def test_long_output_is_cut_in_the_middle_and_whole_in_a_file(project: Project) -> None:
    result = await project.call("Bash", command="seq 1 200000")
    assert len(result.text) < 31_000
    assert result.text.startswith("1\n2\n3\n")
    assert result.text.endswith("\n199999\n200000")
    assert result.file is not None
    assert whole(result.file) == "".join(f"{n}\n" for n in range(1, 200_001)).encode()
    assert os.stat(result.file).st_mode & 0o777 == 0o600
    said = result.text[result.text.index("[…") : result.text.index("…]")]
    assert result.file in said
    assert "lines" in said
    assert "bytes left out" in said


async def test_hundreds_of_megabytes_pass_in_bounded_memory(project: Project) -> None:
    import resource

    await project.call("Bash", command="seq 1 100000")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = 1 << 28
    result = await project.call("Bash", command=f"head -c {size} /dev/zero | tr '\\0' x")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert result.file is not None
    assert os.path.getsize(result.file) == size  # noqa: ASYNC240
    os.unlink(result.file)
    assert len(result.text) < 31_000
    assert len(project.last.text) < 50_000_000


@pytest.mark.parametrize("project", [builtin.Options(bash_file_limit=1_000_000)], indirect=True)
async def test_output_without_end_is_ended(project: Project) -> None:
    async with asyncio.timeout(20):
        result = await project.call("Bash", command="yes")
    assert "wrote more than 1,000,000 bytes" in result.text
    assert result.is_error


async def test_bytes_that_are_no_text_are_shown_escaped_and_kept(project: Project) -> None:
    result = await project.call("Bash", command=r"printf 'a\377\000b\n'; printf '\033[31mred\033[0m\r\n10%%\r20%%\n'")
    assert result.text == "a\\xff\\x00b\nred\n20%"
    assert result.file is not None
    assert whole(result.file) == b"a\xff\0b\n\x1b[31mred\x1b[0m\r\n10%\r20%\n"


async def test_characters_split_between_writes_stay_whole(project: Project) -> None:
    result = await project.call("Bash", command=r"printf 'gr\303'; sleep 0.05; printf '\274n'")
    assert result.text == "grün"
    assert project.last.text == "grün"


async def test_escape_sequences_never_reach_watchers(project: Project) -> None:
    script = r"printf '\033]0;ti'; sleep 0.05; printf 'tle\007ok\033[3'; sleep 0.05; printf '1mx'"
    await project.call("Bash", command=script)
    assert project.last.text == "okx"


async def test_an_empty_command_and_a_nul_are_refused(project: Project) -> None:
    assert (await project.call("Bash", command="  ")).is_error
    result = await project.call("Bash", command="echo a\0b")
    assert result.is_error
    assert "NUL" in result.text


async def test_a_command_too_long_to_start_says_so(project: Project) -> None:
    result = await project.call("Bash", command="true " + "x" * 3_000_000)
    assert result.is_error
    assert "too long" in result.text


async def test_a_background_command_is_followed_and_ended(project: Project) -> None:
    started = await project.call("Bash", command="echo $$; echo ready; sleep 300", background=True)
    assert not started.is_error
    assert "b1 is running" in started.text
    pid = int(started.text.split("\n")[0])
    assert (await project.call("BashOutput", id="b1")).text == "[b1 is running, nothing new]"
    ended = await project.call("KillShell", id="b1")
    assert "b1 has ended" in ended.text
    assert not alive(pid)
    assert "b1 has ended" in (await project.call("BashOutput", id="b1")).text
    assert "had ended before" in (await project.call("KillShell", id="b1")).text
    assert started.file is not None
    assert whole(started.file) == f"{pid}\nready\n".encode()


async def test_a_background_command_that_fails_at_once_says_so_at_once(project: Project) -> None:
    result = await project.call("Bash", command="echo oops; exit 9", background=True)
    assert result.is_error
    assert result.text == "oops\n[b1 has ended: exit code 9]"


async def test_waiting_for_news_ends_with_news(project: Project) -> None:
    await project.call("Bash", command="sleep 0.4; echo news; sleep 300", background=True)
    begin = time.monotonic()
    result = await project.call("BashOutput", id="b1", wait=120)
    assert result.text == "news\n[b1 is running]"
    assert time.monotonic() - begin < 60, "of 120 seconds; usually half a second"


async def test_waiting_ends_with_the_command(project: Project) -> None:
    await project.call("Bash", command="sleep 0.3; echo done", background=True)
    result = await project.call("BashOutput", id="b1", wait=20)
    assert result.text == "done\n[b1 has ended: exit code 0]"


async def test_what_a_background_command_leaves_goes_on(project: Project) -> None:
    result = await project.call("Bash", command="sleep 300 & echo $!", background=True)
    assert "processes it started still run" in result.text
    pid = int(result.text.split("\n")[0])
    assert alive(pid)
    await project.tools.aclose()
    assert await gone(pid)


async def test_unread_background_output_is_bounded_and_whole_in_its_file(project: Project) -> None:
    started = await project.call("Bash", command="seq 1 300000; echo end", background=True)
    result = await project.call("BashOutput", id="b1", wait=20) if "running" in started.text else started
    assert len(started.text) + len(result.text) < 80_000
    assert "end" in result.text
    path = next(project.outputs.iterdir())
    assert path.read_text() == "".join(f"{n}\n" for n in range(1, 300_001)) + "end\n"


async def test_a_background_command_with_a_timeout_is_ended_by_it(project: Project) -> None:
    await project.call("Bash", command="sleep 300", background=True, timeout=0.3)
    result = await project.call("BashOutput", id="b1", wait=20)
    assert "longer than 0.3 s" in result.text
    assert result.is_error


async def test_in_the_background_too_a_shortened_timeout_is_told(project: Project) -> None:
    result = await project.call("Bash", command="sleep 300", background=True, timeout=5000)
    assert result.text.endswith(
        "[the timeout was 600 s: no more is allowed; leave it out for what runs in the background]"
    )
    assert "was 600 s" in (await project.call("Bash", command="true", background=True, timeout=5000)).text


async def test_unknown_ids_name_the_known_ones(project: Project) -> None:
    assert "There are: none" in (await project.call("BashOutput", id="b1")).text
    await project.call("Bash", command="sleep 300", background=True)
    result = await project.call("KillShell", id="nope")
    assert result.is_error
    assert "There are: b1" in result.text


class LetGo:
    """`Beside` of a call that a person lets go on as soon as `when` says so."""

    def __init__(self, when: asyncio.Event) -> None:
        self.when = when
        self.begun: list[tuple[str, str]] = []

    async def let_go(self) -> None:
        await self.when.wait()

    async def begin(self, kind: str, title: str, work: object, *, log: str = "", ended: str = "") -> str:
        self.begun.append((kind, title))
        return "k1"


async def test_a_command_that_is_let_go_on_loses_nothing_it_writes(project: Project) -> None:
    when = asyncio.Event()
    beside = LetGo(when)
    os.mkfifo(project.root / "begun")
    command = "echo one; : > begun; until [ -e go ]; do sleep 0.02; done; echo two; exit 3"
    running = asyncio.create_task(project.call("Bash", beside=beside, command=command))
    async with asyncio.timeout(30):
        await asyncio.to_thread(whole, str(project.root / "begun"))
        when.set()
        result = await running
    assert result.text.startswith("The person let this command go on in the background.\none\n[b1 is running]")
    assert "you are told when it has ended" in result.text
    assert beside.begun == [("shell", command)]
    project.write({"go": ""})
    news = await project.call("BashOutput", id="b1", wait=30)
    while "ended" not in news.text:
        news = await project.call("BashOutput", id="b1", wait=30)
    assert news.is_error
    assert result.file is not None
    assert whole(result.file) == b"one\ntwo\n"


@pytest.mark.parametrize("project", [builtin.Options(bash_timeout=0.5)], indirect=True)
async def test_one_that_is_let_go_on_has_all_the_time_it_wants(project: Project) -> None:
    when = asyncio.Event()
    when.set()
    await project.call("Bash", beside=LetGo(when), command="sleep 1; echo late")
    assert "late" in (await project.call("BashOutput", id="b1", wait=30)).text


async def test_one_that_nobody_lets_go_ends_as_ever(project: Project) -> None:
    result = await project.call("Bash", beside=LetGo(asyncio.Event()), command="seq 1 20000 | tail -1; exit 4")
    assert result.text == "20000\n[exit code 4]"


@pytest.mark.parametrize("project", [builtin.Options(background_limit=1)], indirect=True)
async def test_background_commands_are_limited(project: Project) -> None:
    await project.call("Bash", command="sleep 300", background=True)
    result = await project.call("Bash", command="sleep 300", background=True)
    assert result.is_error
    assert "b1" in result.text


def over(sandbox: RecordingSandbox, project: Project) -> Toolset:
    """The tools, over a sandbox that writes down what it is to run."""
    return builtin.create(
        builtin.Options(),
        workspace=disk.create(disk.Options(), surroundings=project.surroundings),
        sandbox=sandbox,
        surroundings=project.surroundings,
        web=ScriptedWeb(),
        search=ListSearch(),
    )


async def test_without_bash_sh_is_used(project: Project) -> None:
    sandbox = RecordingSandbox([Script()], programs=())
    await project.call("Bash", over(sandbox, project), command="echo hi")
    assert sandbox.launches[0].argv == ("/bin/sh", "-c", "echo hi")


async def test_what_is_shown_is_what_runs(project: Project) -> None:
    sandbox = RecordingSandbox([Script()])
    await project.call("Bash", over(sandbox, project), command="cd src && make")
    assert sandbox.launches[0].argv == ("/bin/bash", "--norc", "--noprofile", "-c", "cd src && make")
    assert sandbox.launches[0].cwd == str(project.root)
    assert str(project.root) in sandbox.launches[0].writable


@pytest.mark.parametrize("project", [builtin.Options(bash_file_limit=500_000)], indirect=True)
async def test_background_output_without_end_is_ended(project: Project) -> None:
    started = await project.call("Bash", command="yes", background=True)
    result = await project.call("BashOutput", id="b1", wait=20) if "running" in started.text else started
    assert "wrote more than 500,000 bytes" in result.text
    assert sum(path.stat().st_size for path in project.outputs.iterdir()) < 4_000_000


async def test_a_disk_that_takes_only_a_part_of_what_it_wrote_is_told(project: Project) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    command = "python3 -c 'import os; os.write(1, b\"x\" * 4000)'; exec sleep 300"  # all of it at once, and no more
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        result = await project.call("Bash", command=command, background=True)
        if "xxx" not in result.text:
            result = await project.call("BashOutput", id="b1", wait=20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "its output could not be kept" in result.text


async def test_what_is_waited_for_can_be_interrupted(project: Project) -> None:
    await project.call("Bash", command="echo $$; sleep 300", background=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await project.call("BashOutput", id="b1", wait=60)
    assert "b1 is running" in (await project.call("BashOutput", id="b1")).text


async def test_output_that_cannot_be_kept_does_not_end_the_command(project: Project) -> None:
    project.outputs.rmdir()
    tool = project.tools.tool("Bash")
    assert tool is not None
    context = project.last
    context.output_path = lambda suffix=".txt": f"{project.outputs}/x{suffix}"  # type: ignore[method-assign]
    result = await tool.run({"command": "seq 1 100000; exit 4"}, context)
    assert result.file is None or "could not be kept" in result.text
    assert "100000" in result.text
    assert "[exit code 4]" in result.text
    background = await tool.run({"command": "echo $$; sleep 300", "background": True}, context)
    assert background.is_error
    assert "was not started" in background.text
    project.outputs.mkdir()
