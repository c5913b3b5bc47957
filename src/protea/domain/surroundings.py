"""Where a session lives: the facts about the outside that adapters are created with."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import msgspec


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Injected into any adapter whose `create` has a parameter named `surroundings`."""

    cwd: str
    """Absolute, real. Where the session began."""
    root: str
    """Absolute, real. The project: the nearest folder above `cwd` with `.git` or `.protea`, else `cwd`."""
    add_dirs: tuple[str, ...] = ()
    """More folders the session may work in, absolute and real."""
    user_home: str
    """The person's home directory."""
    protea_home: str
    """`PROTEA_HOME`, else `~/.protea`."""
    environment: Mapping[str, str]
    """The environment Protea was started with. Adapters read it here, never from `os.environ`."""
    trusted: bool = True
    """Whether the project's own configuration may be used."""
    doubted: frozenset[str] = frozenset()
    """Absolute paths of its files (instructions, skills) that nobody has looked at as they are now: these are not.
    One that ends in `/.` is a folder of which nobody could look at everything."""

    def doubts(self, path: str) -> bool:
        """Whether a file of the project, or something in a folder of it, is not to be used."""
        return bool(self.doubted) and any(
            each == path or each.startswith(f"{path}/") or (each.endswith("/.") and path.startswith(each[:-1]))
            for each in self.doubted
        )


def skill_folders(around: Surroundings) -> tuple[str, ...]:
    """Where skills lie, the nearest first. A project's own speak to the model: only where it is trusted."""
    above = [around.cwd] if around.trusted else []
    while above and above[-1] != around.root and above[-1].startswith(around.root.rstrip("/") + "/"):
        above.append(posixpath.dirname(above[-1]))
    project = [
        f"{folder}/{name}" for folder in above for name in (".protea/skills", ".agents/skills", ".claude/skills")
    ]
    return (*project, f"{around.protea_home}/skills", f"{around.user_home}/.agents/skills")


def tool_folders(around: Surroundings) -> tuple[str, ...]:
    """Where Python files with tools lie, the nearest first. A project's own run as the person: as above."""
    return (*([f"{around.root}/.protea/tools"] if around.trusted else ()), f"{around.protea_home}/tools")
