"""The port to slash commands of one's own. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protea.domain.template import Template


class Templates(Protocol):
    """Prompts that have a name."""

    def load(self) -> Sequence[Template]:
        """All of them, by name, each name once. What cannot be read is left out and told by `problems`."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What `load` last left out and why, and what of the others is not used, a line each."""
        ...
