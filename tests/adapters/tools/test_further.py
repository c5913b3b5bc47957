"""The tools that are found when they are looked for."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.tools import builtin
from protea.adapters.tools.git import GitError, command_of
from protea.adapters.tools.packages import COMMANDS
from protea.adapters.tools.packages import command_of as packages_command
from protea.domain.schema import problems
from protea.domain.tools import ToolResult
from protea.ports.search import Hit
from protea.testing.search import ListSearch
from protea.testing.toolset import RecordedCall
from tests.adapters.tools.conftest import Project

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


async def call(project: Project, name: str, **arguments: Any) -> ToolResult:
    """As the runner does; parts are run by the same tools."""
    tool = project.tools.tool(name)
    assert tool is not None
    assert problems(arguments, tool.spec.parameters) == []
    project.last = RecordedCall(str(project.outputs), toolset=project.tools)
    return await tool.run(arguments, project.last)


def git(project: Project, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=project.root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(project: Project) -> Project:
    git(project, "init", "-q", "-b", "main")
    git(project, "config", "user.name", "Test")
    git(project, "config", "user.email", "test@example.invalid")
    project.write({"a.txt": "one\n", "b.txt": "two\n"})
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    return project


# ── looking for them ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_tool_is_found_with_its_schema(project: Project) -> None:
    found = await call(project, "ToolSearch", query="commit a change")
    assert found.text.startswith("Git: ")
    assert '"action"' in found.text
    assert (await call(project, "ToolSearch", query="zzzz")).text.startswith("No tool fits. There are: Git,")


def test_none_of_them_is_told_before() -> None:
    names = {spec.name for spec in builtin.specs(builtin.Options()) if spec.deferred}
    assert {"Git", "Packages", "RunCode", "NotebookEdit"} <= names


# ── pipelines ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_steps_run_in_order_and_see_earlier_results(project: Project) -> None:
    project.write({"name.txt": "world"})
    done = await call(
        project,
        "Pipeline",
        steps=[
            {"tool": "Bash", "arguments": {"command": "cat name.txt"}, "name": "who"},
            {"tool": "Write", "arguments": {"path": "out.txt", "content": "hello ${who}, ${1}"}},
            {"tool": "Read", "arguments": {"file_path": "out.txt"}},
        ],
    )
    assert not done.is_error
    assert "hello world, world" in done.text
    assert "+hello world, world" in (done.diff or "")
    assert [name for name, _ in project.last.parts] == ["Bash", "Write", "Read"]


async def test_all_mistakes_are_said_before_anything_runs(project: Project) -> None:
    done = await call(
        project,
        "Pipeline",
        steps=[
            {"tool": "Write", "arguments": {"path": "a"}},
            {"tool": "Raed", "arguments": {}},
            {"tool": "Pipeline", "arguments": {"steps": []}},
            {"tool": "Read", "arguments": {"path": "${later}"}},
        ],
    )
    assert done.is_error
    assert project.last.parts == []
    assert "step 1: `content` is missing" in done.text
    assert "step 2: Raed cannot be a step; did you mean Read?" in done.text
    assert "step 3: Pipeline cannot be a step" in done.text
    assert "step 4: no step before it is called later" in done.text


async def test_it_stops_at_a_failure_unless_that_was_optional(project: Project) -> None:
    steps = [
        {"tool": "Bash", "arguments": {"command": "exit 3"}},
        {"tool": "Bash", "arguments": {"command": "echo after"}},
    ]
    stopped = await call(project, "Pipeline", steps=steps)
    assert stopped.is_error
    assert "1 step after it was not run" in stopped.text
    gone_on = await call(project, "Pipeline", steps=[{**steps[0], "optional": True}, steps[1]])
    assert not gone_on.is_error
    assert "after" in gone_on.text


async def test_a_result_is_put_in_as_it_is_and_not_looked_through_again(project: Project) -> None:
    project.write({"a.txt": "${second}"})
    done = await call(
        project,
        "Pipeline",
        steps=[
            {"tool": "Bash", "arguments": {"command": "cat a.txt"}, "name": "first"},
            {"tool": "Bash", "arguments": {"command": "echo secret"}, "name": "second"},
            {"tool": "Write", "arguments": {"path": "out.txt", "content": "${first}"}},
        ],
    )
    assert not done.is_error
    assert (project.root / "out.txt").read_text() == "${second}"


async def test_what_steps_bring_along_is_not_lost(project: Project) -> None:
    project.write({"a.txt": "one\n"})
    draw = f"open('plot.png', 'wb').write(bytes.fromhex('{PIXEL.hex()}'))"
    done = await call(
        project,
        "Pipeline",
        steps=[
            {"tool": "RunCode", "arguments": {"language": "python", "code": draw}},
            {"tool": "Bash", "arguments": {"command": "seq 4000; exit 0"}, "name": "much"},
            {"tool": "Write", "arguments": {"path": "b.txt", "content": "${much}"}},
            {"tool": "Bash", "arguments": {"command": "seq 4000"}},
        ],
    )
    assert not done.is_error, done.text
    assert [base64.b64decode(image.data) for image in done.images] == [PIXEL]
    assert len(done.text) < 35_000
    assert done.file is not None
    assert done.file in done.text
    assert Path(done.file).read_text().count("\n3999\n") == 2  # noqa: ASYNC240 - a test's own file
    assert (project.root / "b.txt").read_text().startswith("1\n2\n")


async def test_others_words_in_a_step_are_others_words_of_the_whole(project: Project) -> None:
    project.search = ListSearch(Hit("A title", "https://a.example/", "some words"))
    project.tools = project.open(builtin.Options())
    done = await call(project, "Pipeline", steps=[{"tool": "WebSearch", "arguments": {"query": "x"}}])
    assert (done.taint, done.is_error) == (("web",), False)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "there are no steps"),
        ([{"tool": "Bash", "arguments": {"command": "true"}}] * 51, "there are 51 steps; 50 are the most"),
        ([{"tool": "", "arguments": {}}], "cannot be a step"),
        ([{"tool": "AskUser", "arguments": {"question": "?"}}], "AskUser cannot be a step"),
        ([{"tool": "Bash", "arguments": {}}], "`command` is missing"),
        ([{"tool": "Bash", "arguments": {"command": ["ls"]}}], "command"),
        ([{"tool": "Bash", "arguments": {"command": "true", "timeout": "${1}"}}], "timeout"),
        ([{"tool": "Bash", "arguments": {"command": "echo ${1}"}}], "no step before it is called 1"),
        ([{"tool": "Read", "arguments": {"path": "../../../etc/shadow-of-nothing"}}], "does not exist"),
        ([{"tool": "Bash", "arguments": {"command": "echo ü🦀"}, "name": "ü"}], "ü🦀"),
    ],
)
async def test_odd_pipelines_get_an_answer_that_says_what_is_wrong(
    project: Project, steps: list[dict[str, Any]], said: str
) -> None:
    assert said in (await call(project, "Pipeline", steps=steps)).text


# ── git ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ({"action": "status"}, "git status --short --branch"),
        ({"action": "diff", "staged": True, "paths": ["a b"]}, "git diff --cached -- 'a b'"),
        (
            {"action": "log", "revision": "main..HEAD", "limit": 3},
            "git log --max-count=3 --date=short --stat main..HEAD",
        ),
        ({"action": "show"}, "git show HEAD"),
        (
            {"action": "commit", "message": "it's done", "paths": ["a"]},
            "git add -- a && git commit -m 'it'\"'\"'s done'",
        ),
        ({"action": "commit", "amend": True}, "git commit --amend --no-edit"),
        ({"action": "branch"}, "git branch --all --verbose"),
        ({"action": "switch", "name": "x", "create": True}, "git switch -c x"),
        ({"action": "worktree", "name": "../w/try", "create": True}, "git worktree add -b try ../w/try"),
        ({"action": "restore", "paths": ["a"], "staged": True}, "git restore --staged -- a"),
    ],
)
def test_a_call_is_a_command_a_person_can_read(arguments: dict[str, Any], command: str) -> None:
    assert command_of(arguments) == command


@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "commit"},
        {"action": "blame"},
        {"action": "restore"},
        {"action": "switch"},
        {"action": "switch", "name": "-f"},
        {"action": "show", "revision": "--output=x"},
        {"action": "branch", "create": True, "name": "a", "revision": "--edit-description"},
    ],
)
def test_what_is_missing_or_an_option_in_disguise_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(GitError):
        command_of(arguments)


async def test_a_commit_is_made_of_the_named_files(repository: Project) -> None:
    repository.write({"a.txt": "ONE\n", "b.txt": "TWO\n"})
    done = await call(repository, "Git", action="commit", paths=["a.txt"], message="Shout one\n\nLouder is better.")
    assert not done.is_error, done.text
    assert git(repository, "log", "-1", "--format=%B", "--name-only").split("\n\n")[:2] == [
        "Shout one",
        "Louder is better.",
    ]
    assert git(repository, "status", "--short") == " M b.txt\n"


async def test_published_history_is_not_rewritten_unasked(repository: Project) -> None:
    repository.write({"c.txt": "c"})
    assert not (await call(repository, "Git", action="commit", amend=True, message="again")).is_error
    before = git(repository, "rev-parse", "HEAD")
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    refused = await call(repository, "Git", action="commit", amend=True, message="once more")
    assert refused.is_error
    assert "origin/main" in refused.text
    assert git(repository, "rev-parse", "HEAD") == before
    assert not (await call(repository, "Git", action="commit", amend=True, message="asked", published=True)).is_error


async def test_what_nobody_can_tell_to_be_unpublished_is_not_amended(repository: Project) -> None:
    repository.tools = repository.open(builtin.Options(bash_timeout=0.000001))
    refused = await call(repository, "Git", action="commit", amend=True, message="again")
    assert "could not be found out" in refused.text
    assert [arguments["command"] for _, arguments in repository.last.parts] == ["git branch -r --contains HEAD"]


# ── packages ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ({"manager": "pip", "action": "add", "names": ["httpx>=1,<2"]}, "python3 -I -m pip install 'httpx>=1,<2'"),
        ({"manager": "npm", "action": "add", "names": ["vite@7"], "dev": True}, "npm install --save-dev vite@7"),
        ({"manager": "cargo", "action": "list", "names": ["ignored"]}, "cargo tree --depth 1"),
        ({"manager": "apt", "action": "show", "names": ["bash"]}, "apt-cache show bash"),
    ],
)
def test_each_manager_has_its_own_words(arguments: dict[str, Any], command: str) -> None:
    assert packages_command(arguments) == command


@pytest.mark.parametrize(
    "arguments",
    [
        {"manager": "apt", "action": "add", "names": ["bash"]},
        {"manager": "pip", "action": "add"},
        {"manager": "pip", "action": "add", "names": ["--index-url=http://evil"]},
        {"manager": "npm", "action": "remove", "names": ["  "]},
    ],
)
def test_what_no_manager_should_be_told_is_refused(arguments: dict[str, Any]) -> None:
    refused = packages_command(arguments)
    assert isinstance(refused, ToolResult)
    assert refused.is_error


def test_every_action_has_a_command_but_changes_to_the_system() -> None:
    actions = ("list", "outdated", "show", "add", "remove")
    missing = [(m, a) for m in ("pip", "uv", "npm", "cargo", "apt") for a in actions if (m, a) not in COMMANDS]
    assert missing == [("apt", "add"), ("apt", "remove")]


async def test_what_is_installed_is_listed(project: Project) -> None:
    if shutil.which("dpkg-query") is None:
        pytest.skip("no dpkg-query here: this is not Debian")
    listed = await call(project, "Packages", manager="apt", action="list")
    assert not listed.is_error
    assert "dpkg" in listed.text


# ── code ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_code_runs_beside_its_files_and_sees_the_project(project: Project) -> None:
    project.write({"data.txt": "41"})
    code = (
        "import os, pathlib\n"
        "n = int((pathlib.Path(os.environ['PROJECT']) / 'data.txt').read_text())\n"
        "print(n + int(open('more.txt').read()))\n"
        "open('result.txt', 'w').write('x')\n"
        f"open('plot.png', 'wb').write(bytes.fromhex('{PIXEL.hex()}'))\n"
    )
    done = await call(project, "RunCode", language="python", code=code, files={"more.txt": "1"})
    assert not done.is_error, done.text
    assert done.text.startswith("42\n")
    assert "result.txt, 1 bytes]" in done.text
    assert [(image.media_type, base64.b64decode(image.data)) for image in done.images] == [("image/png", PIXEL)]
    assert sorted(os.listdir(project.root)) == ["data.txt"]


async def test_code_that_fails_or_does_not_end_says_so(project: Project) -> None:
    failed = await call(project, "RunCode", language="python", code="raise SystemExit(3)")
    assert failed.is_error
    assert "[exit code 3]" in failed.text
    endless = await call(project, "RunCode", language="python", code="while True: pass", timeout=0.3)
    assert endless.is_error
    assert "longer than 0.3 s; set a longer timeout (600 s at most)]" in endless.text


async def test_code_that_leaves_something_running_is_not_sent_to_a_background_it_has_not(project: Project) -> None:
    left = await call(project, "RunCode", language="shell", code="sleep 61 &\n")
    assert "left running and ended" in left.text
    assert "background" not in left.text


async def test_a_file_beside_the_code_cannot_lead_elsewhere(project: Project) -> None:
    for name in ("../x", "a/b", "..", "", "main.py/", "main.py"):
        refused = await call(project, "RunCode", language="python", code="1", files={name: "x"})
        assert refused.is_error, name
    assert os.listdir(project.outputs) == []


# ── notebooks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def notebook(*sources: str, minor: int = 5) -> str:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{at}",
            "metadata": {"kept": [1, 2.0]},
            "execution_count": 7,
            "outputs": [{"output_type": "stream", "text": ["old"]}],
            "source": [source],
        }
        for at, source in enumerate(sources, 1)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": minor}, indent=1) + "\n"


async def test_a_cell_is_replaced_and_its_outputs_are_cleared(project: Project) -> None:
    project.write({"n.ipynb": notebook("a = 1", "b = 2")})
    done = await call(project, "NotebookEdit", path="n.ipynb", cell="2", source="b = 3\nprint(b)")
    assert not done.is_error, done.text
    after = (project.root / "n.ipynb").read_text()
    assert after.startswith('{\n "cells"')
    assert after.endswith("}\n")
    cells = json.loads(after)["cells"]
    assert cells[0] == json.loads(notebook("a = 1"))["cells"][0]
    assert (cells[1]["source"], cells[1]["outputs"], cells[1]["execution_count"]) == (["b = 3\n", "print(b)"], [], None)
    assert cells[1]["metadata"] == {"kept": [1, 2.0]}
    assert "b = 3" in (done.diff or "")


async def test_cells_are_inserted_and_deleted_by_number_or_id(project: Project) -> None:
    project.write({"n.ipynb": notebook("a", "b")})
    await call(project, "NotebookEdit", path="n.ipynb", cell="0", action="insert", source="# Title", kind="markdown")
    await call(project, "NotebookEdit", path="n.ipynb", cell="c1", action="delete")
    cells = json.loads((project.root / "n.ipynb").read_text())["cells"]
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in cells] == [("markdown", "# Title"), ("code", "b")]
    assert cells[0]["id"]
    assert "outputs" not in cells[0]


def written(style: str, sources: Sequence[str]) -> bytes:
    """A notebook as programs write them: odd numbers, escaped letters, their own blanks and line ends."""
    plain = json.loads(notebook(*sources))
    plain["metadata"] = {"title": "caf\u00e9", "version": 1.10, "large": 12345678901234567890}
    match style:
        case "tight":
            return json.dumps(plain, separators=(",", ":")).encode()
        case "one line":
            return json.dumps(plain).encode()
        case "tabs":
            return json.dumps(plain, indent="\t", ensure_ascii=False).encode()
        case "mark":
            return b"\xef\xbb\xbf" + json.dumps(plain, indent=1, ensure_ascii=False).encode()
        case "crlf":
            return (json.dumps(plain, indent=2) + "\n").replace("\n", "\r\n").encode()
        case _:
            return (json.dumps(plain, indent=1) + "\n").replace("1.1", "1.10").encode()


@pytest.mark.parametrize("style", ["tight", "one line", "tabs", "mark", "crlf", "as it is"])
async def test_all_but_the_cell_stays_to_the_byte(project: Project, style: str) -> None:
    three = written(style, ["a", "b", "c"])
    for calls, left in (
        ([{"action": "replace", "cell": "2", "source": "b"}], None),
        ([{"action": "insert", "cell": "1", "source": "x"}, {"action": "delete", "cell": "2"}], three),
        ([{"action": "insert", "cell": "0", "source": "x"}, {"action": "delete", "cell": "1"}], three),
        ([{"action": "insert", "cell": "3", "source": "x"}, {"action": "delete", "cell": "4"}], three),
        ([{"action": "delete", "cell": str(at)} for at in (2, 1)], written(style, ["a", "b", "c"][2:])),
    ):
        project.write({"n.ipynb": three})
        for arguments in calls:
            done = await call(project, "NotebookEdit", path="n.ipynb", **arguments)
            assert not done.is_error, done.text
        data = (project.root / "n.ipynb").read_bytes()
        if left is None:  # the outputs are gone, and nothing else
            expected = json.loads(three.decode("utf-8-sig"))
            expected["cells"][1] |= {"outputs": [], "execution_count": None, "source": ["b"]}
            assert json.loads(data.decode("utf-8-sig")) == expected
            tail = b"version" + three.partition(b"version")[2]
            assert data.endswith(tail)
            assert data.count(b"\r\n") == data.count(b"\n") * (style == "crlf")
        else:
            assert data.replace(b"c3", b"c1") == left.replace(b"c3", b"c1")


async def test_the_only_cell_may_go_and_come(project: Project) -> None:
    for style in ("tight", "crlf", "tabs"):
        project.write({"n.ipynb": written(style, ["a"])})
        await call(project, "NotebookEdit", path="n.ipynb", cell="1", action="delete")
        await call(project, "NotebookEdit", path="n.ipynb", cell="0", action="insert", source="b")
        text = (project.root / "n.ipynb").read_bytes().decode()
        (cell,) = json.loads(text)["cells"]
        assert cell["source"] == ["b"]
        assert text.count("\n") == text.count("\r\n") or style != "crlf"


async def test_a_notebook_of_before_is_shown_and_what_makes_one_of_now_is_named(project: Project) -> None:
    cell = {"cell_type": "code", "input": ["print 1"], "outputs": [{"output_type": "pyout", "text": ["1"]}]}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell]}]}
    project.write({"n.ipynb": json.dumps(old)})
    shown = (await call(project, "Read", path="n.ipynb")).text
    assert "cell 1" in shown
    assert "print 1\n→ 1" in shown
    refused = await call(project, "NotebookEdit", path="n.ipynb", cell="1", source="print(1)")
    assert refused.is_error
    assert "it is of nbformat 3; `jupyter nbconvert" in refused.text


async def test_what_cannot_be_done_to_a_notebook_is_said(project: Project) -> None:
    project.write({"n.ipynb": notebook("a"), "x.ipynb": "{}", "y.ipynb": "no"})
    for arguments, words in (
        ({"path": "n.ipynb", "cell": "2", "source": "x"}, "There is no cell 2"),
        ({"path": "n.ipynb", "cell": "1"}, "give its source"),
        ({"path": "n.ipynb", "cell": "1", "source": "\ud800"}, "cannot be stored as utf-8"),
        ({"path": "n.ipynb", "cell": "-1", "source": "x"}, "There is no cell -1"),
        ({"path": "n.ipynb", "cell": "9" * 30, "source": "x"}, "There is no cell 999"),
        ({"path": "n.ipynb", "cell": "", "source": "x"}, "There is no cell "),
        ({"path": "n.ipynb", "cell": "0", "action": "delete"}, "There is no cell 0"),
        ({"path": ".", "cell": "1", "source": "x"}, "is a directory"),
        ({"path": "x.ipynb", "cell": "1", "source": "x"}, "no notebook"),
        ({"path": "y.ipynb", "cell": "1", "source": "x"}, "no notebook"),
        ({"path": "gone.ipynb", "cell": "1", "source": "x"}, "does not exist"),
    ):
        refused = await call(project, "NotebookEdit", **arguments)
        assert refused.is_error
        assert words in refused.text


# ── the web ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_hits_are_told_as_others_words(project: Project) -> None:
    found = (Hit("A\ntitle", "https://a.example/", "some \x1b[31mwords"), Hit("B", "https://b.example/"))
    project.search = ListSearch(*found)
    tools = project.open(builtin.Options())
    result = await project.call("WebSearch", tools, query="protea")
    assert not result.is_error
    assert result.taint == ("web",)
    assert result.text.splitlines()[1:] == [
        "1. A title",
        "   https://a.example/",
        "   some words",
        "2. B",
        "   https://b.example/",
    ]


async def test_a_search_that_cannot_be_done_says_why(project: Project) -> None:
    project.search = ListSearch(down=True)
    tools = project.open(builtin.Options())
    assert "nobody answers" in (await project.call("WebSearch", tools, query="protea")).text
    assert (await project.call("WebSearch", tools, query=" ")).is_error
    project.search = ListSearch()
    assert "knows nothing" in (await project.call("WebSearch", project.open(builtin.Options()), query="x")).text
