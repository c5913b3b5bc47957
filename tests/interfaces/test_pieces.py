"""Commands about one port alone, over its fake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protea.domain.errors import UsageError
from protea.interfaces.arguments import parse
from protea.interfaces.commands.memory import run_memory
from protea.interfaces.commands.schedule import run_schedule
from protea.interfaces.commands.skills import run_skills
from protea.interfaces.commands.tasks import run_tasks
from protea.interfaces.commands.telling import Place
from protea.ports.capability import CapabilityCard
from protea.testing.capability import TableCapability
from protea.testing.clock import FakeClock
from protea.testing.memory import ListMemory
from protea.testing.scheduler import ListScheduler
from protea.testing.task_runner import MemoryTaskRunner


class Out:
    def __init__(self) -> None:
        self.text = ""
        self.place = Place("/p", "/h", self.write)

    def write(self, text: str) -> None:
        self.text += text

    def take(self) -> str:
        text, self.text = self.text, ""
        return text


async def test_notes_are_added_found_listed_and_forgotten() -> None:
    memory, out = ListMemory(), Out()

    async def run(*words: str) -> int:
        return await run_memory(memory, parse(["memory", *words]), out.place)

    assert await run("list") == 0
    assert out.take() == "nothing is kept yet\n"
    assert await run("add", "--tag", "home", "The", "wifi", "is", "Finch\x1b[31m") == 0
    id = out.take().strip()
    assert await run("search", "wifi") == 0
    assert "The wifi is Finch" in (shown := out.take())
    assert "\x1b" not in shown
    assert await run("list", "--json") == 0
    (note,) = json.loads(out.take())
    assert (note["id"], note["source"], note["tags"]) == (id, "user", ["home"])
    assert await run("search", "nothing like it") == 0
    assert await run("forget", id) == 0
    with pytest.raises(UsageError, match="protea memory list"):
        await run("forget", id)


def test_prompts_are_scheduled_listed_and_removed(capfd: pytest.CaptureFixture[str]) -> None:
    scheduler, out = ListScheduler(FakeClock()), Out()

    def run(*words: str) -> int:
        return run_schedule(scheduler, parse(["schedule", *words]), out.place)

    assert run("add", "every 2h", "look", "at", "it", "--skip-missed") == 0
    assert out.take() == "j_1  2026-11-21T06:05:06.000Z\n"
    assert run("list", "--json") == 0
    (job,) = json.loads(out.take())
    assert (job["prompt"], job["cwd"], job["missed"], job["next"]) == (
        "look at it", "/p", "skip", "2026-11-21T06:05:06.000Z",
    )  # fmt: skip
    assert run("list") == 0
    assert "every 2h" in out.take()
    assert run("remove", "j_1") == 0
    with pytest.raises(UsageError, match="no job j_1"):
        run("remove", "j_1")
    assert "nothing of this build is awake" in capfd.readouterr().err


async def test_tasks_are_listed_and_shown() -> None:
    runner, out = MemoryTaskRunner(), Out()

    async def work(input: Any, tell: Any) -> str:
        tell("half")
        return "all of it"

    runner.define("work", work)
    task = await runner.start("work", {"log": "/out/1.txt"}, title="The work")
    await runner.wait(task.id)
    assert await run_tasks(runner, parse(["tasks", "list"]), out.place) == 0
    assert "The work" in out.take()
    assert await run_tasks(runner, parse(["tasks", "show", task.id]), out.place) == 0
    shown = out.take()
    assert shown.endswith("\nall of it\n")
    assert "/out/1.txt" in shown
    assert await run_tasks(runner, parse(["tasks", "show", task.id, "--json"]), out.place) == 0
    assert json.loads(out.take())["state"] == "done"


class SkillTable(TableCapability):
    async def discover(self) -> list[CapabilityCard]:
        found = await super().discover()
        return [
            CapabilityCard(
                name=card.name, description=card.description, kind="skill", source=card.source, digest=card.digest
            )
            for card in found
        ]


class Fine:
    """A SKILL.md without a fault."""

    faults = ()

    def __init__(self, path: str) -> None:
        self.path = path


async def test_skills_are_listed_shown_and_looked_over() -> None:
    skills, out = SkillTable({"baking": "Knead."}), Out()

    async def run(*words: str) -> int:
        return await run_skills(skills, parse(["skills", *words]), out.place, Fine)

    assert await run("list") == 0
    assert "About baking." in out.take()
    assert await run("show", "baking") == 0
    assert out.take() == "Knead.\n"
    with pytest.raises(UsageError, match="did you mean baking"):
        await run("show", "bakin")
    assert await run("validate") == 0
    assert out.take() == "1 skill, no problem\n"
    skills.problems = ["a/SKILL.md: it has no head"]
    assert await run("validate") == 1
    assert out.take() == "a/SKILL.md: it has no head\n"
