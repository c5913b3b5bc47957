"""Says that a project may be trusted, or no longer, and what of it was. Called by `cli` and by `root`."""

from __future__ import annotations

import os

import msgspec
from msgspec.structs import replace

from protea.composition.launch import Launch
from protea.composition.surroundings import find_surroundings
from protea.domain.surroundings import Surroundings


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


def with_trust(around: Surroundings, trusted: bool) -> Surroundings:
    """The surroundings, with what may be used of the project."""
    if not trusted or not os.path.lexists(os.path.join(around.protea_home, "trusted.toml")):
        return replace(around, trusted=trusted)
    from protea.adapters.settings import trust

    return replace(around, trusted=trusted, doubted=trust.doubted(around.protea_home, around.root))


def trust_elsewhere(around: Surroundings, own: Surroundings) -> Surroundings:
    """What may be used of the project a session is opened in, where the process was started in `own`: of another
    worktree of the same repository what was looked at there, else only what is trusted by itself."""
    if around.root == own.root:
        return replace(around, trusted=own.trusted, doubted=own.doubted)
    from protea.adapters.settings import trust

    home = around.protea_home
    if trust.is_trusted(home, around.root):
        return with_trust(around, True)
    if own.trusted and trust.is_tree_of(home, around.root, own.root):
        return replace(around, trusted=True, doubted=trust.doubted(home, own.root, around.root))
    return replace(around, trusted=False)


def look_at_project(launch: Launch) -> Doubt:
    """What is new or changed in the project here."""
    from protea.adapters.settings import trust

    around = find_surroundings(launch.cwd, (), launch.environment)
    known = trust.known_projects(around.protea_home)
    items = trust.differences(around.protea_home, around.root)
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
    return around.root, trust.trust(around.protea_home, around.root)


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
