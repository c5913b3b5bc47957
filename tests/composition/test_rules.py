"""Rules from flags, settings and files, and whose mistakes stop a start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.composition.launch import Launch
from protea.composition.root import Given, Root
from protea.composition.rules import RulesInForce, read_rules
from protea.domain.errors import ConfigError, UsageError


class Start:
    """A project nobody trusts, and what is told at its start."""

    def __init__(self, folder: Path) -> None:
        self.home, self.own = folder / "home", folder / "project" / ".protea"
        self.home.mkdir()
        self.own.mkdir(parents=True)
        self.told: list[str] = []

    def rules(self, **flags: tuple[str, ...]) -> RulesInForce:
        launch = Launch(
            cwd=str(self.own.parent),
            environment={"HOME": str(self.home.parent), "PROTEA_HOME": str(self.home)},
            warn=self.told.append,
            **flags,  # type: ignore[arg-type]
        )
        root = Root(launch, Given())
        return read_rules(launch, root.settings, root.surroundings)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


@pytest.mark.parametrize("text", ["x = = 1", 'deny = ["Bash("]', 'colour = "red"', "a fifo"])
def test_rules_of_a_project_nobody_trusts_stop_nobody(start: Start, text: str) -> None:
    file = start.own / "permissions.toml"
    if text == "a fifo":
        os.mkfifo(file)
    else:
        file.write_text(text)
    assert start.rules(deny=("Write",)).layers[0].deny == ("Write",)
    (warning,) = start.told
    assert str(file) in warning
    assert "not been trusted" in warning


def test_a_bad_rule_in_its_settings_stops_nobody(start: Start) -> None:
    (start.own / "config.toml").write_text('[permissions]\ndeny = ["Bash("]')
    assert start.rules().layers == ()
    assert any("config.toml:2" in line and "not been trusted" in line for line in start.told)


def test_ones_own_bad_rule_stops(start: Start) -> None:
    (start.home / "permissions.toml").write_text('deny = ["Bash("]')
    with pytest.raises(ConfigError, match=r"permissions\.toml:1"):
        start.rules()


@pytest.mark.parametrize(("rule", "near"), [("Raed(.env)", "Read"), ("bash(ls)", "Bash"), ("Grap", "Grep")])
def test_a_flag_for_a_tool_nobody_knows_stops(start: Start, rule: str, near: str) -> None:
    with pytest.raises(UsageError, match=rf"there is no tool '.*did you mean {near}\?"):
        start.rules(deny=(rule,))


@pytest.mark.parametrize("name", ["config.toml", "permissions.toml"])
def test_a_file_with_a_tool_nobody_knows_is_told_with_its_line(start: Start, name: str) -> None:
    table = "[permissions]" if name == "config.toml" else "# mine"
    (start.home / name).write_text(f'{table}\ndeny = ["Raed(.env)", "Bash(rm:*)"]')
    assert start.rules().layers[-1].deny == ("Raed(.env)", "Bash(rm:*)")
    (warning,) = start.told
    assert warning.startswith(f"{start.home / name}:2: there is no tool 'Raed'")


def test_tools_that_are_or_may_come_are_known(start: Start) -> None:
    names = ("Bash(ls)", "Write", "Patch", "Glob", "CronCreate", "A2ASend", "Effect(net.egress)", "mcp__any__thing")
    assert start.rules(allow=names).layers[0].allow == names
    assert start.told == []


def test_a_rule_that_can_never_match_is_told_with_its_line(start: Start) -> None:
    (start.home / "permissions.toml").write_text(
        'allow = ["Bash(git push:*)", "Bash(ls)"]\ndeny = ["Bash(git:*)",\n "Read(/etc/passwd)"]\n'
    )
    start.rules(deny=("Bash(a; b)", "Bash(ls)"))
    assert start.told == [
        "the rule Bash(a; b): each command is matched alone, so a rule with an operator in it matches none",
        f"{start.home}/permissions.toml:3: the rule Read(/etc/passwd): one slash means the project's root;"
        " write //etc/passwd for the absolute path",
        f"{start.home}/permissions.toml:1: the rule Bash(git push:*): it is dead: Bash(git:*)"
        f" ({start.home}/permissions.toml:2) denies all of it",
    ]


def test_a_project_nobody_trusts_may_forbid_and_neither_allow_nor_choose_the_mode(start: Start) -> None:
    (start.own / "permissions.toml").write_text('mode = "yolo"\nallow = ["Bash"]\nask = ["Read"]\ndeny = ["Write"]\n')
    rules = start.rules()
    assert [(each.allow, each.ask, each.deny) for each in rules.layers] == [((), ("Read",), ("Write",))]
    assert rules.mode is None


def test_ones_own_rules_allow_and_choose_the_mode(start: Start) -> None:
    (start.home / "permissions.toml").write_text('mode = "plan"\nallow = ["Bash"]\n')
    (start.own / "permissions.toml").write_text('mode = "yolo"\n')
    rules = start.rules()
    assert [each.allow for each in rules.layers] == [("Bash",)]
    assert rules.mode == "plan"
