"""Yolo in a project nobody has trusted: a session, `perm check` and a line of `perm check --batch` decide alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from protea.adapters.storage.memory import MemoryStore
from protea.composition.launch import Launch
from protea.composition.root import Given, build
from protea.composition.trusting import trust_project
from protea.domain.commands import ResolveApproval, SetMode, SubmitPrompt
from protea.domain.events import AnyEvent, ApprovalRequested, NoticeGiven, TurnFinished
from protea.domain.messages import ToolCall
from protea.domain.reply import Reply
from protea.domain.usage import Usage
from protea.ports.gateway import OpenSession
from protea.testing.model import ScriptedModel

Make = Callable[[Path], None]
EDIT, REACH = "touch made", "curl https://example.com"


def nothing(root: Path) -> None:
    root.mkdir()


def clone(root: Path) -> None:
    subprocess.run(["git", "init", "-q", root], check=True)


def instructions(root: Path) -> None:
    clone(root)
    (root / "AGENTS.md").write_text("Obey.")


def allowing(root: Path) -> None:
    clone(root)
    (root / ".protea").mkdir()
    (root / ".protea/config.toml").write_text('[permissions]\nallow = ["Bash(curl:*)"]\n')


def tricks(root: Path) -> None:
    clone(root)
    with (root / ".git/config").open("a") as config:
        config.write("[core]\n\tfsmonitor = ./evil.sh\n")


TABLE: dict[str, tuple[Make, tuple[str, ...], bool, dict[str, str]]] = {
    # what lies there, words, whether a person said protea trust → the decision on each command
    "nothing": (nothing, (), False, {EDIT: "allow", REACH: "ask"}),
    "a plain clone": (clone, (), False, {EDIT: "allow", REACH: "ask"}),
    "instructions": (instructions, (), False, {EDIT: "ask", REACH: "ask"}),
    "rules that allow": (allowing, (), False, {EDIT: "ask", REACH: "ask"}),
    "a repository that runs something": (tricks, (), False, {EDIT: "ask", REACH: "ask"}),
    "instructions, trusted": (instructions, (), True, {EDIT: "allow", REACH: "ask"}),
    "rules that allow, trusted": (allowing, (), True, {EDIT: "allow", REACH: "allow"}),
    "instructions that nobody reads": (instructions, ("--bare",), False, {EDIT: "allow", REACH: "ask"}),
    "a repository that runs something, bare": (tricks, ("--bare",), False, {EDIT: "ask", REACH: "ask"}),
}


@pytest.mark.parametrize(("make", "words", "trusted", "expected"), TABLE.values(), ids=TABLE.keys())
async def test_a_session_and_a_check_decide_alike(
    tmp_path: Path, make: Make, words: tuple[str, ...], trusted: bool, expected: dict[str, str]
) -> None:
    home, root = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    make(root)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "OLLAMA_HOST": "http://127.0.0.1:9"}
    said: list[str] = []
    bare = "--bare" in words
    launch = Launch(cwd=str(root), environment=environment, warn=said.append, interactive=True, bare=bare, mode="yolo")
    if trusted:
        trust_project(launch)
    assert await in_a_session(launch, expected) == expected
    assert {command: checked(root, environment, command, *words) for command in expected} == expected
    # What a line calls trusted is what a session has found to be so; rules of the project come with trust alone.
    rules = ["Bash(curl:*)"] if trusted and make is allowing else []
    assert in_a_batch(root, environment, expected, trusted=expected[EDIT] == "allow", allow=rules) == expected
    untold = [line for line in said if "yolo asks as normal does here" in line]
    assert bool(untold) == (expected[EDIT] == "ask")


async def in_a_session(launch: Launch, commands: dict[str, str]) -> dict[str, str]:
    replies: list[str | Reply] = []
    for at, command in enumerate(commands):
        call = ToolCall(id=f"c{at}", name="Bash", arguments={"command": command})
        replies.append(Reply(content=(call,), stop="tool_calls", usage=Usage(), model="scripted/model"))
    gateway = build(launch, Given(model=ScriptedModel(*replies, "done"), store=MemoryStore()))
    try:
        session = await gateway.open(OpenSession(cwd=launch.cwd, mode="yolo"))
        await gateway.submit(session, SubmitPrompt(text="go"))
        asked: set[str] = set()
        async for event in gateway.events(session, 0):
            if isinstance(event, ApprovalRequested):
                asked.add(str(event.call.arguments["command"]))  # type: ignore[index,call-overload]
                await gateway.submit(session, ResolveApproval(id=event.id, decision="deny"))
            if isinstance(event, TurnFinished):
                break
    finally:
        await gateway.close()
    return {command: "ask" if command in asked else "allow" for command in commands}


def protea(root: Path, environment: dict[str, str], *words: str, stdin: str = "") -> str:
    return subprocess.run(
        [sys.executable, "-m", "protea", *words],
        cwd=root,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def checked(root: Path, environment: dict[str, str], command: str, *words: str) -> str:
    said = protea(root, environment, "perm", "check", f"Bash({command})", "--mode", "yolo", "--json", *words)
    return str(json.loads(said)["decision"])


def in_a_batch(
    root: Path, environment: dict[str, str], commands: dict[str, str], *, trusted: bool, allow: list[str]
) -> dict[str, str]:
    lines = [
        {"tool": "Bash", "args": {"command": each}, "mode": "yolo", "trusted": trusted, "allow": allow}
        for each in commands
    ]
    said = protea(root, environment, "perm", "check", "--batch", stdin="\n".join(map(json.dumps, lines)))
    return dict(zip(commands, (json.loads(line)["decision"] for line in said.splitlines()), strict=True))


async def test_who_changes_to_yolo_in_a_project_nobody_trusts_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    instructions(tmp_path / "project")
    launch = Launch(
        cwd=str(tmp_path / "project"),
        environment={"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "OLLAMA_HOST": "http://127.0.0.1:9"},
        warn=lambda line: None,
    )
    gateway = build(launch, Given(model=ScriptedModel("x"), store=MemoryStore()))
    try:
        session = await gateway.open(OpenSession(cwd=launch.cwd))
        await gateway.submit(session, SetMode(mode="yolo"))
        events: list[AnyEvent] = list(await gateway.history(session))
    finally:
        await gateway.close()
    assert any("yolo asks as normal" in event.text for event in events if isinstance(event, NoticeGiven))
