"""What the process was started with, as the root needs it. Made by `cli`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    cwd: str
    environment: Mapping[str, str]
    warn: Callable[[str], None]
    """Shows one line to the person."""
    profile: str | None = None
    model: str | None = None
    effort: str | None = None
    mode: str | None = None
    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    sandbox: str | None = None
    add_dirs: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    bare: bool = False
    interactive: bool = True
    frozen: bool = False
    """Whether nothing may be otherwise than `profile.lock` says."""
    past: bool = False
    """Whether it is about what is kept already: a store that takes nothing new is asked all the same."""
    screen: bool = False
    """Whether someone sits at the full screen."""
