"""What commands show of files and databases that come from anywhere: a terminal obeys none of it."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from protea.adapters.task_runner._table import Table
from protea.ports.task_runner import Task
from tests.journeys.world import PROTEA, World

EVIL = "\x1b]0;pwned\x07\x1b[2J"


def shown(world: World, words: Sequence[str]) -> bytes:
    """What a command writes to a terminal."""
    leader, follower = pty.openpty()
    said = bytearray()

    def read() -> None:
        with suppress(OSError):  # the other end was closed
            while data := os.read(leader, 1 << 16):
                said.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    environment = {**world.environment, "TERM": "xterm-256color"}
    subprocess.run(
        [*PROTEA, *words],
        cwd=world.project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        timeout=60,
        check=False,
    )
    os.close(follower)
    reader.join(30)
    os.close(leader)
    return bytes(said)


@pytest.mark.parametrize(
    "words", [("doctor",), ("-p", "/agents"), ("-p", "/help"), ("tasks", "list"), ("tasks", "show", "k1")]
)
def test_no_escape_sequence_of_a_file_or_a_register_reaches_the_terminal(tmp_path: Path, words: Sequence[str]) -> None:
    world = World(tmp_path)
    for kind in ("agents", "commands"):
        folder = world.project / ".protea" / kind
        folder.mkdir(parents=True)
        (folder / f"{EVIL}.md").write_text("words")
        (folder / "told.md").write_text(f"---\ndescription: '{EVIL}'\n---\nwords")
    assert world.run("trust").returncode == 0
    told = {"kind": EVIL, "title": EVIL, "session": EVIL, "started": EVIL, "ended": EVIL, "progress": EVIL}
    register = Table(str(world.home / ".protea/tasks"), EVIL)
    register.put(Task(id="k1", state="done", input={"log": EVIL}, result=EVIL, **told), again=False)
    register.close()
    said = shown(world, words)
    assert b"pwned" in said
    assert b"\x1b]" not in said
    assert b"\x1b[2J" not in said
