"""No agents but those that are like the one that sends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from protea.ports.agents import Agents

if TYPE_CHECKING:
    from protea.domain.delegation import AgentDefinition


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoAgents:
    def __init__(self) -> None:
        self.problems: Sequence[str] = ()

    def load(self) -> Sequence[AgentDefinition]:
        return ()


def create(options: Options) -> Agents:
    return NoAgents()
