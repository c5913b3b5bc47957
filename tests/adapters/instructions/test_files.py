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


def test_a_file_takes_in_others_where_they_are_named(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text(
        "Style: @docs/style.md. Ask @someone, see `@docs/style.md` and\n```\n@docs/style.md\n```"
    )
    (project / "docs").mkdir()
    (project / "docs/style.md").write_text("tabs, @more.md\n")
    (project / "docs/more.md").write_text("and no spaces")
    (found,) = create(Options(), surroundings=given).load(str(project))
    expected = "Style: tabs, and no spaces. Ask @someone, see `@docs/style.md` and\n```\n@docs/style.md\n```"
    assert found.text == expected


def test_a_circle_of_imports_ends(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("a @b.md")
    (project / "b.md").write_text("b @AGENTS.md")
    (found,) = create(Options(), surroundings=given).load(str(project))
    assert found.text == "a b @AGENTS.md"


def test_imports_go_five_deep(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("0 @1.md")
    for depth in range(1, 9):
        (project / f"{depth}.md").write_text(f"{depth} @{depth + 1}.md")
    (found,) = create(Options(), surroundings=given).load(str(project))
    assert found.text == "0 1 2 3 4 5 @6.md"


def test_a_project_takes_in_nothing_from_outside_of_it(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (tmp_path / "secret.md").write_text("SECRET")
    (project / "link.md").symlink_to(tmp_path / "secret.md")
    (project / "AGENTS.md").write_text(f"@../secret.md @{tmp_path}/secret.md @~/secret.md @link.md")
    (found,) = create(Options(), surroundings=given).load(str(project))
    assert "SECRET" not in found.text


def test_a_persons_own_file_takes_in_what_lies_in_their_home(tmp_path: Path) -> None:
    given, _ = around(tmp_path)
    (tmp_path / "mine.md").write_text("mine")
    (tmp_path / "home" / "AGENTS.md").write_text("own, @~/mine.md")
    assert [each.text for each in create(Options(), surroundings=given).load(given.cwd)] == ["own, mine"]


def test_imports_that_explode_are_cut(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("@a.md " * 50)
    for name, after in (("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")):
        (project / f"{name}.md").write_text(f"@{after}.md " * 50)
    (project / "e.md").write_text("x" * 1000)
    (found,) = create(Options(), surroundings=given).load(str(project))
    assert len(found.text) < 40_000


def test_what_lies_deeper_is_told_when_it_is_touched(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("root")
    (project / "deep" / "AGENTS.md").write_text("deep")
    (project / "deep" / "down" / "CLAUDE.md").write_text("down")
    instructions = create(Options(), surroundings=given)
    touched = [str(project / "deep/down/a.py"), str(project / "deep/down/b.py")]
    assert [each.text for each in instructions.near(str(project), touched)] == ["deep", "down"]
    assert [each.text for each in instructions.near(given.cwd, touched)] == []
    assert instructions.near(str(project), [str(tmp_path / "home/x"), "/etc/passwd"]) == ()


def test_rules_without_paths_always_hold_and_those_with_paths_where_they_match(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    rules = project / ".claude" / "rules"
    (rules / "web").mkdir(parents=True)
    (rules / "all.md").write_text("always")
    (rules / "web" / "api.md").write_text('---\npaths:\n  - "src/api/**/*.ts"\n  - "*.sql"\n---\nvalidate input\n')
    (rules / "broken.md").write_text("---\npaths: '[a'\n---\nnever\n")
    instructions = create(Options(), surroundings=given)
    assert [each.text for each in instructions.load(given.cwd)] == ["always"]
    assert [each.text for each in instructions.near(given.cwd, [str(project / "src/api/v1/a.ts")])] == [
        "validate input"
    ]
    assert [each.text for each in instructions.near(given.cwd, [str(project / "db/a.sql")])] == ["validate input"]
    assert instructions.near(given.cwd, [str(project / "src/other.ts")]) == ()


def test_an_untrusted_project_brings_up_nothing(tmp_path: Path) -> None:
    given, project = around(tmp_path, trusted=False)
    (project / "deep" / "AGENTS.md").write_text("deep")
    assert create(Options(), surroundings=given).near(str(project), [str(project / "deep/a")]) == ()
