"""Each piece works without the rest: every script in examples/standalone runs where only what it names is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "examples/standalone").glob("*.py"))
SAYS = {
    "agent": "composition",
    "log": "AssistantMessage 42.",
    "loop": "finished after 2 replies",
    "model": "offline",
    "permissions": "deny   git status && curl",
    "tools": "multiply",
}
"""Script → words in what it prints."""


def needs(script: Path) -> list[str]:
    named = re.search(r"^Needs (.+)\.$", script.read_text(), flags=re.MULTILINE)
    assert named is not None, f"{script.name} does not say what it needs"
    return named[1].split(", ")


def environment_with(packages: list[str], folder: Path) -> Path:
    """A Python that has these packages and Protea, and nothing else: no network, the files of this environment."""
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    python = folder / "bin/python"
    inside = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for package in packages:
        for file in distribution(package).files or ():
            top = file.parts[0]
            link = folder / inside / top
            if top != ".." and not link.exists():
                link.symlink_to(Path(str(distribution(package).locate_file(top))).resolve())
    (folder / inside / "checkout.pth").write_text(f"{ROOT / 'src'}\n")
    return python


def run(python: Path, script: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-I", script], cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_piece_runs_alone(script: Path, tmp_path: Path) -> None:
    done = run(environment_with(needs(script), tmp_path / "python"), script, ROOT)
    assert done.returncode == 0, done.stderr
    assert SAYS[script.stem] in done.stdout


# An agent needs the whole base install, though not everything it is told needs all of it.
PIECES = [script for script in SCRIPTS if script.stem != "agent"]


@pytest.mark.parametrize("script", PIECES, ids=lambda script: script.stem)
def test_a_piece_names_no_more_than_it_needs(script: Path, tmp_path: Path) -> None:
    for missing in needs(script):
        rest = [name for name in needs(script) if name != missing]
        done = run(environment_with(rest, tmp_path / missing), script, ROOT)
        assert done.returncode != 0 or SAYS[script.stem] not in done.stdout, f"{script.stem} works without {missing}"


def test_there_is_a_script_per_piece() -> None:
    assert {script.stem for script in SCRIPTS} == set(SAYS)


def test_an_isolated_environment_has_nothing_else(tmp_path: Path) -> None:
    python = environment_with(["msgspec"], tmp_path / "python")
    code = "import msgspec, protea; import tree_sitter"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    assert "No module named 'tree_sitter'" in done.stderr
