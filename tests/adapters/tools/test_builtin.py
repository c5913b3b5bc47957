"""The set as a whole: its names, its cost, its small tools."""

from __future__ import annotations

import subprocess
import sys

import pytest

from protea.adapters.tools import builtin, none
from protea.domain.errors import ConfigError
from protea.domain.tools import TodoItem
from protea.ports.toolset import Toolset
from protea.testing.contracts.toolset import ToolsetContract
from protea.testing.toolset import RecordedCall
from tests.adapters.tools.conftest import Project

NAMES = ["Bash", "BashOutput", "KillShell", "Read", "Write", "Edit", "Patch", "Glob", "Grep", "TodoWrite", "AskUser"]
NAMES += ["WebFetch", "Recall", "ToolSearch", "Pipeline", "Agent", "ProposePlan"]


class TestBuiltin(ToolsetContract):
    @pytest.fixture(autouse=True)
    def _make(self, project: Project) -> None:
        self._tools = project.tools

    def toolset(self) -> Toolset:
        return self._tools


class TestNoTools(ToolsetContract):
    def toolset(self) -> Toolset:
        return none.create(none.Options())

    def test_it_has_none(self) -> None:
        assert list(self.toolset().specs()) == []
        assert self.toolset().cwd is None


def test_all_tools_together_cost_little() -> None:
    assert [spec.name for spec in builtin.specs(builtin.Options()) if not spec.deferred] == NAMES
    assert builtin.size() <= 6350


def test_tools_are_chosen_by_name() -> None:
    assert [spec.name for spec in builtin.specs(builtin.Options(only=("Read", "Grep"), without=("Grep",)))] == ["Read"]
    with pytest.raises(ConfigError, match="Raed"):
        builtin.specs(builtin.Options(without=("Raed",)))


def test_naming_the_tools_imports_none_of_them() -> None:
    program = (
        "import sys; from protea.adapters.tools import builtin; builtin.specs(builtin.Options());"
        "print(*(name for name in sys.modules if name.startswith('protea.adapters.tools.')"
        " or name in ('difflib', 'subprocess', 'asyncio', 'tempfile', 'shutil', 'pathlib', 'json')))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    named = {f"protea.adapters.tools.{name}" for name in ("_further", "_kit", "_schemas", "builtin")}
    seen = set(done.stdout.split()) - named
    at_start = subprocess.run(
        [sys.executable, "-I", "-c", "import sys, msgspec; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen - set(at_start.stdout.split()) == set()


def test_only_what_changes_nothing_runs_side_by_side() -> None:
    assert [spec.name for spec in builtin.specs(builtin.Options()) if spec.parallel and not spec.deferred] == [
        "Read",
        "Glob",
        "Grep",
        "WebFetch",
        "Recall",
        "ToolSearch",
        "Agent",
    ]


async def test_the_todo_list_is_the_result(project: Project) -> None:
    items = [{"text": "a", "status": "done"}, {"text": "b", "status": "in_progress"}]
    result = await project.call("TodoWrite", items=items)
    assert result.todo == (TodoItem("a", "done"), TodoItem("b", "in_progress"))
    assert result.text == "2 items, 1 done; now: b."
    assert (await project.call("TodoWrite", items=[])).todo == ()


async def test_a_question_gives_the_answer_or_says_that_nobody_is_there(project: Project) -> None:
    tool = project.tools.tool("AskUser")
    assert tool is not None
    answered = await tool.run({"question": "Which?"}, RecordedCall(str(project.outputs), answer="the blue one"))
    assert answered.text == "They answered: the blue one"
    assert "Nobody can answer" in (await project.call("AskUser", question="Which?")).text
