"""What exists in a session, as plain data for lists, completion and help in every face. Called by `sessions`."""

from __future__ import annotations

from typing import Any

import msgspec

from protea.application.parts import Parts
from protea.domain.permission import Mode
from protea.ports.gateway import Topic


def describe(topic: Topic, parts: Parts, session: dict[str, Any] | None) -> Any:
    """JSON-able data on one topic; the shape of each is in `docs/sdk.md`."""
    match topic:
        case "models":
            return [msgspec.to_builtins(info) for info in parts.models.list()]
        case "tools":
            return [
                {
                    "name": spec.name,
                    "description": spec.description,
                    "parameters": spec.parameters,
                    "effects": list(spec.effects),
                    "parallel": spec.parallel,
                    "aliases": spec.aliases,
                }
                for toolset in parts.toolsets
                for spec in toolset.specs()
            ]
        case "modes":
            return [{"name": name, "about": _MODES[name]} for name in _MODES]
        case "commands":
            return [{"name": name, "about": about} for name, about in _COMMANDS.items()]
        case "session":
            return session
        case "profiles" | "ports" | "context":
            return {"profile": parts.profile, "model": parts.model}


_MODES: dict[Mode, str] = {
    "normal": "asks before anything that changes files or runs commands it does not know as harmless",
    "plan": "reads and proposes; nothing can write",
    "yolo": "allows what can be undone inside the project; protected paths still ask",
}

_COMMANDS = {
    "help": "what can be typed here",
    "model": "show or change the model: /model PROVIDER/MODEL",
    "mode": "show or change the permission mode: /mode normal|plan|yolo",
    "tools": "the tools the model has",
    "sessions": "the sessions of this directory",
    "cost": "tokens and dollars so far",
    "exit": "leave",
}
