"""What exists, as plain data for lists, completion and help in every face. Called by `sessions`.

Each topic is a row of a table and the function it names, whose docstring tells the shape. What a session is made of can
be told where none is open; what only a session has is then empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from protea.application.parts import Parts
from protea.application.undoing import changes_of, previews_of
from protea.domain.permission import Mode
from protea.ports.gateway import Topic

if TYPE_CHECKING:
    from protea.application.session import Session


async def describe(topic: Topic, session: Session) -> Any:
    """JSON-able data on one topic, as an open session has it."""
    if topic == "models":
        return await asyncio.to_thread(_models, session.parts)  # a thousand or more: nobody waits for them
    told = _OF_SESSION.get(topic)
    return await told(session) if told is not None else _OF_PARTS[topic](session.parts)


def describe_parts(topic: Topic, parts: Parts) -> Any:
    """The same where no session is open, and one would be made of these."""
    told = _OF_PARTS.get(topic)
    return told(parts) if told is not None else EMPTY[topic]


# ── what sessions are made of ──────────────────────────────────────────────────────────────────────────────────────


def _models(parts: Parts) -> list[dict[str, Any]]:
    """The fields of a `ModelInfo`, and `lacks`: what is missing before it could answer."""
    infos = parts.models.list()
    lacks = {name: parts.models.lacks(name) for name in {info.id.partition("/")[0] for info in infos}}
    return [
        {**msgspec.to_builtins(info), **({"lacks": what} if (what := lacks[info.id.partition("/")[0]]) else {})}
        for info in infos
    ]


def _tools(parts: Parts) -> list[dict[str, Any]]:
    """`example` where the tool has one, `file` where it comes from one of somebody's own."""
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


def _commands(parts: Parts) -> list[dict[str, Any]]:
    """See `slash_commands.listed`."""
    from protea.application.slash_commands import listed  # most runs never list them

    return listed(parts.templates().load() if parts.templates is not None else ())


def _left_out(parts: Parts) -> list[str]:
    """What keeps commands of one's own from being used, a line each."""
    if parts.templates is None:
        return []
    templates = parts.templates()
    templates.load()
    return list(templates.problems)


def _modes(parts: Parts) -> list[dict[str, Any]]:
    return [{"name": name, "about": about} for name, about in _MODES.items()]


def _profiles(parts: Parts) -> list[dict[str, Any]]:
    """`name`, `about`, `source`, and whether it is the `current` one."""
    return [{**each, "current": each["name"] == parts.profile} for each in parts.profiles()]


def _language_servers(parts: Parts) -> list[dict[str, Any]]:
    servers = () if parts.diagnostics is None else parts.diagnostics.servers()
    return [{**msgspec.to_builtins(each), "files": list(each.files)} for each in servers]


def _agents(parts: Parts) -> list[dict[str, Any]]:
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


def _ports(parts: Parts) -> list[dict[str, Any]]:
    """Each port, what fills it, how it is exchanged, and what else could fill it."""
    return [
        {
            "port": port,
            "adapter": adapter,
            "swap": parts.classes.get(port, "hot"),
            "adapters": list(parts.adapters.get(port, ())),
        }
        for port, (adapter, _) in sorted(parts.choices.items())
    ]


def _would_be(parts: Parts) -> dict[str, Any]:
    return {"profile": parts.profile, "model": parts.model}


_OF_PARTS: Mapping[Topic, Callable[[Parts], Any]] = {
    "models": _models,
    "tools": _tools,
    "commands": _commands,
    "commands_left_out": _left_out,
    "modes": _modes,
    "profiles": _profiles,
    "lsp": _language_servers,
    "agents": _agents,
    "ports": _ports,
    "session": _would_be,
}

_MODES: dict[Mode, str] = {
    "normal": "asks before anything that changes files or runs commands it does not know as harmless",
    "plan": "reads and proposes; nothing can write",
    "yolo": "allows what can be undone inside the project; protected paths still ask",
}

# ── what only a session has ────────────────────────────────────────────────────────────────────────────────────────


async def _all_tools(session: Session) -> list[dict[str, Any]]:
    await session.turns.prepare()
    return _tools(session.parts)


async def _state(session: Session) -> dict[str, Any]:
    """How it stands."""
    parts, past, transcript, info = session.parts, session.past, session.transcript, session.lineup.current.info
    return {
        "id": session.id,
        "profile": parts.profile,
        "identity": session.hub.identity,
        "swapping": session.becoming,
        "title": past.title,
        "model": info.id,
        "context": info.context,
        "effort": session.lineup.effort,
        "mode": session.mode,
        "running": session.working,
        "cost_usd": session.cost_usd,
        "priced": info.price is not None,
        "usage": msgspec.to_builtins(past.usage),
        "waiting": [{"id": prompt.id, "text": prompt.text} for prompt in transcript.waiting.values()],
        "questions": [question.id for question in session.approvals.open],
        "warnings": list(parts.warnings),
        "agent_problems": list(parts.agent_problems),
        "cwd": parts.surroundings.cwd,
        "summary": transcript.compacted.summary if transcript.compacted else "",
        "pins": list(transcript.pins),
    }


async def _context(session: Session) -> dict[str, Any]:
    """What the model sees, in tokens: see `meter`."""
    from protea.application.meter import metered  # when somebody looks

    await session.turns.prepare()
    parts, transcript = session.parts, session.transcript
    info, system, tools = session.lineup.current.info, session.turns.system(), session.runner.specs()
    return await metered(
        info,
        parts.tokens,
        system=system,
        skills=int(parts.capabilities is not None and bool(parts.capabilities.text)),
        instructions=len(parts.instructions.load(parts.surroundings.cwd)),
        tools=tools,
        messages=session.window.chosen(transcript.messages(), info, system, tools),
        summed_up=transcript.compacted is not None,
        seen=session.past.context,
    )


async def _cost(session: Session) -> dict[str, object]:
    return session.purse.describe()


async def _files(session: Session) -> list[str]:
    """What files the project has, relative to where the session works."""
    parts = session.parts
    return [] if parts.files is None else list(await parts.files().files(parts.surroundings.cwd))


async def _stamps(session: Session) -> dict[str, int]:
    """Files and a number each, which changes when they do."""
    parts = session.parts
    return {} if parts.files is None else dict(await parts.files().stamps(parts.surroundings.cwd))


async def _clipboard(session: Session) -> Any:
    """What is on the clipboard; None where nothing is, or it cannot be read."""
    clipboard = session.parts.clipboard
    return msgspec.to_builtins(None if clipboard is None else await clipboard.paste())


async def _changes(session: Session) -> dict[str, Any]:
    """What its turns did to files."""
    return await changes_of(session.past.changes, session.parts.checkpoint)


async def _previews(session: Session) -> dict[str, Any]:
    """What an undo or redo would do."""
    return await previews_of(session.past.changes, session.parts.checkpoint)


async def _tasks(session: Session) -> list[dict[str, Any]]:
    """Those that run, and the last that have ended."""
    return [msgspec.to_builtins(event) for event in session.past.recent_tasks]


_OF_SESSION: Mapping[Topic, Callable[[Session], Awaitable[Any]]] = {
    "tools": _all_tools,
    "session": _state,
    "context": _context,
    "cost": _cost,
    "files": _files,
    "stamps": _stamps,
    "clipboard": _clipboard,
    "changes": _changes,
    "undo": _previews,
    "tasks": _tasks,
}

EMPTY: Mapping[Topic, Any] = {
    "context": {"window": None, "used": 0, "counted": 0, "parts": [], "cache_read": 0.0},
    "cost": {},
    "files": None,
    "stamps": {},
    "clipboard": None,
    "changes": {"turns": [], "files": [], "diff": "", "missing": ""},
    "undo": {"undo": [], "redo": []},
    "tasks": [],
}
"""What is told where there is no such session."""
