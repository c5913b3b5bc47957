"""The import contracts of pyproject.toml bite: each one is broken in a copy of the source, and each is reported."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.source import ROOT

BREACHES = {
    "The hexagon: what is inside knows nothing of what is outside": ("domain/usage.py", "protea.ports.clock"),
    "What ships for tests needs only the words and the promises": ("testing/clock.py", "protea.application.turn"),
    "Nothing that runs leans on what ships for tests": ("adapters/clock/system.py", "protea.testing.clock"),
    "Families of adapters do not know one another": ("adapters/ids/system.py", "protea.adapters.clock.system"),
    "Faces do not know one another": ("interfaces/headless.py", "protea.interfaces.repl"),
}
"""Contract → (module, what it must not import)."""


def verdicts(root: Path) -> dict[str, str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {"PYTHONPATH": str(root / "src"), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=110)
    return dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, flags=re.MULTILINE))


def test_every_contract_is_reported_when_it_is_broken(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, target in BREACHES.values():
        with (tmp_path / "src/protea" / module).open("a") as file:
            file.write(f"\n\ndef _breach() -> None:\n    import {target}\n")
    assert verdicts(tmp_path) == dict.fromkeys(BREACHES, "BROKEN")


def test_no_contract_is_without_its_breach() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == set(BREACHES)
