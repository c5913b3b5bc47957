"""Writing in an editor of one's own: the text goes into a file, and comes back from it."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

KNOWN = ("nano", "vi", "vim", "emacs")
"""Looked for where neither $VISUAL nor $EDITOR says."""


def editor_of(environment: Mapping[str, str]) -> Sequence[str]:
    """The words of its command; empty where there is none."""
    for name in ("VISUAL", "EDITOR"):
        if environment.get(name, "").strip():
            return shlex.split(environment[name])
    path = environment.get("PATH", "/usr/bin:/bin").split(":")
    return next(([name] for name in KNOWN if any(os.access(f"{folder}/{name}", os.X_OK) for folder in path)), [])


def edit(words: Sequence[str], text: str, environment: Mapping[str, str]) -> str:
    """The text after the editor was closed. It has the terminal meanwhile. Raises `OSError` where it cannot be run."""
    with tempfile.TemporaryDirectory(prefix="protea-") as folder:
        path = os.path.join(folder, "prompt.md")
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([*words, path], env=dict(environment), check=False)
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().removesuffix("\n")
