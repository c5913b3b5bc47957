"""A run of Protea that is told one thing after another by a program, and may be killed."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.journeys.world import World

WITHIN = 40
CONFIG = """
[providers.day]
api = "openai-chat"
base_url = "{url}"
api_key_env = "DAY_KEY"
[providers.day.models.one]
context = 200000
"""
ALLOWED = (
    "--allow",
    "Edit(made/**)",
    "--allow",
    "Agent",
    "--allow",
    "Bash(echo:*)",
    "--allow",
    "Bash(sleep:*)",
    "--allow",
    "Bash(false)",
)


def fits(event: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(event.get(name) == value for name, value in wanted.items())


def until(look: Callable[[], object]) -> None:
    """Until it finds something: a file and another process have no event to wait for."""
    end = time.monotonic() + WITHIN
    while not look():
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.02)


class Driven:
    """What it tells is read as it comes; each wait is for an event, and has an end."""

    def __init__(self, world: World, session: str = "", more: Sequence[str] = ALLOWED) -> None:
        words = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "-m", "day/one", *more]
        self.process = world.start(*words, *(("-r", session) if session else ()), stdin=subprocess.PIPE)
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.past: list[dict[str, Any]] = []
        self.session = session
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                self.events.put(json.loads(line))

    def say(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def until(self, **wanted: Any) -> dict[str, Any]:
        """Until it is told from now on."""
        while True:
            event = self.events.get(timeout=WITHIN)
            self.past.append(event)
            self.session = event.get("session") or self.session
            if fits(event, wanted):
                return event

    def ever(self, count: int = 1, **wanted: Any) -> list[dict[str, Any]]:
        """Until so many of them have been told, before or from now on."""
        while len(found := [event for event in self.past if fits(event, wanted)]) < count:
            self.until(**wanted)
        return found

    def do(self, what: str) -> None:
        self.say(type="submit_prompt", text=what)
        assert self.until(type="turn_finished")["outcome"] == "finished"

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.process.wait(WITHIN)
        self.reader.join(WITHIN)
        self.process.stdout.close()
        self.process.stderr.close()
