"""The benchmarks that have a short form still measure. Their figures are judged by hand, on a quiet machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
SHORT = {
    "startup": ("--rounds", "1"),
    "hello": ("--rounds", "1"),
    "tool_turns": ("--rounds", "1"),
    "stream": ("--rounds", "1"),
    "parallel_reads": ("--rounds", "1"),
    "agents": ("--agents", "20"),
    "search": ("--rounds", "1", "--files", "1200"),
}
"""Each prints a line per figure. Of the others a round takes minutes, or figures of one round say nothing."""


@pytest.mark.parametrize("name", SHORT)
def test_a_round_of_it_runs_and_prints_its_figures(name: str, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *SHORT[name]],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    if "rg is not installed" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "≤" in done.stdout
    assert len(done.stdout.splitlines()) >= 3


@pytest.mark.parametrize(("words", "said"), [((), "tokens are counted"), (("--estimate",), "TOKENS ARE ESTIMATED")])
def test_tokens_are_counted_with_a_vocabulary_unless_an_estimate_is_asked_for(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    line = [sys.executable, str(FOLDER / "compaction.py"), "--rounds", "1", *words]
    done = subprocess.run(line, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout
    kept = [line for line in done.stdout.splitlines() if line.endswith("548/548")]
    assert len(kept) == 7, "survival, per strategy"
