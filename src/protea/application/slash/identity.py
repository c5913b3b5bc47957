"""Who the session is and what it has: `/model`, `/effort`, `/mode`, `/profile`, `/swap`, `/preview`, `/tools`,
`/lsp`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from protea.application.slash.call import Answer, Call, first_line
from protea.domain.columns import short, table
from protea.domain.commands import SetMode, SetModel, Swap
from protea.domain.errors import UsageError
from protea.domain.settings import EFFORTS
from protea.domain.spelling import nearest

MOST_MODELS = 20
"""Models of the provider in use that are listed; there are hundreds."""


async def model(call: Call) -> Answer:
    model, _, effort = call.rest.partition(" ")
    if model:
        await call.gateway.submit(
            call.session, SetModel(model=model, effort=_effort_of(effort.strip()) or None, by=call.by)
        )
        return Answer()
    current = (await call.about())["model"]
    models = await call.gateway.describe("models", call.session)
    provider = current.partition("/")[0]
    own = [each["id"] for each in models if each["id"].partition("/")[0] == provider][:MOST_MODELS]
    more = len(models) - len(own)
    rest = f"{more} more: Tab completes them, `protea models` lists them\n" if more else ""
    return Answer(_marked(([each] for each in own), current) + rest, models)


async def effort(call: Call) -> Answer:
    about = await call.about()
    if call.rest:
        command = SetModel(model=about["model"], effort=_effort_of(call.rest), by=call.by)
        await call.gateway.submit(call.session, command)
        return Answer()
    return Answer(_marked(((each,) for each in EFFORTS), about["effort"]), list(EFFORTS))


def _effort_of(word: str) -> str:
    word = word.lower()
    if word and word not in EFFORTS:
        near = nearest(word, EFFORTS)
        hint = f"; did you mean {near}?" if near else f"; there are {', '.join(EFFORTS)}"
        raise UsageError(f"there is no effort {word!r}{hint}")
    return word


async def mode(call: Call) -> Answer:
    if call.rest:
        await call.gateway.submit(call.session, SetMode(mode=call.rest.lower(), by=call.by))
        return Answer()
    modes = await call.gateway.describe("modes", call.session)
    current = (await call.about())["mode"]
    return Answer(_marked(((each["name"], each["about"]) for each in modes), current), modes)


async def profile(call: Call) -> Answer:
    if call.rest:
        return await _swapped(call, Swap(profile=call.rest, by=call.by))
    profiles = await call.gateway.describe("profiles", call.session)
    current = (await call.about())["profile"]
    return Answer(_marked(((each["name"], each.get("about", "")) for each in profiles), current), profiles)


async def swap(call: Call) -> Answer:
    if call.rest:
        return await _swapped(call, Swap(ports=_ports_of(call.rest), by=call.by))
    ports = await call.gateway.describe("ports", call.session)
    rows = ([each["port"], each["swap"], each["adapter"], ", ".join(each["adapters"])] for each in ports)
    return Answer(table(["PORT", "SWAP", "IS", "CAN BE"], rows), ports)


async def _swapped(call: Call, swap: Swap) -> Answer:
    await call.gateway.submit(call.session, swap)
    waiting = (await call.about())["swapping"]
    text = f"{waiting} takes over as soon as it is safe; /preview tells what it waits for\n" if waiting else ""
    return Answer(text, {"waiting": waiting})


async def preview(call: Call) -> Answer:
    if not call.rest:
        raise UsageError("/preview takes a profile or PORT=ADAPTER, like /preview reviewer")
    named = "=" not in call.rest
    swap = Swap(profile=call.rest) if named else Swap(ports=_ports_of(call.rest))
    seen = await call.gateway.preview(call.session, swap)
    changed = (
        (f"  {each.port}", f"{each.before} → {each.after}" if each.before != each.after else "other options",
         each.swap_class)
        for each in seen.changes
    )  # fmt: skip
    lost = short(seen.cached_tokens_lost)
    money = f", some ${seen.cost_usd:.4f} more" if seen.cost_usd else ""
    facts = [
        ["is", seen.identity],
        ["model", seen.model],
        ["mode", seen.mode],
        ["takes hold", _WHEN[seen.swap_class]],
        *([["waits for", ", ".join(seen.waits_for)]] if seen.waits_for else []),
        *([["tools come", ", ".join(seen.tools_added)]] if seen.tools_added else []),
        *([["tools go", ", ".join(seen.tools_removed)]] if seen.tools_removed else []),
        ["cache", f"{lost} tokens are read anew{money}" if seen.cached_tokens_lost else "nothing is lost"],
        *(["mind", warning] for warning in seen.warnings),
    ]
    return Answer(table(None, facts) + table(None, changed), msgspec.to_builtins(seen))


_WHEN = {
    "hot": "between two requests",
    "warm": "between two requests, after a short pause",
    "cold": "between two turns",
}


def _ports_of(text: str) -> dict[str, str]:
    ports = {}
    for word in text.split():
        port, equals, adapter = word.partition("=")
        if not port or not equals or not adapter:
            raise UsageError(f"/swap takes PORT=ADAPTER, like /swap persona=minimal, not {word!r}")
        ports[port] = adapter
    return ports


def _marked(rows: Iterable[Sequence[str]], current: str | None) -> str:
    """Rows whose first cell may be the current one; that is marked, and stands first where it is in none."""
    listed = [[">" if row[0] == current else "", *row] for row in rows]
    if current and not any(row[0] for row in listed):
        listed.insert(0, [">", current, *[""] * (len(listed[0]) - 2 if listed else 0)])
    return table(None, listed)


async def tools(call: Call) -> Answer:
    tools = await call.gateway.describe("tools", call.session)
    if call.rest:
        return _tool(call.rest, {each["name"]: each for each in tools})
    rows = [[each["name"], first_line(str(each["description"]), 90)] for each in tools]
    return Answer(table(None, rows) or "There are no tools.\n", tools)


def _tool(wanted: str, tools: dict[str, dict[str, Any]]) -> Answer:
    """What one of them takes."""
    name = next((each for each in tools if each.lower() == wanted.lower()), "")
    if not name:
        near = nearest(wanted, tools)
        raise UsageError(f"there is no tool {wanted}; " + (f"did you mean {near}?" if near else "/tools lists them"))
    tool = tools[name]
    takes: dict[str, Any] = tool.get("parameters", {})
    required = takes.get("required", ())
    rows = [
        [each if each in required else f"{each}?", first_line(str(of.get("description", "")), 90)]
        for each, of in takes.get("properties", {}).items()
    ]
    return Answer(f"{name}: {tool['description']}\n" + table(None, rows), tool)


async def lsp(call: Call) -> Answer:
    servers: list[dict[str, Any]] = await call.gateway.describe("lsp", call.session)
    there = [each for each in servers if each["state"] != "missing"]
    gone = [each for each in servers if each["state"] == "missing"]
    missing = [each["name"] for each in gone if not each["stand_in"]]
    odd = [f"{each['name']}: {each['told']}\n" for each in gone if each["stand_in"]]
    rows = [[each["name"], each["state"], " ".join(each["files"]), each["told"] or each["program"]] for each in there]
    more = "".join([*odd, f"Not on PATH: {', '.join(missing)}\n" if missing else ""])
    return Answer((table(None, rows) or "No language server is asked.\n") + more, servers)
