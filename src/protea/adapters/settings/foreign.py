"""Reads the settings of other agents where they keep them, and writes what is taken over into ours.

Called by the composition for `protea config import`. What their files mean is `domain.adoption`'s business.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protea.adapters.settings._regular import read_regular
from protea.adapters.settings._template import TEMPLATE
from protea.adapters.settings._writing import replace_file, with_item, with_value
from protea.domain.adoption import Adopted, Agent, Foreign, Left, Taken, named, without_comments
from protea.domain.errors import ConfigError
from protea.domain.surroundings import Surroundings

AGENTS: tuple[Agent, ...] = ("claude-code", "codex", "opencode")


def read(agent: Agent, around: Surroundings, *, project: bool) -> tuple[list[Foreign], list[Left]]:
    """The files of an agent that are there, in the order it reads them: the person's, or the project's. Files that
    cannot be read are told."""
    files: list[Foreign] = []
    left: list[Left] = []
    for path, kind in _places(agent, around, project=project):
        try:
            data = read_regular(path)
            if data is None:
                continue
            text = data.decode("utf-8-sig")
            files.append(Foreign(path=path, kind=kind, data=_parsed(text, path, kind, around)))
        except (ConfigError, ValueError, SyntaxError, RecursionError) as error:
            left.append(Left(what=os.path.basename(path), why=f"it cannot be read: {_line(error)}", source=path))
    return files, left


def _places(agent: Agent, around: Surroundings, *, project: bool) -> list[tuple[str, str]]:
    """(path, kind) of what an agent reads."""
    home, root, environment = around.user_home, around.root, around.environment
    match agent:
        case "claude-code":
            if project:
                return [
                    (os.path.join(root, ".claude/settings.local.json"), "settings"),
                    (os.path.join(root, ".claude/settings.json"), "settings"),
                    (os.path.join(root, ".mcp.json"), "mcp"),
                ]
            folder = environment.get("CLAUDE_CONFIG_DIR") or os.path.join(home, ".claude")
            main = os.path.join(folder if environment.get("CLAUDE_CONFIG_DIR") else home, ".claude.json")
            return [
                (os.path.join(folder, "settings.json"), "settings"),
                (main, "mcp"),
                (os.path.join(folder, "CLAUDE.md"), "instructions"),
            ]
        case "codex":
            folder = os.path.join(root, ".codex")
            if not project:
                folder = environment.get("CODEX_HOME") or os.path.join(home, ".codex")
            rules = os.path.join(folder, "rules")
            names = sorted(os.listdir(rules)) if os.path.isdir(rules) else []
            found = [(os.path.join(folder, "config.toml"), "settings")]
            found += [(os.path.join(rules, name), "rules") for name in names if name.endswith(".rules")]
            return found if project else [*found, (os.path.join(folder, "AGENTS.md"), "instructions")]
        case "opencode":
            names = ["opencode.jsonc", "opencode.json"]
            if project:
                return [(os.path.join(root, name), "settings") for name in names]
            config = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
            folder = os.path.join(config, "opencode")
            return [
                *((os.path.join(folder, name), "settings") for name in [*names, "config.json"]),
                (os.path.join(folder, "AGENTS.md"), "instructions"),
            ]


def _parsed(text: str, path: str, kind: str, around: Surroundings) -> Any:
    if kind == "instructions":
        if not text.strip():
            raise ValueError("it is empty")
        return text
    if kind == "rules":
        return _starlark(text)
    if path.endswith(".toml"):
        import tomllib

        return tomllib.loads(text)
    data = msgspec.json.decode(without_comments(text).encode("utf-8", "replace"))
    if not isinstance(data, dict):
        raise ValueError("it is no table")
    if os.path.basename(path) == ".claude.json":
        # All of that agent's state is in it; only servers are of interest, those for everywhere and for this project.
        own = data.get("projects", {}).get(around.root, {}) if isinstance(data.get("projects"), dict) else {}
        servers = own.get("mcpServers", {}) if isinstance(own, dict) else {}
        return {"mcpServers": {**(data.get("mcpServers") or {}), **(servers or {})}}
    return data if kind == "settings" else {"mcpServers": data.get("mcpServers")}


def _starlark(text: str) -> list[dict[str, Any]]:
    """The `prefix_rule(…)` calls of a rules file, whose words are literals."""
    found = []
    for node in ast.parse(text).body:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "prefix_rule":
            found.append({each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg})
    return found


class Change(msgspec.Struct, frozen=True):
    """A file as it would be."""

    path: str
    before: str
    after: str


def plan(found: Adopted, around: Surroundings, *, project: bool) -> tuple[Adopted, list[Change]]:
    """What is left of `found` without what is here already, and what would be written where. Raises `ConfigError`
    where one of our own files cannot be read or added to."""
    folder = os.path.join(around.root, ".protea") if project else around.protea_home
    writing = _Writing(folder, own=not project)
    taken, left = [], list(found.left)
    for item in found.taken:
        name = writing.take(item)
        if name is None:
            taken.append(item)
        else:
            why = f"{name} says something of it already"
            left.append(Left(what=named(item), why=why, source=item.source))
    return Adopted(tuple(taken), tuple(left)), writing.changes()


def write(changes: Sequence[Change]) -> None:
    """Each file at once, with its old bytes or its new ones. Raises `StoreError`."""
    for change in changes:
        replace_file(change.path, change.after)


class _Writing:
    """Our files as they are and as they will be."""

    def __init__(self, folder: str, *, own: bool) -> None:
        self._folder = folder
        self._own = own
        """Whether it is the person's folder, not a project's."""
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}

    def take(self, item: Taken) -> str | None:
        """Add it; None, or the name of our file that has it already."""
        match item.kind:
            case "mcp":
                return self._server(item)
            case "rule":
                return self._rule(item)
            case "setting":
                return self._setting(item)
            case "instructions":
                return self._instructions(item)

    def changes(self) -> list[Change]:
        return [
            Change(os.path.join(self._folder, name), self._before[name], after)
            for name, after in self._after.items()
            if after != self._before[name]
        ]

    def _server(self, item: Taken) -> str | None:
        name = "mcp.json"
        text = self._text(name)
        try:
            data = msgspec.json.decode(text.encode()) if text.strip() else {}
            servers = data.setdefault("mcpServers", {})
            if item.name in servers:
                return name
            servers[item.name] = item.value
        except (msgspec.DecodeError, AttributeError, TypeError) as error:
            raise ConfigError(f"cannot be added to: {error}", os.path.join(self._folder, name)) from None
        self._after[name] = msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"
        return None

    def _rule(self, item: Taken) -> str | None:
        name = "permissions.toml"
        text, rules = self._text(name), self._toml(name).get(item.name, [])
        if item.value in rules:
            return name
        self._after[name] = with_item(text, (item.name,), item.value)
        return None

    def _setting(self, item: Taken) -> str | None:
        name = "config.toml"
        text = self._text(name)
        # A provider's own name may have dots in it.
        first, _, rest = item.name.partition(".")
        path = (first, rest) if isinstance(item.value, Mapping) else tuple(item.name.split("."))
        if _at(self._toml(name), path) is not None:
            return name
        parts = item.value.items() if isinstance(item.value, Mapping) else [(None, item.value)]
        for key, value in parts:
            text = with_value(text, path if key is None else (*path, key), value)
        self._after[name] = text
        return None

    def _instructions(self, item: Taken) -> str | None:
        if self._text(item.name).strip():
            return item.name
        self._after[item.name] = f"{str(item.value).strip()}\n"
        return None

    def _text(self, name: str) -> str:
        if name not in self._after:
            data = read_regular(os.path.join(self._folder, name))
            # As the first run would have made it.
            new = TEMPLATE if name == "config.toml" and self._own else ""
            self._before[name] = self._after[name] = new if data is None else data.decode("utf-8-sig")
        return self._after[name]

    def _toml(self, name: str) -> dict[str, Any]:
        import tomllib

        try:
            return tomllib.loads(self._text(name))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"not valid TOML: {error}", os.path.join(self._folder, name)) from None


def _at(table: Any, path: Sequence[str]) -> Any:
    for part in path:
        table = table.get(part) if isinstance(table, dict) else None
    return table


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
