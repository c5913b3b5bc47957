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
            infos = parts.models.list()
            lacks = {name: parts.models.lacks(name) for name in {info.id.partition("/")[0] for info in infos}}
            return [
                {**msgspec.to_builtins(info), **({"lacks": what} if (what := lacks[info.id.partition("/")[0]]) else {})}
                for info in infos
            ]
        case "tools":
            files = parts.tool_files()
            return [
                {
                    "name": spec.name,
                    "description": spec.description,
                    "parameters": spec.parameters,
                    "effects": list(spec.effects),
                    "parallel": spec.parallel,
                    "aliases": spec.aliases,
                    **({"example": spec.example} if spec.example is not None else {}),
                    **({"file": files[spec.name]} if spec.name in files else {}),
                }
                for toolset in parts.toolsets
                for spec in toolset.specs()
            ]
        case "modes":
            return [{"name": name, "about": _MODES[name]} for name in _MODES]
        case "commands":
            from protea.application.slash_commands import listed  # most runs never list them

            return listed(parts.templates().load() if parts.templates is not None else ())
        case "session":
            return session if session is not None else {"profile": parts.profile, "model": parts.model}
        case "profiles":
            return [{**each, "current": each["name"] == parts.profile} for each in parts.profiles()]
        case "lsp":
            servers = () if parts.diagnostics is None else parts.diagnostics.servers()
            return [{**msgspec.to_builtins(each), "files": list(each.files)} for each in servers]
        case "files" | "clipboard":
            return None  # of a session alone
        case "stamps":
            return {}  # of a session alone
        case "agents":
            named = parts.named_agents() if parts.named_agents is not None else ()
            return [
                {
                    "name": each.name,
                    "about": each.about,
                    "model": each.model,
                    "profile": each.profile,
                    "tools": list(each.tools),
                    "path": each.path,
                }
                for each in named
            ]
        case "ports":
            return [
                {
                    "port": port,
                    "adapter": adapter,
                    "swap": parts.classes.get(port, "hot"),
                    "adapters": list(parts.adapters.get(port, ())),
                }
                for port, (adapter, _) in sorted(parts.choices.items())
            ]
        case "cost":
            return {}  # of a session alone
        case "changes":
            return {"turns": [], "files": [], "diff": "", "missing": ""}
        case "tasks":
            return []  # of a session alone
        case "undo":
            return {"undo": [], "redo": []}
        case "context":
            return {"window": None, "used": 0, "counted": 0, "parts": [], "cache_read": 0.0}


_MODES: dict[Mode, str] = {
    "normal": "asks before anything that changes files or runs commands it does not know as harmless",
    "plan": "reads and proposes; nothing can write",
    "yolo": "allows what can be undone inside the project; protected paths still ask",
}
