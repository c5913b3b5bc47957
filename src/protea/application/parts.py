"""What one session is made of: the adapters that composition chose for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import msgspec

from protea.domain.permission import Mode, RuleLayer
from protea.domain.spending import Budgets
from protea.domain.surroundings import Surroundings
from protea.ports.approval import Approval
from protea.ports.checkpoint import Checkpoint
from protea.ports.instructions import Instructions
from protea.ports.ledger import Ledger
from protea.ports.model_source import ModelSource
from protea.ports.permission import Permission
from protea.ports.persona import Persona
from protea.ports.rule_store import RuleStore
from protea.ports.toolset import Toolset

if TYPE_CHECKING:  # most runs have none of these, and each would be read from the disk
    from protea.ports.clipboard import Clipboard
    from protea.ports.compaction import Compaction
    from protea.ports.context import Context
    from protea.ports.file_list import FileList
    from protea.ports.hooks import Hooks
    from protea.ports.notifier import Notifier
    from protea.ports.telemetry import Telemetry
    from protea.ports.tokens import Tokens


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Opened for one session and closed with it."""

    profile: str
    surroundings: Surroundings
    models: ModelSource
    persona: Persona
    instructions: Instructions
    toolsets: Sequence[Toolset]
    permission: Permission
    approval: Approval
    rules: RuleStore
    ledger: Ledger
    model: str
    effort: str | None = None
    fallback: tuple[str, ...] = ()
    """Models that go on, in this order, when the model cannot be reached."""
    mode: Mode = "normal"
    layers: tuple[RuleLayer, ...] = ()
    """Rules of this run besides those the permission adapter was made with."""
    max_turns: int | None = None
    budget_usd: float | None = None
    time_limit: float | None = None
    budgets: Budgets = Budgets()
    warnings: tuple[str, ...] = ()
    """What a person should know about the configuration."""
    checkpoint: Checkpoint | None = None
    # None in what follows is what the null adapter would do, without loading one.
    context: Context | None = None
    compaction: Compaction | None = None
    tokens: Tokens | None = None
    """There where `context` or `compaction` is: they are given the counts."""
    telemetry: Telemetry | None = None
    notifier: Notifier | None = None
    clipboard: Clipboard | None = None
    hooks: Hooks | None = None
    profiles: Callable[[], Sequence[dict[str, Any]]] = tuple
    """Who else it could be: `name`, `about` and `source` of each profile there is."""
    files: Callable[[], FileList] | None = None
    """Opened when someone first asks what files there are."""

    async def aclose(self) -> None:
        """Close all of them, whatever any of them raises; the last failure is raised in the end."""
        async with AsyncExitStack() as ends:
            ends.push_async_callback(self.models.aclose)
            if self.hooks is not None:
                ends.push_async_callback(self.hooks.aclose)
            if self.checkpoint is not None:
                ends.push_async_callback(self.checkpoint.aclose)
            for toolset in self.toolsets:
                ends.push_async_callback(toolset.aclose)
