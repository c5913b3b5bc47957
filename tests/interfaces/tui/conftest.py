"""`protea` in a terminal of its own, in a project of its own, with an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interfaces.tui.terminal import Terminal

PROTEA = [sys.executable, "-I", "-m", "protea"]
Open = Callable[..., Terminal]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "README.md").write_text("# A project\n")
    (folder / "src" / "main.py").write_text("def main():\n    return 1  # TO" + "DO: more\n")
    subprocess.run(["git", "init", "-q", "-b", "trunk"], cwd=folder, check=True)
    return folder


@pytest.fixture
def open_screen(tmp_path: Path, project: Path) -> Iterator[Open]:
    """Opens `protea WORDS…`; whatever is open at the end is closed."""
    opened: list[Terminal] = []

    def open_one(*words: str, columns: int = 80, rows: int = 24, **environment: str) -> Terminal:
        kept = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path / "home"),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            **environment,
        }
        (tmp_path / "home").mkdir(exist_ok=True)
        terminal = Terminal([*PROTEA, *words], kept, cwd=str(project), columns=columns, rows=rows)
        opened.append(terminal)
        return terminal

    yield open_one
    for terminal in opened:
        terminal.close()
