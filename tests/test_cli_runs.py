"""The command line with everything behind it, on the offline model: no key, no network, real files."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest


class Place:
    """A project, and a home that nobody has used."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "a.py").write_text("# TODO: one\n")
        self.home = folder / "home"
        self.home.mkdir()

    def run(
        self,
        *words: str | bytes,
        stdin: bytes = b"",
        before: Sequence[str | Path] = (),
        **environment: str,
    ) -> subprocess.CompletedProcess[bytes]:
        """`before` is what starts Protea, where it is not started by itself."""
        return subprocess.run(
            [*before, sys.executable, "-m", "protea", *words],
            input=stdin,
            capture_output=True,
            timeout=60,
            cwd=self.project,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "PROTEA_HOME": str(self.home / "protea"),
                "PROTEA_MODEL": "offline/grammar",
                **environment,
            },
        )

    def result(self, *words: str | bytes, stdin: bytes = b"") -> dict[str, Any]:
        done = self.run("-p", "--output-format", "json", *words, stdin=stdin)
        made: dict[str, Any] = json.loads(done.stdout)
        assert made["exit_code"] == done.returncode
        return made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_question_about_the_project_is_answered(place: Place) -> None:
    done = place.run("-p", "find every TODO")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"a.py:1" in done.stdout


def test_the_prompt_may_come_on_standard_input(place: Place) -> None:
    assert "TODO: one" in place.result(stdin=b"\xef\xbb\xbfread a.py\n")["text"]


def test_standard_input_is_appended_to_the_prompt(place: Place) -> None:
    session = place.result("read a.py", stdin=b"and this \xff\x00 too\n")["session"]
    log = [json.loads(line) for line in place.run("export", session, "--format", "jsonl").stdout.splitlines()]
    prompt = next(each for each in log if each["type"] == "prompt_submitted")
    assert prompt["text"] == "read a.py\n\nand this \ufffd\ufffd too"


def test_arguments_that_are_not_utf_8_are_a_prompt_all_the_same(place: Place) -> None:
    assert place.result(b"read a.py \xff")["outcome"] == "finished"


def test_a_session_goes_on_where_it_was(place: Place) -> None:
    first = place.result("read a.py")
    second = place.result("-c", "find every TODO")
    assert second["session"] == first["session"]
    third = place.result("-r", first["session"], "--fork", "read a.py")
    assert third["session"] != first["session"]
    listed = json.loads(place.run("sessions", "list", "--json").stdout)
    assert {each["id"]: each["prompts"] for each in listed} == {first["session"]: 2, third["session"]: 3}


def test_a_session_ends_where_a_command_says_so_and_can_be_gone_on_with(place: Place) -> None:
    lines = b'{"type":"submit_prompt","text":"list files"}\n{"type":"end_session","reason":"enough"}\n'
    formats = ("--input-format", "stream-json", "--output-format", "stream-json")
    events = [json.loads(line) for line in place.run("-p", *formats, stdin=lines).stdout.splitlines()]
    assert [each["type"] for each in events[-3:]] == ["turn_finished", "session_ended", "result"]
    assert events[-2]["reason"] == "enough"
    again = place.result("-c", "list files")
    assert (again["session"], again["outcome"]) == (events[0]["session"], "finished")


def test_a_session_that_does_not_exist_is_named(place: Place) -> None:
    done = place.run("-p", "hi", "-r", "nope")
    assert done.returncode == 1
    assert b"nope" in done.stderr


def test_sessions_are_shown_searched_exported_forked_and_deleted(place: Place) -> None:
    session = place.result("read a.py")["session"]
    assert b"TODO: one" in place.run("sessions", "show", session).stdout
    [hit, *_] = json.loads(place.run("sessions", "search", "TODO", "one", "--json").stdout)
    assert hit["session"]["id"] == session
    exported = place.project / "out.json"
    assert place.run("export", "-o", str(exported)).returncode == 0
    assert json.loads(exported.read_text())["session"]["id"] == session
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    page = place.run("export", "--html").stdout.decode()
    assert page.startswith("<!doctype html>")
    assert "TODO: one" in page
    assert page.rstrip().endswith("</html>")
    played = place.run("sessions", "replay", session, "--speed", "1000").stdout.decode()
    assert "> read a.py" in played
    assert "TODO: one" in played
    forked = place.run("sessions", "fork", session).stdout.decode().strip()
    assert json.loads(place.run("sessions", "show", forked, "--json").stdout)["parent"] == session
    assert place.run("sessions", "delete", session).returncode == 0
    assert place.run("sessions", "show", session).returncode == 1


def test_what_is_not_allowed_is_refused_with_the_rule_that_would_allow_it(place: Place) -> None:
    result = place.result("run rm -rf a.py")
    assert (result["outcome"], result["exit_code"]) == ("denied", 5)
    [refusal] = result["denied"]
    assert refusal["arguments"] == {"command": "rm -rf a.py"}
    assert "--allow 'Bash(rm -rf a.py)'" in refusal["why"]
    assert (place.project / "a.py").exists()
    assert place.result("run rm -rf a.py", "--allow", "Bash(rm -rf a.py)")["outcome"] == "finished"
    assert not (place.project / "a.py").exists()


def test_tools_and_models_are_listed(place: Place) -> None:
    assert {"Bash", "Read", "Edit"} <= {
        each["name"] for each in json.loads(place.run("tools", "list", "--json").stdout)
    }
    assert b"pattern" in place.run("tools", "help", "grep").stdout
    assert b"did you mean Grep?" in place.run("tools", "help", "Gerp").stderr
    assert b"offline/grammar" in place.run("models").stdout
    assert b"did you mean anthropic?" in place.run("models", "antropic").stderr


def test_the_ports_are_told_with_what_fills_them(place: Place) -> None:
    rows = {row["name"]: row for row in json.loads(place.run("ports", "--json").stdout)}
    assert rows["persona"]["filled_by"] == "coding"
    assert "minimal" in rows["persona"]["adapters"]


def test_the_doctor_shows_which_keys_are_there_and_never_a_key(place: Place) -> None:
    done = place.run("doctor", "--json", ANTHROPIC_API_KEY="sk-secret-1")
    found = {each["about"]: each for each in json.loads(done.stdout)}
    assert found["keys"]["found"] == "ANTHROPIC_API_KEY"
    assert found["model"]["found"].startswith("offline/grammar")
    assert found["ports"]["state"] == "ok"
    assert b"sk-secret" not in done.stdout + done.stderr


def test_the_doctor_runs_a_port_s_suite_on_what_fills_it(place: Place) -> None:
    done = place.run("doctor", "--port", "memory", "--json")
    assert done.returncode == 0
    found = {each["about"]: each for each in json.loads(done.stdout)}
    assert found["memory is filled by"]["found"] == "files"
    assert "are kept" in found["promises"]["found"]
    wrong = place.run("doctor", "--port", "memory", "--set", "ports.memory.adapter=flies")
    assert wrong.returncode == 1
    assert b"did you mean files?" in wrong.stdout


def test_the_doctor_calls_a_home_that_is_a_file_a_problem(place: Place) -> None:
    done = place.run("doctor", PROTEA_HOME=str(place.project / "a.py"))
    assert done.returncode == 1
    assert b"is not a directory" in done.stdout


def test_a_decision_can_be_asked_for(place: Place) -> None:
    decided = json.loads(place.run("perm", "check", "Bash", '{"command":"rm -rf /"}', "--json").stdout)
    assert decided["decision"] in ("ask", "deny")
    request = b'{"id":7,"tool":"Bash","args":{"command":"ls"}}\n'
    assert json.loads(place.run("perm", "check", "--batch", stdin=request).stdout)["decision"] == "allow"


def test_settings_are_shown_with_who_set_them_and_changed(place: Place) -> None:
    assert place.run("config", "set", "limits.max_turns", "7").returncode == 0
    assert place.run("config", "get", "limits.max_turns").stdout == b"7\n"
    shown = json.loads(place.run("config", "show", "limits", "--json").stdout)
    [row] = [each for each in shown if each["key"] == "limits.max_turns"]
    assert row["value"] == 7
    assert "config.toml:" in row["source"]
    paths = {each["whose"]: each for each in json.loads(place.run("config", "path", "--json").stdout)}
    assert paths["user"]["file"] == str(place.home / "protea" / "config.toml")
    assert "limits" in place.run("config", "schema").stdout.decode()


def test_a_setting_that_is_none_is_named(place: Place) -> None:
    for words in (["get", "limits.max_trns"], ["set", "limits.max_trns", "3"], ["show", "limits.max_trns"]):
        done = place.run("config", *words)
        assert done.returncode == 1
        assert b"max_turns" in done.stderr


def test_a_broken_settings_file_is_named_with_its_line(place: Place) -> None:
    place.run("doctor")
    (place.home / "protea").mkdir(exist_ok=True)
    (place.home / "protea" / "config.toml").write_text("model = 'a/b'\nlimits = = 3\n")
    done = place.run("-p", "--output-format", "json", "hi")
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert "config.toml:2:" in line
    assert json.loads(done.stdout)["error"]["kind"] == "config"


def test_every_tool_can_be_named_by_a_rule(place: Place) -> None:
    names = [each["name"] for each in json.loads(place.run("tools", "list", "--json").stdout)]
    rules = [word for name in names for word in ("--deny", name)]
    done = place.run("-p", "read a.py", *rules)
    assert (done.returncode, b"there is no tool" in done.stderr) == (5, False)
    for name in names:
        checked = place.run("perm", "check", name, "{}", "--deny", name, "--json")
        assert json.loads(checked.stdout)["decision"] == "deny", name


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["check", "bash", '{"command":"ls"}'], "did you mean Bash?"),
        (["why", "Raed", '{"path":"a.py"}'], "did you mean Read?"),
        (["why", "c_unknown"], "no call and no tool 'c_unknown'"),
    ],
)
def test_a_decision_about_a_tool_that_is_none_is_a_mistake(place: Place, words: list[str], mend: str) -> None:
    done = place.run("perm", *words)
    assert (done.returncode, done.stdout) == (1, b"")
    assert mend in done.stderr.decode()
    assert place.run("perm", "check", "OfAPlugin", "{}").returncode == 0


def test_what_is_kept_is_for_its_owner_alone(place: Place) -> None:
    assert place.run("tasks", "list").stdout == b"no tasks yet\n"
    assert not (place.home / "protea" / "tasks").exists()  # looking makes nothing
    place.run("-p", "run `sleep 3` in the background", "--permission-mode", "yolo", "--sandbox", "none")
    place.run("memory", "add", "the gate is green")
    place.run("memory", "search", "gate")
    kept = [each for each in (place.home / "protea").rglob("*") if each.suffix in (".sqlite", ".jsonl", ".toml")]
    assert {each.name for each in kept} >= {"tasks.sqlite", "index.sqlite", "events.jsonl", "config.toml"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in kept} == {0o600}


def test_a_search_that_finds_nothing_has_not_failed(place: Place) -> None:
    for words in (["memory", "search"], ["sessions", "search"]):
        done = place.run(*words, "nothing like this", "--json")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"[]\n", b"")


def test_a_home_may_begin_with_a_tilde(place: Place) -> None:
    done = place.run("config", "path", PROTEA_HOME="~/elsewhere")
    assert str(place.home / "elsewhere" / "config.toml").encode() in done.stdout
    assert place.run("-p", "read a.py", PROTEA_HOME="~/elsewhere").returncode == 0
    assert (place.home / "elsewhere" / "config.toml").exists()
    assert [each.name for each in place.project.iterdir()] == ["a.py"]


def test_what_a_command_finds_damaged_is_a_line_like_any_other(place: Place) -> None:
    (place.home / "protea" / "tasks").mkdir(parents=True)
    (place.home / "protea" / "tasks" / "tasks.sqlite").write_bytes(b"no database" * 100)
    done = place.run("tasks", "list")
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("protea: ")
    assert "was damaged" in line
    assert (done.returncode, done.stdout) == (0, b"no tasks yet\n")


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_what_is_kept_in_a_home_that_is_read_only_is_found_all_the_same(place: Place) -> None:
    session = place.result("read a.py")["session"]
    walls: list[str | Path] = [
        "bwrap",
        "--bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--ro-bind",
        place.home,
        place.home,
    ]

    def behind(*words: str) -> subprocess.CompletedProcess[bytes]:
        return place.run(*words, before=walls)

    assert [each["id"] for each in json.loads(behind("sessions", "list", "--json").stdout)] == [session]
    for words in (["sessions", "show", session], ["export"], ["sessions", "search", "TODO"]):
        done = behind(*words)
        assert (done.returncode, done.stderr, b"a.py" in done.stdout or b"TODO" in done.stdout) == (0, b"", True)
    for words in (["-p", "-r", session, "read a.py"], ["-p", "-c", "read a.py"]):
        done = behind(*words)
        [line] = done.stderr.decode().splitlines()
        assert (done.returncode, "the session cannot be opened: read-only file system" in line) == (2, True), line


def test_a_project_s_setting_that_is_changed_here_holds_as_the_project_does(place: Place) -> None:
    own = place.project / ".protea" / "config.toml"
    doubted = place.run("config", "set", "--project", "limits.max_turns", "5")
    assert doubted.returncode == 0
    assert doubted.stderr.decode().startswith(f"protea: {own} is used once this project is trusted")
    assert place.run("trust", "--yes").returncode == 0
    for words in (["config", "set", "--project", "limits.max_turns", "6"], ["config", "edit", "--project"]):
        done = place.run(*words, EDITOR="sed -i s/6/7/")
        assert (done.returncode, done.stderr) == (0, b"")
    got = place.run("config", "get", "limits.max_turns")
    assert (got.stdout, got.stderr) == (b"7\n", b"")
    own.write_text("[limits]\nmax_turns = 8\n")
    done = place.run("-p", "read a.py")
    told = ".protea/config.toml is not used: it is not as you trusted it; `protea trust` shows what is different"
    assert done.stderr.decode() == f"protea: {told}\n"


def test_settings_that_are_changed_at_the_same_time_are_all_kept(place: Place) -> None:
    place.run("-p", "read a.py")
    names = [f"p{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        done = list(pool.map(lambda name: place.run("config", "set", f"providers.{name}.base_url", "http://x"), names))
    assert {each.returncode for each in done} == {0}
    assert sorted(json.loads(place.run("config", "get", "providers").stdout)) == names


def test_projects_that_are_trusted_at_the_same_time_are_all_kept(place: Place) -> None:
    projects = [place.project / f"p{number}" for number in range(6)]
    for each in projects:
        (each / ".protea").mkdir(parents=True)
        (each / ".protea" / "config.toml").write_text('effort = "low"\n')
    with ThreadPoolExecutor(len(projects)) as pool:
        done = list(pool.map(lambda each: place.run("trust", "--yes", "-C", str(each)), projects))
    assert {each.returncode for each in done} == {0}
    listed = place.run("trust", "list", "--json").stdout.decode()
    assert [str(each) in listed for each in projects] == [True] * len(projects)


def test_a_file_that_was_changed_while_it_was_edited_is_not_overwritten(place: Place) -> None:
    place.run("config", "set", "effort", "low")
    file = place.home / "protea" / "config.toml"
    script = place.home / "editor"
    script.write_text(f"#!/bin/sh\necho 'profile = \"ops\"' >> {file}\nsed -i s/low/high/ $1\n")
    script.chmod(0o755)
    done = place.run("config", "edit", EDITOR=str(script))
    [line] = done.stderr.decode().splitlines()
    assert (done.returncode, "it was changed while you wrote; what you wrote is in" in line) == (1, True)
    assert 'effort = "high"' in Path(line.rpartition(" ")[2]).read_text()
    assert 'profile = "ops"' in file.read_text()


def test_what_is_no_skill_hides_none(place: Place) -> None:
    skills = place.home / "protea" / "skills"
    for name in ("folder", "pipe", "good"):
        (skills / name).mkdir(parents=True)
    (skills / "folder" / "SKILL.md").mkdir()
    os.mkfifo(skills / "pipe" / "SKILL.md")
    (skills / "good" / "SKILL.md").write_text("---\nname: good\ndescription: What it is for.\n---\nDo it.\n")
    listed = place.run("skills", "list", "--json")
    assert [each["name"] for each in json.loads(listed.stdout)] == ["good"]
    assert (listed.returncode, listed.stderr) == (0, b"")
    assert place.run("-p", "read a.py").stderr == b""


def test_trusted_projects_are_listed_without_arguments(place: Place) -> None:
    done = place.run("trust", "list", "x")
    assert (done.returncode, done.stderr) == (1, b"protea: protea trust list takes no arguments; 'x' is one too many\n")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('fallback = ["opnai/gpt"]', 1, "config.toml:1: fallback: there is no provider 'opnai'; did you mean openai?"),
        ('fallback = ["gpt"]', 1, "config.toml:1: fallback: a model is named PROVIDER/MODEL, not 'gpt'"),
        (
            '[ports.memory]\nadapter = "fles"',
            1,
            "config.toml:2: the port memory has no adapter fles; did you mean files?",
        ),
        (
            '[ports.sandbx]\nadapter = "none"',
            0,
            "config.toml:2: there is no port sandbx, so it is passed over; did you",
        ),
    ],
)
def test_names_in_settings_that_nobody_knows_are_told_with_their_line(
    place: Place, text: str, code: int, said: str
) -> None:
    (place.home / "protea").mkdir()
    (place.home / "protea" / "config.toml").write_text(text)
    done = place.run("-p", "read a.py")
    [line] = done.stderr.decode().splitlines()
    assert (done.returncode, said in line) == (code, True), line


def test_an_adapter_nobody_knows_is_not_called_a_flag_where_a_command_named_it(place: Place) -> None:
    commands = b'{"type":"swap","ports":{"sandbox":"nope"}}\n{"type":"submit_prompt","text":"read a.py"}\n'
    done = place.run("-p", "--input-format", "stream-json", stdin=commands)
    said = b"protea: line 1 of standard input was left out: the port sandbox has no adapter nope; did you mean none?\n"
    assert (done.returncode, done.stderr) == (0, said)


def test_a_flag_for_a_port_nobody_knows_is_a_mistake(place: Place) -> None:
    done = place.run("-p", "hi", "--set", "ports.sandbx.adapter=none")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"protea: flag --set: there is no port sandbx; did you mean sandbox?\n"


@pytest.mark.parametrize(("home", "code"), [("a file", 1), ("read only", 0)])
def test_a_home_that_cannot_be_used_is_one_line(place: Place, home: str, code: int) -> None:
    path = place.project / "a.py" if home == "a file" else Path("/proc/protea")
    done = place.run("-p", "read a.py", PROTEA_HOME=str(path))
    assert done.returncode == code  # what cannot be written is told, and the run goes on without keeping anything
    assert b"Traceback" not in done.stderr
    [line] = done.stderr.decode().splitlines()
    assert str(path) in line
