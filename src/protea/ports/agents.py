"""The port to agents that have a name. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protea.domain.delegation import AgentDefinition


class Agents(Protocol):
    """Who can be sent on an errand, besides an agent like the one that sends it."""

    def load(self) -> Sequence[AgentDefinition]:
        """All of them, by name, each name once. What cannot be read is left out and told by `problems`."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What `load` last left out and why, a line each."""
        ...
