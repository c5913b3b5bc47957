"""Glob and Grep: the same answers with `rg` and without."""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil

import pytest
from msgspec.structs import replace

from protea.adapters.tools import _by_hand, builtin, glob
from protea.adapters.tools._search import pattern_for, required, split
from protea.adapters.workspace.memory import MemoryWorkspace
from protea.testing.sandbox import RecordingSandbox
from protea.testing.search import ListSearch
from protea.testing.web import ScriptedWeb
from tests.adapters.tools.conftest import Project

needs_rg = pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep (rg) is missing: nothing to compare with")

TREE: dict[str, str | bytes] = {
    ".gitignore": "*.log\nbuild/\n!keep.log\n/only_top\nsub/*.tmp\n",
    ".env": "KEY=needle\n",
    ".env.example": "KEY=needle here\n",
    ".hidden/x.py": "needle\n",
    "a.py": "one needle\ntwo\nthree needle\n",
    "b.txt": "nothing\n",
    "keep.log": "needle\n",
    "drop.log": "needle\n",
    "build/x.py": "needle\n",
    "only_top": "needle\n",
    "sub/only_top": "needle\n",
    "sub/a.tmp": "needle\n",
    "sub/.gitignore": "!a.tmp\n*.gen.py\n",
    "sub/b.gen.py": "needle\n",
    "sub/deep/build/y.py": "needle\n",
    "sub/deep/z.ts": "Needle\nneedle\n",
    "sub/.ignore": "!keep2.gen.py\nz.skip\n",
    "sub/keep2.gen.py": "needle\n",
    "sub/z.skip": "needle\n",
    "bin": b"needle\0needle\n",
    "late": b"needle\n" + b"x" * 70_000 + b"\0\n",
    "dos.txt": b"needle\r\nend\r\n",
    "wide.txt": "needle grün\n".encode("utf-16"),
    "latin.txt": b"caf\xe9 needle\n",
    "uni.txt": "grüne Nadel needle\n",
    "sp ace/na me.py": "needle\n",
    ".git/config": "needle\n",
    "nested/.git/HEAD": "ref\n",
    "nested/x.log": "needle\n",
    "empty": "",
    "no_newline": "needle",
    "\U0001f600.py": "needle\n",
}


@pytest.fixture
def tree(project: Project) -> Project:
    project.write(TREE)
    (project.root / "link.py").symlink_to("a.py")
    (project.root / "linkdir").symlink_to("sub")
    return project


@pytest.fixture
def never_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small trees are searched by hand: not here."""
    monkeypatch.setattr(_by_hand, "SMALL_FILES", -1)
    monkeypatch.setattr(glob, "SMALL", -1)


async def lines(project: Project, name: str, **arguments: object) -> list[str]:
    result = await project.call(name, **arguments)
    assert not result.is_error, result.text
    return result.text.split("\n")


async def test_glob_gives_paths_sorted_without_what_is_ignored(tree: Project) -> None:
    assert await lines(tree, "Glob", pattern="**/*.py") == [
        ".hidden/x.py",
        "a.py",
        "sp ace/na me.py",
        "sub/keep2.gen.py",
        "\U0001f600.py",
    ]
    assert await lines(tree, "Glob", pattern="*.log") == ["keep.log", "nested/x.log"]
    assert await lines(tree, "Glob", pattern="sub/**/*.{ts,tmp}") == ["sub/a.tmp", "sub/deep/z.ts"]
    assert await lines(tree, "Glob", pattern="*.ts", path="sub") == ["sub/deep/z.ts"]
    assert await lines(tree, "Glob", pattern=f"{tree.root}/sub/*/*.ts") == ["sub/deep/z.ts"]
    assert await lines(tree, "Glob", pattern="build/*.py") == ["build/x.py"]
    assert ".git/config" not in await lines(tree, "Glob", pattern="**")


async def test_glob_says_when_nothing_fits(tree: Project) -> None:
    assert (await tree.call("Glob", pattern="*.nope")).text.startswith("No file fits")
    assert "no directory nowhere" in (await tree.call("Glob", pattern="nowhere/*.py")).text
    assert (await tree.call("Glob", pattern="*", path="nowhere")).is_error
    assert (await tree.call("Glob", pattern="*", path="a.py")).is_error
    assert (await tree.call("Glob", pattern="[z-a]")).is_error


async def test_a_name_that_would_be_two_lines_or_an_escape_sequence_is_told_as_it_is(project: Project) -> None:
    for name in ("two\nlines.py", "\x1b[31mred.py"):
        (project.root / name).write_text("needle\n")
    names = [r"\x1b[31mred.py", r"two\nlines.py"]
    assert await lines(project, "Glob", pattern="*.py") == names
    assert await lines(project, "Grep", pattern="needle", output="files") == names
    assert set(await lines(project, "Read", path=".")) >= set(names)


@needs_rg
async def test_where_more_was_found_than_is_taken_in_the_number_is_no_exact_one(project: Project) -> None:
    row = "needle" + "x" * 1_000_000 + "\n"
    project.write({"a.txt": row * 40, "b.txt": row * 40})
    text = (await project.call("Grep", pattern="needle")).text
    assert re.search(r"^\[the first \d+ of more than \d\d lines, in 2 files;", text, re.MULTILINE), text[-400:]
    assert text.endswith(
        "[there is more than was looked through: these are not all; narrow the search by path or glob]"
    )


@pytest.mark.parametrize("project", [builtin.Options(glob_limit=3, grep_limit=2)], indirect=True)
async def test_limits_are_said(tree: Project) -> None:
    found = await lines(tree, "Glob", pattern="**/*.py")
    assert len(found) == 4
    assert found[-1].startswith("[the first 3 of 5 files;")
    found = await lines(tree, "Grep", pattern="needle", glob="a.py")
    assert found == ["a.py:1:one needle", "a.py:3:three needle"]
    found = await lines(tree, "Grep", pattern="needle")
    assert found[-1].startswith("[the first 2 of ")


async def test_grep_gives_path_line_and_text(tree: Project) -> None:
    assert await lines(tree, "Grep", pattern="needle", glob="*.{py,ts}") == [
        ".hidden/x.py:1:needle",
        "a.py:1:one needle",
        "a.py:3:three needle",
        "sp ace/na me.py:1:needle",
        "sub/deep/z.ts:2:needle",
        "sub/keep2.gen.py:1:needle",
        "\U0001f600.py:1:needle",
    ]
    assert await lines(tree, "Grep", pattern="needle", path="a.py") == ["a.py:1:one needle", "a.py:3:three needle"]
    assert await lines(tree, "Grep", pattern="NEEDLE", path="sub/deep", ignore_case=True) == [
        "sub/deep/z.ts:1:Needle",
        "sub/deep/z.ts:2:needle",
    ]


async def test_grep_gives_context_files_and_counts(tree: Project) -> None:
    assert await lines(tree, "Grep", pattern="two", path="a.py", context=1) == [
        "a.py-1-one needle",
        "a.py:2:two",
        "a.py-3-three needle",
    ]
    tree.write({"far": "needle\n1\n2\n3\n4\nneedle\n"})
    assert await lines(tree, "Grep", pattern="needle", glob="far", context=1) == [
        "far:1:needle",
        "far-2-1",
        "--",
        "far-5-4",
        "far:6:needle",
    ]
    assert await lines(tree, "Grep", pattern="needle", glob="*.py", output="files") == [
        ".hidden/x.py",
        "a.py",
        "sp ace/na me.py",
        "sub/keep2.gen.py",
        "\U0001f600.py",
    ]
    assert (await lines(tree, "Grep", pattern="needle", glob="a.py", output="count")) == ["a.py:2", "[2 in 1 files]"]


async def test_grep_across_lines(tree: Project) -> None:
    assert await lines(tree, "Grep", pattern=r"one.*three", glob="a.py", multiline=True) == [
        "a.py:1:one needle",
        "a.py:2:two",
        "a.py:3:three needle",
    ]


async def test_secrets_are_not_found_by_searching_but_by_naming(tree: Project) -> None:
    found = await lines(tree, "Grep", pattern="needle", output="files")
    assert ".env" not in found
    assert ".env.example" in found
    assert await lines(tree, "Grep", pattern="needle", path=".env") == [".env:1:KEY=needle"]


async def test_wrong_patterns_say_what_is_wrong(tree: Project) -> None:
    result = await tree.call("Grep", pattern="(open")
    assert result.is_error
    assert "not a valid regular expression" in result.text
    assert (await tree.call("Grep", pattern="x", path="missing")).is_error


async def test_what_rg_cannot_do_is_done_by_hand(tree: Project) -> None:
    assert await lines(tree, "Grep", pattern=r"(?<=one )needle", glob="*.py") == ["a.py:1:one needle"]
    assert await lines(tree, "Grep", pattern=r"(n)e\1?edle", glob="a.py") == [
        "a.py:1:one needle",
        "a.py:3:three needle",
    ]


async def test_long_lines_are_cut(tree: Project) -> None:
    tree.write({"min.js": "x" * 9000 + "needle\n"})
    (line,) = await lines(tree, "Grep", pattern="needle", glob="min.js")
    assert len(line) < 560
    assert line.endswith("characters]")


async def test_nothing_found_is_said(tree: Project) -> None:
    result = await tree.call("Grep", pattern="no such thing anywhere")
    assert not result.is_error
    assert result.text.startswith("Nothing fits")


async def test_a_file_system_that_is_not_on_disk_is_searched_too(tree: Project) -> None:
    files = {f"/p/{path}": data if isinstance(data, bytes) else data.encode() for path, data in TREE.items()}
    surroundings = replace(tree.surroundings, cwd="/p", root="/p")
    tools = builtin.create(
        builtin.Options(),
        workspace=MemoryWorkspace(["/p"], files),
        sandbox=RecordingSandbox(),
        surroundings=surroundings,
        web=ScriptedWeb(),
        search=ListSearch(),
    )
    found = (await tree.call("Grep", tools, pattern="needle", glob="*.{py,ts}", output="files")).text
    assert found == (await tree.call("Grep", pattern="needle", glob="*.{py,ts}", output="files")).text
    assert (await tree.call("Glob", tools, pattern="sub/**")).text == (await tree.call("Glob", pattern="sub/**")).text


QUERIES: tuple[dict[str, object], ...] = (
    {"pattern": "needle"},
    {"pattern": "Needle", "ignore_case": True, "context": 1},
    {"pattern": r"^\w+ needle$"},
    {"pattern": r"n.*e\b", "glob": "*.py"},
    {"pattern": "needle", "glob": "sub/**/*.ts"},
    {"pattern": r"gr\wn"},
    {"pattern": "^$", "output": "count"},
    {"pattern": "needle", "output": "count"},
    {"pattern": "needle", "output": "files", "path": "sub"},
    {"pattern": r"e\s*$", "context": 2},
    {"pattern": "[[:upper:]]eedle"},
    {"pattern": r"(one|two)"},
    {"pattern": r"x{3,}"},
    {"pattern": r"needle\nx*", "multiline": True, "output": "files"},
)


@needs_rg
@pytest.mark.usefixtures("never_small")
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: str(query["pattern"]))
async def test_with_rg_and_without_the_answer_is_the_same(tree: Project, query: dict[str, object]) -> None:
    by_hand = tree.open(builtin.Options(ripgrep=False))
    with_rg = await tree.call("Grep", **query)
    assert (await tree.call("Grep", by_hand, **query)).text == with_rg.text


@needs_rg
@pytest.mark.usefixtures("never_small")
@pytest.mark.parametrize("seed", range(12))
async def test_on_random_trees_too(project: Project, seed: int) -> None:
    chance = random.Random(seed)
    names = ["a", "b", "build", "x.py", "y.log", "z.tmp", ".h", "node_modules", "Q.md", "w.gen.py"]
    rules = [
        "*.log",
        "build/",
        "/a",
        "!x.py",
        "b/**",
        "**/z.tmp",
        "*.py",
        "!*.gen.py",
        "a/b",
        "node_modules",
        "[xy].*",
        "!/a/",
    ]
    for _ in range(60):
        path = "/".join(chance.choice(names) for _ in range(chance.randint(1, 4)))
        target = project.root / path
        if any(parent.is_file() for parent in (target, *target.parents)) or target.is_dir():
            continue
        project.write({path: "".join(chance.choice(["needle\n", "hay\n", "\n", "Needle hay\r\n"]) for _ in range(9))})
    folders = [folder for folder, _, _ in os.walk(project.root)]
    for folder in chance.sample(folders, min(4, len(folders))):
        kind = chance.choice([".gitignore", ".gitignore", ".ignore"])
        project.write({os.path.join(folder, kind): "\n".join(chance.sample(rules, 4)) + "\n"})
    if chance.random() < 0.5:
        git = await asyncio.create_subprocess_exec("git", "init", "-q", str(project.root))
        assert await git.wait() == 0
        project.write({".git/info/exclude": chance.choice(rules) + "\n"})
    by_hand = project.open(builtin.Options(ripgrep=False))
    for pattern in ("**", "**/*.py", "*.gen.py", "a/**"):
        with_rg = await project.call("Glob", pattern=pattern)
        assert (await project.call("Glob", by_hand, pattern=pattern)).text == with_rg.text
    for folder in chance.sample(folders, min(3, len(folders))):
        with_rg = await project.call("Grep", pattern="needle", path=folder)
        assert (await project.call("Grep", by_hand, pattern="needle", path=folder)).text == with_rg.text


async def test_a_cancelled_search_is_over(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write({f"d{n}/f": "x\n" * 100 for n in range(400)})
    tools = project.open(builtin.Options(ripgrep=False))
    monkeypatch.setattr(_by_hand, "SMALL_FILES", -1)
    task = asyncio.create_task(project.call("Grep", tools, pattern="y"))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("needle", "needle"),
        (r"self\s+needle_\w+", "needle_"),
        ("a|b", ""),
        ("abc?d", "ab"),
        ("abc*d", "ab"),
        ("abc+d", "abc"),
        ("(abc)?defg", "defg"),
        ("abc{0,2}xyz", "xyz"),
        (r"\.foo\(", ".foo("),
        (r"[abc]def", "def"),
        (r"[]x]def", "def"),
        ("(?i)abc", ""),
        (r"\x41bc", ""),
        ("^abc$", "abc"),
        ("a.b", "a"),
        ("", ""),
    ],
)
def test_what_a_pattern_requires_is_known(pattern: str, literal: str) -> None:
    assert required(pattern) == literal


@pytest.mark.parametrize(
    ("pattern", "repeats"),
    [
        ("foo", 0),
        (r"a.b\*", 0),
        (r"a.*b", 1),
        (r"a.*b.*c", 2),
        ("(a+)+$", 2),
        ("(a|b)*", 2),
        ("x{2,}y", 1),
        (r"(a)\1", 2),
    ],
)
def test_patterns_that_may_take_long_are_known(pattern: str, repeats: int) -> None:
    assert pattern_for(pattern, ignore_case=False, multiline=False).repeats == repeats


@pytest.mark.parametrize("project", [builtin.Options(ripgrep=False)], indirect=True)
async def test_a_pattern_that_never_ends_stops_nobody_and_can_be_ended(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write({"trap": "a" * 60 + "!\n"})
    monkeypatch.setattr(_by_hand, "SECONDS", 0.7)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    for path in ("trap", "."):
        result = await project.call("Grep", pattern=r"^(a+)+$", path=path)
        assert result.is_error
        assert "took too long" in result.text
    ticking.cancel()
    assert ticks > 20


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("*.py", ("", "*.py")),
        ("src/*.py", ("src", "/*.py")),
        ("src/app/**/*.ts", ("src/app", "/**/*.ts")),
        ("/abs/**", ("/abs", "/**")),
        ("/*.py", ("/", "/*.py")),
        ("../x/*", ("../x", "/*")),
    ],
)
def test_patterns_are_split_into_place_and_rest(pattern: str, parts: tuple[str, str]) -> None:
    assert split(pattern) == parts


@pytest.mark.parametrize("output", ["content", "files", "count"])
async def test_grep_leaves_out_what_may_not_be_read_and_says_so(project: Project, output: str) -> None:
    project.write({"open.txt": "the key is a\n", "closed.txt": "the key is b\n"})
    project.unreadable = {str(project.root / "closed.txt")}
    text = (await project.call("Grep", pattern="key", output=output)).text
    assert "open.txt" in text
    assert "closed.txt" not in text
    assert text.endswith("[1 more left out: they may not be read]")


async def test_grep_shows_nothing_where_nothing_may_be_read(project: Project) -> None:
    project.write({"closed.txt": "the key is b\n"})
    project.unreadable = {str(project.root / "closed.txt")}
    assert (await project.call("Grep", pattern="key")).text == "[1 more left out: they may not be read]"
