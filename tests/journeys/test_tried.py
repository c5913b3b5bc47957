"""What the pages say to try happens when it is tried: the words are read from the page and run, one after the other, as
somebody without a key would."""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.journeys.world import PROTEA, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    (made.project / "README.md").write_text("# Garden\n\nWhat grows where.\n")
    return made


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def block(text: str, language: str = "") -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)
    assert found is not None
    return found[1]


def tried(text: str) -> str:
    """The block behind *Try it*."""
    return block(text[text.index("Try it, with no key") :], r"\w*")


def run(world: World, line: str) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(line, comments=True)
    assert program == "protea"
    return world.run(*words)


def chat(world: World, lines: list[str], *flags: str) -> str:
    """The plain chat in which these lines are typed."""
    done = subprocess.run(
        [*PROTEA, "repl", "-m", "offline/grammar", *flags],
        cwd=world.project,
        env=world.environment,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_on_context_shows_what_fills_the_window_and_what_stays(world: World) -> None:
    *_, meter, pin, compact, summary = (run(world, line) for line in tried(page("context.md")).splitlines())
    assert "conversation" in meter.stdout
    assert "never push" in pin.stdout
    assert "summed up" in compact.stdout
    for word in ("> read README.md", "- never push", "- Read README.md → 3 lines"):
        assert word in summary.stdout


def test_the_page_on_plans_writes_nothing_before_it_is_agreed_to(world: World) -> None:
    (line,) = tried(page("plan.md")).splitlines()
    said = chat(world, [line, "y", "y"], "--permission-mode", "plan")
    assert "The plan is carried out." in said
    assert (world.project / "notes.txt").read_text() == "one\n"


def test_the_page_on_tasks_begins_two_of_them(world: World) -> None:
    typed = [line.removeprefix("> ") for line in tried(page("tasks.md")).splitlines() if "ID" not in line]
    said = chat(world, typed)
    assert re.search(r"running +sleep 60", said)
    assert re.search(r"(running|done) +seq 200000", said)


def test_the_page_on_agents_sends_one(world: World) -> None:
    found = re.search(r"Try it, with no key: `` (protea .*?) ``", page("agents.md"))
    assert found is not None
    assert "3 lines with `TODO` in 2 files in src" in run(world, found[1]).stdout


def test_the_agent_of_the_page_is_sent_by_its_name(world: World) -> None:
    text = page("agents.md")
    (world.home / ".protea/agents").mkdir(parents=True)
    written = re.sub(r"^model: .*\n", "", block(text, "markdown"), flags=re.M)
    (world.home / ".protea/agents/reviewer.md").write_text(written)
    found = re.search(r"`(protea .*?@agent-reviewer .*?)`", text)
    assert found is not None
    said = run(world, found[1]).stdout
    assert "3 lines with `TODO` in 2 files in src" in said
    assert "[reviewer · " in said


class Leeks(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body><h1>Leeks</h1><p>They like rain.</p></body></html>")

    def log_message(self, *_: object) -> None:
        """Nothing is said about who asked."""


def test_the_page_on_the_web_reads_one(world: World) -> None:
    text = page("web.md")
    with ThreadingHTTPServer(("127.0.0.1", 0), Leeks) as server:
        threading.Thread(target=server.serve_forever).start()
        port = server.server_address[1]
        (world.home / ".protea").mkdir()
        (world.home / ".protea/config.toml").write_text(block(text, "toml").replace("8080", str(port)))
        line = re.sub(r"https://docs\.python\.org/\S*?(?=\")", f"http://127.0.0.1:{port}/", block(text).strip())
        said = run(world, line.replace("docs.python.org", f"127.0.0.1:{port}")).stdout
        server.shutdown()
    assert "# Leeks" in said
    assert "They like rain." in said


def test_the_page_on_races_takes_what_one_runner_did(world: World) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "add", "-A"], cwd=world.project, check=True)
    subprocess.run([*git, "commit", "-qm", "one"], cwd=world.project, check=True)
    text = page("agents.md")
    race, diff, pick = (
        run(world, line) for line in block(text[text.index("with no key and no model") :], "sh").splitlines()
    )
    assert race.stdout.splitlines()[0].split() == ["RUNNER", "ENDED", "TIME", "TOKENS", "COST", "CHANGED"]
    assert "+hello" in diff.stdout
    assert "Taken: 1 · coding." in pick.stdout
    assert (world.project / "hello.txt").read_text() == "hello\n"


def test_the_page_on_hooks_forbids_what_it_says(world: World) -> None:
    text = page("hooks.md")
    (world.home / ".protea").mkdir()
    (world.home / ".protea/config.toml").write_text(block(text, "toml"))
    found = re.search(r"`(protea .*?)` says", text)
    assert found is not None
    done = run(world, found[1])
    assert done.returncode == 5
    assert "says deny: no TODO in new files" in done.stdout
    assert run(world, found[1].replace("TODO", "x")).returncode == 0


def transcripts() -> list[tuple[str, str, str]]:
    """(page, command, output) of each block that shows both; `…` in the output stands for anything."""
    found = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        for body in re.findall(r"^```\n(\$ .*?)^```$", path.read_text(), re.S | re.M):
            for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, _, output = part.partition("\n")
                found.append((path.name, command, output))
    return found


def shape(output: str) -> str:
    """As a pattern in which the widths of columns do not count."""
    lines = (re.escape(" ".join(line.split())).replace("…", ".+") for line in output.splitlines())
    return "\n".join(lines)


@pytest.mark.parametrize(("where", "command", "output"), transcripts())
def test_what_is_shown_with_its_output(where: str, command: str, output: str, world: World) -> None:
    done = run(world, command)
    said = "\n".join(" ".join(line.split()) for line in done.stdout.splitlines())
    assert re.fullmatch(shape(output), said), f"{where}: {command}\n{done.stdout}{done.stderr}"
