"""An agent nobody wrote code for, composed by a profile with adapters of another package: every port of it is exchanged
while a provider streams, from outside, and the log tells which identity said what.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.composition.catalogue import CATALOGUE, DEFAULTS
from protea.testing.loopback import LoopbackProvider, LoopbackReply
from tests.test_plugin import Garden, environment_with_the_plugin

CHOSEN = {
    "approval": "policy",
    "catalog": "none",
    "clipboard": "osc52",
    "compaction": "clear-results",
    "notifier": "bell",
    "persona": "coding",
    "secrets": "environment",
    "toolset": "builtin",
    "workspace": "disk",
}
"""Port → what it is filled with in its turn, where it matters; others are emptied, or filled with what they are not."""

NOT_EXCHANGED = {
    "clock": "there is one",
    "ids": "there is one",
    "model": "chosen by name: see tests/composition/test_swapping.py",
    "sandbox": "what it is depends on the machine",
    "search": "its others need an address or the web; to `none`, which it is, there is nothing to exchange",
}


OTHERS = {
    port: CHOSEN.get(port) or next(name for name in sorted(adapters, key="none".__ne__) if name != DEFAULTS.get(port))
    for port, adapters in CATALOGUE.items()
    if port not in NOT_EXCHANGED
}
"""Port → what it is filled with in its turn."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with_the_plugin(tmp_path_factory.mktemp("plugin"))


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    """Each reply takes a while: forty pieces."""
    reply = LoopbackReply(text="word " * 40, words=40, pieces=40, pace=0.005)
    with LoopbackProvider.in_thread([reply], after="cycle") as made:
        yield made


class Talk:
    """`protea -p` with commands on its standard input and events on its output."""

    def __init__(self, garden: Garden, provider: LoopbackProvider) -> None:
        self.process = subprocess.Popen(
            [garden.python, "-I", "-m", "protea", "-p", "--profile", "gardener", "-m", "openai/gpt-test",
             "--input-format", "stream-json", "--output-format", "stream-json"],
            cwd=garden.folder / "project",
            env={"HOME": str(garden.folder / "home"), "PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "k",
                 "OPENAI_BASE_URL": provider.url("openai-responses")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.events: list[dict[str, Any]] = []

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def until(self, *kinds: str) -> dict[str, Any]:
        """Read on to the first event that is one of these."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            if event["type"] in kinds:
                return event
        assert self.process.stderr is not None
        raise AssertionError(f"it ended before {kinds}: {self.process.stderr.read()}")

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.until("result")
        code = self.process.wait(60)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


def test_every_port_is_exchanged_here_or_says_why_not() -> None:
    assert set(CATALOGUE) == OTHERS.keys() | NOT_EXCHANGED.keys()
    assert all(adapter in CATALOGUE[port] for port, adapter in OTHERS.items())
    assert len(OTHERS) >= 27


def test_each_port_is_exchanged_while_a_provider_streams_and_the_log_tells_who_said_what(
    python: Path, tmp_path: Path, provider: LoopbackProvider
) -> None:
    # The session store last: what is kept in memory cannot be looked at afterwards.
    ports = [port for port in OTHERS if port != "session_store"] + ["session_store"]
    talk = Talk(Garden(python, tmp_path), provider)
    wearing: dict[str, str] = {}
    for port in ports:
        talk.send(type="submit_prompt", text=f"before {port}")
        talk.until("text_delta")
        talk.send(type="swap", ports={port: OTHERS[port]})
        first = talk.until("profile_swapped", "turn_finished")
        last = talk.until("profile_swapped", "turn_finished")
        assert {first["type"], last["type"]} == {"profile_swapped", "turn_finished"}, (port, first, last)
        swapped = first if first["type"] == "profile_swapped" else last
        wearing[port] = OTHERS[port]
        assert swapped["changed"] == {port: OTHERS[port]}
        assert swapped["identity"] == "gardener" + "".join(f"+{each}={wearing[each]}" for each in sorted(wearing))
    talk.send(type="submit_prompt", text="at the end")
    talk.until("turn_finished")
    assert talk.end() == 0

    lasting = [event for event in talk.events if "seq" in event]
    assert [event["seq"] for event in lasting] == list(range(1, len(lasting) + 1)), "nothing was lost"
    now = "gardener"
    said = []
    for event in lasting:
        if event["type"] == "profile_swapped":
            now = event["identity"]
        assert event["identity"] == now, event
        if event["type"] == "message_completed":
            said.append(event["identity"])
    assert len(said) == len(ports) + 1
    assert len(set(said)) == len(said), "each reply was said by another identity"
    assert said[0] == "gardener"

    requests = [request.body.decode() for request in provider.requests]
    persona = ports.index("persona")
    assert "You look after a garden" in requests[persona]
    assert "You look after a garden" not in requests[persona + 1]
    toolset = ports.index("toolset")
    assert "MoonPhase" in requests[toolset]
    assert "MoonPhase" not in requests[toolset + 1]
