"""A workspace that may be written and of which nothing stays: what plan mode lets tests run on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from protea.testing.contracts.sandbox import drain
from tests import ordinary
from tests.adapters.sandbox import walled

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


@pytest.fixture
def world(tmp_path: Path) -> walled.World:
    made = walled.make(tmp_path)
    sandbox = made.sandbox()
    if not sandbox.discards:
        pytest.skip("no overlay can be put up here without rights")
    return made


async def run(world: walled.World, script: str) -> tuple[str, int | None]:
    sandbox = world.sandbox()
    try:
        process = await sandbox.start(replace(world.launch(script), discard=True, network=False))
        output, _ = await drain(process)
        return output.decode(), (await process.wait()).code
    finally:
        await sandbox.aclose()


def everything(world: walled.World) -> dict[str, bytes]:
    paths = Path(world.project).rglob("*")
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in paths if not path.is_symlink()}


async def test_a_command_writes_as_it_likes_and_nothing_of_it_stays(world: walled.World) -> None:
    world.path("source").write_text("one")
    before = everything(world)
    script = "echo two > source; mkdir -p .vscode build/deep; rm -rf .git; echo x > build/deep/x; cat source; ls build"
    assert await run(world, script) == ("two\ndeep\n", 0)
    assert everything(world) == before
    assert world.stand_ins() == []


async def test_the_next_command_finds_nothing_of_the_last_one(world: walled.World) -> None:
    await run(world, "touch left")
    assert await run(world, "ls left") == ("ls: cannot access 'left': No such file or directory\n", 2)


async def test_the_walls_stand_all_the_same(world: walled.World) -> None:
    script = (
        f"cd {world.home}; cat notes.txt .ssh/id_ed25519; touch ../outside; ls {world.protea_home};"
        f" cat {world.project}/.env; mount -t tmpfs x /tmp; grep CapEff /proc/self/status; exec 3<>/dev/tcp/1.1.1.1/53"
    )
    output, code = await run(world, script)
    assert code != 0
    assert "SECRET" not in output
    assert "CapEff:\t0000000000000000" in output
    assert not world.path("../../outside").exists()


async def test_where_it_cannot_be_had_nothing_runs(world: walled.World, tmp_path: Path) -> None:
    strange = tmp_path / "a:b,c"
    strange.mkdir()
    made = walled.make(strange)
    sandbox = made.sandbox()
    assert not sandbox.discards
    with pytest.raises(OSError, match="nothing was run: what it writes cannot be thrown away here"):
        await sandbox.start(replace(made.launch("touch left"), discard=True))
    await sandbox.aclose()
    assert not made.path("left").exists()


ORDINARY = """
import asyncio, os
from pathlib import Path
from msgspec.structs import replace
from protea.testing.contracts.sandbox import drain
from tests.adapters.sandbox import walled
home = sys.argv[1]
world = walled.World(home, f"{home}/project", f"{home}/.protea")
def state():
    found = {}
    for p in Path(world.project).rglob("*"):
        found[str(p)] = (p.lstat().st_mode, p.read_bytes() if os.access(p, os.R_OK) and p.is_file() else b"")
    return found
async def main():
    sandbox = world.sandbox()
    print(json.dumps(["discards", sandbox.discards]))
    before = state()
    for script in json.loads(sys.argv[2]):
        process = await sandbox.start(replace(world.launch(script), discard=True, network=False))
        output, _ = await drain(process)
        print(json.dumps([output.decode(), (await process.wait()).code]))
    await sandbox.aclose()  # what stood in for a file in a wall goes behind the end of its command
    print(json.dumps(["same", state() == before]))
asyncio.run(main())
"""
"""What an ordinary user does."""


def shared_with_a_group(tmp_path: Path, group: int) -> Path:
    """A project whose files belong to a group the user is in, as `chmod g+s` makes them, and some to somebody else."""
    home = tmp_path / "home"
    for name in ("project/src/deep", "project/.git", ".protea"):
        (home / name).mkdir(parents=True)
    for name in ("a", "src/b", "src/deep/c", "theirs", "closed"):
        (home / "project" / name).write_text(f"{name}\n")
    ordinary.give(tmp_path)
    for path in ((home / "project"), *(home / "project").rglob("*")):
        os.chown(path, -1, group)
        path.chmod(0o2775 if path.is_dir() else 0o664)
    os.chown(home / "project/src", 0, group)
    os.chown(home / "project/theirs", 0, group)
    os.chown(home / "project/closed", 0, 0)
    (home / "project/closed").chmod(0o600)
    return home


def test_an_ordinary_user_changes_files_of_their_other_groups_and_nothing_of_it_stays(tmp_path: Path) -> None:
    if why := ordinary.why_not():
        pytest.skip(why)
    group = 60606
    home = shared_with_a_group(tmp_path, group)
    scripts = [
        "echo two > a && echo two >> src/b && rm src/deep/c && mkdir src/new && touch src/new/d new && cat a src/b",
        "mv a src/deep/a && echo x > theirs && cat src/deep/a theirs && rm -r src && ls",
        "cat closed; echo x > closed",
        "cat a src/b; ls -A",
    ]
    done = ordinary.python(ORDINARY, str(home), json.dumps(scripts), folder=tmp_path, groups=[group])
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    if told[0] == ["discards", False]:
        pytest.skip("no overlay can be put up here without rights")
    assert told[1] == ["two\nsrc/b\ntwo\n", 0]
    assert told[2] == ["a\nx\nclosed\ntheirs\n", 0]
    assert told[3][1] != 0
    assert "Permission denied" in told[3][0]
    assert told[4][0].startswith("a\nsrc/b\n")
    assert told[5] == ["same", True]


@pytest.mark.parametrize("discard", [False, True])
def test_an_ordinary_user_has_the_same_walls(tmp_path: Path, discard: bool) -> None:
    if why := ordinary.why_not():
        pytest.skip(why)
    home = shared_with_a_group(tmp_path, ordinary.GROUP)
    (home / ".ssh").mkdir()
    (home / ".ssh/id").write_text("SECRET")
    ordinary.give(home / ".ssh")
    script = (
        "cat ~/.ssh/id; cat closed; echo x > theirs; echo x > a && echo wrote; touch /usr/made ~/../made;"
        " echo x > .git/config; ls /proc | grep -c '^[0-9]'; grep CapEff /proc/self/status; exec 3<>/dev/tcp/1.1.1.1/53"
    )
    ours = ORDINARY.replace("discard=True", f"discard={discard}")
    done = ordinary.python(ours, str(home), json.dumps([script]), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    if discard and told[0] == ["discards", False]:
        pytest.skip("no overlay can be put up here without rights")
    output, code = told[1]
    assert code != 0
    assert "SECRET" not in output
    assert "wrote" in output
    assert "CapEff:\t0000000000000000" in output
    assert not (tmp_path / "made").exists()
    assert (home / "project/a").read_text() == ("a\n" if discard else "x\n")
