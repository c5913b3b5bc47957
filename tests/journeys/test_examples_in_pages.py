"""What the pages show is run as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protea.domain.script import ScriptedCall
from protea.ports.clock import Clock
from protea.ports.notifier import Notification
from protea.testing.clock import FakeClock
from protea.testing.loopback import LoopbackProvider
from tests.architecture.source import ROOT
from tests.journeys.world import World


def examples(page: str, language: str) -> list[str]:
    """The blocks of a page in a language, in their order."""
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, LOOP_KEY="a-planted-secret")
    (made.home / ".protea").mkdir()
    return made


def program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_hooks_of_the_page_are_asked_at_their_moments(world: World) -> None:
    _, hooks = examples("hooks.md", "toml")
    program(world.project / "scripts/check-command", 'grep -q "rm -rf" && { echo "not that" >&2; exit 2; }; exit 0')
    program(world.project / "scripts/format", 'cat >told.json; echo \'{"additionalContext": "it was formatted"}\'')
    steps = [
        ScriptedCall("Bash", {"command": "rm -rf src"}),
        ScriptedCall("Bash", {"command": "echo fine"}),
        ScriptedCall("Write", {"path": "a.txt", "content": "x"}),
        "Done.",
    ]
    with LoopbackProvider.in_thread(steps) as provider:
        world.speak_to(provider.url("anthropic"), hooks)
        assert world.run("trust").returncode == 0  # the scripts lie in the project
        done = json.loads(world.run("-p", "go", "--output-format", "json", "--allow", "Bash", "--allow", "Edit").stdout)
        sent = [request.body.decode() for request in provider.requests]
    assert [each["tool"] for each in done["denied"]] == ["Bash"], done["denied"]
    assert "scripts/check-command says deny: not that" in sent[1]
    assert "fine" in sent[2]
    assert "[hook] it was formatted" in sent[3]
    told = json.loads((world.project / "told.json").read_text())
    assert (told["hook_event_name"], told["tool_name"]) == ("PostToolUse", "Write")
    assert (world.project / "src").exists()


def test_a_hook_that_fails_is_told_and_a_strict_one_denies(world: World) -> None:
    failing = '[[hooks.before_tool]]\nmatch = "Bash"\ncommand = ["/nowhere/at-all"]\n'
    for strict, code in ((False, 0), (True, 0)):
        with LoopbackProvider.in_thread([ScriptedCall("Bash", {"command": "touch made"}), "Done."]) as provider:
            world.speak_to(provider.url("anthropic"), failing + ("strict = true\n" if strict else ""))
            done = world.run("-p", "go", "--allow", "Bash")
        assert done.returncode in (code, 5)
        assert "the hook /nowhere/at-all failed: exit code 127" in done.stderr
        assert (world.project / "made").exists() is not strict
        (world.project / "made").unlink(missing_ok=True)


def test_what_is_wrong_in_a_hook_is_told_in_words(world: World) -> None:
    (world.home / ".protea/config.toml").write_text(
        '[[hooks.after_tool]]\ncommand = ["true"]\n[[hooks.after_tool]]\ncomand = ["x"]\ntimeout = "5"\n'
    )
    done = world.run("-p", "hello")
    assert (done.returncode, done.stdout) == (1, "")
    assert "after_tool 2: there is no option 'comand' (did you mean command?)" in done.stderr
    assert "after_tool 2: timeout: it must be a number, and is text" in done.stderr


def noting(word: str, moment: str = "before_tool") -> str:
    """A hook that writes a word into the project's `order`."""
    return f'[[hooks.{moment}]]\ncommand = ["sh", "-c", "echo {word} >> order"]\n'


def test_hooks_of_person_profile_and_project_add_up_in_that_order(world: World) -> None:
    (world.project / ".protea").mkdir()
    (world.project / ".protea/config.toml").write_text(noting("project"))
    (world.home / ".protea/profiles").mkdir()
    (world.home / ".protea/profiles/strict.toml").write_text(f'extends = "coding"\n{noting("profile")}')
    told = []
    for trusted in (False, True):
        with LoopbackProvider.in_thread([ScriptedCall("Bash", {"command": "echo hi"}), "Done."]) as provider:
            world.speak_to(
                provider.url("anthropic"), f"{noting('person')}[[ports.hooks.before_tool]]\ncommand = ['true']\n"
            )
            if trusted:
                assert world.run("trust").returncode == 0
            assert world.run("-p", "go", "--allow", "Bash", "--profile", "strict").returncode == 0
        told.append((world.project / "order").read_text().split())
        (world.project / "order").unlink()
    # The profile was named by a flag, so it stands above both files.
    assert told == [["person", "profile"], ["person", "project", "profile"]]


def test_names_that_other_agents_have_are_answered_with_ours(world: World) -> None:
    (world.home / ".protea/config.toml").write_text(
        '[[hooks.PreToolUse]]\nmatcher = "Bash"\n[[hooks.after_tool]]\nmatcher = "Edit"\ntype = "command"\n'
        'command = "scripts/format -q"\n[[hooks.Stop]]\nhooks = []\n'
    )
    done = world.run("-p", "hello")
    assert (done.returncode, done.stdout) == (1, "")
    for words in (
        "there is no option 'PreToolUse' (here it is before_tool)",
        "there is no option 'Stop' (here it is turn_end)",
        "after_tool 1: there is no option 'matcher' (here it is match)",
        "after_tool 1: there is no option 'type' (leave it out: command, url or python says it)",
        """after_tool 1: command: it must be a list, and is text; write ["scripts/format","-q"]""",
    ):
        assert words in done.stderr


def test_a_mistake_in_a_hook_is_placed_in_the_file_it_is_in(world: World) -> None:
    (world.home / ".protea/config.toml").write_text(noting("person") + noting("again"))
    (world.project / ".protea").mkdir()
    own = world.project / ".protea/config.toml"
    own.write_text(f"{noting('project')}[[hooks.before_tool]]\ncomand = ['x']\n")
    assert world.run("trust").returncode == 0
    assert f"before_tool 2 of {own}: there is no option 'comand'" in world.run("-p", "hello").stderr


def test_the_slash_command_of_the_page_becomes_a_prompt(world: World) -> None:
    (command,) = examples("slash-commands.md", "markdown")
    (world.home / ".protea/commands").mkdir()
    (world.home / ".protea/commands/review.md").write_text(command)
    with LoopbackProvider.in_thread(["Reviewed."]) as provider:
        world.speak_to(provider.url("anthropic"))
        assert world.run("-p", "/review src/alpha.py").stdout == "Reviewed.\n"
        assert "Review src/alpha.py as a strict colleague would" in provider.requests[0].body.decode()
    (folders,) = examples("slash-commands.md", "toml")
    (world.home / ".protea/config.toml").write_text(folders.replace("/srv/team/commands", str(world.project)))
    (world.project / "deploy.md").write_text("Deploy $ARGUMENTS.")
    assert "/deploy" in world.run("-p", "/help").stdout


def test_a_command_narrows_what_its_turn_may_use_and_a_broken_one_is_named(world: World) -> None:
    folder = world.home / ".protea/commands"
    (folder / "git").mkdir(parents=True)
    (folder / "git/look.md").write_text("---\nallowed-tools: Read, Grep\nmodel: fast\n---\nLook at $1.\n")
    (folder / "broken.md").write_text("---\ndescription: x\nLook.\n")
    (folder / "help.md").write_text("Help.\n")
    step = ScriptedCall("Bash", {"command": "touch made"})
    for prompt, code in (("/git:look src", 5), ("look at src", 0)):
        with LoopbackProvider.in_thread([step, "Done."]) as provider:
            world.speak_to(provider.url("anthropic"))
            done = world.run("-p", prompt, "--allow", "Bash")
        assert done.returncode == code, done.stderr
    assert (world.project / "made").exists()
    told = world.run("-p", "/help").stdout
    assert "help.md: /help is a command of Protea's own" in told
    assert "broken.md: its head does not end: a line --- is missing below it" in told
    assert "note: " in told
    assert "look.md: model is not used: /model chooses it" in told
    about = [each["found"] for each in json.loads(world.run("doctor", "--json").stdout) if each["about"] == "commands"]
    assert len(about) == 2


def test_the_skill_of_the_page_is_one_by_the_standard(world: World) -> None:
    (skill,) = examples("skills.md", "markdown")
    folder = world.home / ".protea/skills/pdf-forms"
    (folder / "references").mkdir(parents=True)
    (folder / "references/fields.md").write_text("Fields.")
    (folder / "SKILL.md").write_text(skill)
    assert world.run("skills", "validate", str(folder)).stdout == "1 skill, no problem\n"
    assert "Fill in PDF forms." in world.run("skills", "list").stdout
    assert "references/fields.md" in world.run("skills", "show", "pdf-forms").stdout


def test_the_adapter_of_the_page_on_plugins_is_one() -> None:
    adapter, suite = examples("plugins.md", "python")
    space: dict[str, Any] = {"msgspec": msgspec, "Clock": Clock, "Notification": Notification, "FakeClock": FakeClock}
    exec(f"from __future__ import annotations\n{adapter}\n{suite}", space)
    made = space["create"](space["Options"](file="/x"), clock=FakeClock())
    assert isinstance(made, space["Logbook"])
    assert isinstance(space["TestLogbook"]().notifier(), space["Logbook"])
    entry, use_ = map(tomllib.loads, examples("plugins.md", "toml"))
    assert entry["project"]["entry-points"] == {"protea.notifier": {"logbook": "protea_garden.logbook"}}
    assert msgspec.convert({"file": use_["notifier"]["file"]}, space["Options"]).file == "/home/me/logbook.txt"


def test_agents_that_cannot_be_used_are_told(world: World) -> None:
    folder = world.home / ".protea/agents"
    folder.mkdir()
    (folder / "fine.md").write_text("---\nname: fine\ndescription: Good for all.\nmodel: a/b\n---\nBe fine.\n")
    (folder / "empty.md").write_text("---\nname: empty\n---\n")
    listed = world.run("-p", "/agents")
    assert listed.stdout.splitlines()[0].split() == ["fine", "Good", "for", "all.", "a/b"]
    assert "left out: " in listed.stdout
    assert "empty.md: there is no text in it" in listed.stdout
    assert listed.stderr.count("empty.md: there is no text in it") == 1
    (finding,) = [each for each in json.loads(world.run("doctor", "--json").stdout) if each["about"] == "agents"]
    assert finding["found"].endswith("empty.md: there is no text in it")


def test_the_race_of_the_page_needs_no_model(tmp_path: Path) -> None:
    world = World(tmp_path)
    for words in (["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=world.project, check=True)
    (lines,) = examples("agents.md", "sh")
    run, diff, pick = (world.run(*shlex.split(line)[1:]) for line in lines.splitlines())
    assert (run.returncode, diff.returncode, pick.returncode) == (0, 0, 0), run.stderr + diff.stderr + pick.stderr
    assert "1  coding    finished" in run.stdout
    assert "+hello" in diff.stdout
    assert (world.project / "hello.txt").read_text() == "hello\n"
