"""`protea tools …`: what the gateway describes, as tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from protea.domain.errors import UsageError
from protea.domain.spelling import nearest
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import table
from protea.interfaces.terminal import one_line, visible
from protea.ports.gateway import Gateway


async def list_tools(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    tools = await gateway.describe("tools")
    if arguments.has("json"):
        place.write(as_json(tools))
        return 0
    own = any("file" in each for each in tools)
    rows = [
        [
            each["name"],
            ", ".join(each.get("effects", ())),
            one_line(each["description"], 80),
            *([_shown(each.get("file", ""), place)] if own else []),
        ]
        for each in tools
    ]
    place.write(table(["NAME", "EFFECTS", "DOES", *(["FILE"] if own else [])], rows) or "no tools\n")
    return 0


async def help_tool(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    wanted = arguments.words[0]
    tools = {each["name"]: each for each in await gateway.describe("tools")}
    lowered = {name.lower(): name for name in tools}
    name = wanted if wanted in tools else lowered.get(wanted.lower())
    if name is None:
        near = nearest(wanted, tools)
        raise UsageError(
            f"there is no tool {wanted}; "
            + (f"did you mean {near}?" if near else f"there are {', '.join(tools)}; --profile NAME shows another's")
        )
    tool = tools[name]
    if arguments.has("json"):
        place.write(as_json(tool))
        return 0
    place.write(f"{name}\n\n{visible(tool['description'])}\n")
    if rows := _parameters(tool.get("parameters", {})):
        place.write("\n" + table(["ARGUMENT", "TYPE", "", "MEANS"], rows))
    if tool.get("example") is not None:
        place.write(f"\nexample: {visible(msgspec.json.encode(tool['example']).decode())}\n")
    if tool.get("effects"):
        place.write(f"\neffects: {', '.join(tool['effects'])}\n")
    if tool.get("file"):
        place.write(f"\nfrom {_shown(tool['file'], place)}\n")
    return 0


def _shown(path: str, place: Place) -> str:
    home = place.user_home.rstrip("/")
    return one_line("~" + path[len(home) :] if path.startswith(home + "/") else path)


def _parameters(schema: dict[str, Any]) -> list[list[str]]:
    required = schema.get("required", ())
    return [
        [
            name,
            _kind(rule),
            "required" if name in required else "",
            one_line(_means(rule), 120) if isinstance(rule, dict) else "",
        ]
        for name, rule in schema.get("properties", {}).items()
    ]


def _means(rule: dict[str, Any]) -> str:
    """What it is for, which numbers it takes, and what it is where it is left out."""
    parts = [str(rule.get("description", "")).rstrip(".")]
    least, most = rule.get("minimum"), rule.get("maximum")
    if least is not None or most is not None:
        parts.append(
            f"{least} to {most}"
            if None not in (least, most)
            else f"{'at least' if most is None else 'at most'} {least if most is None else most}"
        )
    if "default" in rule and rule["default"] is not None:
        parts.append(f"{msgspec.json.encode(rule['default']).decode()} where it is left out")
    return "; ".join(part for part in parts if part)


def _kind(rule: Any) -> str:
    if not isinstance(rule, dict):
        return "any"
    if "enum" in rule:
        return "|".join(str(each) for each in rule["enum"])
    kind = rule.get("type", "any")
    if kind == "array":
        return f"{_kind(rule.get('items', {}))}[]"
    return "|".join(kind) if isinstance(kind, list) else str(kind)


COMMANDS: dict[str, Callable[[Gateway, Arguments, Place], Awaitable[int]]] = {
    "tools list": list_tools,
    "tools help": help_tool,
}
