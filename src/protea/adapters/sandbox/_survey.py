"""What a workspace holds that a command must not change or see: repositories, files that steer programs, `.env`.

One walk over the folder, breadth first. Called by `bubblewrap` before the first command, and again now and then.
"""

from __future__ import annotations

import os
from collections import deque

import msgspec

from protea.domain.permission.paths import PROTECTED_FOLDERS, PROTECTED_NAMES, is_example

ENTRIES = 400_000
"""After that many the walk stops; what lies deepest is then not found."""
FOUND = 500
"""At most that many files and folders are guarded one by one: each costs a command some 30 µs."""

BUILT = frozenset({"node_modules", "site-packages", ".venv", "venv", "vendor", "target", "__pycache__", ".tox", ".nox"})
"""Filled by package managers and builds, which must be able to write there: only repositories are looked for."""
REPOSITORIES = frozenset({".git", ".hg", ".svn", ".jj"})
CACHES = frozenset({".gradle", ".yarn", ".direnv", ".aider"})
"""Steering and cache in one folder: builds must write there. Of `.yarn` the programs are guarded."""
GUARDED_FOLDERS = PROTECTED_FOLDERS - REPOSITORIES - CACHES
GUARDED_PAIRS = frozenset(
    {(".github", "workflows"), (".github", "actions"), (".yarn", "releases"), (".yarn", "plugins")}
)


class Survey(msgspec.Struct, frozen=True):
    repositories: tuple[str, ...] = ()
    """Paths of `.git` (folder, file or link) and of bare repositories."""
    guarded: tuple[str, ...] = ()
    """Files and folders that steer other programs."""
    secrets: tuple[str, ...] = ()
    """Files that hold secrets."""
    complete: bool = True


def survey(root: str) -> Survey:
    """Walk `root`. Links are not followed; what cannot be read is passed over."""
    repositories: list[str] = []
    guarded: list[str] = []
    secrets: list[str] = []
    waiting = deque([(root, False)])
    seen = 0
    while waiting:
        folder, built = waiting.popleft()
        parent = folder.rpartition("/")[2]
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        seen += len(entries)
        names = {entry.name for entry in entries}
        if folder != root and {"HEAD", "objects", "refs", "config"} <= names:
            repositories.append(folder)
            continue
        for entry in entries:
            name = entry.name.lower()
            directory = entry.is_dir(follow_symlinks=False)
            if name == ".git":
                repositories.append(entry.path)
            elif name == ".hg":
                guarded.append(f"{entry.path}/hgrc")
            elif built:
                if directory:
                    waiting.append((entry.path, True))
            elif name in PROTECTED_NAMES or name in GUARDED_FOLDERS or (parent, name) in GUARDED_PAIRS:
                guarded.append(entry.path)
            elif directory:
                waiting.append((entry.path, name in BUILT))
            elif name == ".env" or (name.startswith(".env.") and not is_example(name)):
                secrets.append(entry.path)
        if seen > ENTRIES:
            return Survey(tuple(repositories), tuple(guarded[:FOUND]), tuple(secrets[:FOUND]), complete=False)
    complete = len(guarded) <= FOUND and len(secrets) <= FOUND
    return Survey(tuple(repositories), tuple(guarded[:FOUND]), tuple(secrets[:FOUND]), complete=complete)
