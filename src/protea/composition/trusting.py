"""Says that a project may be trusted, or no longer, and what of it was. Called by `cli` and by `root`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from protea.composition.launch import Launch
from protea.composition.surroundings import find_surroundings
from protea.domain.errors import ConfigError
from protea.domain.settings import Settings
from protea.domain.surroundings import Surroundings

if TYPE_CHECKING:  # most runs are in a project that brings nothing
    from protea.adapters.settings.trust import Also, Glance
    from protea.domain.trust import Unseen


MOST_TOLD = 8
"""Files that are told one by one."""


class Doubt(msgspec.Struct, frozen=True):
    """What there is to look at before a project is trusted."""

    root: str
    trusted: bool
    """Whether all of it is trusted as it is now."""
    before: bool
    """Whether it was ever trusted."""
    wide: str = ""
    """Why it needs a second yes: what lies in this folder is not one project's."""
    items: tuple[tuple[str, str, str | None, str | None], ...] = ()
    """(name, what happened to it, what it said then, what it says now)."""


class ProjectFiles:
    """What was looked at of one project. Of one that is trusted `around` shows it; it follows what is said meanwhile.

    See `parts.Project` for what a session is promised.
    """

    def __init__(self, around: Surroundings) -> None:
        self._home, self._root, self._cwd = around.protea_home, around.root, around.cwd
        self._known: dict[str, str] = {}
        self._source = ""
        """The project whose record counts here: this one, or the one whose worktree it is."""
        self._glance: Glance | None = None
        self._also: Also | None = None
        self._declined: set[tuple[str, str, str]] = set()
        """Files as they were when a person said no to them: they are not asked about again."""

    def shown_in(self, around: Surroundings, source: str) -> Surroundings:
        """The surroundings of a project that is trusted by the record of `source`."""
        self._source = source
        self.read_again()
        return replace(around, trusted=True, looked_at=MappingProxyType(self._known))

    def read_again(self) -> None:
        from protea.adapters.settings import trust

        self._take(trust.looked_at(self._home, self._source) or {})

    def use(self, also: Also) -> None:
        """The settings in force add this to what there is to look at."""
        self._also = also

    def unseen(self, cwd: str, files: Sequence[str] = ()) -> Sequence[Unseen]:
        from protea.adapters.settings import trust

        known = self._known or trust.looked_at(self._home, self._root)
        if known is None:
            return ()  # nobody was ever asked about this project
        from protea.domain.trust import Unseen

        if self._glance is None:
            self._glance = trust.Glance(self._home, self._root)
        self._glance.also = self._also or trust.Also()
        return [
            Unseen(each.name, each.what, each.before, each.now, each.digest, trust.acts(each.name))
            for each in self._glance.differences(known, cwd, files)
            if (each.name, each.what, each.digest) not in self._declined
        ]

    def accept(self, files: Sequence[Unseen]) -> None:
        from protea.adapters.settings import trust

        items = [trust.Item(each.name, each.what, each.before, each.now, each.digest) for each in files]
        self._source = self._root
        self._take(trust.accept(self._home, self._root, items, self._known))

    def _take(self, known: dict[str, str]) -> None:
        self._known.update(known)  # others may be reading it
        for name in [name for name in self._known if name not in known]:
            del self._known[name]

    def decline(self, files: Sequence[Unseen]) -> None:
        self._declined |= {(each.name, each.what, each.digest) for each in files}


class Projects:
    """Those that sessions of this process are in. Held by `root`."""

    def __init__(self) -> None:
        self._files: dict[str, ProjectFiles] = {}

    def of(self, around: Surroundings) -> ProjectFiles:
        return self._files.setdefault(around.root, ProjectFiles(around))

    def with_trust(self, around: Surroundings, trusted: bool) -> Surroundings:
        """The surroundings, with what may be used of the project."""
        if not trusted or not os.path.lexists(os.path.join(around.protea_home, "trusted.toml")):
            return replace(around, trusted=trusted, looked_at=None)
        from protea.adapters.settings import trust

        if trust.looked_at(around.protea_home, around.root) is None:
            return replace(around, trusted=trusted, looked_at=None)  # it is the person's own folder
        return self.of(around).shown_in(around, around.root)

    def elsewhere(self, around: Surroundings, own: Surroundings) -> Surroundings:
        """What may be used of the project a session is opened in, where the process was started in `own`: of another
        worktree of the same repository what was looked at there, else only what is trusted by itself."""
        if around.root == own.root:
            return replace(around, trusted=own.trusted, looked_at=own.looked_at)
        from protea.adapters.settings import trust

        home = around.protea_home
        if trust.is_trusted(home, around.root):
            return self.with_trust(around, True)
        if own.trusted and trust.is_tree_of(home, around.root, own.root):
            return self.of(around).shown_in(around, own.root)
        return replace(around, trusted=False, looked_at=None)


def brings_nothing(around: Surroundings, *, bare: bool = False) -> bool:
    """Whether nothing lies in the project that a person would have to trust before they choose yolo there: no file of
    its own that Protea reads, and a repository that makes git run nothing. With `bare` no such file is read anyway."""
    from protea.adapters.permission import untouched
    from protea.adapters.settings import trust

    if bare and trust.is_trusted(around.protea_home, around.root):
        return True
    names = (*trust.WATCHED, trust.PROFILES, trust.TOOLS, trust.HOOKS, *trust.SPEAKING, *trust.SPEAKING_FOLDERS)
    if not bare and any(os.path.lexists(os.path.join(around.root, name)) for name in names):
        return False
    repository = os.path.join(around.root, ".git")
    return not os.path.lexists(repository) or untouched.fault(repository) is None


def not_used(files: Sequence[Unseen]) -> Iterator[str]:
    """What is told where nobody can be asked, a line each."""
    for each in files[:MOST_TOLD]:
        yield f"{each.name} is not used: it is not as you trusted it; `protea trust` shows what is different"
    if len(files) > MOST_TOLD:
        yield f"nor are {len(files) - MOST_TOLD} other files of this project"


def added_by(settings: Settings, root: str) -> Also:
    """What the settings in force add to the files of a project that are to be looked at."""
    from protea.adapters.settings.trust import Also

    options = settings.ports.get("instructions", {})
    hooks = (hook for each in settings.ports.get("hooks", {}).values() if isinstance(each, list) for hook in each)
    words = [word for hook in hooks if isinstance(hook, dict) for word in _words(hook)]
    found = (os.path.relpath(os.path.join(root, word), root) for word in words if "\0" not in word)
    files = (name for name in found if not name.startswith("..") and os.path.isfile(os.path.join(root, name)))
    return Also(
        names=(*_texts(options.get("names")), *_texts(options.get("local"))),
        folders=_texts(options.get("rules")),
        files=tuple(dict.fromkeys(files)),
    )


def _words(hook: dict[str, Any]) -> Iterator[str]:
    python = hook.get("python")
    if isinstance(python, str) and not python.startswith("~/"):
        yield python.rpartition(":")[0]
    for at, word in enumerate(_texts(hook.get("command"))):
        # A program without a slash is looked for elsewhere.
        parts = (word, *word.split())
        pairs = zip(("", *parts), parts, strict=False)
        # Behind a > is what it writes, not what it runs.
        yield from (part for before, part in pairs if (at or "/" in part) and not before.endswith(">"))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, (list, tuple)) else ()


def look_at_project(launch: Launch) -> Doubt:
    """What is new or changed in the project here."""
    from protea.adapters.settings import trust

    around = find_surroundings(launch.cwd, (), launch.environment)
    known = trust.known_projects(around.protea_home)
    items = trust.differences(around.protea_home, around.root, _added(launch, around))
    return Doubt(
        root=around.root,
        trusted=around.root in known and not items and trust.is_trusted(around.protea_home, around.root),
        before=around.root in known,
        wide=_wide(around),
        items=tuple((each.name, each.what, each.before, each.now) for each in items),
    )


def trust_project(launch: Launch) -> tuple[str, tuple[str, ...]]:
    """(the project's root, the files of its own whose change asks again). Raises `StoreError`."""
    from protea.adapters.settings import trust

    around = find_surroundings(launch.cwd, (), launch.environment)
    return around.root, trust.trust(around.protea_home, around.root, _added(launch, around))


def forget_project(launch: Launch, folder: str | None = None) -> tuple[str, bool]:
    """(the project's root, whether it had been trusted). Raises `StoreError`."""
    from protea.adapters.settings import trust

    around = find_surroundings(launch.cwd, (), launch.environment)
    root = around.root if folder is None else os.path.realpath(os.path.join(launch.cwd, folder))
    return root, trust.forget(around.protea_home, root)


def trusted_projects(launch: Launch) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """Every project that was trusted → (whether it is as it was then, the files that were looked at)."""
    from protea.adapters.settings import trust

    home = find_surroundings(launch.cwd, (), launch.environment).protea_home
    return {
        root: (trust.is_trusted(home, root) and not trust.differences(home, root), names)
        for root, names in sorted(trust.known_projects(home).items())
    }


def _added(launch: Launch, around: Surroundings) -> Also:
    """As if it were trusted already: what its own settings name is to be looked at, too."""
    from protea.adapters.settings.files import load
    from protea.adapters.settings.trust import Also
    from protea.composition.catalogue import CATALOGUE

    try:
        settings = load(replace(around, trusted=True), set=launch.set, bare=launch.bare, ports=CATALOGUE)
    except ConfigError:
        return Also()  # the mistake is told where they are used
    return added_by(settings, around.root)


def _wide(around: Surroundings) -> str:
    if around.root == "/":
        return "it is the whole machine"
    if around.root in (around.user_home, os.path.dirname(around.user_home)):
        return "it is all of your home"
    if around.root in ("/tmp", "/var/tmp") or around.root == os.path.realpath(
        around.environment.get("TMPDIR") or "/tmp"
    ):
        return "anybody may put files there"
    return ""
