"""Toolchains of this machine, for tests that run them: a manager of toolchains looks for them in a home, and tests have
an empty one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest


def rust() -> Path:
    """The folder of rustc and cargo that start with any home; skips where there is none."""
    found = [Path(folder) for name in ("rustc",) if (folder := os.path.dirname(shutil.which(name) or ""))]
    homes = [os.environ.get("RUSTUP_HOME"), os.path.join(pwd.getpwuid(os.geteuid()).pw_dir, ".rustup")]
    found += [path.parent for home in homes if home for path in sorted(Path(home).glob("toolchains/*/bin/rustc"))]
    for folder in found:
        if all(_starts(folder / name) for name in ("rustc", "cargo")):
            return folder
    pytest.skip("no rustc and cargo that start: install them (apt install cargo, or rustup.rs) to prove that Rust runs")


def program(name: str) -> str:
    """A program that starts; skips where it does not."""
    path = shutil.which(name)
    if path is None or not _starts(Path(path)):
        pytest.skip(f"no {name} that starts: install it to prove what runs it")
    return path


def _starts(path: Path) -> bool:
    return path.is_file() and subprocess.run([path, "--version"], capture_output=True).returncode == 0
