"""A workspace that may be written and of which nothing stays: what plan mode lets tests run on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from protea.testing.contracts.sandbox import drain
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
