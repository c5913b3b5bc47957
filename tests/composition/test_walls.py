"""Walls that were asked for by name and cannot be built: nothing starts, and one line says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "home").mkdir(exist_ok=True)
    (folder / "project").mkdir(exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    broken = folder / "bin/bwrap"
    broken.write_text("#!/bin/sh\necho no namespaces here >&2; exit 1\n")
    broken.chmod(0o755)
    return subprocess.run(
        [sys.executable, "-m", "protea", *words],
        cwd=folder / "project",
        env={"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder / "home"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


@pytest.mark.parametrize(
    ("words", "environment", "why"),
    [
        (["--sandbox", "docker"], NO_ENGINE, "no container engine listens"),
        (["--set", "sandbox.adapter=docker"], NO_ENGINE, "no container engine listens"),
        (["--sandbox", "bubblewrap"], {}, "bubblewrap"),
        (["--sandbox", "auto", "--set", "sandbox.required=true"], NO_ENGINE, "no walls can be built"),
    ],
)
def test_a_run_whose_walls_cannot_be_built_says_so_in_a_line_and_ends(
    tmp_path: Path, words: list[str], environment: dict[str, str], why: str
) -> None:
    done = run(tmp_path, "-p", "--model", "offline/grammar", *words, "run `touch made`", **environment)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("protea: ")
    assert why in line
    assert done.stdout == ""
    assert not (tmp_path / "project/made").exists()


def test_auto_goes_on_without_walls_and_says_so(tmp_path: Path) -> None:
    words = ("-p", "--model", "offline/grammar", "--sandbox", "auto", "run `ls`")
    done = run(tmp_path, *words, **NO_ENGINE)
    assert done.returncode == 0, done.stderr
    assert "commands run without walls" in done.stderr
