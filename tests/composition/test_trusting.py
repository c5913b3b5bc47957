"""Trusting a project, and what is used before that."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.settings.trust import MOST_FILES
from protea.composition.launch import Launch
from protea.composition.resolve import Resolver
from protea.composition.root import Given, Root
from protea.composition.trusting import forget_project, look_at_project, trust_project, trusted_projects
from protea.ports.gateway import OpenSession


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "AGENTS.md").write_text("Obey the project.")
    return root


def launch(project: Path, said: list[str], **more: Any) -> Launch:
    environment = {"HOME": str(project.parent), "OLLAMA_HOST": "127.0.0.1:9"}
    return Launch(cwd=str(project), environment=environment, warn=said.append, **more)


def instructions(given: Launch) -> list[str]:
    parts = Root(given, Given()).assemble(OpenSession(cwd=given.cwd, interactive=False))
    return [each.text for each in parts.instructions.load(given.cwd)]


def test_a_project_is_not_listened_to_before_it_is_trusted(project: Path) -> None:
    said: list[str] = []
    assert instructions(launch(project, said)) == []
    assert any("protea trust" in line for line in said)


def test_a_trusted_project_is_listened_to_until_it_is_forgotten(project: Path) -> None:
    said: list[str] = []
    given = launch(project, said)
    assert trust_project(given) == (str(project), ("AGENTS.md",))
    assert instructions(given) == ["Obey the project."]
    assert forget_project(given) == (str(project), True)
    assert instructions(given) == []
    assert forget_project(given) == (str(project), False)


def test_a_change_in_what_can_run_something_asks_again(project: Path) -> None:
    said: list[str] = []
    given = launch(project, said)
    (project / ".protea").mkdir()
    (project / ".protea" / "config.toml").write_text('model = "offline/grammar"\n')
    assert trust_project(given)[1] == (".protea/config.toml", "AGENTS.md")
    assert instructions(given) == ["Obey the project."]
    (project / ".protea" / "config.toml").write_text('model = "evil/one"\n')
    assert instructions(given) == []


def test_bare_runs_listen_to_nobody(project: Path) -> None:
    said: list[str] = []
    trust_project(launch(project, said))
    assert instructions(launch(project, said, bare=True)) == []


def test_a_home_that_cannot_be_used_keeps_sessions_in_memory_and_says_so(project: Path) -> None:
    said: list[str] = []
    (project.parent / "file").touch()
    environment = {"PROTEA_HOME": str(project.parent / "file" / "home"), "HOME": str(project.parent)}
    given = Launch(cwd=str(project), environment=environment, warn=said.append, bare=True)
    Root(given, Given()).sessions()
    assert any("this session is not kept" in line for line in said)


def test_instructions_that_changed_are_left_out_alone(project: Path) -> None:
    said: list[str] = []
    (project / ".protea").mkdir()
    (project / ".protea" / "config.toml").write_text('effort = "low"\n')
    trust_project(launch(project, said))
    (project / "AGENTS.md").write_text("Obey somebody else.")
    assert instructions(launch(project, said)) == []
    assert "AGENTS.md is not used: it is not as you trusted it; `protea trust` shows what is different" in said
    assert Root(launch(project, said), Given()).settings.effort == "low"
    (change,) = look_at_project(launch(project, said)).items
    assert change == ("AGENTS.md", "changed", "Obey the project.", "Obey somebody else.")
    trust_project(launch(project, said))
    assert instructions(launch(project, said)) == ["Obey somebody else."]
    assert look_at_project(launch(project, said)).trusted


def test_what_is_new_is_asked_about_alone(project: Path) -> None:
    said: list[str] = []
    trust_project(launch(project, said))
    script = project / ".agents/skills/tidy/scripts/run.sh"
    script.parent.mkdir(parents=True)
    script.write_text("rm -rf ~")
    found = look_at_project(launch(project, said))
    assert (found.before, found.trusted) == (True, False)
    assert [item[:2] for item in found.items] == [(".agents/skills/tidy/scripts/run.sh", "new")]
    assert instructions(launch(project, said)) == ["Obey the project."]
    assert ".agents/skills/tidy/scripts/run.sh is not used" in " ".join(said)


@pytest.mark.parametrize("name", [".protea/tools/evil.py", ".protea/tools/inner/evil.py", ".protea/tools/data.json"])
def test_a_tool_that_comes_after_the_yes_leaves_the_project_untrusted(project: Path, name: str) -> None:
    said: list[str] = []
    (project / ".protea/tools/inner").mkdir(parents=True)
    (project / ".protea/tools/good.py").write_text("1")
    trust_project(launch(project, said))
    assert instructions(launch(project, said)) == ["Obey the project."]
    (project / name).write_text("2")
    assert instructions(launch(project, said)) == []
    trust_project(launch(project, said))
    (project / ".protea/tools/linked").symlink_to("../../elsewhere")
    assert instructions(launch(project, said)) == ["Obey the project."], "a link that leads nowhere"
    (project / "elsewhere").mkdir()
    assert instructions(launch(project, said)) == []


def spoken(given: Launch) -> set[str]:
    """The agents, slash commands and skills there are."""
    opened = Root(given, Given()).assemble(OpenSession(cwd=given.cwd, interactive=False)).opened
    assert isinstance(opened, Resolver)
    cards = asyncio.run(opened.get("capability").discover())
    named = [*opened.get("agents").load(), *opened.get("templates").load(), *cards]
    return {each.name for each in named}


@pytest.mark.parametrize(
    "name", [".protea/agents/a.md", ".claude/agents/a.md", ".protea/commands/a.md", ".claude/commands/sub/a.md"]
)
def test_an_agent_or_command_that_comes_after_the_yes_waits_for_another(project: Path, name: str) -> None:
    said: list[str] = []
    (project / ".protea/agents").mkdir(parents=True)
    (project / ".protea/agents/good.md").write_text("Be good.")
    trust_project(launch(project, said))
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("Be evil.")
    assert spoken(launch(project, said)) == {"good"}
    assert f"{name} is not used" in " ".join(said)
    trust_project(launch(project, said))
    assert len(spoken(launch(project, said))) == 2
    (project / name).write_text("Be worse.")
    assert spoken(launch(project, said)) == {"good"}


def a_skill(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: Tidies.\n---\nTidy.")


def test_a_skill_behind_a_linked_folder_is_never_used(project: Path) -> None:
    said: list[str] = []
    a_skill(project / ".agents/skills", "good")
    trust_project(launch(project, said))
    a_skill(project / "elsewhere", "evil")
    (project / ".agents/skills/evil").symlink_to("../../elsewhere/evil")
    assert spoken(launch(project, said)) == {"good"}
    assert look_at_project(launch(project, said)).items[0][:2] == (".agents/skills/evil/.", "unreadable")
    trust_project(launch(project, said))
    assert spoken(launch(project, said)) == {"good"}


def test_a_folder_with_more_files_than_anybody_looks_at_is_not_used(project: Path) -> None:
    said: list[str] = []
    a_skill(project / ".agents/skills", "a")
    for number in range(MOST_FILES):
        (project / f".agents/skills/a/{number}").touch()
    a_skill(project / ".agents/skills", "z")
    trust_project(launch(project, said))
    assert spoken(launch(project, said)) == set()


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


def heard_in(folder: Path, given: Launch) -> list[str]:
    """The instructions of a session that is opened in another folder than the process was started in."""
    parts = Root(given, Given()).assemble(OpenSession(cwd=str(folder)))
    return [each.text for each in parts.instructions.load(str(folder))]


def test_a_session_in_another_project_is_trusted_by_that_project_alone(project: Path) -> None:
    said: list[str] = []
    other = project.parent / "other"
    (other / ".git").mkdir(parents=True)
    (other / "AGENTS.md").write_text("Obey the project.")
    trust_project(launch(project, said))
    assert heard_in(project, launch(project, said)) == ["Obey the project."]
    assert heard_in(other, launch(project, said)) == []
    trust_project(launch(other, said))
    assert heard_in(other, launch(project, said)) == ["Obey the project."]


def test_a_worktree_says_what_was_looked_at_in_its_repository_and_nothing_else(project: Path) -> None:
    said: list[str] = []
    shutil.rmtree(project / ".git")
    git(project, "init")
    git(project, "add", "-A")
    git(project, "commit", "-m", "x")
    git(project, "worktree", "add", str(project.parent / "same"))
    (project / "AGENTS.md").write_text("Obey somebody else.")
    (project / ".protea/tools").mkdir(parents=True)
    (project / ".protea/tools/evil.py").write_text("1")
    git(project, "add", "-A")
    git(project, "commit", "-m", "evil")
    git(project, "worktree", "add", "-b", "evil", str(project.parent / "acting"))
    shutil.rmtree(project / ".protea")
    git(project, "commit", "-a", "-m", "milder")
    git(project, "worktree", "add", "-b", "milder", str(project.parent / "speaking"))
    (project / "AGENTS.md").write_text("Obey the project.")
    trust_project(launch(project, said))
    assert heard_in(project.parent / "same", launch(project, said)) == ["Obey the project."]
    assert heard_in(project.parent / "speaking", launch(project, said)) == []
    assert heard_in(project.parent / "acting", launch(project, said)) == []


def test_a_folder_that_calls_itself_a_worktree_is_none(project: Path) -> None:
    said: list[str] = []
    trust_project(launch(project, said))
    false = project.parent / "false"
    false.mkdir()
    (false / "AGENTS.md").write_text("Obey the project.")
    (false / ".git").write_text(f"gitdir: {project}/.git\n")
    assert heard_in(false, launch(project, said)) == []
    (false / "own").mkdir()
    (false / "own/gitdir").write_text(f"{false}/.git\n")
    (false / "own/commondir").write_text(f"{project}/.git\n")
    (false / ".git").write_text("gitdir: own\n")
    assert heard_in(false, launch(project, said)) == []


def test_another_folder_in_the_same_place_is_another_project(project: Path) -> None:
    said: list[str] = []
    (project / ".protea").mkdir()
    (project / ".protea" / "config.toml").write_text('effort = "low"\n')
    trust_project(launch(project, said))
    project.rename(project.parent / "moved")
    shutil.copytree(project.parent / "moved", project)
    assert instructions(launch(project, said)) == []


def test_projects_are_listed_and_forgotten_from_elsewhere(project: Path) -> None:
    said: list[str] = []
    other = project.parent / "other"
    other.mkdir()
    trust_project(launch(project, said))
    assert trusted_projects(launch(other, said)) == {str(project): (True, ("AGENTS.md",))}
    (project / "AGENTS.md").write_text("x")
    assert trusted_projects(launch(other, said))[str(project)][0] is False
    assert forget_project(launch(other, said), str(project)) == (str(project), True)
    assert trusted_projects(launch(other, said)) == {}


def test_the_home_and_tmp_need_a_second_yes(project: Path) -> None:
    said: list[str] = []
    home = Launch(cwd=str(project.parent), environment={"HOME": str(project.parent)}, warn=said.append)
    assert look_at_project(home).wide == "it is all of your home"
    assert look_at_project(launch(project, said)).wide == ""
    tmp = Launch(cwd="/tmp", environment={"HOME": str(project.parent)}, warn=said.append)
    assert look_at_project(tmp).wide == "anybody may put files there"
