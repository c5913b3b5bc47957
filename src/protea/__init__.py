"""Protea: one agent, many forms.

Importing this costs nothing: each name below is fetched when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protea._version import __version__ as __version__
    from protea.adapters.tools.functions import FunctionTool as FunctionTool
    from protea.domain.errors import ConfigError as ConfigError
    from protea.domain.errors import ModelError as ModelError
    from protea.domain.errors import ProteaError as ProteaError
    from protea.domain.errors import UsageError as UsageError
    from protea.domain.tools import ToolResult as ToolResult
    from protea.domain.tools import ToolSpec as ToolSpec
    from protea.ports.toolset import ToolContext as ToolContext
    from protea.sdk import Agent as Agent
    from protea.sdk import Run as Run

_HOMES = {
    "Agent": "protea.sdk",
    "ConfigError": "protea.domain.errors",
    "FunctionTool": "protea.adapters.tools.functions",
    "ModelError": "protea.domain.errors",
    "ProteaError": "protea.domain.errors",
    "Run": "protea.sdk",
    "ToolContext": "protea.ports.toolset",
    "ToolResult": "protea.domain.tools",
    "ToolSpec": "protea.domain.tools",
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
