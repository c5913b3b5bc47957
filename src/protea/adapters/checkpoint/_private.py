"""Folders that nobody else may look into."""

from __future__ import annotations

import os


def make_private(folder: str) -> None:
    """The folder and those above it that are missing, each with mode 0700. Raises `OSError`."""
    missing = []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for each in reversed(missing):
        try:
            os.mkdir(each, 0o700)
        except FileExistsError:
            if not os.path.isdir(each):
                raise
