"""The hooks of examples/hooks, set up as their README says, each met in a real run."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.testing.loopback import LoopbackProvider, ScriptedCall
from tests.journeys.world import World

HOOKS = Path(__file__).resolve().parent.parent / "examples/hooks"


def tables(*names: str) -> str:
    """These of config.toml, as they stand there."""
    whole = (HOOKS / "config.toml").read_text()
    found = [f"[[{part}" for part in whole.split("[[")[1:] if any(f'name = "{name}"' in part for name in names)]
    assert found, names
    return "".join(found)


class Home(World):
    """A home with the folder copied into it and some of its tables set up."""

    def __init__(self, folder: Path, *names: str, **environment: str) -> None:
        super().__init__(folder, **environment)
        shutil.copytree(HOOKS, self.home / ".protea/hooks")
        (self.home / ".protea/config.toml").write_text(tables(*names))

    def does(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("-p", "-m", "offline/grammar", *words)

    def told(self, *words: str) -> list[dict[str, Any]]:
        """The events of a run, whatever it says on standard error."""
        done = self.run("-p", "-m", "offline/grammar", "--output-format", "stream-json", *words)
        return [json.loads(line) for line in done.stdout.splitlines()]


def ran(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == "hook_ran"]


def test_every_table_of_the_page_is_one_of_the_files_and_every_file_has_one() -> None:
    config = tomllib.loads((HOOKS / "config.toml").read_text())["hooks"]
    hooks = [hook for moment in config.values() for hook in moment]
    told = " ".join(str([hook.get(key) for key in ("command", "python")]) for hook in hooks)
    scripts = {path.name for path in HOOKS.glob("*.py")}
    assert {name for name in scripts if f"~/.protea/hooks/{name}" in told} == scripts - {"policy_server.py"}
    readme = (HOOKS / "README.md").read_text()
    assert all(f"| `{name}` |" in readme for name in scripts)


@pytest.mark.parametrize("walls", ["none", "bubblewrap"])
def test_a_file_is_formatted_after_it_was_edited_and_undone_with_it(tmp_path: Path, walls: str) -> None:
    if walls == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    home = Home(tmp_path, "format")
    events = home.told("--sandbox", walls, "--allow", "Edit", 'create a.json with:\n```\n{"a": 1}\n```')
    if walls == "bubblewrap" and not ran(events):
        pytest.skip("bubblewrap cannot make walls here")
    assert [hook["context"] for hook in ran(events)] == ["Formatted after this: a.json."]
    written = home.project / "a.json"
    assert written.read_text() == '{\n  "a": 1\n}\n'
    home.does("-c", "--sandbox", walls, "--allow", "Edit", 'replace "1" with "2" in a.json')
    assert written.read_text() == '{\n  "a": 2\n}\n'
    assert "left as it is" not in home.run("undo", "--turns", "2").stdout
    assert not written.exists()


def test_a_file_that_cannot_be_formatted_is_told_to_the_model(tmp_path: Path) -> None:
    events = Home(tmp_path, "format").told("--allow", "Edit", 'create a.json with "{oops"')
    (hook,) = ran(events)
    assert "The formatter has failed. a.json:" in hook["context"]


def test_a_prompt_with_a_password_is_refused_and_never_sent(tmp_path: Path) -> None:
    home = Home(tmp_path, "refuse secrets")
    done = home.does("read src/alpha.py, the password: swordfish")
    assert done.returncode == 5
    assert "The hook refuse secrets refused the prompt: it seems to hold a password" in done.stderr
    assert home.does("read src/alpha.py").returncode == 0


def test_where_the_check_itself_is_missing_nothing_is_sent(tmp_path: Path) -> None:
    home = Home(tmp_path, "refuse secrets")
    (home.home / ".protea/hooks/refuse_secrets.py").unlink()
    done = home.does("read src/alpha.py")
    assert (done.returncode, done.stdout) == (5, "")
    assert "refuse secrets" in done.stderr
    assert "No such file" in done.stderr


def test_names_are_masked_in_what_is_sent_and_in_what_tools_give(tmp_path: Path) -> None:
    script = [ScriptedCall("Read", {"path": "letter.txt"}), "Read."]
    with LoopbackProvider.in_thread(script, strict=True) as provider:
        home = Home(tmp_path, "mask names", LOOP_KEY="k")
        hooks = (home.home / ".protea/config.toml").read_text()
        home.speak_to(provider.url("anthropic"), hooks)
        (home.project / "letter.txt").write_text("Dear Ada Lovelace,\n")
        events = home.events("Did Ada Lovelace write?")
        asked = [
            json.dumps(request.body) if not isinstance(request.body, bytes) else request.body.decode()
            for request in provider.requests
        ]
    assert not any("Lovelace" in body for body in asked)
    assert "Did [name] write?" in asked[0]
    assert "Dear [name]" in asked[1]
    prompt, result = ran(events)
    assert (prompt["text"], prompt["hook"]) == ("Did [name] write?", "mask names")
    assert "Dear Ada Lovelace" in result["was"]
    typed = next(event["text"] for event in events if event["type"] == "prompt_submitted")
    assert typed == "Did Ada Lovelace write?"
    shown = home.run("export").stdout
    assert typed in shown
    assert "## sent instead, by mask names\n\nDid [name] write?" in shown


def test_a_push_is_asked_about_and_a_forced_one_refused_whatever_is_allowed(tmp_path: Path) -> None:
    home = Home(tmp_path, "ask before push")
    git = ["git", "-c", "user.name=a", "-c", "user.email=b", "-C", str(home.project)]
    subprocess.run([*git, "init", "-q", "--bare", str(tmp_path / "far")], check=True)
    for words in (
        ["add", "-A"],
        ["commit", "-qm", "one"],
        ["remote", "add", "origin", str(tmp_path / "far")],
        ["push", "-q", "-u", "origin", "HEAD"],
        ["commit", "-q", "--allow-empty", "-m", "second thoughts"],
    ):
        subprocess.run([*git, *words], check=True, capture_output=True)
    done = home.does("--allow", "Bash", "run `git push`")
    assert done.returncode == 5
    assert "the hook ask before push says ask: it pushes (1 commits:" in done.stderr
    assert "second thoughts" in done.stderr
    assert "no --force" in home.does("--allow", "Bash", "run `git push --force`").stderr
    assert home.does("--allow", "Bash", "run `git status --short`").returncode == 0


def test_every_call_is_a_line_of_json(tmp_path: Path) -> None:
    home = Home(tmp_path, "log")
    home.does("read src/alpha.py")
    home.does("read nowhere.py")
    log = home.home / ".protea/logs/tools.jsonl"
    first, second = (json.loads(line) for line in log.read_text().splitlines())
    assert (first["tool"], first["input"], first["failed"]) == ("Read", {"path": "src/alpha.py"}, False)
    assert (second["failed"], second["project"]) == (True, str(home.project))
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_desktop_is_told_when_an_answer_is_there(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    desktop = programs / "notify-send"
    desktop.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {tmp_path}/shown\n')
    desktop.chmod(0o755)
    home = Home(tmp_path, "notify", PATH=f"{programs}:{os.environ['PATH']}")
    assert home.does("how many python files are there in src?").returncode == 0
    assert (tmp_path / "shown").read_text().startswith("--|Protea|")
    assert "2" in (tmp_path / "shown").read_text()


@pytest.fixture
def policy() -> Iterator[str]:
    """Where the server is."""
    server = subprocess.Popen(
        [sys.executable, "-I", HOOKS / "policy_server.py", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().rpartition(" ")[2].strip()
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def test_a_server_answers_for_commands_and_where_it_is_gone_none_runs(tmp_path: Path, policy: str) -> None:
    home = Home(tmp_path, "policy")
    config = home.home / ".protea/config.toml"
    config.write_text(config.read_text().replace("http://127.0.0.1:9321/", f"{policy}/"))
    assert home.does("--allow", "Bash", "run `ls src`").returncode == 0
    assert "the policy lets no command remove whole trees" in home.does("--allow", "Bash", "run `rm -rf src`").stderr
    assert "it reaches into the network" in home.does("--allow", "Bash", "run `curl -s localhost`").stderr
    assert (home.project / "src").is_dir()
    config.write_text(config.read_text().replace(policy, "http://127.0.0.1:9"))
    done = home.does("--allow", "Bash", "run `ls src`")
    assert done.returncode == 5
    assert "the hook policy failed" in done.stderr


# ── slash commands ─────────────────────────────────────────────────────────────────────────────────────────────────

COMMANDS = HOOKS.parent / "commands"
GIT = ["git", "-c", "user.name=a", "-c", "user.email=b"]


def with_commands(folder: Path, provider: LoopbackProvider, api: str = "anthropic") -> World:
    world = World(folder, LOOP_KEY="k")
    world.speak_to(provider.url(api))
    if api != "anthropic":
        config = world.home / ".protea/config.toml"
        config.write_text(config.read_text().replace('"anthropic"', f'"{api}"'))
    shutil.copytree(COMMANDS, world.home / ".protea/commands")
    (world.home / ".protea/commands/README.md").unlink()
    for words in (["add", "-A"], ["commit", "-qm", "The beginning"]):
        subprocess.run([*GIT, *words], cwd=world.project, check=True)
    return world


def body(request: Any) -> str:
    return request.body.decode() if isinstance(request.body, bytes) else json.dumps(request.body)


@pytest.mark.parametrize("api", ["anthropic", "openai-chat", "openai-responses", "gemini"])
def test_a_command_brings_what_its_own_commands_gave(tmp_path: Path, api: str) -> None:
    with LoopbackProvider.in_thread(["Fine."], strict=True) as provider:
        world = with_commands(tmp_path, provider, api)
        (world.project / "src/alpha.py").write_text("x = 'changed'\n")
        (world.project / "src/beta.py").write_text("y = 'changed as well'\n")
        rules = ["--allow", "Bash(git diff:*)", "--allow", "Bash(git status:*)"]
        done = world.run("-p", "/review src/alpha.py", *rules)
    assert (done.returncode, done.stdout.strip()) == (0, "Fine."), done.stderr
    (request,) = provider.requests
    assert "+x = 'changed'" in body(request).encode().decode("unicode_escape")
    assert "changed as well" not in body(request), "only what was asked for"
    shown = world.run("export").stdout
    assert "**Bash** `git diff HEAD src/alpha.py`: success" in shown


def test_what_nobody_allows_is_not_run_and_the_model_is_told(tmp_path: Path) -> None:
    with LoopbackProvider.in_thread(["I saw nothing."], strict=True) as provider:
        world = with_commands(tmp_path, provider)
        (world.home / ".protea/commands/danger.md").write_text("Look: !`touch $1`\n")
        done = world.run("-p", "/danger 'made; touch more'")
    assert done.returncode == 5
    assert "touch 'made; touch more'" in done.stderr
    assert not list(world.project.glob("m*"))
    assert "Not allowed" in body(provider.requests[0])


def test_a_file_is_pointed_at_and_words_are_put_in(tmp_path: Path) -> None:
    with LoopbackProvider.in_thread(["It adds.", "Nothing is staged."], strict=True) as provider:
        world = with_commands(tmp_path, provider)
        assert world.run("-p", "/explain src/beta.py why y?").stdout.strip() == "It adds."
        done = world.run("-p", "/git:commit", "--allow", "Bash(git log:*)", "--allow", "Bash(git diff:*)")
    assert done.stdout.strip() == "Nothing is staged."
    assert "Explain @src/beta.py to somebody" in body(provider.requests[0])
    assert "They asked: src/beta.py why y?" in body(provider.requests[0])
    assert "The beginning" in body(provider.requests[1])
    listed = world.run("-p", "/help").stdout
    for name in ("/explain FILE [QUESTION]", "/git:commit", "/review [PATH]"):
        assert name in listed


def test_a_projects_commands_are_named_until_it_is_trusted(tmp_path: Path) -> None:
    world = World(tmp_path)
    (world.project / ".claude/commands").mkdir(parents=True)
    (world.project / ".claude/commands/all.md").write_text("---\ndescription: All of them\n---\nlist files\n")
    done = world.run("-p", "-m", "offline/grammar", "/all")
    assert ".claude/commands is not used: this project has not been trusted" in done.stderr
    assert world.run("trust").returncode == 0
    assert "src/alpha.py" in world.run("-p", "-m", "offline/grammar", "/all").stdout


def test_a_file_that_is_no_command_is_named_where_it_is_typed(tmp_path: Path) -> None:
    world = World(tmp_path)
    folder = world.home / ".protea/commands"
    folder.mkdir(parents=True)
    (folder / "unfinished.md").write_text("---\ndescription: no end\nlist files\n")
    done = world.run("-p", "-m", "offline/grammar", "/unfinished")
    assert done.returncode == 1
    assert "/unfinished cannot be used" in done.stderr
    assert "its head does not end" in done.stderr
