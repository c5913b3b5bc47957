"""The values of the permission system: what is asked and what is answered."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Mode = Literal["normal", "plan", "yolo"]
Verdict = Literal["allow", "ask", "deny"]


class RuleLayer(msgspec.Struct, frozen=True):
    """Rules from one source."""

    source: str
    """A file path, or `flags`, `session`, `profile NAME`, `built in`."""
    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    lines: dict[str, int] = {}
    """Rule text → line in the file, where known."""


class PermissionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One action someone wants done. The same for every tool and every protocol."""

    tool: str
    arguments: dict[str, Any]
    cwd: str
    """Absolute. The directory the action starts in."""
    root: str = ""
    """Absolute. The project's root, where `/path` rules are anchored; empty means `cwd`."""
    home: str = ""
    mode: Mode = "normal"
    add_dirs: tuple[str, ...] = ()
    """Directories allowed besides the root."""
    interactive: bool = True
    """Whether someone can be asked. Where not, `ask` becomes `deny`."""
    trusted: bool = True
    origin: str = "model"
    principal: str = "user"
    session: str = ""
    layers: tuple[RuleLayer, ...] = ()
    """Rules of this session, besides those the engine was made with."""


class TraceStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at on the way to the decision."""

    step: str
    verdict: Verdict | None = None
    rule: str | None = None
    source: str | None = None
    """`file:line`, or the layer's name."""
    subject: str | None = None
    """The path, command or address it is about."""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    verdict: Verdict
    why: str
    """One sentence for a person, and for the model when it is a no."""
    rule: str | None = None
    source: str | None = None
    proposals: tuple[str, ...] = ()
    """Rules that `always` would save: the narrowest that match, proved to match; empty where none may be saved."""
    trace: tuple[TraceStep, ...] = ()
