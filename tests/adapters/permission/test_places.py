"""Where a request stands: folders besides the root, the session's own outputs, trust, rules of the session."""

from __future__ import annotations

from pathlib import Path

from protea.adapters.permission import _disk
from protea.domain.permission import RuleLayer
from tests.adapters.permission.scenery import Scenery, build


def test_an_added_folder_counts_as_the_project(scenery: Scenery, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    assert scenery.decide("Read", {"path": str(file)}).verdict == "ask"
    assert scenery.decide("Read", {"path": str(file)}, add_dirs=(str(tmp_path),)).verdict == "allow"
    assert scenery.bash(f"cat {file}", add_dirs=(str(tmp_path),)).verdict == "allow"


def test_a_session_reads_its_own_outputs_and_no_other_sessions(scenery: Scenery) -> None:
    own = f"{scenery.home}/.protea/sessions/one/output-1.txt"
    assert scenery.decide("Read", {"path": own}, session="one").verdict == "allow"
    assert scenery.decide("Read", {"path": own}, session="two").verdict == "ask"
    assert scenery.decide("Write", {"path": own}, session="one", allow=["Edit(~/**)"]).verdict == "ask"
    assert scenery.decide("Read", {"path": f"{scenery.home}/.protea/config.toml"}, session="one").verdict == "ask"


def test_an_untrusted_project_gets_no_yolo(scenery: Scenery) -> None:
    assert scenery.bash("ls", trusted=False).verdict == "allow"
    assert scenery.bash("touch x", mode="yolo", trusted=False).verdict == "ask"


def test_rules_of_the_session_count_beside_the_engines(scenery: Scenery) -> None:
    layers = (RuleLayer("session", allow=("Bash(make:*)",), deny=("Bash(ls:*)",)),)
    assert scenery.bash("make", layers=layers).verdict == "allow"
    denied = scenery.bash("ls", layers=layers, allow=["Bash(ls:*)"])
    assert (denied.verdict, denied.source) == ("deny", "session")


def test_a_rule_from_here_does_not_follow_the_shell_around(scenery: Scenery) -> None:
    inside = f"{scenery.root}/src"
    assert (
        scenery.decide("Read", {"path": "../.env"}, cwd=inside, root=scenery.root, deny=["Read(.env)"]).verdict
        == "deny"
    )
    moved = {"cwd": inside, "root": scenery.root, "session_cwd": scenery.root}
    assert scenery.decide("Write", {"path": "x.py"}, allow=["Edit(./src/*)"], **moved).verdict == "allow"
    assert (
        scenery.decide("Write", {"path": "x.py"}, allow=["Edit(./*.py)"], **{**moved, "root": inside}).verdict == "ask"
    )


def test_a_repository_whose_configuration_runs_programs_is_not_read_freely(tmp_path: Path) -> None:

    scenery = build(tmp_path)
    config = Path(scenery.root, ".git/config")
    before = config.read_text()
    assert scenery.bash("git status").verdict == "allow"
    for text in (
        "[core]\n\tfsmonitor = ./x.sh\n",
        "[core] fsmonitor = ./x.sh\n",
        '[diff "x"]\n\ttextconv = ./x.sh\n',
        "[DIFF]\n\tExternal=./x.sh\n",
        "[include]\n\tpath = /tmp/x\n",
        '[filter "x"]\n\tclean = \\\n./x.sh\n',
    ):
        config.write_text(before + text)
        assert scenery.bash("git status").verdict == "ask", text
    config.write_text(before + '[remote "origin"]\n\turl = x\n[filter "lfs"]\n\tclean = git-lfs clean -- %f\n')
    assert scenery.bash("git status").verdict == "allow"


def test_a_folder_too_large_to_look_through_asks(tmp_path: Path) -> None:

    scenery = build(tmp_path)
    before = _disk.MOST_VISITED
    try:
        _disk.MOST_VISITED = 5
        assert scenery.bash("grep -r zzz .").verdict == "ask"
    finally:
        _disk.MOST_VISITED = before
    assert scenery.bash("grep -r zzz .").verdict == "allow"
