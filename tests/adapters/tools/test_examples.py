"""The call that the help of each tool shows is one that works."""

from __future__ import annotations

import subprocess

import pytest

from protea.adapters.tools import builtin
from protea.domain.schema import problems
from protea.ports.search import Hit
from protea.ports.web import Page
from protea.testing.search import ListSearch
from protea.testing.toolset import RecordedCall
from protea.testing.web import ScriptedWeb
from tests.adapters.tools.conftest import Project

EXAMPLES = {spec.name: spec.example or {} for spec in builtin.specs(builtin.Options())}
OTHERS = {
    "Agent": "tests/application/test_agents.py",
    "Race": "tests/journeys/test_race.py",
    "Monitor": "tests/application: it tells beside a turn",
    "ProposePlan": "tests/application/test_plan_mode.py",
    "AskUser": "a person answers",
    "Recall": "it looks at a session's log",
}
"""Tools that need a session around them, and where they are run."""


def test_every_tool_has_an_example_that_fits_its_arguments() -> None:
    for spec in builtin.specs(builtin.Options()):
        assert spec.example, spec.name
        assert problems(spec.example, spec.parameters) == [], spec.name


def _commit(project: Project) -> None:
    words = ("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "-qm", "one")
    for each in words:
        subprocess.run(["git", *each], cwd=project.root, check=True)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in OTHERS])
async def test_the_example_works(project: Project, name: str) -> None:
    project.write(
        {
            "src/app.py": "x = 1\n# TODO: more\n",
            "notes.ipynb": '{"cells": [{"cell_type": "code", "source": "1", "outputs": [], "metadata": {}, '
            '"execution_count": 1}], "metadata": {}, "nbformat": 4, "nbformat_minor": 2}',
        }
    )
    _commit(project)
    url = str(EXAMPLES["WebFetch"]["url"])
    project.web = ScriptedWeb({url: Page(url=url, status=200, kind="text/html", text="For examples.")})
    project.search = ListSearch(Hit("gather", "https://docs.example/gather", "runs several"))
    project.tools = project.open(builtin.Options())
    if name in ("BashOutput", "KillShell"):
        await project.call("Bash", command="echo up; sleep 0.5; echo news; sleep 60", background=True)
    tool = project.tools.tool(name)
    assert tool is not None
    result = await tool.run(EXAMPLES[name], RecordedCall(str(project.outputs), toolset=project.tools))
    assert not result.is_error, result.text
    assert result.text.strip()
