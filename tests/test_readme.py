"""What README shows is what happens: its commands run as they stand, in a checkout, with an empty home."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [
    line.partition("  #")[0].strip()
    for block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("scripts/run") and line.partition("  #")[0].strip() != "scripts/run"
]
"""All but the clone, and the conversation, which wants a terminal (`tests/interfaces`)."""


def environment(home: Path) -> dict[str, str]:
    """As a newcomer's; the checkout is this one, whose environment may have been made by someone else."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "OLLAMA_HOST": "http://127.0.0.1:9"}


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    """One after the other in one home: some go on with what others began."""
    assert len(COMMANDS) >= 5
    launcher = "import sys; from protea.cli import main; sys.exit(main())"
    for command in COMMANDS:
        line = command.replace("scripts/run", f"'{sys.executable}' -I -c '{launcher}'", 1)
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=ROOT,
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert done.stdout.strip(), command


@pytest.mark.parametrize("code", blocks("python"))
def test_the_programs_of_the_readme_run(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout


def test_the_picture_shows_the_command_above_it() -> None:
    picture = (ROOT / "docs/protea.svg").read_text()
    (job,) = [line for line in COMMANDS if "TODO" in line]
    assert re.sub("&quot;", '"', picture).count(job) == 1
