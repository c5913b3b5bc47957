"""What people bring along reaches the model: skills as they are published, tools from single files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.domain.script import ScriptedCall
from protea.testing.loopback import LoopbackProvider
from tests.journeys.world import World

SKILL = """---
name: pdf-forms
description: Fill in PDF forms. Use when a form in PDF is to be filled in.
license: Apache-2.0
metadata:
  author: someone
  version: "1.0"
allowed-tools: Bash(rm:*) Read
---

# PDF forms

1. Run `python scripts/fields.py FORM`.
2. See [reference](references/fields.md) for what the fields mean.
"""


def skill(folder: Path, text: str = SKILL) -> None:
    (folder / "scripts").mkdir(parents=True)
    (folder / "references").mkdir()
    (folder / "SKILL.md").write_text(text)
    (folder / "scripts/fields.py").write_text("print('fields')\n")
    (folder / "references/fields.md").write_text("What they mean.\n")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, ANTHROPIC_API_KEY="test")
    (world.home / ".protea").mkdir(mode=0o700)
    return world


@pytest.fixture
def provider(world: World) -> Iterator[LoopbackProvider]:
    steps = [
        ScriptedCall("Skill", {"name": "pdf-forms"}),
        ScriptedCall("Bash", {"command": "rm src/beta.py"}),
        "filled in",
    ]
    with LoopbackProvider.in_thread(steps, after="repeat", strict=True) as provider:
        world.environment["ANTHROPIC_BASE_URL"] = provider.url("anthropic")
        yield provider


def events_of(world: World, *words: str) -> list[dict[str, Any]]:
    done = world.run("-p", "--output-format", "stream-json", *words)
    return [json.loads(line) for line in done.stdout.splitlines()]


def asked(provider: LoopbackProvider) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in provider.requests]


def system(request: dict[str, Any]) -> list[str]:
    return [part["text"] for part in request["system"]]


def results(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["result"] for event in events if event["type"] == "tool_call_changed" and event.get("result")]


def test_a_published_skill_is_found_and_read_and_allows_nothing_by_itself(
    world: World, provider: LoopbackProvider
) -> None:
    skill(world.home / ".protea/skills/pdf-forms")
    events = events_of(world, "--allow", "Skill(pdf-forms)", "fill in form.pdf")
    read, removed = results(events)
    assert "python scripts/fields.py FORM" in read["text"]
    assert "- references/fields.md" in read["text"]
    assert str(world.home / ".protea/skills/pdf-forms") in read["text"]
    assert removed["denied"], "what a skill says of allowed tools must not allow anything"
    assert (world.project / "src/beta.py").exists()
    first, *later = asked(provider)
    listed = "- pdf-forms: Fill in PDF forms. Use when a form in PDF is to be filled in."
    assert [listed in part for part in system(first)].count(True) == 1
    assert "PDF forms\n\n1." not in json.dumps(first), "it is told of before it is read, and no more than that"
    assert all(system(each) == system(first) and each["tools"] == first["tools"] for each in later)
    assert provider.prefix_kept()


def test_skills_stand_between_the_persona_and_the_instructions(world: World, provider: LoopbackProvider) -> None:
    (world.project / "AGENTS.md").write_text("Speak in rhymes.\n")
    skill(world.project / ".agents/skills/pdf-forms")
    assert world.run("-p", "hello").returncode == 5
    assert "pdf-forms" not in json.dumps(asked(provider)[0]["system"]), "of a project that nobody has trusted"
    assert world.run("trust").returncode == 0
    events_of(world, "hello")
    told = system(asked(provider)[-1])
    (at,) = [place for place, part in enumerate(told) if "- pdf-forms:" in part]
    assert 0 < at < len(told) - 1
    assert "Speak in rhymes." in told[-1]


def test_without_a_skill_nothing_more_is_sent(world: World, provider: LoopbackProvider) -> None:
    (world.home / ".protea/skills").mkdir()
    (world.home / ".protea/skills/README.md").write_text("Skills go here.\n")
    events_of(world, "hello")
    (world.home / ".protea/skills/README.md").unlink()
    (world.home / ".protea/skills").rmdir()
    events_of(world, "hello")
    first, second = (each for each in asked(provider) if len(each["messages"]) == 1)
    assert first == second
    assert "Skill" not in [tool["name"] for tool in first["tools"]]


# ── tools ──────────────────────────────────────────────────────────────────────────────────────────────────────────

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/tools/word_count.py"


@pytest.fixture
def counting(world: World) -> Iterator[LoopbackProvider]:
    steps = [ScriptedCall("word_count", {"path": "src/alpha.py", "most": 1}), "counted"]
    with LoopbackProvider.in_thread(steps, after="cycle", strict=True) as provider:
        world.environment["ANTHROPIC_BASE_URL"] = provider.url("anthropic")
        yield provider


def test_a_function_in_a_file_is_a_tool_that_asks(world: World, counting: LoopbackProvider) -> None:
    (world.home / ".protea/tools").mkdir()
    (world.home / ".protea/tools/word_count.py").write_text(EXAMPLE.read_text())
    (refused,) = results(events_of(world, "count"))
    assert refused["denied"]
    (counted,) = results(events_of(world, "--allow", "word_count", "count"))
    assert counted["text"] == '{"#":2}'
    (planned,) = results(events_of(world, "--permission-mode", "plan", "--allow", "word_count", "count"))
    assert "plan mode" in planned["denied"]
    tool = next(tool for tool in asked(counting)[0]["tools"] if tool["name"] == "word_count")
    assert tool["description"] == "The commonest words of a file, and how often each is there."
    assert tool["input_schema"]["properties"]["path"] == {"type": "string", "description": "Of a text file"}


def test_tools_of_a_project_are_used_as_they_were_trusted(world: World, counting: LoopbackProvider) -> None:
    file = world.project / ".protea/tools/word_count.py"
    file.parent.mkdir(parents=True)
    file.write_text(f"{EXAMPLE.read_text()}open({str(world.home / 'ran')!r}, 'w').close()\n")
    done = world.run("-p", "count")
    assert ".protea/tools is not used: this project has not been trusted" in done.stderr
    assert not (world.home / "ran").exists()
    assert ".protea/tools/word_count.py" in world.run("trust").stdout
    (counted,) = results(events_of(world, "--allow", "word_count", "count"))
    assert counted["text"] == '{"#":2}'
    (world.home / "ran").unlink()
    file.write_text(file.read_text() + "# another\n")
    world.run("-p", "count")
    assert not (world.home / "ran").exists()
    assert "+# another" in world.run("trust", "--json").stdout


def test_a_file_with_a_mistake_is_one_warning_and_no_broken_start(world: World, counting: LoopbackProvider) -> None:
    folder = world.home / ".protea/tools"
    folder.mkdir()
    (folder / "broken.py").write_text("x = 1\nimport nothing_called_so\n")
    (folder / "word_count.py").write_text(EXAMPLE.read_text())
    events = events_of(world, "--allow", "word_count", "count")
    notices = [event["text"] for event in events if event["type"] == "notice_given" and "broken.py" in event["text"]]
    (notice,) = notices
    assert notice.startswith(f"{folder / 'broken.py'}:2: ModuleNotFoundError")
    assert events[-1]["outcome"] == "finished"
    listed = world.run("tools", "list")
    assert [line for line in listed.stderr.splitlines() if "broken.py:2:" in line]
    (row,) = [line for line in listed.stdout.splitlines() if line.startswith("word_count")]
    assert row.endswith("~/.protea/tools/word_count.py")
    told = world.run("tools", "help", "word_count").stdout
    assert "from ~/.protea/tools/word_count.py" in told
    assert 'example: {"path":"README.md","most":3}' in told
    assert "Of a text file" in told


# ── installing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_skill_is_installed_once_somebody_has_looked_at_it(world: World, tmp_path: Path) -> None:
    skill(tmp_path / "pdf-forms")
    asked_first = world.run("skills", "install", str(tmp_path / "pdf-forms"))
    assert (asked_first.returncode, "say --yes" in asked_first.stderr) == (1, True)
    assert "scripts/fields.py" in asked_first.stdout
    assert "wants (and is not given): Bash(rm:*) Read" in asked_first.stdout
    assert not (world.home / ".protea/skills").exists()
    assert world.run("skills", "install", "--yes", str(tmp_path / "pdf-forms")).returncode == 0
    assert "pdf-forms" in world.run("skills", "list").stdout
    again = world.run("skills", "install", "--yes", str(tmp_path / "pdf-forms"))
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


def test_what_leads_out_of_a_skill_is_not_installed(world: World, tmp_path: Path) -> None:
    skill(tmp_path / "pdf-forms")
    (tmp_path / "pdf-forms/references/key").symlink_to("/etc/passwd")
    done = world.run("skills", "install", "--yes", str(tmp_path / "pdf-forms"))
    assert (done.returncode, "is a link" in done.stderr) == (1, True)
    assert not (world.home / ".protea/skills/pdf-forms").exists()


def test_skills_of_a_repository_are_cloned_without_what_it_would_run(world: World, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    skill(origin / "skills/pdf-forms")
    git = ["git", "-C", str(origin), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "skills"]):
        subprocess.run([*git, *words], check=True)
    assert world.run("skills", "install", "--yes", "--project", f"file://{origin}").returncode == 0
    installed = world.project / ".protea/skills/pdf-forms"
    assert sorted(path.name for path in installed.iterdir()) == ["SKILL.md", "references", "scripts"]
    assert "pdf-forms" not in world.run("skills", "list").stdout, "of a project that nobody has trusted"
    assert world.run("skills", "install", "--yes", "ext::sh -c true").returncode == 1
