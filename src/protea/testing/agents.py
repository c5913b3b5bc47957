"""Agents from a table."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.delegation import AgentDefinition


class FixedAgents:
    """`Agents` that are given."""

    def __init__(self, *agents: AgentDefinition) -> None:
        self._agents = tuple(sorted(agents, key=lambda each: each.name))
        self.problems: Sequence[str] = ()

    def load(self) -> Sequence[AgentDefinition]:
        return self._agents
