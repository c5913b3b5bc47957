"""Where a session lives: the facts about the outside that adapters are created with."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Literal

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
    looked_at: Mapping[str, str] | None = None
    """Of the files of a trusted project, by their paths from `root`: the SHA-256 of what each said when a person
    looked at it. A view, which follows what is trusted meanwhile. None where that is not a matter of single files: the
    folder is the person's own, or nobody has trusted it and none is used."""

    def vouches(self, path: str, data: bytes) -> bool:
        """Whether these bytes of a file may be used: it lies outside the project, or somebody has looked at them."""
        known = self.looked_at
        root = self.root.rstrip("/") + "/"
        if known is None or not path.startswith(root) or path.startswith(self.protea_home.rstrip("/") + "/"):
            return True
        from hashlib import sha256  # most projects have no such file

        name = posixpath.normpath(path)[len(root) :]
        if known.get(name) != sha256(data).hexdigest():
            return False
        # In a folder of which nobody could look at everything nothing counts.
        folder = posixpath.dirname(name)
        while folder:
            if f"{folder}/{WHOLE}" in known:
                return False
            folder = posixpath.dirname(folder)
        return True


WHOLE = "."
"""Behind a folder's name in `looked_at`: nobody could look at everything in it."""


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


def written_folders(around: Surroundings, kind: Literal["agents", "commands"]) -> tuple[str, ...]:
    """Where people write down agents or slash commands, the nearest first. A project's own speak to the model with the
    person's voice: as above."""
    project = (f"{around.root}/.protea/{kind}", f"{around.root}/.claude/{kind}") if around.trusted else ()
    return (*project, f"{around.protea_home}/{kind}", f"{around.user_home}/.claude/{kind}")
