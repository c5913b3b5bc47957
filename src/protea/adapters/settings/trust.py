"""Which projects' own configuration may be used.

A project is trusted by its real path and by what its files said when the person looked at them: a change in one of
them asks again. Kept in `trusted.toml` in Protea's home.
"""

from __future__ import annotations

import os

import msgspec

from protea.adapters.settings._regular import read_regular
from protea.domain.errors import ConfigError, StoreError

NAME = "trusted.toml"
WATCHED = (".protea/config.toml", ".protea/permissions.toml", ".protea/mcp.json", ".mcp.json")
"""Files of a project that can make something run or be allowed."""
PROFILES = ".protea/profiles"
"""A folder of such files."""
UNREADABLE = "unreadable"


def is_trusted(protea_home: str, root: str) -> bool:
    """Whether the project at `root` is trusted as it now is."""
    known = _load(protea_home).get(os.path.realpath(root))
    return known is not None and UNREADABLE not in known.values() and known == _fingerprint(root)


def trust(protea_home: str, root: str) -> tuple[str, ...]:
    """Trust the project at `root` as it now is; the files that would make us ask again.

    Raises `StoreError`, and `ConfigError` where one of its files cannot be read: nobody can know what it would say.
    """
    for name in watched(root):
        read_regular(os.path.join(root, name))
    seen = _fingerprint(root)
    _save(protea_home, {**_load(protea_home), os.path.realpath(root): seen})
    return tuple(seen)


def watched(root: str) -> tuple[str, ...]:
    """The files of the project at `root` that count, whether or not they exist."""
    try:
        names = sorted(os.listdir(os.path.join(root, PROFILES)))
    except OSError:
        names = []
    return (*WATCHED, *(f"{PROFILES}/{name}" for name in names if name.endswith(".toml")))


def forget(protea_home: str, root: str) -> bool:
    """Trust the project no longer. False where it was not trusted. Raises `StoreError`."""
    projects = _load(protea_home)
    known = projects.pop(os.path.realpath(root), None) is not None
    if known:
        _save(protea_home, projects)
    return known


def _save(protea_home: str, projects: dict[str, dict[str, str]]) -> None:
    path = os.path.join(protea_home, NAME)
    passing = f"{path}.{os.getpid()}"
    try:
        os.makedirs(protea_home, 0o700, exist_ok=True)
        fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(_written(projects).encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(passing, path)
    except OSError as error:
        raise StoreError(f"{path}: the project's trust could not be saved: {error.strerror}") from error


def _load(protea_home: str) -> dict[str, dict[str, str]]:
    import tomllib  # only where a project brings files of its own

    try:
        data = read_regular(os.path.join(protea_home, NAME)) or b""
        return msgspec.convert(tomllib.loads(data.decode()), dict[str, dict[str, str]])
    except (ConfigError, ValueError, RecursionError, msgspec.ValidationError):
        return {}  # nothing that can be read says so: nothing is trusted


def _written(projects: dict[str, dict[str, str]]) -> str:
    lines = ["# Projects whose own configuration may be used, and what it was when that was said.\n"]
    for root, prints in sorted(projects.items()):
        lines.append(f"\n[{_quoted(root)}]\n")
        lines += [f'{_quoted(name)} = "{value}"\n' for name, value in sorted(prints.items())]
    return "".join(lines)


def _quoted(name: str) -> str:
    return msgspec.json.encode(name).decode().replace("\x7f", "\\u007f")


def _fingerprint(root: str) -> dict[str, str]:
    import hashlib  # only where a project brings files of its own

    found: dict[str, str] = {}
    for name in watched(root):
        try:
            data = read_regular(os.path.join(root, name))
        except ConfigError:
            found[name] = UNREADABLE
            continue
        if data is not None:
            found[name] = hashlib.sha256(data).hexdigest()
    return found
