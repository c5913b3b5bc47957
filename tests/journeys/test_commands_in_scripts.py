"""Slash commands as the prompt of a headless run: each says what it has done, and a misspelt one is no prompt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.journeys.world import World

COUNT = re.compile(r"(?<=about )[\d.]+k?|(?<=become )[\d.]+k?(?=\. )")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.run("-p", "-m", "offline/grammar", 'create x.txt with "one"', "--allow", "Edit")
    return made


def test_what_events_of_their_own_tell_is_the_answer_where_a_command_has_no_other(world: World) -> None:
    place = world.project / "x.txt"
    said = {
        "/undo": f"undone: 1 file\n  deleted  {place}\n",
        "/redo": f"done again: 1 file\n  created  {place}\n",
        "/mode plan": "mode: plan\n",
        "/title One file": "title: One file\n",
        "/swap persona=minimal": "profile: coding+persona=minimal\n",
        "/compact": "It was summed up, and is no smaller: about N tokens have become N. /compact undo takes it back.\n",
        "/summary mine": "the summary was replaced\n",
        "/compact undo": "the model is shown again what was made smaller last\n",
        "/rewind 2": "went back to before that prompt\n",
    }
    for command, answer in said.items():
        told = world.run("-p", "-c", command).stdout
        assert COUNT.sub("N", told) == COUNT.sub("N", answer), command


def test_a_command_that_is_nearly_one_is_refused_with_the_nearest_name(world: World) -> None:
    done = world.run("-p", "/contxt")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "protea: there is no /contxt; did you mean /context?"


def test_a_tool_is_looked_at_by_its_name(world: World) -> None:
    told = world.run("-p", "/tools read").stdout
    assert told.startswith("Read: ")
    assert "\npath\n" in told
    done = world.run("-p", "/tools Reed")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "protea: there is no tool Reed; did you mean Read?")


def test_a_profile_nobody_knows_is_not_said_to_be_a_flag(world: World) -> None:
    said = world.run("-p", "/profile reviewr").stderr.splitlines()[-1]
    assert said == "protea: there is no profile 'reviewr'; did you mean reviewer?"


def test_what_merely_begins_with_a_slash_is_a_prompt(world: World) -> None:
    assert "I could not make sense of “/etc”" in world.run("-p", "/etc").stdout
