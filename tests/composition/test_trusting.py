"""Trusting a project, and what is used before that."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from protea.composition.launch import Launch
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
    parts = Root(given, Given()).assemble(OpenSession(cwd=given.cwd))
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
