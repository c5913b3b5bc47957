"""`protea config import` and `config edit` as they are typed: real files, a real editor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


class Person:
    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.own = self.home / ".protea"
        self.home.mkdir()
        (self.project / ".git").mkdir(parents=True)
        self.environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")}

    def put(self, path: str, text: str) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "protea", "config", *words],
            cwd=self.project,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


CLAUDE = json.dumps(
    {"permissions": {"allow": ["Bash(npm test:*)", "Nope(x)"], "deny": ["Bash(curl:*)"]}, "env": {"SECRET": "s3cr3t!"}}
)
SERVERS = json.dumps({"mcpServers": {"gh": {"type": "http", "url": "https://x", "headers": {"K": "t0k3n!"}}}})


def test_nothing_is_written_before_somebody_said_so(person: Person) -> None:
    person.put(".claude/settings.json", CLAUDE)
    for words in (("--dry-run",), (), ("--json",)):
        done = person.run("import", "claude-code", *words)
        assert done.returncode == 0, done.stderr
        assert "npm test" in done.stdout
        assert not (person.own / "permissions.toml").exists()
    assert "add --yes" in person.run("import", "claude-code").stderr


def test_what_is_taken_is_written_and_what_is_left_says_why(person: Person) -> None:
    person.put(".claude/settings.json", CLAUDE)
    person.put(".claude.json", SERVERS)
    person.put(".claude/CLAUDE.md", "Be kind.\n")
    done = person.run("import", "claude-code", "--yes")
    assert done.returncode == 0, done.stderr
    assert "there is no tool Nope here" in done.stdout
    assert "s3cr3t!" not in done.stdout
    assert "t0k3n!" not in done.stdout
    rules = tomllib.loads((person.own / "permissions.toml").read_text())
    assert rules == {"allow": ["Bash(npm test:*)"], "deny": ["Bash(curl:*)"]}
    assert json.loads((person.own / "mcp.json").read_text())["mcpServers"]["gh"]["headers"] == {"K": "t0k3n!"}
    assert (person.own / "AGENTS.md").read_text() == "Be kind.\n"
    assert {path.stat().st_mode & 0o777 for path in person.own.iterdir() if path.is_file()} == {0o600}
    again = json.loads(person.run("import", "claude-code", "--yes", "--json").stdout)
    assert (again["taken"], again["files"], again["written"]) == ([], [], False)


def test_what_is_here_already_stays_with_its_comments(person: Person) -> None:
    person.put(".protea/permissions.toml", '# mine\nallow = [\n  "Bash(ls)", # always\n]\n')
    person.put(".protea/config.toml", '# mine\nmodel = "ollama/llama3"\n')
    person.put(".codex/config.toml", 'model = "gpt-5.2"\nmodel_reasoning_effort = "high"\n')
    person.put(".codex/rules/default.rules", 'prefix_rule(pattern=["gh", "pr"], decision="allow")\n')
    done = person.run("import", "codex", "--yes")
    assert done.returncode == 0, done.stderr
    assert "config.toml says something of it already" in done.stdout
    rules = (person.own / "permissions.toml").read_text()
    assert '"Bash(ls)", # always' in rules
    assert tomllib.loads(rules) == {"allow": ["Bash(gh pr:*)", "Bash(ls)"]}
    config = (person.own / "config.toml").read_text()
    assert config.startswith("# mine\n")
    assert tomllib.loads(config) == {"model": "ollama/llama3", "effort": "high"}


def test_in_a_home_without_a_file_the_commented_one_is_begun_with(person: Person) -> None:
    person.put(".config/opencode/opencode.jsonc", '{ // mine\n"model": "anthropic/claude-sonnet-4-5", }')
    assert person.run("import", "opencode", "--yes").returncode == 0
    config = (person.own / "config.toml").read_text()
    assert "# Protea's settings." in config
    assert tomllib.loads(config) == {"model": "anthropic/claude-sonnet-4-5"}


def test_the_project_s_own_files_go_into_the_project(person: Person) -> None:
    path = person.project / ".claude/settings.json"
    path.parent.mkdir()
    path.write_text(CLAUDE)
    done = person.run("import", "claude-code", "--project", "--yes")
    assert done.returncode == 0, done.stderr
    assert (person.project / ".protea/permissions.toml").is_file()
    assert not (person.own / "permissions.toml").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("import", "claude"), "there are claude-code, codex, opencode"),
        (("import", "codx"), "did you mean codex?"),
        (("import", "codex"), "there are no settings of codex in your home directory"),
    ],
)
def test_what_cannot_be_imported_is_one_line(person: Person, words: tuple[str, ...], told: str) -> None:
    done = person.run(*words)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_taken(person: Person) -> None:
    person.put(".claude/settings.json", "{")
    person.put(".claude.json", SERVERS)
    done = json.loads(person.run("import", "claude-code", "--json").stdout)
    assert [item["name"] for item in done["taken"]] == ["gh"]
    assert done["left"][0]["what"] == "settings.json"


def editor(folder: Path, script: str) -> dict[str, Any]:
    """An editor that does one thing."""
    path = folder / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"EDITOR": str(path)}


def test_what_was_edited_is_kept_and_what_is_different_is_shown(person: Person, tmp_path: Path) -> None:
    person.put(".protea/config.toml", '# mine\neffort = "low"\n')
    done = person.run("edit", **editor(tmp_path, 'sed -i s/low/high/ "$1"; echo "modle = 1" >> "$1"'))
    assert done.returncode == 0, done.stderr
    assert "effort" in done.stdout
    assert "high" in done.stdout
    assert "did you mean model?" in done.stderr
    assert (person.own / "config.toml").read_text() == '# mine\neffort = "high"\nmodle = 1\n'


def test_what_cannot_be_used_is_not_kept_and_not_lost(person: Person, tmp_path: Path) -> None:
    file = person.put(".protea/config.toml", 'effort = "low"\n')
    done = person.run("edit", **editor(tmp_path, 'echo "[limits" >> "$1"'))
    assert done.returncode == 1
    assert file.read_text() == 'effort = "low"\n'
    copy = Path(done.stderr.rpartition("what you wrote is in ")[2].strip().rstrip(")"))
    assert copy.read_text() == 'effort = "low"\n[limits\n'
    assert ":2" in done.stderr


def test_an_editor_that_fails_or_changes_nothing_leaves_everything(person: Person, tmp_path: Path) -> None:
    file = person.put(".protea/config.toml", 'effort = "low"\n')
    assert "is as it was" in person.run("edit", **editor(tmp_path, "exit 3")).stderr
    assert "nothing is set otherwise" in person.run("edit", **editor(tmp_path, "true")).stdout
    assert "cannot be started" in person.run("edit", EDITOR="/no/such/editor").stderr
    assert file.read_text() == 'effort = "low"\n'
    assert os.listdir(person.own) == ["config.toml"]
