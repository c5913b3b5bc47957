"""Where a session lives: the facts about the outside that adapters are created with."""

from __future__ import annotations

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
    """Absolute paths of its files (instructions, skills) that nobody has looked at as they are now: these are not."""
