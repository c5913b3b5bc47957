"""Which projects' own configuration may be used.

A project is trusted by its real path, by the folder itself (device and inode: another one put in its place is another
project), and by what each of its files said when the person looked at them. A change in a file that can make something
run or be allowed leaves all of the project untrusted; one in a file that only speaks (instructions, skills) leaves out
that one. Kept in `trusted.toml` in Protea's home; what was looked at is in `trust/`, so that a change can be shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from protea.adapters.settings._regular import read_regular
from protea.domain.errors import ConfigError, StoreError

NAME = "trusted.toml"
WATCHED = (".protea/config.toml", ".protea/permissions.toml", ".protea/mcp.json", ".mcp.json")
"""Files of a project that can make something run or be allowed."""
PROFILES = ".protea/profiles"
"""A folder of such files."""
TOOLS = ".protea/tools"
"""Another: tools, and what they import. What Python compiled of them is not looked at, so nobody may load that."""
SPEAKING = ("AGENTS.md", "CLAUDE.md")
"""Files that tell the model what to do."""
SPEAKING_FOLDERS = (
    ".claude/rules",
    ".protea/skills",
    ".agents/skills",
    ".claude/skills",
    ".protea/agents",
    ".claude/agents",
    ".protea/commands",
    ".claude/commands",
)
"""Folders of such files, and of scripts that they name."""
MOST_FILES = 500
"""Files of one of these folders that are looked at; one with more is not used at all."""
ALL = "."
"""Under this name in a folder stands that it cannot be looked at as a whole: nothing in it is used."""
UNREADABLE = "unreadable"
ITSELF = "."
"""Under this name stands which folder it was."""


class Item(msgspec.Struct, frozen=True):
    """A file that is not as it was when the person looked, or that they have never looked at."""

    name: str
    """Relative to the project."""
    what: str
    """`new`, `changed`, `gone` or `unreadable`."""
    before: str | None = None
    """What it said then, where that is kept and text."""
    now: str | None = None


def is_trusted(protea_home: str, root: str) -> bool:
    """Whether the project at `root` is trusted as it now is, as far as it can make something run or be allowed."""
    known = _load(protea_home).get(os.path.realpath(root))
    if known is None or known.get(ITSELF, _itself(root)) != _itself(root):
        return False
    acting = {name: seen for name, seen in known.items() if name != ITSELF and _acts(name)}
    return UNREADABLE not in acting.values() and acting == _fingerprint(root, watched(root))


def is_tree_of(protea_home: str, tree: str, root: str) -> bool:
    """Whether `tree` is another worktree of the repository at `root`, and what acts in it was looked at there."""
    known = _load(protea_home).get(os.path.realpath(root))
    repository = _repository(root)
    if known is None or repository is None or repository != _repository(tree):
        return False
    seen = _fingerprint(tree, watched(tree))
    return all(digest != UNREADABLE and known.get(name) == digest for name, digest in seen.items())


def doubted(protea_home: str, root: str, tree: str | None = None) -> frozenset[str]:
    """Absolute paths of files of a trusted project that only speak, and have not been looked at as they are now; with
    `tree`, of that other worktree of it."""
    known = _load(protea_home).get(os.path.realpath(root))
    if known is None:
        return frozenset()
    root = tree or root
    seen = _fingerprint(root, speaking(root))
    return frozenset(
        os.path.join(root, name) for name, digest in seen.items() if digest == UNREADABLE or known.get(name) != digest
    )


def differences(protea_home: str, root: str) -> tuple[Item, ...]:
    """What is not as it was when the project was trusted; everything, where it never was."""
    known = _load(protea_home).get(os.path.realpath(root)) or {}
    seen = _fingerprint(root, (*watched(root), *speaking(root)))
    found = []
    for name in sorted({*known, *seen} - {ITSELF}):
        if known.get(name) == seen.get(name) != UNREADABLE:
            continue
        what = "gone" if name not in seen else "new" if name not in known else "changed"
        what = "unreadable" if seen.get(name) == UNREADABLE else what
        found.append(Item(name, what, _kept(protea_home, known.get(name)), _text(os.path.join(root, name))))
    return tuple(found)


def trust(protea_home: str, root: str) -> tuple[str, ...]:
    """Trust the project at `root` as it now is; the files that would make us ask again.

    Raises `StoreError`, and `ConfigError` where one of its files cannot be read: nobody can know what it would say.
    """
    for name in watched(root):
        read_regular(os.path.join(root, name))
    names = (*watched(root), *speaking(root))
    seen = _fingerprint(root, names)
    for name in seen:
        _keep(protea_home, os.path.join(root, name), seen[name])
    _save(protea_home, {**_load(protea_home), os.path.realpath(root): {ITSELF: _itself(root), **seen}})
    return tuple(seen)


def watched(root: str) -> tuple[str, ...]:
    """The files of the project at `root` that act, whether or not they exist."""
    try:
        names = sorted(os.listdir(os.path.join(root, PROFILES)))
    except OSError:
        names = []
    profiles = (f"{PROFILES}/{name}" for name in names if name.endswith(".toml"))
    tools = (name for name in _beneath(root, TOOLS) if "/__pycache__/" not in name)
    return (*WATCHED, *profiles, *tools)


def speaking(root: str) -> tuple[str, ...]:
    """The files of the project at `root` that speak, whether or not they exist."""
    return (*SPEAKING, *(name for folder in SPEAKING_FOLDERS for name in _beneath(root, folder)))


def _beneath(root: str, folder: str) -> Iterator[str]:
    count = 0
    for at, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in folders:
            # What lies behind a link can change without anything here changing.
            if os.path.islink(os.path.join(at, name)):
                yield f"{os.path.relpath(os.path.join(at, name), root)}/{ALL}"
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                yield f"{folder}/{ALL}"
                return
            yield os.path.relpath(os.path.join(at, name), root)


def known_projects(protea_home: str) -> dict[str, tuple[str, ...]]:
    """Every project that was ever trusted → the files that were looked at."""
    return {root: tuple(name for name in sorted(seen) if name != ITSELF) for root, seen in _load(protea_home).items()}


def _acts(name: str) -> bool:
    return name in WATCHED or name.startswith((f"{PROFILES}/", f"{TOOLS}/"))


def _itself(root: str) -> str:
    try:
        found = os.stat(root)
    except OSError:
        return "missing"
    return f"{found.st_dev}:{found.st_ino}"


def _repository(root: str) -> str | None:
    """The folder of the repository whose worktree `root` is; None where there is none, or it does not say so too."""
    own = os.path.join(root, ".git")
    if os.path.isdir(own):
        return os.path.realpath(own)
    folder = os.path.join(root, (_text(own) or "").strip().removeprefix("gitdir: "))
    # Anybody can write into their folder that it belongs to a repository.
    back, common = (_text(os.path.join(folder, name)) for name in ("gitdir", "commondir"))
    if not back or not common or os.path.realpath(back.strip()) != os.path.realpath(own):
        return None
    found = os.path.realpath(os.path.join(folder, common.strip()))
    # Nor is it enough that it brings one along which names it.
    return found if os.path.realpath(folder).startswith(f"{found}/worktrees/") else None


def _keep(protea_home: str, path: str, digest: str) -> None:
    """Keep what a file says, so that a later change can be shown. Without it the change is still noticed."""
    text = _text(path)
    if text is None or digest == UNREADABLE:
        return
    folder = os.path.join(protea_home, "trust")
    passing = f"{folder}/{digest}.{os.getpid()}"
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(text.encode())
        os.replace(passing, f"{folder}/{digest}")
    except OSError:
        return


def _kept(protea_home: str, digest: str | None) -> str | None:
    return None if digest in (None, UNREADABLE) else _text(os.path.join(protea_home, "trust", str(digest)))


def _text(path: str) -> str | None:
    try:
        data = read_regular(path)
        return None if data is None or b"\0" in data else data.decode()
    except (ConfigError, UnicodeDecodeError):
        return None


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


def _fingerprint(root: str, names: tuple[str, ...]) -> dict[str, str]:
    import hashlib  # only where a project brings files of its own

    found: dict[str, str] = {}
    for name in names:
        try:
            data = read_regular(os.path.join(root, name))
        except ConfigError:
            found[name] = UNREADABLE
            continue
        if data is not None:
            found[name] = hashlib.sha256(data).hexdigest()
    return found
