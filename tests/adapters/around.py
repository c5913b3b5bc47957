"""A person's home and a project of theirs, with files in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from protea.domain.surroundings import Surroundings


def around(folder: Path, files: Mapping[str, str], *, trusted: bool = True) -> Surroundings:
    """Where one is in `project` beside `home`; the names of files begin with one of these."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    project, home = str(folder / "project"), str(folder / "home")
    return Surroundings(
        cwd=project, root=project, user_home=home, protea_home=f"{home}/.protea", environment={}, trusted=trusted
    )
