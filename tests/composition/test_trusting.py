"""Trusting a project, and what is used before that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protea.composition.launch import Launch
from protea.composition.root import Given, Root
from protea.composition.trusting import forget_project, trust_project
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
    assert trust_project(given) == (str(project), ())
    assert instructions(given) == ["Obey the project."]
    assert forget_project(given) == (str(project), True)
    assert instructions(given) == []
    assert forget_project(given) == (str(project), False)


def test_a_change_in_what_can_run_something_asks_again(project: Path) -> None:
    said: list[str] = []
    given = launch(project, said)
    (project / ".protea").mkdir()
    (project / ".protea" / "config.toml").write_text('model = "offline/grammar"\n')
    assert trust_project(given)[1] == (".protea/config.toml",)
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
