"""Programs of this machine, found on a PATH."""

from __future__ import annotations

import os


def program(name: str, path: str) -> str | None:
    """Where it is, absolute. An empty or relative entry of the PATH is a folder of whatever project this is: none."""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, name)
        if os.path.isabs(candidate) and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None
