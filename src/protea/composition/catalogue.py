"""Every adapter by port and name, as a dotted string: nothing is imported until it is chosen."""

from __future__ import annotations

CATALOGUE: dict[str, dict[str, str]] = {
    "approval": {
        "interactive": "protea.adapters.approval.interactive",
        "policy": "protea.adapters.approval.policy",
    },
    "catalog": {
        "none": "protea.adapters.catalog.none",
        "snapshot": "protea.adapters.catalog.snapshot",
    },
    "clock": {
        "system": "protea.adapters.clock.system",
    },
    "ids": {
        "system": "protea.adapters.ids.system",
    },
    "instructions": {
        "files": "protea.adapters.instructions.files",
        "none": "protea.adapters.instructions.none",
    },
    "model": {
        "anthropic": "protea.adapters.models.anthropic",
        "gemini": "protea.adapters.models.gemini",
        "offline": "protea.adapters.models.offline",
        "ollama": "protea.adapters.models.ollama",
        "openai-chat": "protea.adapters.models.openai_chat",
        "openai-responses": "protea.adapters.models.openai_responses",
        "scripted": "protea.adapters.models.scripted",
    },
    "permission": {
        "everything-asks": "protea.adapters.permission.everything_asks",
        "rules": "protea.adapters.permission.rules",
    },
    "persona": {
        "coding": "protea.adapters.persona.coding",
        "minimal": "protea.adapters.persona.minimal",
    },
    "rule_store": {
        "file": "protea.adapters.rule_store.file",
        "none": "protea.adapters.rule_store.none",
    },
    "sandbox": {
        "bubblewrap": "protea.adapters.sandbox.bubblewrap",
        "none": "protea.adapters.sandbox.none",
    },
    "secrets": {
        "command": "protea.adapters.secrets.command",
        "configured": "protea.adapters.secrets.configured",
        "environment": "protea.adapters.secrets.environment",
        "file": "protea.adapters.secrets.file",
    },
    "session_store": {
        "jsonl": "protea.adapters.storage.jsonl",
        "memory": "protea.adapters.storage.memory",
    },
    "toolset": {
        "builtin": "protea.adapters.tools.builtin",
        "none": "protea.adapters.tools.none",
    },
    "workspace": {
        "disk": "protea.adapters.workspace.disk",
        "memory": "protea.adapters.workspace.memory",
    },
}
"""Port → adapter name → module with `Options` and `create`."""

DEFAULTS: dict[str, str] = {
    "approval": "interactive",
    "catalog": "snapshot",
    "clock": "system",
    "ids": "system",
    "instructions": "files",
    "permission": "rules",
    "persona": "coding",
    "rule_store": "file",
    "sandbox": "none",
    "secrets": "configured",
    "session_store": "jsonl",
    "toolset": "builtin",
    "workspace": "disk",
}
"""What fills a port where neither profile nor settings say otherwise. The model is chosen by name: see `models`."""

SWAP_CLASSES: dict[str, str] = {
    "approval": "hot",
    "catalog": "hot",
    "clock": "cold",
    "ids": "cold",
    "instructions": "hot",
    "model": "hot",
    "permission": "hot",
    "persona": "hot",
    "rule_store": "hot",
    "sandbox": "hot",
    "secrets": "warm",
    "session_store": "warm",
    "toolset": "hot",
    "workspace": "hot",
}
