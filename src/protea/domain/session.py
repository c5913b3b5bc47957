"""Sessions as values."""

from __future__ import annotations

import msgspec

from protea.domain.usage import Usage


class SessionSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a list of sessions: a projection of its log, kept in an index that can be rebuilt."""

    id: str
    cwd: str
    created: str
    """RFC 3339."""
    updated: str
    title: str = ""
    """The first words of its first prompt, or the title it was given."""
    model: str = ""
    profile: str = ""
    prompts: int = 0
    turns: int = 0
    events: int = 0
    usage: Usage = Usage()
    cost_usd: float | None = None
    parent: str | None = None
    agent: str = ""
    """The agent it is, where another session sent it."""
    state: str = "idle"
    """`idle`, `running`, `waiting` (for an approval) or `interrupted`."""
