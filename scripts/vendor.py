"""Fetches the parts of `protea web` that run in the browser and are others' work, and puts them where the package has
them: what requirements/browser.json names, in the versions it pins, and only where the hashes agree.

    .venv/bin/python scripts/vendor.py           fetch, check, write
    .venv/bin/python scripts/vendor.py --check   only look whether what is written is what the list says

Packages come through the npm client, from whatever registry the machine is set up for: no address stands here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "requirements/browser.json"
TARGET = ROOT / "src/protea/interfaces/web/static/vendor"


def main(words: list[str]) -> int:
    packages: list[dict[str, Any]] = json.loads(LIST.read_text())
    if words not in ([], ["--check"]):
        print(__doc__)
        return 1
    if not words:
        TARGET.mkdir(parents=True, exist_ok=True)
        for package in packages:
            fetch(package)
    wrong = problems(packages)
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


def fetch(package: dict[str, Any]) -> None:
    """Write the files of one package. Ends the program where the archive is not the pinned one."""
    named = f"{package['name']}@{package['version']}"
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            ["npm", "pack", "--json", "--ignore-scripts", named], cwd=folder, check=True, capture_output=True, text=True
        )
        archive = Path(folder, json.loads(told.stdout)[0]["filename"])
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != package["integrity"]:
            sys.exit(f"{named} is not what was pinned: {found}")
        with tarfile.open(archive) as held:
            for file in package["files"]:
                member = held.extractfile(f"package/{file['from']}")
                if member is None:
                    sys.exit(f"{named} has no file {file['from']}")
                TARGET.joinpath(file["to"]).write_bytes(_without_map(member.read()))


def _without_map(data: bytes) -> bytes:
    """Without the note that points to a map for debuggers: it is not served."""
    lines = data.splitlines(keepends=True)
    if lines and lines[-1].startswith(b"//# sourceMappingURL="):
        lines.pop()
    return b"".join(lines)


def problems(packages: list[dict[str, Any]]) -> list[str]:
    """Where the folder is not what the list says, a line each."""
    wanted = {file["to"]: file["sha256"] for package in packages for file in package["files"]}
    held = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in TARGET.iterdir()}
    return [
        *(f"{name} is missing" for name in wanted.keys() - held.keys()),
        *(f"{name} belongs to no package of {LIST.name}" for name in held.keys() - wanted.keys()),
        *(
            f"{name} has the hash {held[name]}, and not {wanted[name]}"
            for name in wanted.keys() & held.keys()
            if wanted[name] != held[name]
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
