"""Which projects' own configuration may be used.

A project is trusted by its real path, by the folder itself (device and inode: another one put in its place is another
project), and by what each of its files said when the person looked at them. A change in a file that can make something
run or be allowed leaves all of the project untrusted; one in a file that only speaks (instructions, skills), or that a
hook names, leaves out that one. Kept in `trusted.toml` in Protea's home; what was looked at is in `trust/`, so that a
change can be shown.

What stands here is which files there are to look at. Whoever uses one reads it once and asks `Surroundings.vouches`
about the bytes it has: that nothing else is used does not hang on noticing a change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import msgspec

from protea.adapters.settings._regular import read_regular
from protea.domain.errors import ConfigError, StoreError
from protea.domain.surroundings import WHOLE

NAME = "trusted.toml"
WATCHED = (".protea/config.toml", ".protea/permissions.toml", ".protea/mcp.json", ".mcp.json")
"""Files of a project that can make something run or be allowed."""
PROFILES = ".protea/profiles"
"""A folder of such files."""
TOOLS = ".protea/tools"
"""Another: tools, and what they import. What Python compiled of them is not looked at, so nobody may load that."""
HOOKS = ".protea/hooks"
"""Another: what hooks run."""
SPEAKING = ("AGENTS.md", "CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md")
"""Files that tell the model what to do, at the root and in any folder below it."""
SKILLS = (".protea/skills", ".agents/skills", ".claude/skills")
"""Folders of skills, at the root and in any folder below it."""
SPEAKING_FOLDERS = (
    ".agents/rules",
    ".protea/rules",
    ".claude/rules",
    *SKILLS,
    ".protea/agents",
    ".claude/agents",
    ".protea/commands",
    ".claude/commands",
)
"""Folders of such files, and of scripts that they name."""
OTHERS = frozenset(
    {
        *(".git", ".hg", ".jj", ".svn"),
        *("node_modules", "bower_components"),
        *(".venv", "venv", "site-packages", "__pycache__", ".tox", ".nox", ".cache"),
    }
)
"""Folders that hold what others wrote: what speaks there is never heard."""
MOST_FILES = 500
"""Files of one of these folders that are looked at; one with more is not used at all."""
MOST_FOLDERS = 20_000
"""Folders of a project that are looked through for what speaks in them."""
DEEPEST = 5
"""How deep imports go."""
UNREADABLE = "unreadable"
ITSELF = "."
"""Under this name stands which folder it was."""


class Also(msgspec.Struct, frozen=True):
    """What the settings in force add to it."""

    names: tuple[str, ...] = ()
    """Names of instruction files."""
    folders: tuple[str, ...] = ()
    """Folders of rules, from the root."""
    files: tuple[str, ...] = ()
    """Files that a hook names, from the root."""


class Item(msgspec.Struct, frozen=True):
    """A file that is not as it was when the person looked, or that they have never looked at."""

    name: str
    """Relative to the project."""
    what: str
    """`new`, `changed`, `gone` or `unreadable`."""
    before: str | None = None
    """What it said then, where that is kept and text."""
    now: str | None = None
    digest: str = ""
    """Of what it says now; empty where it is gone, or cannot be read."""


def looked_at(protea_home: str, root: str) -> dict[str, str] | None:
    """Name → the SHA-256 of what it said when a person looked at it; None where the project was never trusted."""
    known = _load(protea_home).get(os.path.realpath(root))
    return None if known is None or known.get(ITSELF, _itself(root)) != _itself(root) else known


def is_trusted(protea_home: str, root: str) -> bool:
    """Whether the project at `root` is trusted as it now is, as far as it can make something run or be allowed."""
    known = looked_at(protea_home, root)
    if known is None:
        return False
    acting = {name: seen for name, seen in known.items() if name != ITSELF and acts(name)}
    return UNREADABLE not in acting.values() and acting == _fingerprint(root, watched(root))


def is_tree_of(protea_home: str, tree: str, root: str) -> bool:
    """Whether `tree` is another worktree of the repository at `root`, and what acts in it was looked at there."""
    known = _load(protea_home).get(os.path.realpath(root))
    repository = _repository(root)
    if known is None or repository is None or repository != _repository(tree):
        return False
    seen = _fingerprint(tree, watched(tree))
    return all(digest != UNREADABLE and known.get(name) == digest for name, digest in seen.items())


def differences(protea_home: str, root: str, also: Also | None = None) -> tuple[Item, ...]:
    """What is not as it was when the project was trusted; everything, where it never was."""
    known = _load(protea_home).get(os.path.realpath(root)) or {}
    seen = _fingerprint(root, (*watched(root), *speaking(root, also or Also())))
    return tuple(
        _item(protea_home, root, name, known, seen)
        for name in sorted({*known, *seen} - {ITSELF})
        if known.get(name) != seen.get(name) or seen.get(name) == UNREADABLE
    )


def _item(protea_home: str, root: str, name: str, known: Mapping[str, str], seen: Mapping[str, str]) -> Item:
    """One that is different."""
    digest = seen.get(name, "")
    what = "unreadable" if digest == UNREADABLE else "gone" if not digest else "new" if name not in known else "changed"
    digest = "" if digest == UNREADABLE else digest
    # What is shown is what was hashed, or nothing.
    data = _regular(os.path.join(root, name)) if digest else None
    now = _as_text(data) if data is not None and _sha256(data) == digest else None
    return Item(name, what, _kept(protea_home, known.get(name)), now, digest)


class Glance:
    """Looks at the files of a trusted project again and again, and reads only those whose time or size is another."""

    def __init__(self, protea_home: str, root: str, also: Also | None = None) -> None:
        self._home, self._root = protea_home, root
        self.also = also or Also()
        self._signs: dict[str, tuple[int, ...]] = {}
        self._digests: dict[str, str] = {}

    def differences(self, known: Mapping[str, str], cwd: str, files: Sequence[str] = ()) -> tuple[Item, ...]:
        """Of what a session in `cwd` would use: what is not as it was looked at, `known`. With `files` (absolute) only
        the instructions of the folders these lie in, and that `cwd` does not lie in as well."""
        if files:
            names = tuple(_instructions_above(self._root, cwd, files, (*SPEAKING, *self.also.names)))
        else:
            names = (*watched(self._root), *self._speaking(cwd), *known)
        seen = {name: digest for name in dict.fromkeys(names) if name != ITSELF and (digest := self._digest(name))}
        if not files:
            for name in imported(self._root, [each for each in seen if known.get(each) != seen[each]]):
                seen |= {name: digest} if (digest := self._digest(name)) else {}
        gone = [name for name in known if name not in seen and acts(name)] if not files else []
        return tuple(
            _item(self._home, self._root, name, known, seen)
            for name in (*sorted(seen), *gone)
            if known.get(name) != seen.get(name) or seen.get(name) == UNREADABLE
        )

    def _speaking(self, cwd: str) -> Iterator[str]:
        for folder in _above(self._root, cwd):
            yield from (_joined(folder, name) for name in (*SPEAKING, *self.also.names))
            yield from (each for name in SKILLS for each in _beneath(self._root, _joined(folder, name)))
        for folder in (*SPEAKING_FOLDERS, *self.also.folders):
            yield from _beneath(self._root, folder)
        yield from self.also.files

    def _digest(self, name: str) -> str:
        """Empty where there is no such file."""
        path = os.path.join(self._root, name)
        try:
            found = os.stat(path)
        except OSError:
            return ""
        # Nobody sets the last of these but the system.
        sign = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if self._signs.get(name) != sign:
            digest = _fingerprint(self._root, (name,)).get(name, "")
            self._signs[name], self._digests[name] = sign, digest
        return self._digests[name]


def trust(protea_home: str, root: str, also: Also | None = None) -> tuple[str, ...]:
    """Trust the project at `root` as it now is; the files that would make us ask again.

    Raises `StoreError`, and `ConfigError` where one of its files cannot be read: nobody can know what it would say.
    """
    for name in watched(root):
        read_regular(os.path.join(root, name))
    seen = _fingerprint(root, (*watched(root), *speaking(root, also or Also())), keep=_keeping(protea_home))
    with _alone(protea_home):
        _save(protea_home, {**_load(protea_home), os.path.realpath(root): {ITSELF: _itself(root), **seen}})
    return tuple(seen)


def accept(protea_home: str, root: str, items: Iterable[Item], before: Mapping[str, str]) -> dict[str, str]:
    """Trust single files as they were shown; what is looked at from then on. `before` holds what was till then, which
    may have been looked at in another worktree. Raises `StoreError`."""
    keep = _keeping(protea_home)
    with _alone(protea_home):
        projects = _load(protea_home)
        known = {**(projects.get(os.path.realpath(root)) or before), ITSELF: _itself(root)}
        for item in items:
            if item.digest:
                known[item.name] = item.digest
                keep(item.digest, (item.now or "").encode())
            elif item.what == "gone":
                known.pop(item.name, None)
        _save(protea_home, {**projects, os.path.realpath(root): known})
    return known


def carry_over(protea_home: str, root: str, path: str) -> None:
    """Trust the file at `path` as it now is: the person has just changed it here, and trusts the project. Raises
    `StoreError`."""
    name = os.path.relpath(path, root)
    accept(protea_home, root, [item for item in differences(protea_home, root) if item.name == name], {})


def watched(root: str) -> tuple[str, ...]:
    """The files of the project at `root` that act, whether or not they exist."""
    try:
        names = sorted(os.listdir(os.path.join(root, PROFILES)))
    except OSError:
        names = []
    profiles = (f"{PROFILES}/{name}" for name in names if name.endswith(".toml"))
    more = (name for folder in (TOOLS, HOOKS) for name in _beneath(root, folder) if "/__pycache__/" not in name)
    return (*WATCHED, *profiles, *more)


def speaking(root: str, also: Also) -> tuple[str, ...]:
    """The files of the project at `root` that speak, whether or not they exist, and those a hook names."""
    inside = (each for name in (*SPEAKING_FOLDERS, *also.folders) for each in _beneath(root, name))
    found = dict.fromkeys((*SPEAKING, *also.names, *inside, *_nested(root, (*SPEAKING, *also.names)), *also.files))
    return tuple(dict.fromkeys((*found, *imported(root, found))))


def imported(root: str, names: Iterable[str]) -> Iterator[str]:
    """The files that those of `names` which are Markdown take in, and what these take in."""
    from protea.domain.imports import import_names  # most projects have no such file

    waiting = [(name, 1) for name in names if name.endswith(".md")]
    found: set[str] = set()
    while waiting:
        name, depth = waiting.pop()
        text = _as_text(_regular(os.path.join(root, name))) or ""
        for each in import_names(text):
            inner = os.path.normpath(os.path.join(os.path.dirname(name), each))
            if each.startswith(("~", "/")) or inner.startswith("..") or inner in found or depth > DEEPEST:
                continue
            if os.path.isfile(os.path.join(root, inner)) and len(found) < MOST_FILES:
                found.add(inner)
                waiting.append((inner, depth + 1))
                yield inner


def _nested(root: str, names: Sequence[str]) -> Iterator[str]:
    """Instruction files and skills of all folders but the root."""
    count = 0
    for at, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in OTHERS)
        count += 1
        if count > MOST_FOLDERS:
            return
        here = os.path.relpath(at, root)
        if here == ".":
            continue
        yield from (f"{here}/{name}" for name in names if name in files or _lies_below(at, name, folders))
        for folder in SKILLS:
            if os.path.dirname(folder) in folders:
                yield from _beneath(root, f"{here}/{folder}")


def _lies_below(at: str, name: str, folders: Sequence[str]) -> bool:
    return os.path.dirname(name) in folders and os.path.lexists(os.path.join(at, name))


def _instructions_above(root: str, cwd: str, files: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Those of the folders down to these files, without those on the way to `cwd`."""
    on_the_way = set(_above(root, cwd))
    nearest = (file if os.path.isdir(file) else os.path.dirname(file) for file in files)
    for folder in dict.fromkeys(each for near in nearest for each in _above(root, near)):
        yield from (_joined(folder, name) for name in names if folder not in on_the_way)


def _above(root: str, folder: str) -> Iterator[str]:
    """The folders from `folder` up to the root, relative to it; none where one of them is others' work, or outside."""
    name = os.path.relpath(os.path.normpath(folder), root)
    if name.startswith("..") or not OTHERS.isdisjoint(name.split(os.sep)):
        return
    while name not in ("", "."):
        yield name
        name = os.path.dirname(name)
    yield ""


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _beneath(root: str, folder: str) -> Iterator[str]:
    count = 0
    for at, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in folders:
            # What lies behind a link can change without anything here changing.
            if os.path.islink(os.path.join(at, name)):
                yield f"{os.path.relpath(os.path.join(at, name), root)}/{WHOLE}"
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                yield f"{folder}/{WHOLE}"
                return
            yield os.path.relpath(os.path.join(at, name), root)


def known_projects(protea_home: str) -> dict[str, tuple[str, ...]]:
    """Every project that was ever trusted → the files that were looked at."""
    return {root: tuple(name for name in sorted(seen) if name != ITSELF) for root, seen in _load(protea_home).items()}


def acts(name: str) -> bool:
    """Whether a file of this name can make something run or be allowed."""
    return name in WATCHED or name.startswith((f"{PROFILES}/", f"{TOOLS}/", f"{HOOKS}/"))


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


def _keeping(protea_home: str) -> Callable[[str, bytes], None]:
    """Keeps what a file says by its digest, so that a later change can be shown. Without it the change is still
    noticed."""
    folder = os.path.join(protea_home, "trust")

    def keep(digest: str, data: bytes) -> None:
        if _as_text(data) is None or _sha256(data) != digest:
            return
        passing = f"{folder}/{digest}.{os.getpid()}"
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:
                file.write(data)
            os.replace(passing, f"{folder}/{digest}")
        except OSError:
            return

    return keep


def _kept(protea_home: str, digest: str | None) -> str | None:
    return None if digest in (None, UNREADABLE) else _text(os.path.join(protea_home, "trust", str(digest)))


def _text(path: str) -> str | None:
    return _as_text(_regular(path))


def _regular(path: str) -> bytes | None:
    try:
        return read_regular(path)
    except ConfigError:
        return None


def _as_text(data: bytes | None) -> str | None:
    try:
        return None if data is None or b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def forget(protea_home: str, root: str) -> bool:
    """Trust the project no longer. False where it was not trusted. Raises `StoreError`."""
    with _alone(protea_home):
        projects = _load(protea_home)
        known = projects.pop(os.path.realpath(root), None) is not None
        if known:
            _save(protea_home, projects)
    return known


def _alone(protea_home: str) -> AbstractContextManager[None]:
    """What other projects are trusted to is not lost where several are looked at at the same time."""
    from protea.adapters.settings._writing import alone  # most runs change nothing

    return alone(os.path.join(protea_home, NAME))


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


def _sha256(data: bytes) -> str:
    import hashlib  # only where a project brings files of its own

    return hashlib.sha256(data).hexdigest()


def _fingerprint(
    root: str, names: Iterable[str], keep: Callable[[str, bytes], None] = lambda digest, data: None
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        try:
            data = read_regular(os.path.join(root, name))
        except ConfigError:
            found[name] = UNREADABLE
            continue
        if data is not None:
            found[name] = _sha256(data)
            keep(found[name], data)
    return found
