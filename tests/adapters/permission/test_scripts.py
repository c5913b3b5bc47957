"""What was allowed for a session holds for the script as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.permission.rules import Options, create
from protea.domain.permission import Decision, PermissionRequest, Pin, RuleLayer
from protea.domain.surroundings import Surroundings


class Project:
    def __init__(self, folder: Path) -> None:
        self.root = os.path.realpath(folder / "project")
        os.makedirs(f"{self.root}/tools")
        self.script = Path(self.root, "x.sh")
        self.script.write_text("echo one\n")
        around = Surroundings(
            cwd=self.root, root=self.root, user_home=str(folder), protea_home=f"{folder}/.protea", environment={}
        )
        self.engine = create(Options(), surroundings=around)

    def decide(self, command: str, allow: str = "", pins: tuple[Pin, ...] = (), cwd: str = "") -> Decision:
        layers = (RuleLayer("session", allow=(allow,)),) if allow else ()
        where = f"{self.root}/{cwd}" if cwd else self.root
        request = PermissionRequest(
            tool="Bash", arguments={"command": command}, cwd=where, root=self.root, layers=layers, pins=pins
        )
        return self.engine.decide(request)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def pins_of(rule: str, decision: Decision) -> tuple[Pin, ...]:
    return tuple(Pin(rule, path, digest) for path, digest in decision.scripts.items())


@pytest.mark.parametrize(
    "command", ["./x.sh", "bash x.sh --fast", "cd tools && bash ../x.sh", "sh -eu ./x.sh | cat", "./tools/../x.sh"]
)
def test_a_question_names_the_script_that_would_run(project: Project, command: str) -> None:
    decision = project.decide(command)
    assert decision.verdict == "ask"
    assert list(decision.scripts) == [str(project.script)]


@pytest.mark.parametrize("command", ["make all", "python -m x", "bash -c ./y", "/usr/bin/env x", "python missing.py"])
def test_what_runs_no_script_of_the_project_names_none(project: Project, command: str) -> None:
    assert project.decide(command).scripts == {}


def test_a_script_that_changed_is_asked_about_again(project: Project) -> None:
    rule = "Bash(./x.sh)"
    pins = pins_of(rule, project.decide("./x.sh"))
    assert project.decide("./x.sh", rule, pins).verdict == "allow"
    project.script.write_text("rm -rf ~\n")
    again = project.decide("./x.sh", rule, pins)
    assert (again.verdict, again.proposals) == ("ask", (rule,))
    assert "has changed since Bash(./x.sh) was allowed for this session" in again.why
    assert project.decide("./x.sh", rule, pins_of(rule, again)).verdict == "allow"


def test_the_same_words_elsewhere_are_another_script(project: Project) -> None:
    rule = "Bash(./x.sh)"
    pins = pins_of(rule, project.decide("./x.sh"))
    Path(project.root, "tools/x.sh").write_text("echo two\n")
    again = project.decide("./x.sh", rule, pins, cwd="tools")
    assert again.verdict == "ask"
    assert "is not the script that was meant" in again.why


def test_where_nobody_is_there_it_is_a_no(project: Project) -> None:
    rule = "Bash(./x.sh)"
    pins = pins_of(rule, project.decide("./x.sh"))
    project.script.write_text("changed\n")
    request = PermissionRequest(
        tool="Bash",
        arguments={"command": "./x.sh"},
        cwd=project.root,
        root=project.root,
        layers=(RuleLayer("session", allow=(rule,)),),
        pins=pins,
        interactive=False,
    )
    decision = project.engine.decide(request)
    assert decision.verdict == "deny"
    assert "--allow 'Bash(./x.sh)'" in decision.why
