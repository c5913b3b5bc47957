"""`permissions.toml`: what is read, where each rule stands, and what a mistake says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.permission.rules import Options, create, read_rules_file, warnings
from protea.domain.errors import ConfigError
from protea.domain.permission import PermissionRequest, RuleLayer
from protea.domain.surroundings import Surroundings

AROUND = Surroundings(cwd="/p", root="/p", user_home="/h", protea_home="/h/.protea", environment={})


def test_rules_keep_the_line_they_stand_on(tmp_path: Path) -> None:
    file = tmp_path / "permissions.toml"
    file.write_text('# mine\nmode = "plan"\nallow = [\n  "Bash(npm test)",\n]\ndeny = ["Bash(rm:*)"]\n')
    found = read_rules_file(str(file))
    assert found is not None
    assert found.mode == "plan"
    engine = create(Options(layers=(found.layer,)), surroundings=AROUND)
    denied = engine.decide(PermissionRequest(tool="Bash", arguments={"command": "rm x"}, cwd="/p"))
    assert (denied.verdict, denied.rule, denied.source) == ("deny", "Bash(rm:*)", f"{file}:6")
    allowed = engine.decide(PermissionRequest(tool="Bash", arguments={"command": "npm test"}, cwd="/p"))
    assert (allowed.verdict, allowed.source) == ("allow", f"{file}:4")


def test_no_file_is_no_rules(tmp_path: Path) -> None:
    assert read_rules_file(str(tmp_path / "none.toml")) is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('allow = ["Bash(npm test)"\ndeny = 1', 2, "not valid TOML"),
        ('allow = "Bash"', 1, "list"),
        ("\nallow = [1]", 2, "list"),
        ('mode = "yes"', 1, "normal, plan or yolo"),
        ('\n\ncolour = ["Bash"]', 3, "colour"),
        ('allow = [\n"Bash(rm"]', 2, "form"),
        ('deny = ["Read()"]', 1, "nothing between"),
        ('deny = ["WebFetch(x.org)"]', 1, "domain:HOST"),
        ('deny = ["Effect(fly)"]', 1, "no effect"),
    ],
)
def test_a_broken_file_stops_with_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    file = tmp_path / "permissions.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_rules_file(str(file))
    assert caught.value.file == str(file)
    assert caught.value.line == line
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_names_the_place(tmp_path: Path) -> None:
    file = tmp_path / "permissions.toml"
    file.write_bytes(b'mode = "plan"\n\xff')
    with pytest.raises(ConfigError, match="UTF-8") as caught:
        read_rules_file(str(file))
    assert (caught.value.line, caught.value.column) == (2, 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_stops(tmp_path: Path) -> None:
    file = tmp_path / "permissions.toml"
    file.write_text("")
    file.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rules_file(str(file))


def test_a_folder_in_its_place_stops(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rules_file(str(tmp_path))


def test_what_is_no_file_or_has_no_end_stops_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "large").write_text("#" * (1 << 20) + "\n")
    for name in ("fifo", "endless", "large"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_rules_file(str(tmp_path / name))


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (RuleLayer("f", deny=("mcp__",)), "names no server"),
        (RuleLayer("f", deny=("Bash(git:* push)",)), "at the end alone"),
        (RuleLayer("f", allow=("Bash(* install)",)), "name the command"),
        (RuleLayer("f", allow=("Bash(ls && pwd)",)), "operator"),
        (RuleLayer("f", deny=("Read(/etc/passwd)",)), "//etc/passwd"),
        (RuleLayer("f", deny=("Read(../../x)",)), "climbs out"),
        (RuleLayer("f", deny=("Read(~root/x)",)), "~name"),
        (RuleLayer("f", allow=("Bash(git push origin)",), deny=("Bash(git push:*)",)), "dead"),
        (RuleLayer("f", allow=("mcp__a__b",), deny=("mcp__a",)), "dead"),
    ],
)
def test_odd_rules_are_warned_about(layer: RuleLayer, says: str) -> None:
    found = warnings((layer,), AROUND)
    assert any(says in odd.why for odd in found), found


def test_good_rules_are_not_warned_about() -> None:
    layer = RuleLayer(
        "f",
        allow=("Bash(git log:*)", "Edit(src/**)", "WebFetch(domain:*.x.org)", "mcp__a", "Agent(x)", "Effect(fs.read)"),
        deny=("Bash(git push:*)", "Read(~/.ssh/**)", "Read(//etc/**)"),
    )
    assert warnings((layer,), AROUND) == []
