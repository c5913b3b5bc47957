"""Instruction files, from the person's own down to the current directory."""

from __future__ import annotations

import os
from pathlib import Path

from protea.adapters.instructions.files import Options, create
from protea.domain.surroundings import Surroundings


def around(tmp_path: Path, *, trusted: bool = True) -> tuple[Surroundings, Path]:
    project = tmp_path / "project"
    (project / "deep" / "down").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    given = Surroundings(
        cwd=str(project / "deep" / "down"),
        root=str(project),
        user_home=str(tmp_path),
        protea_home=str(tmp_path / "home"),
        environment={},
        trusted=trusted,
    )
    return given, project


def test_they_come_from_the_outermost_to_the_nearest(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    for folder, text in ((tmp_path / "home", "own"), (project, "root"), (project / "deep" / "down", "near")):
        (folder / "AGENTS.md").write_text(text)
    assert [each.text for each in create(Options(), surroundings=given).load(given.cwd)] == ["own", "root", "near"]


def test_one_name_is_enough_in_a_directory(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("agents")
    (project / "CLAUDE.md").write_text("claude")
    (project / "deep" / "CLAUDE.md").write_text("deep")
    assert [each.text for each in create(Options(), surroundings=given).load(given.cwd)] == ["agents", "deep"]


def test_a_directory_nobody_trusts_says_nothing(tmp_path: Path) -> None:
    given, project = around(tmp_path, trusted=False)
    (project / "AGENTS.md").write_text("obey me")
    (tmp_path / "home" / "AGENTS.md").write_text("own")
    assert [each.text for each in create(Options(), surroundings=given).load(given.cwd)] == ["own"]


def test_what_cannot_be_read_as_a_file_is_left_out_and_holds_nobody_up(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").mkdir()
    os.mkfifo(project / "deep" / "AGENTS.md")
    (project / "deep" / "down" / "AGENTS.md").write_bytes(b"\xff ok")
    assert [each.text for each in create(Options(), surroundings=given).load(given.cwd)] == ["\ufffd ok"]


def test_a_long_file_is_cut_and_says_so(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("x" * 100)
    (found,) = create(Options(most_bytes=10), surroundings=given).load(given.cwd)
    assert found.text.startswith("x" * 10 + "\n[cut after 10 bytes")


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (tmp_path / "secret").write_text("secret")
    (project / "AGENTS.md").symlink_to(tmp_path / "secret")
    (project / "CLAUDE.md").write_text("inside")
    (project / "deep" / "AGENTS.md").symlink_to(project / "CLAUDE.md")
    (tmp_path / "home" / "AGENTS.md").symlink_to(tmp_path / "secret")  # one's own may lie anywhere at home
    assert [each.text for each in create(Options(), surroundings=given).load(given.cwd)] == [
        "secret",
        "inside",
        "inside",
    ]
