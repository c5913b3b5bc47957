"""scripts/run on a machine that has what it needs, has not, or was interrupted. Small checkouts, real environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ECHO = '''"""Stands in for Protea."""
import os, sys

def main():
    print(*sys.argv[1:], os.getcwd(), sep="|")
    return 7
'''
NOWHERE = "http://127.0.0.1:9/"
"""An address nobody listens on."""


def checkout(folder: Path) -> Path:
    """A checkout whose Protea prints what it was given, and needs no package: no network."""
    (folder / "src/protea").mkdir(parents=True)
    (folder / "src/protea/__init__.py").write_text('"""Stands in for Protea."""\n')
    (folder / "src/protea/cli.py").write_text(ECHO)
    (folder / "requirements").mkdir()
    (folder / "requirements/run.txt").write_text("")
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(command: Sequence[object], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout after its first run, in a folder whose name is no fun."""
    folder = checkout(tmp_path_factory.mktemp("a folder") / "it's here")
    first = run([folder / "scripts/run", "hello", "two words"], folder.parent)
    assert (first.returncode, first.stdout) == (7, f"hello|two words|{folder.parent}\n"), first.stderr
    assert "making the environment" in first.stderr
    return folder


def test_the_second_run_says_nothing_of_its_own_and_needs_no_network(made: Path) -> None:
    # Nothing can be reached through an address that nobody listens on.
    second = run(
        [made / "scripts/run", "again"], made, PIP_INDEX_URL="http://127.0.0.1:9/", https_proxy="http://127.0.0.1:9"
    )
    assert (second.returncode, second.stdout, second.stderr) == (7, f"again|{made}\n", "")


def test_it_can_be_started_through_links_and_from_anywhere(made: Path, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(made / "scripts/run")
    (tmp_path / "two").symlink_to("one")
    assert run([tmp_path / "two", "x"], tmp_path).stdout == f"x|{tmp_path}\n"
    assert run(["./two", "x"], tmp_path).stdout == f"x|{tmp_path}\n"
    assert run(["sh", "run", "x"], made / "scripts").stdout == f"x|{made / 'scripts'}\n"
    assert run(["run", "x"], tmp_path, PATH=f"{made / 'scripts'}:/usr/bin:/bin").stdout == f"x|{tmp_path}\n"


def test_the_command_in_the_environment_works_too(made: Path, tmp_path: Path) -> None:
    done = run([made / ".venv/bin/protea", "x y"], tmp_path)
    assert (done.returncode, done.stdout) == (7, f"x y|{tmp_path}\n")


def test_bytecode_is_kept_whatever_the_environment_says(made: Path) -> None:
    assert list((made / "src/protea/__pycache__").glob("cli.*.pyc"))


def test_a_python_module_lying_about_is_not_taken_for_ours(made: Path, tmp_path: Path) -> None:
    (tmp_path / "protea.py").write_text("raise SystemExit('wrong one')")
    done = run([made / "scripts/run", "x"], tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (7, f"x|{tmp_path}\n")


def test_a_checkout_that_was_moved_still_runs(made: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(made, moved, symlinks=True)
    (moved / "src/protea/cli.py").write_text(ECHO.replace("*sys.argv[1:]", '"moved"'))
    assert run([moved / "scripts/run"], tmp_path).stdout.startswith("moved|")


def test_what_was_only_touched_is_not_made_again(made: Path) -> None:
    os.utime(made / "requirements/run.txt")
    done = run([made / "scripts/run", "x"], made)
    assert (done.returncode, done.stderr) == (7, "")


@pytest.mark.parametrize(
    "damage",
    [
        lambda venv: (venv / "making").touch(),
        lambda venv: ((venv / "bin/python").unlink(), (venv / "bin/python").symlink_to("/no/such/python3.9")),
        lambda venv: (shutil.rmtree(venv), venv.write_text("not a folder")),
    ],
    ids=["half made", "its Python is gone", "a file"],
)
def test_a_broken_environment_is_made_anew(damage: object, made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy, symlinks=True)
    assert callable(damage)
    damage(copy / ".venv")
    if (copy / ".venv").is_dir():
        (copy / ".venv/run.stamp").unlink()
    done = run([copy / "scripts/run", "x"], copy)
    assert (done.returncode, done.stdout) == (7, f"x|{copy}\n"), done.stderr
    assert "making the environment" in done.stderr


def test_two_first_runs_at_once_make_one_environment(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "p")
    command = [folder / "scripts/run", "x"]
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    both = [
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [7, 7], ended
    assert sum("(once)" in errors for _, errors in ended) == 1


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ({}, ["no python3 found", "apt install python3"]),
        ({"python3": "exit 3"}, ["python3 is Python", "3.11 or newer"]),
        ({"python3": "exit 4"}, ["cannot make environments", "-venv"]),
    ],
    ids=["no Python", "an old Python", "no venv"],
)
def test_what_is_missing_is_said_in_one_line(answers: dict[str, str], wanted: list[str], tmp_path: Path) -> None:
    folder = checkout(tmp_path / "p")
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, body in answers.items():
        # Only what asks for the version by printing gets an answer; the test of fitness fails as the case says.
        (commands / name).write_text(f'#!/bin/sh\ncase "$*" in *print*) echo 3.9 ;; *) {body} ;; esac\n')
        (commands / name).chmod(0o755)
    done = run(["/bin/sh", folder / "scripts/run"], tmp_path, PATH=str(commands))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    for words in wanted:
        assert words in done.stderr


def test_without_network_the_first_run_says_what_it_needs(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "p")
    (folder / "requirements/run.txt").write_text(
        "no-such-package-of-ours==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
    )
    done = run([folder / "scripts/run"], folder, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "needs the network" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / ".venv/run.stamp").exists()
