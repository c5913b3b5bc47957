"""Instruction files from outside: what the model is sent of them, when, and what is left of them after a compaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from protea.testing.loopback import LoopbackProvider, ScriptedCall
from protea.testing.loopback.recording import Recorded
from tests.journeys.test_compaction import ASKS, said, world_of

TOUCHES = {
    "Read": ScriptedCall("Read", {"path": "deep/a.py"}),
    "Edit": ScriptedCall("Edit", {"path": "deep/a.py", "old_string": "x", "new_string": "y"}),
    "Write": ScriptedCall("Write", {"path": "deep/b.py", "content": "x"}),
    "Grep": ScriptedCall("Grep", {"pattern": "x", "path": "deep"}),
    "Bash": ScriptedCall("Bash", {"command": "cd deep"}),
}
MAY: Sequence[str] = ("--allow", "Edit(deep/**)", "--allow", "Write(deep/**)", "--allow", "Bash(cd:*)")


@pytest.mark.parametrize("tool", TOUCHES)
def test_what_a_deeper_folder_says_is_told_once_when_a_tool_goes_there(tmp_path: Path, tool: str) -> None:
    def mind(request: Recorded) -> Any:
        last = json.loads(request.body)["messages"][-1]
        if ASKS in str(last["content"]):
            return "In short."
        return TOUCHES[tool] if "look" in str(last["content"]) else "So."

    with LoopbackProvider.in_thread([mind], strict=True, after="cycle") as provider:
        world = world_of(tmp_path, provider)
        (world.project / "deep").mkdir()
        (world.project / "deep/a.py").write_text("x = 1\n")
        (world.project / "deep/AGENTS.md").write_text("FACT-deep")
        (world.project / "CLAUDE.md").write_text("FACT-root @more.md `@more.md`")
        (world.project / "more.md").write_text("FACT-more")
        assert world.run("trust", "--yes").returncode == 0
        assert said(world, *MAY, "look there").strip() == "So."
        first, second = (each.body.decode() for each in provider.requests)
        assert first.count("FACT-root FACT-more `@more.md`") == second.count("FACT-root FACT-more `@more.md`") == 1
        assert first.count("FACT-deep") == 0
        assert second.count("FACT-deep") == 1
        assert "FACT-deep" in json.loads(second)["messages"][-1]["content"]
        if tool == "Read":
            said(world, "-c", *MAY, "look again")
            assert provider.requests[-1].body.decode().count("FACT-deep") == 1
            said(world, "-c", "/compact")
            said(world, "-c", *MAY, "look again")
            *_, before, after = (each.body.decode() for each in provider.requests)
            assert before.count("FACT-root") == after.count("FACT-root") == 1
            assert (before.count("FACT-deep"), after.count("FACT-deep")) == (0, 1), "told again once it is touched"


def test_a_project_nobody_trusts_says_nothing_and_that_is_told(tmp_path: Path) -> None:
    with LoopbackProvider.in_thread([TOUCHES["Read"], "So."], after="cycle") as provider:
        world = world_of(tmp_path, provider)
        (world.project / "deep").mkdir()
        (world.project / "deep/a.py").write_text("x = 1\n")
        for name in ("CLAUDE.md", "CLAUDE.local.md", "deep/AGENTS.md"):
            (world.project / name).write_text("FACT-theirs")
        (world.project / ".protea/rules").mkdir(parents=True)
        (world.project / ".protea/rules/a.md").write_text("FACT-theirs")
        (world.home / ".protea/AGENTS.md").write_text("FACT-mine")
        done = world.run("-p", "look there")
        assert "CLAUDE.md is not read: this project has not been trusted" in done.stderr
        for each in provider.requests:
            assert each.body.decode().count("FACT-mine") == 1
            assert "FACT-theirs" not in each.body.decode()
        assert world.run("trust", "--yes").returncode == 0
        said(world, "look there")
        assert provider.requests[-1].body.decode().count("FACT-theirs") == 4
