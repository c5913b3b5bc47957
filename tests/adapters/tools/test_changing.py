"""Write, Edit and Patch: what changes, what stays, what is refused."""

from __future__ import annotations

import asyncio
import codecs
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from protea.adapters.tools import builtin
from protea.domain.diagnostics import Change
from protea.domain.tools import Diagnostic
from protea.testing.diagnostics import ScriptedDiagnostics
from protea.testing.sandbox import RecordingSandbox
from protea.testing.search import ListSearch
from protea.testing.web import ScriptedWeb
from protea.testing.workspace import ScriptedWorkspace
from tests.adapters.tools.conftest import Project


def bytes_of(project: Project, path: str) -> bytes:
    return (project.root / path).read_bytes()


async def test_a_new_file_is_made_with_its_directories(project: Project) -> None:
    result = await project.call("Write", path="a/b/c.txt", content="one\ntwo\n")
    assert result.text == "Created a/b/c.txt (2 lines)."
    assert result.diff == "--- /dev/null\n+++ b/a/b/c.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n"
    assert bytes_of(project, "a/b/c.txt") == b"one\ntwo\n"
    assert (await project.call("Write", path="d.txt", content="one")).text == "Created d.txt (1 line)."


async def test_a_replaced_file_keeps_mode_line_ends_and_mark(project: Project) -> None:
    project.write({"run.sh": codecs.BOM_UTF8 + b"old\r\nfile\r\n"})
    (project.root / "run.sh").chmod(0o755)
    result = await project.call("Write", path="run.sh", content="new\nfile\n")
    assert result.text == "Wrote run.sh (2 lines; +1 -1 lines)."
    assert bytes_of(project, "run.sh") == codecs.BOM_UTF8 + b"new\r\nfile\r\n"
    assert stat.S_IMODE((project.root / "run.sh").stat().st_mode) == 0o755


async def test_the_same_content_is_not_written_again(project: Project) -> None:
    project.write({"a": "x\n"})
    before = (project.root / "a").stat().st_ino
    assert "already" in (await project.call("Write", path="a", content="x\n")).text
    assert (project.root / "a").stat().st_ino == before


async def test_a_file_that_changed_since_it_was_read_is_not_replaced(project: Project) -> None:
    project.write({"a": "one\n"})
    await project.call("Read", path="a")
    project.write({"a": "someone else's\n"})
    result = await project.call("Write", path="a", content="mine\n")
    assert result.is_error
    assert "changed on disk" in result.text
    assert bytes_of(project, "a") == b"someone else's\n"
    await project.call("Read", path="a")
    assert not (await project.call("Write", path="a", content="mine\n")).is_error
    assert not (await project.call("Write", path="a", content="mine again\n")).is_error


async def test_what_cannot_be_written_says_why(project: Project, tmp_path: Path) -> None:
    project.write({"d/x": "", "ro": "x"})
    (project.root / "ro").chmod(0o444)
    (project.root / "out").symlink_to(tmp_path / "elsewhere")
    for path, why in (
        ("d", "is a directory"),
        ("ro", "read-only"),
        ("out", "leads out of the workspace"),
        ("d/x/y", "through a file"),
        ("/proc/nope", "/proc/nope"),
    ):
        result = await project.call("Write", path=path, content="y")
        assert result.is_error
        assert why in result.text
        assert "\n" not in result.text


async def test_an_edit_changes_one_place_and_shows_it(project: Project) -> None:
    project.write({"a.py": "def f():\n    return 1\n"})
    result = await project.call("Edit", path="a.py", old_string="return 1", new_string="return 2")
    assert result.text == "Edited a.py (+1 -1 lines)."
    assert result.diff == "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n"


async def test_several_edits_are_all_made_or_none(project: Project) -> None:
    project.write({"a": "one two three\n"})
    edits = [{"old_string": "one", "new_string": "1"}, {"old_string": "nope", "new_string": "x"}]
    result = await project.call("Edit", path="a", edits=edits)
    assert result.is_error
    assert "Edit 2 of 2" in result.text
    assert bytes_of(project, "a") == b"one two three\n"
    edits[1] = {"old_string": "two", "new_string": "2"}
    assert "in 2 places" in (await project.call("Edit", path="a", edits=edits)).text
    assert bytes_of(project, "a") == b"1 2 three\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\nold\r\nb\r\n", b"a\r\nnew\r\nline\r\nb\r\n"),
        (b"a\nold\nb", b"a\nnew\nline\nb"),
        (codecs.BOM_UTF8 + b"a\nold\nb\n", codecs.BOM_UTF8 + b"a\nnew\nline\nb\n"),
        ("a\nold\nb\n".encode("utf-16"), "a\nnew\nline\nb\n".encode("utf-16")),
        (b"\xff\xe9\nold\nb\n", b"\xff\xe9\nnew\nline\nb\n"),
        (b"a\r\nold\nb\n", b"a\r\nnew\nline\nb\n"),
        (b"\x0c a\xe2\x80\xa8\nold\nb\n", b"\x0c a\xe2\x80\xa8\nnew\nline\nb\n"),
    ],
)
async def test_an_edit_leaves_all_else_as_it_was(project: Project, before: bytes, after: bytes) -> None:
    project.write({"f": before})
    for old, new in (("old", "new\nline"),):
        result = await project.call("Edit", path="f", old_string=old, new_string=new)
        assert not result.is_error, result.text
    assert bytes_of(project, "f") == after


async def test_edits_sent_with_crlf_fit_either_kind_of_file(project: Project) -> None:
    project.write({"dos": b"a\r\nb\r\n"})
    assert not (await project.call("Edit", path="dos", old_string="a\r\nb", new_string="c\r\nd")).is_error
    assert bytes_of(project, "dos") == b"c\r\nd\r\n"


async def test_an_edit_of_a_file_that_changed_elsewhere_is_made_and_told(project: Project) -> None:
    project.write({"a": "one\ntwo\n"})
    await project.call("Read", path="a")
    project.write({"a": "one\ntwo\nthree more\n"})
    result = await project.call("Edit", path="a", old_string="one", new_string="1")
    assert not result.is_error
    assert "changed on disk" in result.text
    assert bytes_of(project, "a") == b"1\ntwo\nthree more\n"
    again = await project.call("Edit", path="a", old_string="two", new_string="2")
    assert "changed on disk" not in again.text


async def test_an_edit_that_misses_shows_what_is_there(project: Project) -> None:
    project.write({"a.py": "if x:\n\treturn  1\n"})
    result = await project.call("Edit", path="a.py", old_string="    return 1", new_string="x")
    assert result.is_error
    assert result.text.startswith("a.py was not changed.")
    assert "2\t\treturn  1" in result.text
    assert result.diff is None


async def test_an_edit_needs_both_strings_and_a_text_file(project: Project) -> None:
    project.write({"a": "x", "b": b"\0\1\2"})
    assert (await project.call("Edit", path="a", old_string="x")).is_error
    assert (await project.call("Edit", path="a")).is_error
    assert (await project.call("Edit", path="b", old_string="x", new_string="y")).is_error
    missing = await project.call("Edit", path="aa", old_string="x", new_string="y")
    assert "Did you mean a" in missing.text


async def test_a_link_is_edited_through(project: Project) -> None:
    project.write({"real": "x\n"})
    (project.root / "link").symlink_to("real")
    await project.call("Edit", path="link", old_string="x", new_string="y")
    assert os.path.islink(project.root / "link")  # noqa: ASYNC240
    assert bytes_of(project, "real") == b"y\n"


async def test_a_patch_changes_many_files(project: Project) -> None:
    project.write({"a": "1\n2\n3\n", "gone": "x\n", "move": b"one\r\ntwo\r\n"})
    patch = (
        "*** Begin Patch\n*** Update File: a\n@@\n 1\n-2\n+two\n*** Add File: new/b\n+hello\n"
        "*** Delete File: gone\n*** Update File: move\n*** Move to: moved\n@@\n-one\n+1\n*** End Patch\n"
    )
    result = await project.call("Patch", patch=patch)
    assert not result.is_error, result.text
    assert sorted(os.listdir(project.root)) == ["a", "moved", "new"]
    assert bytes_of(project, "a") == b"1\ntwo\n3\n"
    assert bytes_of(project, "new/b") == b"hello\n"
    assert bytes_of(project, "moved") == b"1\r\ntwo\r\n"
    assert result.text.split("\n")[0] == "Changed a (+1 -1 lines)"
    assert result.diff is not None
    assert "+++ /dev/null" in result.diff


async def test_a_patch_that_does_not_fit_somewhere_changes_nothing(project: Project) -> None:
    project.write({"a": "1\n", "b": "2\n"})
    patch = "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+one\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-nope\n+two\n"
    result = await project.call("Patch", patch=patch)
    assert result.is_error
    assert result.text.startswith("Nothing was changed.")
    assert bytes_of(project, "a") == b"1\n"


async def test_a_patch_may_give_any_file_another_name(project: Project) -> None:
    project.write({"a.bin": b"\0\1\xff", "b.bin": b"\0"})
    rename = "diff --git a/a.bin b/sub/c.bin\nsimilarity index 100%\nrename from a.bin\nrename to sub/c.bin\n"
    refused = await project.call("Patch", patch=f"{rename}--- a/b.bin\n+++ b/b.bin\n@@ -1 +1 @@\n-a\n+b\n")
    assert refused.is_error
    assert (project.root / "a.bin").exists()
    assert not (await project.call("Patch", patch=rename)).is_error
    assert (project.root / "sub/c.bin").read_bytes() == b"\0\1\xff"
    assert not (project.root / "a.bin").exists()


async def test_a_patch_whose_writing_fails_is_taken_back(project: Project) -> None:
    project.write({"a": "1\n", "ro": "2\n"})
    (project.root / "ro").chmod(0o444)
    patch = (
        "*** Begin Patch\n*** Update File: a\n@@\n-1\n+one\n*** Add File: new\n+x\n"
        "*** Update File: ro\n@@\n-2\n+two\n*** End Patch\n"
    )
    result = await project.call("Patch", patch=patch)
    assert result.is_error
    assert "read-only" in result.text
    assert bytes_of(project, "a") == b"1\n"
    assert sorted(os.listdir(project.root)) == ["a", "ro"]


async def test_one_file_may_be_patched_twice(project: Project) -> None:
    project.write({"a": "1\n2\n"})
    patch = "--- a\n+++ a\n@@ -1 +1 @@\n-1\n+one\n--- a\n+++ a\n@@ -1 +1 @@\n-one\n+eins\n"
    assert not (await project.call("Patch", patch=patch)).is_error
    assert bytes_of(project, "a") == b"eins\n2\n"


async def test_a_patch_for_a_missing_file_says_which(project: Project) -> None:
    project.write({"src/main.py": "x\n"})
    result = await project.call("Patch", patch="--- a/src/mian.py\n+++ b/src/mian.py\n@@ -1 +1 @@\n-x\n+y\n")
    assert "src/main.py" in result.text
    exists = await project.call("Patch", patch="*** Begin Patch\n*** Add File: src/main.py\n+y\n*** End Patch")
    assert "exists already" in exists.text


async def test_who_would_create_a_file_by_an_edit_is_told_how(project: Project) -> None:
    result = await project.call("Edit", path="new.py", old_string="", new_string="x = 1\n")
    assert (result.text, result.is_error) == ("new.py does not exist. To create a file use Write.", True)
    assert "Write" not in (await project.call("Edit", path="new.py", old_string="a", new_string="b")).text


async def test_a_patch_that_leaves_all_as_it_is_is_no_success(project: Project) -> None:
    project.write({"a.txt": "one\n"})
    for patch in (
        "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+one\n",
        "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n one\n",
    ):
        result = await project.call("Patch", patch=patch)
        assert result.is_error
        assert result.text.startswith("Nothing was changed")


async def test_a_full_disk_in_the_middle_of_a_patch_takes_it_back(project: Project) -> None:
    files = ScriptedWorkspace({"/p/a": b"1\n", "/p/b": b"2\n", "/p/gone": b"x\n"}, roots=("/p",))
    files.failing["/p/new"] = "full"
    place = replace(project.surroundings, cwd="/p", root="/p")
    tools = builtin.create(
        builtin.Options(),
        workspace=files,
        sandbox=RecordingSandbox(),
        surroundings=place,
        web=ScriptedWeb(),
        search=ListSearch(),
    )
    before = dict(files.files)
    patch = (
        "*** Begin Patch\n*** Update File: a\n@@\n-1\n+one\n*** Delete File: gone\n*** Add File: new\n+x\n*** End Patch"
    )
    result = await project.call("Patch", tools, patch=patch)
    assert result.is_error
    assert "full" in result.text
    assert [path for path, _ in files.writes] == ["/p/a", "/p/gone", "/p/gone", "/p/a"]
    assert files.files == before


def everything(path: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("Edit", {"path": "a.txt", "old_string": "one", "new_string": "two"}, "+two"),
        ("Write", {"path": "a.txt", "content": "three\n"}, "+three"),
        ("Write", {"path": "new/b.txt", "content": "four\n"}, "+four"),
        ("Patch", {"patch": "*** Begin Patch\n*** Update File: a.txt\n-one\n+five\n*** End Patch\n"}, "+five"),
        ("Patch", {"patch": "*** Begin Patch\n*** Delete File: a.txt\n*** End Patch\n"}, "-one"),
    ],
)
async def test_a_preview_shows_the_change_and_makes_none(
    project: Project, name: str, arguments: dict[str, str], line: str
) -> None:
    project.write({"a.txt": "one\n"})
    diff = await project.tools.preview(name, arguments, everything)
    assert diff is not None
    assert line in diff.splitlines()
    assert (project.root / "a.txt").read_text() == "one\n"
    assert sorted(path.name for path in project.root.iterdir()) == ["a.txt"]
    assert (await project.call(name, **arguments)).diff == diff


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Edit", {"path": "a.txt", "old_string": "nowhere", "new_string": "x"}),
        ("Edit", {"path": "missing", "old_string": "a", "new_string": "x"}),
        ("Read", {"path": "a.txt"}),
        ("Bash", {"command": "rm a.txt"}),
    ],
)
async def test_what_changes_nothing_or_cannot_be_told_has_no_preview(
    project: Project, name: str, arguments: dict[str, str]
) -> None:
    project.write({"a.txt": "one\n"})
    assert await project.tools.preview(name, arguments, everything) is None


async def test_a_preview_opens_nothing_that_may_not_be_read(project: Project) -> None:
    project.write({".env": "KEY=hush\n"})
    call = {"path": ".env", "old_string": "KEY", "new_string": "TOKEN"}
    assert await project.tools.preview("Edit", call, lambda path: False) is None


# ── what language servers say of it ────────────────────────────────────────────────────────────────────────────────


async def test_what_an_edit_breaks_is_told_with_it(project: Project) -> None:
    project.diagnostics = ScriptedDiagnostics({"frobnicate": "there is no frobnicate"})
    tools = project.open(builtin.Options())
    project.write({"a.py": "x = 1\n", "b.py": "frobnicate()\n"})
    for name, arguments in (
        ("Edit", {"path": "a.py", "old_string": "x = 1", "new_string": "x = frobnicate"}),
        ("Write", {"path": "c.py", "content": "y = frobnicate\n"}),
        ("Patch", {"patch": "*** Begin Patch\n*** Add File: d.py\n+z = frobnicate\n*** End Patch\n"}),
    ):
        done = await project.call(name, tools, **arguments)
        path = str(arguments.get("path", "d.py"))
        assert done.text.splitlines()[-2:] == [
            "New problems (told by language servers):",
            f"{path}:1:5 error: there is no frobnicate",
        ]
        assert [each.message for each in done.diagnostics] == ["there is no frobnicate"]
        assert not done.is_error
    fine = await project.call("Edit", tools, path="b.py", old_string="()", new_string="(1)")
    assert fine.text == "Edited b.py (+1 -1 lines)."
    assert not fine.diagnostics


async def test_a_preview_asks_no_language_server(project: Project) -> None:
    project.diagnostics = ScriptedDiagnostics({})
    tools = project.open(builtin.Options())
    project.write({"a.py": "x = 1\n"})
    shown = await tools.preview("Edit", {"path": "a.py", "old_string": "1", "new_string": "2"}, lambda path: True)
    assert shown is not None
    assert project.diagnostics.looked == []


async def test_an_edit_that_is_broken_off_while_servers_are_asked_is_recorded_as_done(project: Project) -> None:
    class Slow(ScriptedDiagnostics):
        async def look(self, changes: Sequence[Change]) -> Sequence[Diagnostic]:
            asked.set()
            await asyncio.Event().wait()
            return ()

    asked = asyncio.Event()
    project.diagnostics = Slow({})
    tools = project.open(builtin.Options())
    project.write({"a.py": "x = 1\n"})
    editing = asyncio.ensure_future(project.call("Edit", tools, path="a.py", old_string="1", new_string="2"))
    await asyncio.wait_for(asked.wait(), 30)
    editing.cancel()
    assert (await editing).text == "Edited a.py (+1 -1 lines)."
