"""What turns do to files, taken back and done again: whatever did it, to the last byte, and nobody else's work."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protea.adapters.checkpoint import _keeper
from protea.domain.changes import Restored
from protea.domain.errors import StoreError
from tests.adapters.checkpoint.trees import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


BUILD = """
mkdir -p build/objects build/empty && cp src/a.c build/objects/a.o
printf 'changed in place' > src/a.c
printf '\\0\\1\\2' > build/binary; chmod 755 build/binary
rm src/b.c; mv src/c.c src/renamed.c
ln -s ../src/a.c build/link; ln -sf nowhere old-link
rm -r folder; echo 'a file now' > folder
rm file; mkdir file; echo inside > file/inside
chmod 600 secret; touch "$(printf 'caf\\351')"; rm "$(printf 'm\\374ll')"
ln src/renamed.c build/hard
echo log > ignored.log; echo more >> tracked
"""


def fill(tree: Tree) -> None:
    for name in ("src/a.c", "src/b.c", "src/c.c", "folder/deep/er", "file", "secret", "tracked", "empty-file"):
        tree.write(name, f"{name}\n" * 3 if name != "empty-file" else b"")
    tree.path("empty").mkdir(mode=0o750)
    tree.path("old-link").symlink_to("src/a.c")
    Path(os.fsdecode(os.fsencode(tree.root) + b"/m\xfcll")).write_bytes(b"\xff\x00")


async def test_a_turn_that_ran_a_build_script_is_undone_and_redone_to_the_last_byte(tree: Tree) -> None:
    fill(tree)
    tree.run("git init -q . && git add -A && git -c user.name=a -c user.email=b commit -qm first")
    before = tree.state()
    changes = await tree.turn(BUILD + "git add -A; git -c user.name=a -c user.email=b commit -qm second; git tag v1")
    after = tree.state()
    assert changes is not None
    assert not changes.uncovered
    assert await tree.checkpoint.restore([changes.checkpoint], "undo", dry_run=True)
    assert tree.state() == after, "only told"
    undone = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert not undone.skipped
    assert without_times(tree.state()) == without_times(before)  # git sets the time of objects it would write again
    redone = await tree.checkpoint.restore([changes.checkpoint], "redo")
    assert not redone.skipped
    assert without_times(tree.state()) == without_times(after)
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert without_times(tree.state()) == without_times(before)  # git sets the time of objects it would write again


async def test_what_happened_is_told_file_by_file(tree: Tree) -> None:
    fill(tree)
    files = tree.files(await tree.turn(BUILD))
    assert files["src/a.c"] == "changed"
    assert files["src/b.c"] == "deleted"
    assert (files["src/c.c"], files["src/renamed.c"]) == ("deleted", "created")
    assert (files["folder"], files["file"], files["file/inside"]) == ("changed", "changed", "created")
    assert files["build/empty"] == "created"
    assert (files["caf\\xe9"], files["m\\xfcll"]) == ("created", "deleted")
    assert "empty" not in files


async def test_what_only_reads_or_touches_is_no_change(tree: Tree) -> None:
    tree.write("a", "same")
    assert await tree.turn("cat a; touch a; cp a b; rm b; printf same > a") is None


async def test_a_tool_s_own_files_are_taken_down_wherever_they_lie(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere/notes"
    checkpoint = tree.checkpoint
    checkpoint.begin("s", "t")
    for path in (str(outside), f"{tree.root}/new/deep/file", f"{tree.root}/new/deep/file"):
        await checkpoint.before_write(path)
        tree.write(path, "written")
        await checkpoint.after_write(path)
    changes = await checkpoint.finish()
    assert changes is not None
    assert tree.files(changes)["new/deep"] == "created"
    await checkpoint.restore(["s/t"], "undo")
    assert not outside.parent.exists()
    assert tree.state() == {}


async def test_tools_and_commands_of_one_turn_are_one(tree: Tree) -> None:
    tree.write("a", "first")
    before = tree.state()
    checkpoint = tree.checkpoint
    checkpoint.begin("s", "t")
    await checkpoint.before_write(f"{tree.root}/a")
    tree.write("a", "by a tool")
    await checkpoint.after_write(f"{tree.root}/a")
    await checkpoint.before_command(["x"], tree.root)
    tree.run("echo by a command >> a; echo new > b")
    await checkpoint.after_command()
    await checkpoint.before_write(f"{tree.root}/b")
    tree.write("b", "by a tool again")
    await checkpoint.after_write(f"{tree.root}/b")
    changes = await checkpoint.finish()
    assert tree.files(changes) == {"a": "changed", "b": "created"}
    await checkpoint.restore(["s/t"], "undo")
    assert tree.state() == before


async def test_what_a_program_writes_once_more_as_a_tool_wrote_it_is_what_the_turn_left(tree: Tree) -> None:
    tree.write("a", "first")
    before = tree.state()
    checkpoint = tree.checkpoint
    checkpoint.begin("s", "t")
    await checkpoint.before_write(f"{tree.root}/a")
    tree.write("a", "by a tool")
    await checkpoint.after_write(f"{tree.root}/a")
    await checkpoint.before_command(["format a"], tree.root)
    tree.run("cp a t && sleep 0.02 && cat t > a && rm t")
    await checkpoint.after_command()
    changes = await checkpoint.finish()
    assert tree.files(changes) == {"a": "changed"}
    restored = await checkpoint.restore(["s/t"], "undo")
    assert (restored.skipped, tree.state()) == ((), before)


async def test_what_runs_once_looking_has_taken_long_enough_is_seen_at_the_end(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tree.checkpoint
    checkpoint.begin("s", "t")
    for quick, script in ((60.0, "echo one > a"), (-1.0, "echo two > b"), (-1.0, "echo three > c")):
        monkeypatch.setattr(_keeper, "QUICK", quick)
        await checkpoint.before_command([script], tree.root)
        tree.run(script)
        await checkpoint.after_command()
    assert tree.files(await checkpoint.finish()) == dict.fromkeys("abc", "created")


# ── nobody else's work ─────────────────────────────────────────────────────────────────────────────────────────────


def why(restored: Restored) -> dict[str, str]:
    return {os.path.basename(each.path): each.why for each in restored.skipped}


async def test_a_file_that_changed_since_is_left_and_the_rest_is_undone(tree: Tree) -> None:
    for name in ("a", "b", "c"):
        tree.write(name, "before")
    changes = await tree.turn("for f in a b c; do echo turn > $f; done; mkdir d; echo x > d/x")
    assert changes is not None
    tree.write("a", "by the person")
    tree.path("b").unlink()
    tree.write("d/own", "by the person")
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert why(restored) == {
        "a": "it was changed since",
        "b": "it was changed since",
        "d": "it holds files that are not the turn's",
    }
    assert tree.path("a").read_text() == "by the person"
    assert not tree.path("b").exists()
    assert tree.path("c").read_text() == "before"
    assert [path.name for path in tree.path("d").iterdir()] == ["own"]


async def test_what_a_person_changed_before_the_turn_is_what_comes_back(tree: Tree) -> None:
    tree.write("a", "one")
    await tree.turn("true")
    tree.write("a", "two, by the person")
    changes = await tree.turn("echo three > a")
    assert changes is not None
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert tree.path("a").read_text() == "two, by the person"


async def test_what_a_person_changes_between_two_commands_is_theirs(tree: Tree) -> None:
    tree.write("a", "one")
    tree.write("b", "one")
    checkpoint = tree.checkpoint
    checkpoint.begin("s", "t")
    for script in ("echo turn > a", "echo turn > c"):
        await checkpoint.before_command([script], tree.root)
        tree.run(script)
        await checkpoint.after_command()
        tree.write("b", f"by the person while {script}")
    changes = await checkpoint.finish()
    assert tree.files(changes) == {"a": "changed", "c": "created"}


async def test_saving_the_same_again_is_no_conflict(tree: Tree) -> None:
    tree.write("a", "one")
    changes = await tree.turn("echo two > a")
    assert changes is not None
    tree.write("a", "two\n")
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert not restored.skipped
    assert tree.path("a").read_text() == "one"


async def test_several_turns_are_taken_back_as_one(tree: Tree) -> None:
    tree.write("a", "0")
    tree.write("b", "0")
    before = tree.state()
    made = [await tree.turn(f"echo {number} > a; echo {number} > new{number}") for number in (1, 2, 3)]
    names = [each.checkpoint for each in reversed(made) if each is not None]
    after = tree.state()
    await tree.checkpoint.restore(names, "undo")
    assert tree.state() == before
    await tree.checkpoint.restore(names[::-1], "redo")
    assert tree.state() == after


async def test_where_a_person_came_in_between_two_turns_it_stops_for_that_file(tree: Tree) -> None:
    tree.write("a", "0")
    first = await tree.turn("echo 1 > a; echo 1 > b")
    tree.write("a", "by the person")
    second = await tree.turn("echo 2 > a; echo 2 > b")
    assert first is not None
    assert second is not None
    restored = await tree.checkpoint.restore([second.checkpoint, first.checkpoint], "undo")
    assert why(restored) == {"a": "it was changed between these turns"}
    assert tree.path("a").read_text() == "by the person"
    assert not tree.path("b").exists()


async def test_a_folder_that_became_a_link_meanwhile_leads_nowhere(tree: Tree, tmp_path: Path) -> None:
    tree.write("d/a", "one")
    changes = await tree.turn("echo two > d/a")
    assert changes is not None
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/a").write_text("two\n")
    shutil.move(tree.path("d"), tree.path("moved"))
    tree.path("d").symlink_to(tmp_path / "victim")
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert why(restored) == {"a": "it was changed since"}
    assert (tmp_path / "victim/a").read_text() == "two\n"


async def test_a_repository_that_was_used_since_keeps_its_history(tree: Tree) -> None:
    tree.write("a", "one")
    commit = "git add -A; git -c user.name=a -c user.email=b commit -qm x"
    tree.run(f"git init -q .; {commit}")
    changes = await tree.turn(f"echo two > a; {commit}")
    assert changes is not None
    tree.run("git tag mine")
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert ".git" in why(restored)
    assert tree.path("a").read_text() == "one"
    tree.run("git fsck --strict && git rev-parse mine > ../fsck")
    assert (tree.path("..") / "fsck").read_text().strip()


async def test_what_a_sandbox_puts_there_for_a_moment_is_no_command_s_doing(tree: Tree) -> None:
    tree.write("a", "one")
    tree.run("git init -q .; git add -A; git -c user.name=a -c user.email=b commit -qm x")
    names = [f"{tree.root}/{name}" for name in (".claude", ".vscode", ".git/commondir")]
    tree.write(f"{tree.around.protea_home}/sandbox/one", "\0".join([*names, ""]))
    changes = await tree.turn(
        "echo two > a; git add a; mkdir .claude .vscode; echo . > .git/commondir; touch .vscode/own"
    )
    assert tree.files(changes) == {".git": "changed", ".vscode": "created", ".vscode/own": "created", "a": "changed"}
    tree.run("rmdir .claude; rm .git/commondir; : > ../.protea/sandbox/one")
    restored = await tree.checkpoint.restore(["s/t1"], "undo")
    assert not restored.skipped


async def test_a_file_with_two_names_keeps_them(tree: Tree) -> None:
    tree.write("a", "one")
    os.link(tree.path("a"), tree.path("b"))
    changes = await tree.turn("echo two > a")
    assert changes is not None
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert tree.path("a").read_text() == tree.path("b").read_text() == "one"
    assert tree.path("a").samefile(tree.path("b"))


# ── what cannot be covered is said ─────────────────────────────────────────────────────────────────────────────────


async def test_what_is_too_large_to_keep_is_named_and_left(tmp_path: Path) -> None:
    tree = Tree(tmp_path, largest=1000)
    tree.write("large", b"x" * 2000)
    tree.write("renamed", b"y" * 2000)
    tree.write("mode", b"z" * 2000)
    tree.write("small", b"x")
    changes = await tree.turn("echo more >> large; echo more > small; mv renamed renamed-now; chmod 700 mode")
    assert changes is not None
    assert [(os.path.basename(each.path), each.why[:16]) for each in changes.uncovered] == [
        ("large", "it was too large")
    ]
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert why(restored) == {"large": "what it was is not kept"}
    assert tree.path("small").read_bytes() == b"x"
    assert tree.path("renamed").read_bytes() == b"y" * 2000
    assert stat.S_IMODE(tree.path("mode").stat().st_mode) == 0o644


async def test_a_tree_with_too_many_files_is_left_to_the_tools(tmp_path: Path) -> None:
    tree = Tree(tmp_path, most_files=3)
    for number in range(9):
        tree.write(f"f{number}", "x")
    changes = await tree.turn("echo y > f1")
    assert changes is not None
    assert "more than 3 files" in changes.uncovered[0].why
    assert not changes.files


async def test_a_store_that_cannot_be_written_stops_nobody(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / ".protea").write_text("a file where a folder should be")
    tree.checkpoint.begin("s", "t")
    await tree.checkpoint.before_command(["x"], tree.root)
    await tree.checkpoint.after_command()
    with pytest.raises(StoreError, match="what undo needs cannot be kept"):
        await tree.checkpoint.finish()


async def test_what_a_command_names_is_kept_before_it_runs_and_the_rest_beside_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path, wait=0.0)
    for number in range(400):
        tree.write(f"f{number}", f"{number}" * 1000)
    tree.write("named", "x" * 100_000)
    tree.write("in-script", "y" * 100_000)
    tree.write("build.sh", "echo z > in-script")
    before = tree.state()
    changes = await tree.turn("echo z > named; bash build.sh")
    assert changes is not None
    assert not changes.uncovered
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert tree.state() == before
    await tree.checkpoint.aclose()


# ── between processes ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_another_process_knows_what_the_last_one_kept(tree: Tree) -> None:
    tree.write("a", "one")
    changes = await tree.turn("echo two > a")
    assert changes is not None
    await tree.checkpoint.aclose()
    tree.checkpoint = tree.open()
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert [each.what for each in restored.files] == ["changed"]
    assert tree.path("a").read_text() == "one"


async def test_what_a_killed_process_was_in_the_midst_of_can_be_undone(tree: Tree) -> None:
    tree.write("a", "one")
    tree.write("b", "one")
    before = tree.state()
    dying = tree.open()
    dying.begin("s", "t")
    await dying.before_write(f"{tree.root}/b")
    tree.write("b", "by a tool")
    await dying.after_write(f"{tree.root}/b")
    await dying.before_command(["x"], tree.root)
    tree.run("echo two > a; mkdir c; echo new > c/d")
    # It is gone: nothing is finished or closed, only the locks are given back, as the system does.
    keeper = dying._keeper  # type: ignore[attr-defined]  # what the system sees of it
    for one in keeper._trees:
        os.close(one._lock)
    os.close(keeper._lock)
    changes = await tree.checkpoint.recover("s", "t")
    assert tree.files(changes) == {"a": "changed", "b": "changed", "c": "created", "c/d": "created"}
    await tree.checkpoint.restore(["s/t"], "undo")
    assert tree.state() == before
    assert await tree.checkpoint.recover("s", "t") is None


async def test_a_restore_that_was_cut_off_is_finished_by_the_same_one_again(tree: Tree) -> None:
    fill(tree)
    before = tree.state()
    changes = await tree.turn(BUILD)
    assert changes is not None
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    # As if it had been killed halfway: some is done again, some is not.
    after = await tree.checkpoint.restore([changes.checkpoint], "redo")
    tree.path("src/a.c").write_text("src/a.c\n" * 3)
    os.utime(tree.path("src/a.c"), ns=(0, before[os.fsencode(tree.path("src/a.c"))][2]))
    shutil.rmtree(tree.path("build"))
    assert after.files
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert not restored.skipped
    assert tree.state() == before


async def test_the_store_is_private_and_the_repository_untouched(tree: Tree) -> None:
    tree.write("a", "one")
    tree.run("git init -q .; git add -A; git -c user.name=a -c user.email=b commit -qm x; git status")
    git = {path: seen for path, seen in tree.state().items() if b"/.git/" in path}
    await tree.turn("echo two > a")
    assert {path: seen for path, seen in tree.state().items() if b"/.git/" in path} == git
    await tree.checkpoint.aclose()
    for folder, folders, files in os.walk(f"{tree.around.protea_home}/checkpoints"):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert all(stat.S_IMODE(os.lstat(f"{folder}/{name}").st_mode) == 0o600 for name in files)
        del folders


async def test_the_store_keeps_its_bounds(tmp_path: Path) -> None:
    tree = Tree(tmp_path, limit=300_000)
    tree.write("a", "one")
    names = []
    for number in range(12):
        changes = await tree.turn(f"head -c 50000 /dev/urandom > f{number}")
        assert changes is not None
        names.append(changes.checkpoint)
        await tree.checkpoint.aclose()
        tree.checkpoint = tree.open()
    assert sum(path.stat().st_size for path in tree.stored("objects/*/*")) <= 350_000
    await tree.checkpoint.restore(names[-1:], "undo")
    assert not tree.path("f11").exists()
    with pytest.raises(StoreError, match="not kept any more"):
        await tree.checkpoint.restore(names[:1], "undo")


async def test_what_is_older_than_it_should_be_goes(tmp_path: Path) -> None:
    tree = Tree(tmp_path, days=1.0)
    tree.write("a", "one")
    changes = await tree.turn("echo two > a")
    assert changes is not None
    await tree.checkpoint.aclose()
    for path in (*tree.stored("turns/*/*.done"), *tree.stored("trees/*/*/known"), *tree.stored("tidied")):
        os.utime(path, (1, 1))
    tree.checkpoint = tree.open()
    await tree.turn("echo three > a")
    await tree.checkpoint.aclose()
    tree.checkpoint = tree.open()
    with pytest.raises(StoreError):
        await tree.checkpoint.restore([changes.checkpoint], "undo")


# ── any tree, any script ───────────────────────────────────────────────────────────────────────────────────────────

NAMES = st.sampled_from(["a", "b", "c d", "é", "-x", "sub", "\udcff", ".hidden"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PATHS, st.binary(max_size=40)),
        st.tuples(st.just("append"), PATHS, st.binary(min_size=1, max_size=9)),
        st.tuples(st.just("remove"), PATHS, st.none()),
        st.tuples(st.just("folder"), PATHS, st.none()),
        st.tuples(st.just("link"), PATHS, PATHS),
        st.tuples(st.just("hard"), PATHS, PATHS),
        st.tuples(st.just("rename"), PATHS, PATHS),
        st.tuples(st.just("mode"), PATHS, st.sampled_from([0o600, 0o644, 0o755, 0o700])),
    ),
    max_size=14,
)


def perform(root: str, steps: list[tuple[str, str, object]]) -> None:
    """What a program might do; what is not possible is not done."""
    for what, name, detail in steps:
        path = os.path.join(root, name)
        try:
            if what in ("write", "append"):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb" if what == "write" else "ab") as file:
                    file.write(detail)  # type: ignore[arg-type]  # bytes, for these two
            elif what == "remove":
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
            elif what == "folder":
                os.makedirs(path, exist_ok=True)
            elif what == "link":
                os.symlink(str(detail), path)
            elif what == "hard":
                os.link(path, os.path.join(root, str(detail)), follow_symlinks=False)
            elif what == "rename":
                os.rename(path, os.path.join(root, str(detail)))
            elif not os.path.islink(path):
                os.chmod(path, int(str(detail)))
        except (OSError, shutil.Error):
            continue


@pytest.fixture(scope="module")
def places() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begin=STEPS, turns=st.lists(STEPS, min_size=1, max_size=3))
async def test_any_turns_on_any_tree_are_undone_and_redone_to_the_last_byte(
    places: Path, begin: list[tuple[str, str, object]], turns: list[list[tuple[str, str, object]]]
) -> None:
    tree = Tree(Path(tempfile.mkdtemp(dir=places)))
    perform(tree.root, begin)
    before, kept = tree.state(), []
    for number, steps in enumerate(turns):
        tree.checkpoint.begin("s", f"t{number}")
        await tree.checkpoint.before_command([], tree.root)
        perform(tree.root, steps)
        await tree.checkpoint.after_command()
        changes = await tree.checkpoint.finish()
        if changes is not None:
            assert not changes.uncovered
            kept.append(changes.checkpoint)
    after = tree.state()
    if kept:
        undone = await tree.checkpoint.restore(kept[::-1], "undo")
        assert not undone.skipped
        assert without_times(tree.state()) == without_times(before)
        redone = await tree.checkpoint.restore(kept, "redo")
        assert not redone.skipped
        assert without_times(tree.state()) == without_times(after)
        for each in reversed(kept):
            await tree.checkpoint.restore([each], "undo")
    assert without_times(tree.state()) == without_times(before)
    await tree.checkpoint.aclose()


def without_times(found: dict[bytes, tuple[int, bytes, int]]) -> dict[bytes, tuple[int, bytes]]:
    """A file that was written again with what it held keeps its new time: that is no change."""
    return {path: (mode, content) for path, (mode, content, _) in found.items()}
