"""Finds out where a session lives: directories, home, project root. Called by `root`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from protea.domain.errors import UsageError
from protea.domain.surroundings import Surroundings

_MARKS = (".git", ".protea", ".hg", ".jj")


def find_surroundings(cwd: str, add_dirs: Sequence[str], environment: Mapping[str, str]) -> Surroundings:
    """Raises `UsageError` for a directory that is none or cannot be entered."""
    home = _home(environment)
    here = _directory(cwd, "-C")
    return Surroundings(
        cwd=here,
        root=_root(here, home),
        add_dirs=tuple(_directory(os.path.join(here, folder), "--add-dir") for folder in add_dirs),
        user_home=home,
        protea_home=protea_home(environment),
        environment=environment,
        trusted=False,
    )


def protea_home(environment: Mapping[str, str]) -> str:
    """Where Protea keeps its own files. Raises `UsageError` where there is no home directory."""
    given = environment.get("PROTEA_HOME") or "~/.protea"
    if given == "~" or given.startswith("~/"):  # files of variables are read without a shell that would do it
        given = _home(environment) + given[1:]
    return os.path.abspath(given)


def _home(environment: Mapping[str, str]) -> str:
    """HOME, or what the password database says where that is empty or relative. Raises `UsageError` for neither."""
    home = environment.get("HOME", "")
    if not os.path.isabs(home):
        import pwd  # hardly ever needed

        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            home = ""
    if not os.path.isabs(home):
        raise UsageError("there is no home directory: set HOME to an absolute path")
    return os.path.realpath(home)


def _directory(path: str, flag: str) -> str:
    real = os.path.realpath(path)
    if not os.path.isdir(real):
        kind = "a file, not a directory" if os.path.exists(real) else "no directory"
        raise UsageError(f"{path} is {kind}; give {flag} a directory that exists")
    if not os.access(real, os.R_OK | os.X_OK):
        raise UsageError(f"{path} cannot be read by you; give {flag} another directory")
    return real


def _root(here: str, home: str) -> str:
    """The nearest folder with a mark of a project, never the home directory itself or above it by accident, nor `/`:
    a `.protea` lies there wherever something was once run with that as its home."""
    folder = here
    while True:
        if folder not in (home, "/") and any(os.path.lexists(os.path.join(folder, mark)) for mark in _MARKS):
            return folder
        above = os.path.dirname(folder)
        if above == folder or folder == home:
            return here
        folder = above
