"""What is left of a command behind walls: nothing, however it and Protea end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from protea.adapters.sandbox import bubblewrap
from protea.adapters.sandbox._obstacles import find_bwrap, trouble
from protea.domain.errors import ConfigError
from protea.ports.sandbox import Launch
from protea.testing.contracts.sandbox import PATH, gone
from tests.adapters.sandbox.walled import World, git, make, run

WHY_NOT = trouble(find_bwrap(PATH, ()))
needs_bwrap = pytest.mark.skipif(WHY_NOT is not None, reason=f"bubblewrap cannot be used here: {WHY_NOT}")

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.adapters.sandbox.walled import World

async def main():
    sandbox = World(*sys.argv[1:]).sandbox()
    script = "setsid sh -c 'trap \\"\\" TERM HUP; sleep 4747' & (sleep 4748 &) ; echo ready; sleep 4749"
    process = await sandbox.start(World(*sys.argv[1:]).launch(script))
    print((await process.read()).data.decode(), sandbox._supervisor._warden._pid, flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


async def a_protea_with_a_command(world: World) -> tuple[asyncio.subprocess.Process, int]:
    protea = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, world.home, world.project, world.protea_home),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert protea.stdout is not None
    async with asyncio.timeout(30):
        assert await protea.stdout.readline() == b"ready\n"
        return protea, int(await protea.stdout.readline())


def inside(world: World) -> list[int]:
    """Processes that stand in the project."""
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.readlink(f"/proc/{name}/cwd") == world.project:
                found.append(int(name))
    return found


async def nothing_is_left(world: World, pids: list[int]) -> None:
    assert [pid for pid in pids if not await gone(pid)] == []
    async with asyncio.timeout(5):
        while world.stand_ins():  # noqa: ASYNC110 - nothing tells that another process has tidied up
            await asyncio.sleep(0.01)


@needs_bwrap
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_is_left_when_protea_is_killed(world: World, number: int) -> None:
    protea, _ = await a_protea_with_a_command(world)
    assert ".mcp.json" in world.stand_ins()
    pids = inside(world)
    assert len(pids) >= 4
    protea.send_signal(number)
    await protea.wait()
    await nothing_is_left(world, pids)


@needs_bwrap
async def test_nothing_is_left_when_the_warden_is_killed_too(world: World) -> None:
    protea, warden = await a_protea_with_a_command(world)
    pids = inside(world)
    os.kill(warden, signal.SIGKILL)
    protea.kill()
    await protea.wait()
    await nothing_is_left(world, pids)


@needs_bwrap
async def test_what_nobody_could_remove_is_removed_by_the_next_start(world: World, tmp_path: Path) -> None:
    protea, _ = await a_protea_with_a_command(world)
    # Everything at once, as a machine that loses power does.
    victims = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _descends(int(pid), protea.pid)]
    assert len(victims) >= 4
    for pid in victims:
        os.kill(pid, signal.SIGSTOP)
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):  # it went with another
            os.kill(pid, signal.SIGKILL)
    await protea.wait()
    assert ".mcp.json" in world.stand_ins()
    assert git(world, "status", "--porcelain") == ""
    sandbox = world.sandbox()
    try:
        _, code = await run(sandbox, world.launch("test -d .mcp.json"))
        assert code == 0
    finally:
        await sandbox.aclose()
    assert world.stand_ins() == []


def _descends(pid: int, root: int) -> bool:
    while pid > 1:
        if pid == root:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            return False
    return False


@needs_bwrap
async def test_stand_ins_stay_until_the_last_command_ends(world: World) -> None:
    sandbox = world.sandbox()
    try:
        first = await sandbox.start(world.launch("echo; sleep 300"))
        assert await first.read()
        await run(sandbox, world.launch("true"))
        assert ".mcp.json" in world.stand_ins()
        out, _ = await run(sandbox, world.launch("rmdir .mcp.json; echo x > .mcp.json; cat .mcp.json"))
        assert "Is a directory" in out
        await first.end(0)
        first.close()
        await nothing_is_left(world, [])
    finally:
        await sandbox.aclose()


@needs_bwrap
async def test_what_a_person_puts_in_a_stand_ins_place_stays(world: World) -> None:
    sandbox = world.sandbox()
    try:
        process = await sandbox.start(world.launch("echo; sleep 300"))
        assert await process.read()
        world.path(".vscode/settings.json").write_text("{}")
        await process.end(0)
        process.close()
        assert world.path(".vscode/settings.json").read_text() == "{}"
    finally:
        await sandbox.aclose()


@needs_bwrap
async def test_what_writes_after_the_shell_has_ended_is_heard_out(world: World) -> None:
    sandbox = world.sandbox()
    try:
        out, code = await run(sandbox, world.launch("echo one | tee >(sleep 0.03; cat)"))
        assert (out, code) == ("one\none\n", 0)
    finally:
        await sandbox.aclose()


@needs_bwrap
async def test_a_read_only_workspace_is_read_only(world: World) -> None:
    sandbox = world.sandbox()
    try:
        launch = Launch(
            argv=("/bin/sh", "-c", "cat f && echo x > g"), cwd=world.project, env={"PATH": PATH}, merge=True
        )
        out, code = await run(sandbox, launch)
        assert out.startswith("one\n")
        assert code != 0
        assert not world.path("g").exists()
    finally:
        await sandbox.aclose()


@needs_bwrap
async def test_a_program_in_a_folder_that_is_to_be_readable_is_found_where_it_is_run(world: World) -> None:
    tool = _program(world.home, "bin/tool")
    sandbox = world.sandbox(readable=(f"{world.home}/bin",))
    try:
        assert sandbox.which("tool", f"{world.home}/bin") == str(tool)
        _, code = await run(sandbox, Launch(argv=(str(tool),), cwd=world.project, env={"PATH": PATH}))
        assert code == 0
    finally:
        await sandbox.aclose()


@needs_bwrap
async def test_what_the_sandbox_hides_cannot_be_started_or_stood_in(world: World) -> None:
    tool = _program(world.home, "tool")
    sandbox = world.sandbox()
    try:
        world.path("python").symlink_to(tool)  # as an environment has it
        assert sandbox.which("tool", world.home) is None
        assert sandbox.which("python", world.project) is None
        assert sandbox.which("sh", PATH) is not None
        for launch in (
            Launch(argv=(str(tool),), cwd=world.project, env={}),
            Launch(argv=("/bin/true",), cwd=world.home + "/.ssh", env={}),
        ):
            with pytest.raises(OSError, match=r"No such file|hides"):
                await sandbox.start(launch)
    finally:
        await sandbox.aclose()


def _program(folder: str, name: str) -> Path:
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


# ── where no walls can be built ─────────────────────────────────────────────────────────────────────────────────────


def test_without_bubblewrap_it_is_refused_with_the_mend(world: World, tmp_path: Path) -> None:
    assert "install" in str(trouble(None))
    assert "--sandbox none" in str(trouble(None))


def test_a_bwrap_of_the_project_is_not_used(world: World) -> None:
    own = _program(world.project, "bwrap")
    assert find_bwrap(f"{world.project}:{PATH}", (world.project,)) != str(own)


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ("bwrap: No permissions to create new namespace", "user namespaces"),
        ("bwrap: Unknown option --size", "too old"),
    ],
)
async def test_where_walls_cannot_be_put_up_nothing_runs(world: World, tmp_path: Path, said: str, mend: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    broken = folder / "bwrap"
    broken.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    broken.chmod(0o755)
    around = world.surroundings()
    sandbox = bubblewrap.BubblewrapSandbox(bubblewrap.Options(), around, (world.project,), str(broken))
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="nothing was run") as caught:
                await sandbox.start(world.launch("touch ran"))
            assert mend in str(caught.value) or "container" in str(caught.value)
        assert not world.path("ran").exists()
    finally:
        await sandbox.aclose()


def test_the_whole_system_is_no_workspace(world: World) -> None:
    around = replace(world.surroundings(), root="/", cwd="/")
    with pytest.raises(ConfigError, match="start Protea in a folder"):
        bubblewrap.create(bubblewrap.Options(), surroundings=around)


@needs_bwrap
def test_a_forbidding_system_is_told_from_one_that_allows(world: World) -> None:
    """In a user namespace that allows no more of them, real bwrap refuses, and the reason is found."""
    knob = "/proc/sys/user/max_user_namespaces"
    program = (
        f"from protea.adapters.sandbox._obstacles import trouble, find_bwrap\nprint(trouble(find_bwrap({PATH!r}, ())))"
    )
    done = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", f'echo 0 > {knob}; exec "{sys.executable}" -c "$0"', program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"unshare cannot be used here: {done.stderr}")
    assert "max_user_namespaces" in done.stdout
