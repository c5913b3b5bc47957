"""Skills from outside: one that declares its tools is held to them, and whoever writes one is told what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protea.domain.script import ScriptedCall
from protea.testing.loopback import LoopbackProvider
from tests.journeys.world import World

SKILL = "---\nname: looker\ndescription: Looks at things.\nallowed-tools: Read Bash(rm:*)\n---\nLook at it.\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, LOOP_KEY="a-planted-secret")
    (made.home / ".protea/skills/looker").mkdir(parents=True)
    (made.home / ".protea/skills/looker/SKILL.md").write_text(SKILL)
    assert made.run("trust").returncode == 0
    return made


def test_a_skill_is_held_to_the_tools_it_declares_until_the_turn_ends(world: World) -> None:
    write = ScriptedCall("Write", {"path": "a.txt", "content": "x"})
    script = [ScriptedCall("Skill", {"name": "looker"}), write, "Denied.", write, "Done."]
    with LoopbackProvider.in_thread(script) as provider:
        world.speak_to(provider.url("anthropic"))
        allowed = ("--allow", "Skill", "--allow", "Edit")
        first = json.loads(world.run("-p", "look at it", "--output-format", "json", *allowed).stdout)
        assert first["denied"][0]["tool"] == "Write"
        told = provider.requests[2].body.decode()
        assert "the skill looker does not list Write under allowed-tools" in told
        assert not (world.project / "a.txt").exists()
        second = json.loads(world.run("-c", "-p", "write it", "--output-format", "json", *allowed).stdout)
        assert second["denied"] == []
        assert (world.project / "a.txt").read_text() == "x"


def test_what_a_skill_would_like_to_be_allowed_is_not_allowed(world: World) -> None:
    (world.project / "precious").write_text("kept")
    script = [ScriptedCall("Skill", {"name": "looker"}), ScriptedCall("Bash", {"command": "rm precious"}), "Done."]
    with LoopbackProvider.in_thread(script) as provider:
        world.speak_to(provider.url("anthropic"))
        done = json.loads(world.run("-p", "tidy up", "--output-format", "json", "--allow", "Skill").stdout)
    assert done["denied"][0]["tool"] == "Bash"
    assert (world.project / "precious").exists()


def test_a_skill_is_looked_through_by_its_path(world: World) -> None:
    fine = world.run("skills", "validate", str(world.home / ".protea/skills/looker"))
    assert (fine.returncode, fine.stdout) == (0, "1 skill, no problem\n")
    bad = world.project / "Bad Skill"
    bad.mkdir()
    (bad / "SKILL.md").write_bytes(b"---\nname: bad-skill\ndescription: a: b\n---\r\nSee [x](y.md).\n")
    told = world.run("skills", "validate", "Bad Skill")
    assert told.returncode == 1
    assert told.stdout.splitlines() == [
        f"{bad}/SKILL.md:2: it is called bad-skill and lies in a folder called Bad Skill; let them be the same",
        f"{bad}/SKILL.md:3: description holds `: ` or ` #` outside quotes, which YAML reads otherwise; "
        "put it in quotes",
        f"{bad}/SKILL.md:5: y.md is not in its folder; add it",
    ]
    listed = json.loads(world.run("skills", "validate", ".", "--json").stdout)
    assert [fault["line"] for fault in listed["faults"]] == [2, 3, 5]
    (bad / "SKILL.md").write_bytes(b"---\nname: \xff\n---\n")
    assert ":2: it is not UTF-8; save it as UTF-8" in world.run("skills", "validate", "Bad Skill/SKILL.md").stdout
    for path, why in (("nowhere", "does not exist"), ("src", "there is no SKILL.md"), ("src/alpha.py", "is no skill")):
        wrong = world.run("skills", "validate", path)
        assert (wrong.returncode, wrong.stdout) == (1, "")
        assert why in wrong.stderr
