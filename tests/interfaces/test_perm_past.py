"""`protea perm audit`, `why` and `test` as a process, over what a real run left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


class Home:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "a.txt").write_text("a\n")

    def protea(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-I", "-m", "protea", *words]
        return subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("home"))
    assert made.protea("-p", "--allow", "Bash(wc:*)", "-m", "offline/grammar", "run wc -l a.txt").returncode == 0
    assert made.protea("-p", "-m", "offline/grammar", "run make all").returncode == 5
    return made


def test_the_chain_is_whole(home: Home) -> None:
    done = home.protea("perm", "audit", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["whole"], found["records"]) == (0, True, 3)


def test_why_tells_of_a_call_that_was_made(home: Home) -> None:
    records = [json.loads(line) for line in (home.folder / ".protea/audit/audit.jsonl").read_text().splitlines()]
    denied = records[-1]
    told = home.protea("perm", "why", f"{denied['session']}/{denied['call']}").stdout
    assert "deny: no rule allows make all, and nobody is there to ask" in told
    assert "Bash make all" in told
    allowed = home.protea("perm", "why", f"{records[0]['session']}/{records[0]['call']}").stdout
    assert "Bash(wc:*)  (flags)" in allowed or "it only reads" in allowed
    assert "it was run" in allowed


def test_why_of_a_call_nobody_made_is_decided_now(home: Home) -> None:
    assert home.protea("perm", "why", "Bash(git status)").stdout.startswith("allow")


def test_other_rules_are_tried_on_past_calls(home: Home, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('allow = ["Bash(make:*)"]\ndeny = ["Bash(wc:*)"]\n')
    done = home.protea("perm", "test", str(policy), "--against", "1", "--json")
    changed = {each["what"]: (each["was"], each["would_be"]) for each in json.loads(done.stdout)["changed"]}
    assert changed == {"wc -l a.txt": ("allow", "deny"), "make all": ("deny", "allow")}
    assert "2 of 2 decisions would be different" in home.protea("perm", "test", str(policy)).stdout
    assert home.protea("perm", "test", str(policy), "--against", "0").returncode == 1
    assert home.protea("perm", "test", "missing.toml").returncode == 1


def test_a_change_is_found(home: Home) -> None:
    path = home.folder / ".protea/audit/audit.jsonl"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole.replace(b"make all", b"make none"))
        done = home.protea("perm", "audit")
        assert done.returncode == 1
        assert "audit.jsonl:3: this record was changed: its hash does not fit it" in done.stdout
    finally:
        path.write_bytes(whole)
