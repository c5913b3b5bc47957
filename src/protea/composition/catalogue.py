"""Every adapter by port and name, as a dotted string: nothing is imported until it is chosen."""

from __future__ import annotations

CATALOGUE: dict[str, dict[str, str]] = {
    "agents": {
        "files": "protea.adapters.agents.files",
        "none": "protea.adapters.agents.none",
    },
    "approval": {
        "interactive": "protea.adapters.approval.interactive",
        "policy": "protea.adapters.approval.policy",
    },
    "capability": {
        "none": "protea.adapters.capability.none",
        "skills": "protea.adapters.capability.skills",
    },
    "audit": {
        "file": "protea.adapters.audit.file",
        "none": "protea.adapters.audit.none",
    },
    "catalog": {
        "none": "protea.adapters.catalog.none",
        "provider": "protea.adapters.catalog.provider",
        "snapshot": "protea.adapters.catalog.snapshot",
    },
    "channel": {
        "none": "protea.adapters.channel.none",
        "spool": "protea.adapters.channel.spool",
    },
    "checkpoint": {
        "none": "protea.adapters.checkpoint.none",
        "snapshots": "protea.adapters.checkpoint.snapshots",
    },
    "clipboard": {
        "none": "protea.adapters.clipboard.none",
        "osc52": "protea.adapters.clipboard.osc52",
        "system": "protea.adapters.clipboard.system",
    },
    "clock": {
        "system": "protea.adapters.clock.system",
    },
    "compaction": {
        "clear-results": "protea.adapters.compaction.clear_results",
        "digest": "protea.adapters.compaction.digest",
        "levels": "protea.adapters.compaction.levels",
        "none": "protea.adapters.compaction.none",
        "summarise": "protea.adapters.compaction.summarise",
        "truncate": "protea.adapters.compaction.truncate",
    },
    "context": {
        "everything": "protea.adapters.context.everything",
        "windowed": "protea.adapters.context.windowed",
    },
    "diagnostics": {
        "lsp": "protea.adapters.diagnostics.lsp",
        "none": "protea.adapters.diagnostics.none",
    },
    "embedding": {
        "hashing": "protea.adapters.embedding.hashing",
        "none": "protea.adapters.embedding.none",
    },
    "file_list": {
        "git": "protea.adapters.file_list.git",
        "none": "protea.adapters.file_list.none",
        "walk": "protea.adapters.file_list.walk",
    },
    "hooks": {
        "configured": "protea.adapters.hooks.configured",
        "none": "protea.adapters.hooks.none",
    },
    "ids": {
        "system": "protea.adapters.ids.system",
    },
    "instructions": {
        "files": "protea.adapters.instructions.files",
        "none": "protea.adapters.instructions.none",
    },
    "ledger": {
        "file": "protea.adapters.ledger.file",
        "memory": "protea.adapters.ledger.memory",
    },
    "memory": {
        "files": "protea.adapters.memory.files",
        "none": "protea.adapters.memory.none",
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
    "notifier": {
        "bell": "protea.adapters.notifier.bell",
        "desktop": "protea.adapters.notifier.desktop",
        "none": "protea.adapters.notifier.none",
    },
    "peer_server": {
        "loopback": "protea.adapters.peer_server.loopback",
        "none": "protea.adapters.peer_server.none",
    },
    "permission": {
        "everything-asks": "protea.adapters.permission.everything_asks",
        "rules": "protea.adapters.permission.rules",
    },
    "persona": {
        "coding": "protea.adapters.persona.coding",
        "minimal": "protea.adapters.persona.minimal",
    },
    "proactive": {
        "checklist": "protea.adapters.proactive.checklist",
        "none": "protea.adapters.proactive.none",
    },
    "rule_store": {
        "file": "protea.adapters.rule_store.file",
        "none": "protea.adapters.rule_store.none",
    },
    "sandbox": {
        "bubblewrap": "protea.adapters.sandbox.bubblewrap",
        "docker": "protea.adapters.sandbox.docker",
        "none": "protea.adapters.sandbox.none",
    },
    "scheduler": {
        "cron": "protea.adapters.scheduler.cron",
        "none": "protea.adapters.scheduler.none",
    },
    "search": {
        "metasearch": "protea.adapters.search.metasearch",
        "none": "protea.adapters.search.none",
        "searxng": "protea.adapters.search.searxng",
    },
    "secrets": {
        "command": "protea.adapters.secrets.command",
        "configured": "protea.adapters.secrets.configured",
        "environment": "protea.adapters.secrets.environment",
        "file": "protea.adapters.secrets.file",
        "keyring": "protea.adapters.secrets.keyring",
    },
    "session_store": {
        "jsonl": "protea.adapters.storage.jsonl",
        "memory": "protea.adapters.storage.memory",
    },
    "task_runner": {
        "durable": "protea.adapters.task_runner.durable",
        "in-process": "protea.adapters.task_runner.in_process",
        "none": "protea.adapters.task_runner.none",
    },
    "telemetry": {
        "log": "protea.adapters.telemetry.log",
        "none": "protea.adapters.telemetry.none",
    },
    "templates": {
        "files": "protea.adapters.templates.files",
        "none": "protea.adapters.templates.none",
    },
    "tokens": {
        "bytes": "protea.adapters.tokens.bytes",
        "estimate": "protea.adapters.tokens.estimate",
    },
    "toolset": {
        "builtin": "protea.adapters.tools.builtin",
        "files": "protea.adapters.tools.files",
        "none": "protea.adapters.tools.none",
    },
    "web": {
        "http": "protea.adapters.web.http",
        "none": "protea.adapters.web.none",
    },
    "workspace": {
        "disk": "protea.adapters.workspace.disk",
        "journaled": "protea.adapters.workspace.journaled",
        "memory": "protea.adapters.workspace.memory",
    },
}
"""Port → adapter name → module with `Options` and `create`."""

DEFAULTS: dict[str, str] = {
    "agents": "files",
    "approval": "interactive",
    "audit": "file",
    "capability": "skills",
    "catalog": "snapshot",
    "channel": "none",
    "checkpoint": "snapshots",
    "clipboard": "none",
    "clock": "system",
    "compaction": "levels",
    "context": "everything",
    "diagnostics": "lsp",
    "embedding": "none",
    "file_list": "walk",
    "hooks": "configured",
    "ids": "system",
    "instructions": "files",
    "ledger": "file",
    "memory": "files",
    "notifier": "none",
    "peer_server": "none",
    "permission": "rules",
    "persona": "coding",
    "proactive": "none",
    "rule_store": "file",
    "sandbox": "none",
    "scheduler": "cron",
    "search": "none",
    "secrets": "configured",
    "session_store": "jsonl",
    "task_runner": "in-process",
    "telemetry": "none",
    "templates": "files",
    "tokens": "estimate",
    "toolset": "builtin",
    "web": "http",
    "workspace": "journaled",
}
"""What fills a port where neither profile nor settings say otherwise. The model is chosen by name: see `models`."""

IDLE: dict[str, str] = {
    "clipboard": "none",
    "context": "everything",
    "hooks": "configured",
    "notifier": "none",
    "telemetry": "none",
}
"""Adapters that, without options, leave everything as it is: they need not be loaded to do so."""

LATER: tuple[str, ...] = ("diagnostics", "search")
"""Ports that an adapter which asks for them is given as something that opens them when they are first used."""

SWAP_CLASSES: dict[str, str] = {
    "agents": "hot",
    "approval": "hot",
    "audit": "hot",
    "capability": "hot",
    "catalog": "hot",
    "channel": "cold",
    "checkpoint": "hot",
    "clipboard": "hot",
    "clock": "cold",
    "compaction": "hot",
    "context": "hot",
    "diagnostics": "hot",
    "embedding": "warm",
    "file_list": "hot",
    "hooks": "hot",
    "ids": "cold",
    "instructions": "hot",
    "ledger": "warm",
    "memory": "warm",
    "model": "hot",
    "notifier": "hot",
    "peer_server": "cold",
    "permission": "hot",
    "persona": "hot",
    "proactive": "cold",
    "rule_store": "hot",
    "sandbox": "hot",
    "scheduler": "cold",
    "search": "hot",
    "secrets": "warm",
    "session_store": "warm",
    "task_runner": "warm",
    "telemetry": "hot",
    "templates": "hot",
    "tokens": "hot",
    "toolset": "hot",
    "web": "hot",
    "workspace": "hot",
}

EXTRAS: dict[str, str] = {
    "PIL": "media",
    "dbos": "durable",
    "ddgs": "web",
    "html_to_markdown": "web",
    "keyring": "keyring",
    "pypdf": "media",
    "textual": "tui",
    "watchfiles": "tui",
    "websockets": "web",
}
"""Package that an adapter or a face imports → the extra that has it: `pip install 'protea[EXTRA]'`."""
