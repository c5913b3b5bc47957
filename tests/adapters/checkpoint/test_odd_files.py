"""Undo of what is no plain file with one plain name: modes, attributes, pipes, twins, strange names, closed folders."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from tests import ordinary
from tests.adapters.checkpoint.trees import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


async def there_and_back(tree: Tree, script: str) -> None:
    before = tree.state()
    changes = await tree.turn(script)
    after = tree.state()
    assert changes is not None
    assert not changes.uncovered
    assert after != before
    for direction, wanted in (("undo", before), ("redo", after), ("undo", before)):
        restored = await tree.checkpoint.restore([changes.checkpoint], direction)  # type: ignore[arg-type]
        assert not restored.skipped
        assert tree.state() == wanted


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1644, 0o6711, 0o000, 0o7777])
async def test_modes_with_all_their_bits_come_back(tree: Tree, mode: int) -> None:
    tree.write("tool", "#!/bin/sh\n", mode)
    tree.write("other", "x", mode)
    tree.write("third", "x", mode)
    await there_and_back(tree, "printf changed > tool; rm -f other; chmod 600 third")


@pytest.mark.parametrize("mode", [0o1777, 0o2775, 0o3770])
async def test_sticky_folders_and_those_that_hand_down_their_group_come_back(tree: Tree, mode: int) -> None:
    tree.write("shared/a", "a")
    tree.write("gone/a", "a")
    tree.path("shared").chmod(mode)
    tree.path("gone").chmod(mode)
    await there_and_back(tree, "chmod 755 shared; rm -r gone")


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def without_attributes(path: Path) -> bool:
    try:
        os.setxattr(path, "user.origin", b"test")
    except OSError:
        return True
    return False


async def test_attributes_of_a_file_that_is_made_again_are_made_again(tree: Tree) -> None:
    for name in ("gone", "rewritten"):
        if without_attributes(tree.write(name, name)):
            pytest.skip("this file system keeps no attributes")
        os.setxattr(tree.path(name), "user.more", b"\0\xff")
    before = {name: attributes(tree.path(name)) for name in ("gone", "rewritten")}
    changes = await tree.turn("rm gone; printf x > new; mv new rewritten")
    assert changes is not None
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert {name: attributes(tree.path(name)) for name in before} == before
    assert not any(b"user.protea" in os.fsencode(name) for path in before for name in os.listxattr(tree.path(path)))


async def test_what_only_the_file_now_has_is_not_taken_from_it(tree: Tree) -> None:
    path = tree.write("a", "one")
    changes = await tree.turn("printf two > a")
    if without_attributes(path):
        pytest.skip("this file system keeps no attributes")
    assert changes is not None
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert path.read_text() == "one"
    assert attributes(path) == {"user.origin": b"test"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
async def test_a_file_that_is_made_again_belongs_to_whom_it_belonged(tree: Tree) -> None:
    path = tree.write("theirs", "x", 0o4755)
    os.chown(path, 1234, 5678)
    path.chmod(0o4755)
    changes = await tree.turn("rm theirs")
    assert changes is not None
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 5678, 0o4755)


async def test_pipes_come_back_and_new_ones_go(tree: Tree) -> None:
    os.mkfifo(tree.path("pipe"), 0o640)
    await there_and_back_without_times(tree, "rm pipe; mkfifo new")


async def there_and_back_without_times(tree: Tree, script: str) -> None:
    before = tree.state()
    changes = await tree.turn(script)
    assert changes is not None
    assert not changes.uncovered
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert {path: each[:2] for path, each in tree.state().items()} == {p: each[:2] for p, each in before.items()}


async def test_a_socket_that_a_turn_removed_is_named_and_one_it_made_goes(tree: Tree, tmp_path: Path) -> None:
    door = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(tree.root)
    try:
        door.bind("door")
    finally:
        os.chdir(here)
    changes = await tree.turn(
        "rm door; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"made\")'; printf x > a"
    )
    door.close()
    assert changes is not None
    assert [(os.path.basename(each.path), each.why) for each in changes.uncovered] == [
        ("door", "it was a socket or a device")
    ]
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert [os.path.basename(each.path) for each in restored.skipped] == ["door"]
    assert sorted(os.listdir(tree.root)) == []


async def test_a_name_that_was_taken_from_a_file_of_several_leads_to_the_same_file_again(tree: Tree) -> None:
    for name in ("one", "gone/a"):
        tree.write(name, "the same")
    os.link(tree.path("one"), tree.path("two"))
    os.link(tree.path("gone/a"), tree.path("gone/b"))
    await there_and_back(tree, "rm one; rm -r gone")
    assert tree.path("one").stat().st_ino == tree.path("two").stat().st_ino
    assert tree.path("gone/a").stat().st_ino == tree.path("gone/b").stat().st_ino


async def test_a_name_that_is_gone_is_not_given_to_a_file_which_says_something_else_by_now(tree: Tree) -> None:
    tree.write("one", "the same")
    os.link(tree.path("one"), tree.path("two"))
    changes = await tree.turn("rm one")
    assert changes is not None
    tree.path("two").write_text("written since")
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert tree.path("one").read_text() == "the same"
    assert tree.path("two").read_text() == "written since"


ODD = ("new\nline", "tab\tand \x1b[31mred", "-rf", 'quo"te', "back\\slash", "Straße", "STRASSE", "a", "A", "trailing ")


async def test_strange_names_come_back_and_are_told_in_a_line_each(tree: Tree) -> None:
    for name in ODD:
        tree.write(f"there/{name}", name)
    before = tree.state()
    changes = await tree.turn('cp -r there made; for f in there/*; do printf changed > "$f"; done')
    assert changes is not None
    assert all(each.path.isprintable() for each in changes.files)
    assert len(changes.files) == 2 * len(ODD) + 1
    diff = "".join(each.diff for each in await tree.checkpoint.compare([changes.checkpoint]))
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert not restored.skipped
    assert tree.state() == before
    tree.write("../the.diff", diff)
    tree.run("git apply ../the.diff")
    assert {path.read_text() for path in tree.path("there").iterdir()} == {"changed"}
    assert len(list(tree.path("made").iterdir())) == len(ODD)


# As an ordinary user: root reads everything.


async def test_what_lies_in_a_folder_that_could_not_be_read_is_nobodys_doing(tree: Tree, tmp_path: Path) -> None:
    if why := ordinary.why_not():
        pytest.skip(why)
    tree.write("closed/mine", "precious")
    tree.write("open/theirs", "seen")
    tree.write("secret", "x", 0o600)
    script = """
import asyncio
from pathlib import Path
from tests.adapters.checkpoint.trees import Tree
async def main():
    tree = Tree(Path(sys.argv[1]))
    tree.path("closed").chmod(0)
    changes = await tree.turn(
        "chmod 755 closed; printf new > closed/new; chmod 0 open; printf x > other; chmod 0 secret"
    )
    print(json.dumps([tree.files(changes), [each.why for each in changes.uncovered]]))
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    print(oct(tree.path("closed").stat().st_mode), oct(tree.path("open").stat().st_mode), restored.skipped)
    print(oct(tree.path("secret").stat().st_mode))
    tree.path("closed").chmod(0o755)
    print(json.dumps(sorted(str(p.relative_to(tree.root)) for p in Path(tree.root).rglob("*"))))
    await tree.checkpoint.aclose()
asyncio.run(main())
"""
    ordinary.give(tmp_path)
    done = ordinary.python(script, str(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told, modes, secret, left = done.stdout.splitlines()
    assert modes == "0o40000 0o40755 ()"
    assert secret == "0o100600"
    assert "closed/mine" not in told
    assert "open/theirs" not in told
    assert "it could not be looked into before" in told
    assert '"closed/mine"' in left
    assert '"open/theirs"' in left
    assert '"other"' not in left


BIG = 3_000_000


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="the kernel there keeps nobody waiting")
async def test_what_is_not_copied_yet_when_the_first_command_runs_is_copied_before_it_is_changed(
    tmp_path: Path,
) -> None:
    tree = Tree(tmp_path, wait=0.0)
    for name in ("overwritten", "cut", "removed", "replaced", "appended", "left"):
        tree.write(f"data/{name}", name.encode() * (BIG // len(name)))
    before = tree.state()
    # Words say nothing of what it does.
    tree.write("do.sh", "")
    changes = await tree.turn(
        'cd "$(echo atad | rev)"; for verb in over; do printf x | dd of=${verb}written conv=notrunc status=none; done;'
        "r=re; : > c''ut; rm ${r}moved; printf y > n; mv n ${r}placed; printf z >> app''ended"
    )
    assert changes is not None
    assert changes.uncovered == ()
    assert len(changes.files) == 5
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert not restored.skipped
    tree.path("do.sh").unlink()
    assert tree.state() == before
    await tree.checkpoint.aclose()


async def test_what_was_copied_at_the_last_moment_outlives_a_kill(tmp_path: Path) -> None:
    tree = Tree(tmp_path, wait=0.0)
    tree.write("data/big", b"precious" * (BIG // 8))
    before = tree.state()
    tree.checkpoint.begin("s", "t1")
    await tree.checkpoint.before_command(["x"], tree.root)
    tree.run("printf gone > data/big")
    # Nothing more is done by this process: what follows is what the next one finds.
    kill(tree)
    later = Tree(tmp_path)
    changes = await later.checkpoint.recover("s", "t1")
    assert changes is not None
    assert not changes.uncovered
    await later.checkpoint.restore([changes.checkpoint], "undo")
    assert later.state() == before


def kill(tree: Tree) -> None:
    """Let go of all locks and helpers as a killed process does, without writing anything."""
    keeper = tree.checkpoint._keeper  # type: ignore[attr-defined]
    tree.checkpoint._closing = True  # type: ignore[attr-defined]
    if keeper._leases is not None:
        keeper._leases.close()
    for each in keeper._trees or ():
        os.close(each._lock)
        each._lock = None
    os.close(keeper._lock)
    keeper._lock = None
