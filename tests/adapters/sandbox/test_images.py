"""The images of `docker/`: the script that builds them; among the long tests, each is built and worked in for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.sandbox.engine import why_not
from tests.architecture.source import ROOT

BUILD = ROOT / "docker/build"


def build(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BUILD, *words],
        capture_output=True,
        text=True,
        timeout=1800,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
    )


def test_the_script_tells_what_it_takes() -> None:
    told = build("--help")
    assert told.returncode == 0
    assert all(word in told.stdout for word in ("--base", "--debian", "--ca", "docker/build"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cobol"], "there is no docker/cobol.Dockerfile"),
        (["--bass", "x"], "there is no option --bass"),
        (["--base"], "--base takes a value"),
    ],
)
def test_what_is_mistyped_is_named(words: list[str], said: str) -> None:
    done = build(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_where_no_engine_answers_that_is_said(tmp_path: Path) -> None:
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\nexit 1\n")
    engine.chmod(0o755)
    done = build("python", DOCKER=str(engine))
    assert done.returncode == 1
    assert done.stderr == f"docker/build: {engine} finds no engine that answers\n"


WORK = {
    "general": "printf 'int main(){return 0;}' > m.c && cc m.c -o m && ./m && python3 -c 'print(6 * 7)' && node -e 0"
    " && git init -q g && rg --version && jq -n 3",
    "python": "python3 -m venv v && v/bin/python -c 'print(6 * 7)' && uv --version",
    "node": "node -e 'console.log(6 * 7)' && npm --version && pnpm --version && yarn --version",
    "rust": "cargo init -q --name answer r && cd r"
    " && printf 'fn main() {\\n    println!(\"{}\", 6 * 7);\\n}\\n' > src/main.rs"
    " && cargo run -q && cargo test -q && cargo clippy -q && cargo fmt --check",
}


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", WORK)
def test_each_image_is_built_and_worked_in(name: str, tmp_path: Path) -> None:
    why = why_not() or next(
        (f"there is no {each}" for each in ("docker", "debootstrap") if not shutil.which(each)), None
    )
    if why or os.geteuid() != 0:
        pytest.skip(f"images cannot be built here: {why or 'debootstrap needs root'}")
    engine = {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}
    ca = Path("/etc/ssl/certs/ca-certificates.crt")
    own = ("--ca", str(ca)) if ca.is_file() else ()
    made = build("--debian", "bookworm", "--prefix", "protea-long", *own, name, **engine)
    if made.returncode and "debootstrap" not in made.stderr and "protea-long" not in made.stderr:
        pytest.skip(f"Debian's packages cannot be reached: {made.stderr[-200:]}")
    assert made.returncode == 0, made.stderr
    (tmp_path / "project").mkdir()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "protea", "sandbox", "run", "--adapter", "docker"),
            *("--set", f"sandbox.image=protea-long-{name}", "--", "sh", "-c", WORK[name]),
        ],
        cwd=tmp_path / "project",
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **engine},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "42" in done.stdout.split()
