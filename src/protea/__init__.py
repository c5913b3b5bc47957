"""Protea: one agent, many forms.

Importing this costs nothing: each name below is fetched when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protea._version import __version__ as __version__
    from protea.adapters.tools.functions import FunctionTool as FunctionTool
    from protea.domain.commands import ResolveApproval as ResolveApproval
    from protea.domain.errors import ConfigError as ConfigError
    from protea.domain.errors import ModelError as ModelError
    from protea.domain.errors import ProteaError as ProteaError
    from protea.domain.errors import SessionError as SessionError
    from protea.domain.errors import StoreError as StoreError
    from protea.domain.errors import UsageError as UsageError
    from protea.domain.events import ApprovalRequested as ApprovalRequested
    from protea.domain.events import MessageCompleted as MessageCompleted
    from protea.domain.events import TextDelta as TextDelta
    from protea.domain.events import ToolCallChanged as ToolCallChanged
    from protea.domain.events import TurnFinished as TurnFinished
    from protea.domain.tools import ToolResult as ToolResult
    from protea.domain.tools import ToolSpec as ToolSpec
    from protea.ports.toolset import ToolContext as ToolContext
    from protea.sdk import Agent as Agent
    from protea.sdk import Run as Run

_HOMES = {
    "Agent": "protea.sdk",
    "ApprovalRequested": "protea.domain.events",
    "ConfigError": "protea.domain.errors",
    "FunctionTool": "protea.adapters.tools.functions",
    "MessageCompleted": "protea.domain.events",
    "ModelError": "protea.domain.errors",
    "ProteaError": "protea.domain.errors",
    "ResolveApproval": "protea.domain.commands",
    "Run": "protea.sdk",
    "SessionError": "protea.domain.errors",
    "StoreError": "protea.domain.errors",
    "TextDelta": "protea.domain.events",
    "ToolCallChanged": "protea.domain.events",
    "ToolContext": "protea.ports.toolset",
    "ToolResult": "protea.domain.tools",
    "ToolSpec": "protea.domain.tools",
    "TurnFinished": "protea.domain.events",
    "UsageError": "protea.domain.errors",
    "__version__": "protea._version",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'protea' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
