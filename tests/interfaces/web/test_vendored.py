"""What runs in the browser and others wrote is what was pinned, and carries its licence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
VENDOR = ROOT / "src/protea/interfaces/web/static/vendor"
LIST = ROOT / "requirements/browser.json"


def test_what_is_vendored_has_the_hashes_of_the_list() -> None:
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "scripts/vendor.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_each_package_brings_its_licence() -> None:
    for package in json.loads(LIST.read_text()):
        [licence] = [file["to"] for file in package["files"] if file["from"] == "LICENSE"]
        text = (VENDOR / licence).read_text()
        assert "Copyright" in text
        assert "Permission is hereby granted" in text
        assert package["licence"] == "MIT"


def test_the_list_names_no_registry() -> None:
    assert "://" not in LIST.read_text()
