"""`protea trust`: a person says that a project's own files may be used."""

from __future__ import annotations

from protea.interfaces.commands.telling import Place
from protea.interfaces.terminal import one_line


def tell_trusted(place: Place, root: str, files: tuple[str, ...]) -> int:
    place.write(f"{one_line(root)} is trusted: its instructions and its own configuration are used from now on.\n")
    if files:
        place.write(f"A change in {', '.join(files)} asks again.\n")
    return 0


def tell_forgotten(place: Place, root: str, was_trusted: bool) -> int:
    place.write(f"{one_line(root)} is {'no longer' if was_trusted else 'not'} trusted.\n")
    return 0
