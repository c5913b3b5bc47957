"""An agent nobody wrote code for becomes others in turn, while a provider streams.

A profile in TOML with a persona of another package (`examples/plugin`) runs as a process of its own. In the reply to
each prompt one port is exchanged for another adapter. The log then has to tell which identity said what, and what the
provider was sent has to agree with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.composition.catalogue import CATALOGUE, DEFAULTS, SWAP_CLASSES
from protea.composition.resolve import Resolver
from protea.domain.errors import ConfigError
from protea.domain.profile import identity_of
from protea.domain.surroundings import Surroundings
from protea.testing.loopback import LoopbackProvider, LoopbackReply, ScriptedCall
from tests.architecture.source import ROOT
from tests.journeys.world import World

PROFILE = """
extends = "base"
about = "an agent nobody wrote code for"
model = "loop/one"

[persona]
adapter = "gardener"
garden = "a roof terrace in Oslo"
"""

CONFIG = """
[providers.loop]
api = "anthropic"
base_url = "{url}"
api_key_env = "LOOP_KEY"
[providers.loop.models.one]
[providers.loop.models.two]
"""

LAST = ("toolset", "session_store")
"""Exchanged behind all others: the one leaves nothing to call, the other carries all the rest along."""


def exchanges(folder: Path) -> dict[str, str]:
    """Port → an adapter that can be had on this machine and is not the usual one."""
    around = Surroundings(
        cwd=str(folder),
        root=str(folder),
        user_home=str(folder),
        protea_home=str(folder / "p"),
        environment={"PATH": "/usr/bin:/bin"},
    )
    usual = {port: (name, {}) for port, name in DEFAULTS.items()}
    found = {}
    for port, adapters in CATALOGUE.items():
        others = [name for name in adapters if name != DEFAULTS.get(port)]
        for name in sorted(others, key=lambda each: each != "none"):
            if port == "model":
                continue
            try:
                Resolver({**usual, port: (name, {})}, {"surroundings": around}).get(port)
            except (ConfigError, OSError):
                continue  # needs options, a program or a server
            found[port] = name
            break
    first = [port for port in found if port not in LAST]
    return {port: found[port] for port in (*first, *LAST)}


def speak(request: Any) -> LoopbackReply:
    """A streamed reply; with a call, if there is anything to call and the prompt has had none."""
    body = request.json
    names = {tool["name"] for tool in body.get("tools", ())}
    called = "tool_result" in json.dumps(body["messages"][-1])
    calls = () if called or "TodoWrite" not in names else (todo(request.number),)
    return LoopbackReply(words=30, pace=0.002, tool_calls=calls)


def todo(number: int) -> ScriptedCall:
    return ScriptedCall("TodoWrite", {"todos": [{"text": f"step {number}", "status": "pending"}]})


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider.in_thread([speak]) as made:
        yield made


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The example plugin, as an installer would leave it."""
    source = ROOT / "examples/plugin"
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    folder = tmp_path / "installed"
    told = folder / "protea_garden-1.0.dist-info"
    told.mkdir(parents=True)
    (folder / "protea_garden").symlink_to(source / "src/protea_garden")
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in names.items())
        for group, names in project["entry-points"].items()
    ]
    (told / "entry_points.txt").write_text("\n".join(entries))
    return folder


class Conversation:
    """`protea -p` that is spoken to line by line."""

    def __init__(self, world: World, plugin: Path, *words: str) -> None:
        start = f"import sys; sys.path.insert(0, {str(plugin)!r}); from protea.cli import main; sys.exit(main())"
        formats = ("--input-format", "stream-json", "--output-format", "stream-json")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", start, "-p", *formats, *words],
            cwd=world.project,
            env=world.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict[str, Any]] = []

    def close(self) -> None:
        """End it, however it stands."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def say(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def until(self, kind: str) -> dict[str, Any]:
        """The next event of a kind; questions on the way are answered yes."""
        assert self.process.stdout is not None
        overdue = threading.Timer(60, self.process.kill)
        overdue.start()
        try:
            return self._until(kind)
        finally:
            overdue.cancel()

    def _until(self, kind: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            if event["type"] == "approval_requested":
                self.say(type="resolve_approval", id=event["id"], decision="once")
            if event["type"] == kind:
                return event
            assert event["type"] != "result", event
        raise AssertionError(f"no {kind} came: {self.process.stderr.read() if self.process.stderr else ''}")

    def end(self) -> str:
        """Standard error, once it has ended well."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.until("result")
        self.process.stdin = None  # `communicate` would flush it
        complaints = self.process.stderr.read()
        assert self.process.wait(60) == 0, complaints
        return complaints


@pytest.fixture
def started() -> Iterator[list[Conversation]]:
    """Conversations that are ended whatever happens."""
    begun: list[Conversation] = []
    yield begun
    for each in begun:
        each.close()


def test_every_port_is_exchanged_while_a_provider_streams_and_the_log_tells_who_said_what(
    tmp_path: Path, provider: LoopbackProvider, plugin: Path, started: list[Conversation]
) -> None:
    world = World(tmp_path, LOOP_KEY="k")
    home = world.home / ".protea"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "gardener.toml").write_text(PROFILE)
    (home / "config.toml").write_text(CONFIG.format(url=provider.url("anthropic")))
    ports = exchanges(tmp_path)
    # There is one clock and one way to make ids, models go by name, and what walls there are depends on the machine.
    assert CATALOGUE.keys() - ports.keys() <= {"clock", "ids", "model", "sandbox"}

    talk = Conversation(world, plugin, "--profile", "gardener")
    started.append(talk)
    worn: dict[str, str] = {}
    expected = ["gardener"]
    for port, adapter in [*ports.items(), ("model", "loop/two")]:
        talk.say(type="submit_prompt", text=f"now {port}")
        talk.until("text_delta")
        talk.say(type="swap", ports={port: adapter})
        kind, count = "model_switched", 1
        if port != "model":
            worn[port] = adapter
            expected.append(identity_of("gardener", worn))
            kind, count = "profile_swapped", len(expected) - 1
        seen = talk.until("turn_finished")
        assert seen["outcome"] in ("finished", "denied"), seen
        if sum(event["type"] == kind for event in talk.events) < count:
            talk.until(kind)
    talk.say(type="submit_prompt", text="now the same as before")
    talk.until("text_delta")
    talk.say(type="swap", profile="gardener", ports={"session_store": "jsonl"})
    talk.until("turn_finished")
    if not any(event.get("identity") == "gardener+session_store=jsonl" for event in talk.events):
        talk.until("profile_swapped")
    # What an exchange costs is told; nothing else is there to complain about.
    assert [line for line in talk.end().splitlines() if "tokens are read anew" not in line] == []

    (log,) = world.logs()
    written = [json.loads(line) for line in log.read_bytes().splitlines()]
    told = [event for event in talk.events[:-1] if "seq" in event]
    assert [event["seq"] for event in written] == list(range(1, len(written) + 1))
    assert [event["seq"] for event in told] == [event["seq"] for event in written]
    prompts = [event["text"] for event in written if event["type"] == "prompt_submitted"]
    assert prompts == [*(f"now {port}" for port in (*ports, "model")), "now the same as before"]

    swaps = [event for event in written if event["type"] == "profile_swapped"]
    assert [event["identity"] for event in swaps] == [*expected[1:], "gardener+session_store=jsonl"]
    for (port, adapter), event in zip(ports.items(), swaps, strict=False):
        assert event["changed"][port] == adapter
    identity = "gardener"
    for event in written:
        identity = event["identity"] if event["type"] == "profile_swapped" else identity
        assert event["identity"] == identity, event

    # What the provider was sent agrees with who the log says was speaking.
    replies = [event for event in written if event["type"] == "message_completed"]
    assert len(replies) == len(provider.requests)
    for reply, request in zip(replies, provider.requests, strict=True):
        body = request.json
        who = reply["identity"]
        assert ("You look after a garden" in json.dumps(body["system"])) == ("+persona=" not in who), who
        assert ("tools" in body and bool(body["tools"])) == ("+toolset=none" not in who), who
        assert reply["model"] == f"loop/{body['model']}"

    # Hot and warm ones took hold in the midst of their turn, cold ones behind it.
    for port, event in zip(ports, swaps, strict=False):
        before = [each for each in written if each["seq"] < event["seq"]]
        finished = before[-1]["type"] == "turn_finished"
        in_two = "toolset" not in event["identity"] or port == "toolset"
        if in_two:
            assert finished == (SWAP_CLASSES[port] == "cold" or port in WHOLE_TURNS), port


WHOLE_TURNS = {"checkpoint"}
"""Hot, and yet exchanged between turns: what a turn does to files is kept in one place."""
