"""What the settings of other agents mean here: what is taken over, what is not, and why. Pure.

Each agent's files come in as plain values (`adapters.settings.foreign` reads them) and go out as `Adopted`. Nothing is
taken that would allow more here than it did there; what would mean something else here is left, with the reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.permission import Verdict
from protea.domain.permission.rules import KNOWN_TOOLS, family, parse
from protea.domain.settings import EFFORTS

Agent = Literal["claude-code", "codex", "opencode"]
Kind = Literal["mcp", "rule", "setting", "instructions"]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be written here."""

    kind: Kind
    name: str
    """A server's name, a rule's verdict, a setting's dotted key, or the name of a file."""
    value: Any
    """Plain JSON: the server's table, the rule, the setting's value, the text."""
    source: str
    """The file it stands in."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not taken over."""

    what: str
    why: str
    source: str


class Adopted(msgspec.Struct, frozen=True):
    taken: tuple[Taken, ...] = ()
    left: tuple[Left, ...] = ()


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """One file of another agent, read."""

    path: str
    kind: str
    """`settings`, `mcp`, `instructions`, `rules`."""
    data: Any
    """Of settings and servers: a table. Of instructions: the text. Of rules: a list of tables."""


def adopt(agent: Agent, files: Sequence[Foreign]) -> Adopted:
    """The files in the order the agent reads them."""
    found = [item for file in files for item in _TRANSLATORS[agent](file)]
    taken, left = [], []
    seen: set[tuple[str, str, str]] = set()
    for item in found:
        if isinstance(item, Left):
            left.append(item)
            continue
        key = (item.kind, item.name, item.value if item.kind == "rule" else "")
        if key in seen:
            if item.kind != "rule":
                left.append(Left(what=named(item), why="an earlier file has it already", source=item.source))
            continue
        seen.add(key)
        taken.append(item)
    return Adopted(tuple(taken), tuple(left))


def named(item: Taken) -> str:
    """What it is called when it is spoken of."""
    match item.kind:
        case "mcp":
            return f"server {item.name}"
        case "rule":
            return f"{item.name} {item.value}"
        case _:
            return item.name


Items = Iterator[Taken | Left]


# ── Claude Code ────────────────────────────────────────────────────────────────────────────────────────────────────

_MODES = {
    "acceptEdits": "writing without a question is no mode here; allow it by rules, as Edit(/src/**)",
    "bypassPermissions": "doing without questions is never taken over; choose --permission-mode yolo each time",
    "dontAsk": "headless runs refuse what would be asked about; nothing is to be set",
    "auto": "there is no such mode; yolo allows what can be undone",
}
_CLAUDE_LEFT = {
    "hooks": "they run commands; write those you want anew",
    "env": "what commands see is built from an allow list; set variables in your shell",
    "apiKeyHelper": "name it yourself: [providers.anthropic] api_key_command",
    "statusLine": "it runs a command to draw a line; there is no such line here",
    "outputStyle": "a persona or a profile says how it speaks",
    "enabledPlugins": "plugins of another agent cannot run here",
    "additionalDirectories": "give them with --add-dir each time",
}


def _claude(file: Foreign) -> Items:
    if file.kind == "instructions":
        yield Taken(kind="instructions", name="AGENTS.md", value=file.data, source=file.path)
        return
    data: dict[str, Any] = file.data
    yield from _servers(data.get("mcpServers"), file.path)
    permissions = data.get("permissions")
    if isinstance(permissions, dict):
        for verdict in ("deny", "ask", "allow"):
            for rule in _texts(permissions.get(verdict)):
                yield _rule(verdict, rule, file.path)
        yield from _claude_mode(permissions, file.path)
    model = data.get("model")
    if isinstance(model, str):
        if model.startswith("claude-"):
            yield Taken(kind="setting", name="model", value=f"anthropic/{model}", source=file.path)
        else:
            yield Left(what=f"model {model}", why="it is a name of that agent's own, not a model's", source=file.path)
    for key, why in _CLAUDE_LEFT.items():
        if data.get(key):
            yield Left(what=key, why=why, source=file.path)


def _claude_mode(permissions: Mapping[str, Any], path: str) -> Items:
    mode = permissions.get("defaultMode")
    if mode == "plan":
        yield Taken(kind="setting", name="permissions.mode", value="plan", source=path)
    elif isinstance(mode, str) and mode != "default":
        why = _MODES.get(mode, "there is no such mode")
        yield Left(what=f"defaultMode {mode}", why=why, source=path)
    if permissions.get("additionalDirectories"):
        yield Left(what="additionalDirectories", why=_CLAUDE_LEFT["additionalDirectories"], source=path)


# ── codex ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_WIRES = {"chat": "openai-chat", "responses": "openai-responses"}
_CODEX_LEFT = {
    "notify": "it runs a command; [ports.notifier] calls you",
    "profiles": "a profile here fills ports; write one in profiles/",
    "shell_environment_policy": "what commands see is built from an allow list",
    "hooks": "they run commands; write those you want anew",
    "experimental_instructions_file": "a persona says who it is: [ports.persona]",
    "model_instructions_file": "a persona says who it is: [ports.persona]",
    "developer_instructions": "write them into AGENTS.md",
    "plugins": "plugins of another agent cannot run here",
}
_DECISIONS: dict[str, Verdict] = {"allow": "allow", "prompt": "ask", "forbidden": "deny"}


def _codex(file: Foreign) -> Items:
    if file.kind == "instructions":
        yield Taken(kind="instructions", name="AGENTS.md", value=file.data, source=file.path)
        return
    if file.kind == "rules":
        for table in file.data:
            yield from _prefix_rule(table, file.path)
        return
    data: dict[str, Any] = file.data
    yield from _servers(data.get("mcp_servers"), file.path)
    yield from _codex_model(data, file.path)
    policy, sandbox = data.get("approval_policy"), data.get("sandbox_mode")
    if policy == "never":
        yield Left(what="approval_policy never", why="doing without questions is never taken over", source=file.path)
    elif policy is not None and policy not in ("untrusted", "on-request", "on-failure"):
        yield Left(what="approval_policy", why="rules say what is asked about: permissions.toml", source=file.path)
    if sandbox == "workspace-write":
        yield Taken(kind="setting", name="sandbox.adapter", value="auto", source=file.path)
    elif sandbox == "read-only":
        why = "a sandbox here lets the project be written; --permission-mode plan lets nothing be"
        yield Left(what="sandbox_mode read-only", why=why, source=file.path)
    elif sandbox is not None:
        yield Left(what=f"sandbox_mode {sandbox}", why="no walls are what is so without a setting", source=file.path)
    for key, why in _CODEX_LEFT.items():
        if data.get(key):
            yield Left(what=key, why=why, source=file.path)


def _codex_model(data: Mapping[str, Any], path: str) -> Items:
    model, provider = data.get("model"), data.get("model_provider", "openai")
    if isinstance(model, str) and isinstance(provider, str):
        yield Taken(kind="setting", name="model", value=f"{provider}/{model}", source=path)
    effort = data.get("model_reasoning_effort")
    if effort in EFFORTS:
        yield Taken(kind="setting", name="effort", value=effort, source=path)
    providers = data.get("model_providers")
    for name, table in (providers or {}).items() if isinstance(providers, dict) else ():
        if not isinstance(table, dict) or not isinstance(table.get("base_url"), str):
            yield Left(what=f"provider {name}", why="it has no base_url", source=path)
            continue
        value = {"api": _WIRES.get(table.get("wire_api", "responses"), "openai-responses")}
        value |= {"base_url": table["base_url"]}
        if isinstance(table.get("env_key"), str):
            value |= {"api_key_env": table["env_key"]}
        yield Taken(kind="setting", name=f"providers.{name}", value=value, source=path)
        for key in ("http_headers", "env_http_headers", "query_params"):
            if table.get(key):
                why = "they may hold a key; set [providers.NAME] headers yourself"
                yield Left(what=f"provider {name}: {key}", why=why, source=path)


def _prefix_rule(table: Mapping[str, Any], path: str) -> Items:
    """`pattern` is a list of words, or of lists of words where there are several ways."""
    pattern, decision = table.get("pattern"), table.get("decision", "allow")
    if not isinstance(pattern, list) or not pattern or decision not in _DECISIONS:
        yield Left(what="a rule", why="it cannot be read", source=path)
        return
    ways = [tuple(_texts(each)) if isinstance(each, list) else (each,) for each in pattern]
    special = set(" \t\n'\"\\$`*?[]{}()<>|&;#!")
    for words in itertools.product(*ways):
        text = " ".join(map(str, words))
        if any(not isinstance(word, str) or not word or set(word) & special for word in words):
            yield Left(what=f"{decision} {text}", why="a word of it means something to a shell", source=path)
        else:
            yield _rule(_DECISIONS[decision], f"Bash({text}:*)", path)


# ── opencode ───────────────────────────────────────────────────────────────────────────────────────────────────────

_TOOLS = {
    "bash": "Bash",
    "edit": "Edit",
    "write": "Edit",
    "read": "Read",
    "glob": "Read",
    "grep": "Read",
    "list": "Read",
    "webfetch": "WebFetch",
    "websearch": "WebSearch",
    "skill": "Skill",
    "task": "Agent",
}
_OPENCODE_LEFT = {
    "plugin": "plugins of another agent cannot run here",
    "agent": "write each anew in agents/, a Markdown file",
    "command": "write them anew in commands/",
    "instructions": "name them in AGENTS.md, as @path",
    "formatter": "there is none here",
    "lsp": "those on PATH are asked by themselves; [ports.diagnostics] names others",
    "keybinds": "keys are in keybinds.toml, and others",
    "tools": "a profile says which tools there are: [ports.toolset]",
}


def _opencode(file: Foreign) -> Items:
    if file.kind == "instructions":
        yield Taken(kind="instructions", name="AGENTS.md", value=file.data, source=file.path)
        return
    data: dict[str, Any] = file.data
    servers = data.get("mcp")
    for name, table in (servers or {}).items() if isinstance(servers, dict) else ():
        yield from _servers({name: _from_opencode(table)}, file.path)
    model = data.get("model")
    if isinstance(model, str) and "/" in model:
        yield Taken(kind="setting", name="model", value=model.replace("google/", "gemini/", 1), source=file.path)
    yield from _opencode_rules(data.get("permission"), file.path)
    yield from _opencode_providers(data.get("provider"), file.path)
    for key, why in _OPENCODE_LEFT.items():
        if data.get(key):
            yield Left(what=key, why=why, source=file.path)


def _from_opencode(table: Any) -> Any:
    """A server's table in the words that the others use."""
    if not isinstance(table, dict):
        return table
    command = table.get("command")
    if isinstance(command, list) and command:
        made: dict[str, Any] = {"command": command[0], "args": command[1:], "env": table.get("environment", {})}
    else:
        made = {"url": table.get("url"), "headers": table.get("headers", {})}
    return made | ({"enabled": False} if table.get("enabled") is False else {})


def _opencode_rules(permission: Any, path: str) -> Items:
    if isinstance(permission, str):
        permission = {"*": permission}
    for tool, said in (permission or {}).items() if isinstance(permission, dict) else ():
        ours = _TOOLS.get(tool)
        if ours is None:
            why = "a rule for all tools would undo the others" if tool == "*" else "there is no such tool here"
            yield Left(what=f"permission {tool}", why=why, source=path)
            continue
        patterns = {"*": said} if isinstance(said, str) else said
        if not isinstance(patterns, dict):
            yield Left(what=f"permission {tool}", why="it cannot be read", source=path)
            continue
        for pattern, verdict in patterns.items():
            yield _opencode_rule(ours, str(pattern), verdict, path, alone=len(patterns) == 1)


def _opencode_rule(tool: str, pattern: str, verdict: Any, path: str, *, alone: bool) -> Taken | Left:
    what = f"{verdict} {tool}({pattern})"
    if verdict not in ("allow", "ask", "deny"):
        return Left(what=what, why="it is none of allow, ask and deny", source=path)
    if pattern == "*":
        # The last match wins there; here deny beats ask beats allow, so the rule for all would swallow the others.
        if verdict == "deny" and alone:
            return _rule("deny", tool, path)
        why = {
            "ask": "what no rule allows is asked about anyway",
            "allow": "everything is too much; allow what you mean",
            "deny": "deny beats allow here, so its exceptions would be lost",
        }[verdict]
        return Left(what=what, why=why, source=path)
    return _rule(verdict, f"{tool}({pattern.replace('$HOME/', '~/')})", path)


def _opencode_providers(providers: Any, path: str) -> Items:
    for name, table in (providers or {}).items() if isinstance(providers, dict) else ():
        options = table.get("options") if isinstance(table, dict) else None
        if not isinstance(options, dict) or not isinstance(options.get("baseURL"), str):
            yield Left(what=f"provider {name}", why="it names no address of its own", source=path)
            continue
        value: dict[str, Any] = {"api": "openai-chat", "base_url": options["baseURL"]}
        key = str(options.get("apiKey", ""))
        if key.startswith("{env:") and key.endswith("}"):
            value["api_key_env"] = key[5:-1]
        elif key:
            why = "a key is never copied; put it into a variable and name that: api_key_env"
            yield Left(what=f"provider {name}: apiKey", why=why, source=path)
        yield Taken(kind="setting", name=f"providers.{name}", value=value, source=path)


_TRANSLATORS = {"claude-code": _claude, "codex": _codex, "opencode": _opencode}


# ── what they share ────────────────────────────────────────────────────────────────────────────────────────────────


def _rule(verdict: Any, text: str, path: str) -> Taken | Left:
    """A rule as it is written here, if it can be read here and means something."""
    what = f"{verdict} {text}"
    tool = text.partition("(")[0]
    if family(tool) not in KNOWN_TOOLS and not tool.startswith("mcp__"):
        return Left(what=what, why=f"there is no tool {tool} here", source=path)
    if verdict == "allow" and text in ("Bash", "Bash(*)", "Bash(:*)"):
        return Left(what=what, why="every command is too much; allow those you mean", source=path)
    if text.endswith("(*)"):
        text = tool  # `Tool(*)` is the tool whatever it is asked
    try:
        parse(text, verdict, path)
    except ConfigError as error:
        return Left(what=what, why=str(error).removeprefix(f"{path}: "), source=path)
    return Taken(kind="rule", name=verdict, value=text, source=path)


def _servers(tables: Any, path: str) -> Items:
    """MCP servers as `mcp.json` has them: `command`, `args`, `env`, or `type`, `url`, `headers`."""
    for name, table in (tables or {}).items() if isinstance(tables, dict) else ():
        what = f"server {name}"
        if not isinstance(table, dict):
            yield Left(what=what, why="it cannot be read", source=path)
        elif table.get("enabled") is False or table.get("disabled") is True:
            yield Left(what=what, why="it is switched off", source=path)
        elif isinstance(table.get("command"), str):
            value: dict[str, Any] = {"command": table["command"], "args": list(_texts(table.get("args")))}
            value |= {key: table[key] for key in ("env", "cwd") if table.get(key)}
            yield Taken(kind="mcp", name=name, value=value, source=path)
        elif isinstance(table.get("url"), str):
            kind = "sse" if table.get("type") == "sse" else "http"
            headers = dict(table.get("headers") or table.get("http_headers") or {})
            if isinstance(variable := table.get("bearer_token_env_var"), str):
                headers["Authorization"] = f"Bearer ${{{variable}}}"
            value = {"type": kind, "url": table["url"]} | ({"headers": headers} if headers else {})
            yield Taken(kind="mcp", name=name, value=value, source=path)
        else:
            yield Left(what=what, why="it has neither a command nor a url", source=path)


def _texts(value: Any) -> Iterable[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def without_comments(text: str) -> str:
    """JSON with comments and trailing commas, as JSON. What stands in strings stays."""
    out: list[str] = []
    at, size = 0, len(text)
    while at < size:
        letter = text[at]
        if letter == '"':
            end = at + 1
            while end < size and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            out.append(text[at : end + 1])
            at = end + 1
        elif text.startswith("//", at):
            end = text.find("\n", at)
            at = size if end < 0 else end
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            at = size if end < 0 else end + 2
        elif letter in "]}":
            while out and (out[-1].isspace() or out[-1] == ","):
                if out.pop() == ",":
                    break
            out.append(letter)
            at += 1
        else:
            out.append(letter)
            at += 1
    return "".join(out)
