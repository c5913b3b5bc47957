"""Tools found by what they do."""

from __future__ import annotations

import pytest

from protea.domain.tool_search import search
from protea.domain.tools import ToolSpec


def spec(name: str, description: str, *arguments: str) -> ToolSpec:
    return ToolSpec(name=name, description=description, parameters={"properties": {each: {} for each in arguments}})


TOOLS = (
    spec("Git", "The project's history: commit, branch, worktree, diff.", "message"),
    spec("NotebookEdit", "Change a cell of a Jupyter notebook.", "cell"),
    spec("RunCode", "Run Python, Node or Rust code."),
    spec("mcp__tracker__create_issue", "Create an issue in the tracker.", "title", "labels"),
    spec("mcp__tracker__list_issues", "List the issues of a project."),
    spec("mcp__mail__send", "Send a message to somebody."),
)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("commit my changes", "Git"),
        ("jupyter", "NotebookEdit"),
        ("notebooks", "NotebookEdit"),
        ("edit notebook cell", "NotebookEdit"),
        ("execute python code", "RunCode"),
        ("create issue", "mcp__tracker__create_issue"),
        ("labels", "mcp__tracker__create_issue"),
        ("list issues", "mcp__tracker__list_issues"),
        ("send mail", "mcp__mail__send"),
        ("runcode", "RunCode"),
        ("mcp__mail__send", "mcp__mail__send"),
    ],
)
def test_the_best_comes_first(query: str, first: str) -> None:
    assert search(TOOLS, query)[0].name == first


def test_what_fits_nothing_finds_nothing() -> None:
    assert search(TOOLS, "zzz") == ()
    assert search(TOOLS, "") == ()
    assert search((), "git") == ()


def test_no_more_come_than_were_asked_for() -> None:
    assert len(search(TOOLS, "a project issue message code", 2)) == 2


def test_the_order_does_not_depend_on_the_order_of_the_tools() -> None:
    for query in ("issue", "project", "code message"):
        assert search(TOOLS, query) == search(TOOLS[::-1], query)
