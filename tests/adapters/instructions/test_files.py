"""Instruction files, from the person's own down to the current directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

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
        "inside",  # once, though two names lead to it
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


def loaded(given: Surroundings, project: Path, **options: Any) -> list[str]:
    return [each.text for each in create(Options(**options), surroundings=given).load(str(project))]


TEXTS = {
    "utf-8 with a mark": "\ufeffBe kind.".encode(),
    "utf-16 little": b"\xff\xfe" + "Be kind.".encode("utf-16-le"),
    "utf-16 big": b"\xfe\xff" + "Be kind.".encode("utf-16-be"),
    "lines of Windows": b"\r\nBe kind.\r\n",
    "lines of old": b"Be kind.\r",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read_however_it_is_written_down(tmp_path: Path, name: str) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_bytes(TEXTS[name])
    assert loaded(given, project) == ["Be kind."]
    (project / "AGENTS.md").write_text("@other.md")
    (project / "other.md").write_bytes(TEXTS[name])
    assert loaded(given, project) == ["Be kind."]


def test_a_head_is_understood_with_a_mark_and_lines_of_windows(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / ".claude/rules").mkdir(parents=True)
    (project / ".claude/rules/a.md").write_bytes(b"\xef\xbb\xbf---\r\npaths: '*.py'\r\n---\r\nBe kind.\r\n")
    instructions = create(Options(), surroundings=given)
    assert instructions.load(given.cwd) == ()
    assert [each.text for each in instructions.near(given.cwd, [str(project / "a.py")])] == ["Be kind."]


def test_what_is_no_text_or_endless_is_not_read_and_that_is_said(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_bytes(b"\x7fELF\0\0\0" * 100)
    assert loaded(given, project) == [f"[{project}/AGENTS.md is no text and was not read]"]
    (project / "AGENTS.md").write_bytes(b"x" * (1 << 20) + b"x")
    assert loaded(given, project) == [f"[{project}/AGENTS.md is larger than 1 MiB and was not read]"]


def test_an_import_of_what_cannot_be_read_stays_the_word_it_is(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "picture.png").write_bytes(b"\x89PNG\0\0")
    (project / "endless.txt").write_bytes(b"x" * (1 << 20) + b"x")
    os.mkfifo(project / "pipe")
    (project / "dangling").symlink_to("nowhere")
    text = "@picture.png @endless.txt @pipe @dangling @deep @missing.md @/dev/zero @/etc/passwd @~ @"
    (project / "AGENTS.md").write_text(text)
    assert loaded(given, project) == [text]


CODE = {
    "a span": "`@a.md`",
    "a span of two": "``x ` @a.md``",
    "a span over a line's end": "`x\n@a.md`",
    "a fence": "```sh\n@a.md\n```",
    "a fence of tildes": "~~~\n@a.md\n~~~",
    "a longer fence around another": "````\n```\n@a.md\n```\n@a.md\n````",
    "a fence that is never closed": "```\n@a.md\n",
    "a fence in a list": "- x\n  ```\n  @a.md\n  ```",
    "an address": "me@a.md",
}


@pytest.mark.parametrize("name", CODE)
def test_nothing_is_taken_in_where_code_stands(tmp_path: Path, name: str) -> None:
    given, project = around(tmp_path)
    (project / "a.md").write_text("TAKEN")
    (project / "AGENTS.md").write_text(CODE[name])
    assert loaded(given, project) == [CODE[name].strip()]


def test_behind_code_things_are_taken_in_again(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "a.md").write_text("TAKEN")
    (project / "AGENTS.md").write_text("```\n@a.md\n```\n@a.md\na stray ` here\n\n@a.md and ` there")
    assert loaded(given, project) == ["```\n@a.md\n```\nTAKEN\na stray ` here\n\nTAKEN and ` there"]


def test_a_file_is_told_once_whatever_links_lead_to_it(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("all of it")
    (project / "CLAUDE.md").symlink_to("AGENTS.md")
    (project / "deep/AGENTS.md").symlink_to("../AGENTS.md")
    (project / ".claude/rules").mkdir(parents=True)
    (project / ".claude/rules/a.md").symlink_to("../../AGENTS.md")
    assert loaded(given, project / "deep") == ["all of it"]
    instructions = create(Options(), surroundings=given)
    assert instructions.near(str(project), [str(project / "deep/a.py")]) == ()


def test_what_a_person_keeps_to_themselves_is_read_behind_what_all_share(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "AGENTS.md").write_text("shared")
    (project / "CLAUDE.local.md").write_text("mine")
    (project / "deep/CLAUDE.local.md").write_text("mine there")
    (project / "deep/down/.claude").mkdir()
    (project / "deep/down/.claude/CLAUDE.md").write_text("in a folder of its own")
    assert loaded(given, project / "deep/down") == ["shared", "mine", "mine there", "in a folder of its own"]
    instructions = create(Options(), surroundings=given)
    touched = instructions.near(str(project), [str(project / "deep/down/a.py")])
    assert [each.text for each in touched] == ["mine there", "in a folder of its own"]


def test_rules_of_ones_own_hold_in_every_project_trusted_or_not(tmp_path: Path) -> None:
    given, project = around(tmp_path, trusted=False)
    (project / ".protea/rules").mkdir(parents=True)
    (project / ".protea/rules/a.md").write_text("theirs")
    (tmp_path / "home/rules").mkdir()
    (tmp_path / "home/rules/all.md").write_text("mine")
    (tmp_path / "home/rules/py.md").write_text("---\npaths: '*.py'\n---\nmine of Python")
    assert loaded(given, project) == ["mine"]
    instructions = create(Options(), surroundings=given)
    assert [each.text for each in instructions.near(given.cwd, [str(project / "a.py")])] == ["mine of Python"]
    assert instructions.near(given.cwd, [str(project / "a.c")]) == ()
    given = msgspec.structs.replace(given, trusted=True)
    assert loaded(given, project) == ["mine", "theirs"]


PATTERNS = [
    ("**/*.{ts,tsx}", "src/a.tsx", True),
    ("src/**/*.{ts,tsx}, docs/**", "src/b/a.ts", True),
    ("src/**/*.{ts,tsx}, docs/**", "docs/a.txt", True),
    ("src/**/*.{ts,tsx}, docs/**", "src/a.py", False),
    ("'[a', '*.py'", "x.py", True),
    ("'[a'", "a", False),
    ("'src/**', '!src/made/**'", "src/a.py", True),
    ("'src/**', '!src/made/**'", "src/made/a.py", False),
    ("'!*.lock'", "src/a.py", True),
    ("'!*.lock'", "uv.lock", False),
    ("'/top.py'", "top.py", True),
    ("'/top.py'", "deep/top.py", False),
    ("'**'", ".hidden/x", True),
]


@pytest.mark.parametrize(("paths", "file", "concerned"), PATTERNS)
def test_the_paths_of_a_rule_say_what_it_is_about(tmp_path: Path, paths: str, file: str, concerned: bool) -> None:
    given, project = around(tmp_path)
    (project / ".claude/rules").mkdir(parents=True)
    given_as = paths if "{" in paths else f"[{paths}]"
    (project / ".claude/rules/a.md").write_text(f"---\npaths: {given_as}\n---\nrule\n")
    found = create(Options(), surroundings=given).near(given.cwd, [str(project / file)])
    assert [each.text for each in found] == (["rule"] if concerned else [])


def test_looking_through_a_folder_touches_it(tmp_path: Path) -> None:
    given, project = around(tmp_path)
    (project / "deep/AGENTS.md").write_text("deep")
    instructions = create(Options(), surroundings=given)
    assert [each.text for each in instructions.near(str(project), [str(project / "deep")])] == ["deep"]
    assert instructions.near(str(project), [str(project)]) == ()
