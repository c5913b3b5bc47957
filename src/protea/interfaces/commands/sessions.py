"""`protea sessions …` and `protea export`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TextIO, TypeGuard

import msgspec
from msgspec.structs import replace

from protea.domain.blocks import Forgotten, Put
from protea.domain.columns import usage_text
from protea.domain.errors import ProteaError, SessionError, UsageError
from protea.domain.events import LastingEvent, PromptSubmitted, Rewound, TurnFinished
from protea.domain.folding import Held, View, advance, is_in, prompt_of
from protea.domain.session import SessionSummary
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.export import markdown_head, markdown_of
from protea.interfaces.json_lines import event_line, event_object, json_line
from protea.interfaces.tables import ago, table
from protea.interfaces.terminal import Paint, one_line, say
from protea.ports.gateway import Gateway, OpenSession

PAGE = 2000
"""Events read at a time: a long session is never whole in memory."""


async def list_sessions(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    found = list(await gateway.sessions(place.cwd if arguments.has("here") else None))[: arguments.whole("limit")]
    if arguments.has("json"):
        place.write(as_json([summary_object(each) for each in found]))
        return 0
    rows = [
        [
            each.id,
            ago(each.updated),
            str(each.prompts),
            _shortened(each.cwd, place.user_home),
            one_line(each.title, 60) or "(empty)",
        ]
        for each in found
    ]
    place.write(table(["ID", "WHEN", "PROMPTS", "WHERE", "TITLE"], rows) or "no sessions yet\n")
    return 0


async def show(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    summary = await _summary(gateway, arguments.words[0])
    if arguments.has("json"):
        events = [event_object(event) async for event in _events(gateway, summary.id)]
        place.write(as_json({**summary_object(summary), "log": events}))
        return 0
    rows = [
        ["session", summary.id],
        ["title", one_line(summary.title, 100)],
        ["where", one_line(summary.cwd)],
        ["begun", ago(summary.created)],
        ["last", ago(summary.updated)],
        ["model", one_line(summary.model)],
        ["state", summary.state],
        ["prompts", f"{summary.prompts}, {summary.turns} replies, {summary.events} events"],
        ["used", usage_text(summary.usage, summary.cost_usd)],
        *([["from", summary.parent]] if summary.parent else []),
    ]
    place.write(table(None, rows) + "\n")
    async for event in _events(gateway, summary.id):
        place.write(markdown_of(event, short=True))
    return 0


async def export(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    format = "html" if arguments.has("html") else arguments.text("format")
    wanted = arguments.words[0] if arguments.words else await _latest(gateway, place.cwd)
    summary = await _summary(gateway, wanted)
    path = arguments.text("output")
    if path is None or path == "-":
        await _export(gateway, summary, format or "md", place.write)
        return 0
    with _private_file(path) as file:
        try:
            await _export(gateway, summary, format or _format_of(path), file.write)
        except OSError as error:
            raise UsageError(f"--output {path}: {error.strerror or error}") from error
    return 0


def _private_file(path: str) -> TextIO:
    """A new file that this person alone may read: conversations hold what should stay private."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageError(f"--output {path}: {error.strerror or error}") from error
    return open(descriptor, "w", encoding="utf-8", errors="replace")


async def _export(gateway: Gateway, summary: SessionSummary, format: str, write: Callable[[str], Any]) -> None:
    if format == "jsonl":
        async for event in _events(gateway, summary.id):
            write(event_line(event).decode())
    elif format == "json":
        write('{"session":' + json_line(summary_object(summary)).decode().rstrip() + ',"events":[')
        comma = ""
        async for event in _events(gateway, summary.id):
            write(comma + "\n" + event_line(event).decode().rstrip())
            comma = ","
        write("\n]}\n")
    elif format == "html":
        await _export_html(gateway, summary, write)
    else:
        write(markdown_head(summary))
        async for event in _events(gateway, summary.id):
            write(markdown_of(event))


async def _export_html(gateway: Gateway, summary: SessionSummary, write: Callable[[str], Any]) -> None:
    """Turn by turn: a long session is never whole in memory. What a later rewind took back is known before."""
    from protea.interfaces.html import block_html, html_foot, html_head  # no other export pays for it

    taken = [Forgotten(event.to, event.seq or 0) async for event in _events(gateway, summary.id) if _is_rewind(event)]
    write(html_head(summary))
    view, held, written = View(), Held(), set[str]()

    def flush() -> None:
        for block in held.blocks():
            if block.key not in written:
                written.add(block.key)
                gone = any(is_in(block, each) for each in taken)
                write(block_html(replace(block, gone=True) if gone else block))

    async for event in _events(gateway, summary.id):
        view = advance(view, event)
        held.make(view.changes)
        if isinstance(event, TurnFinished):
            flush()
            held = Held()
    held.make(Put(prompt_of(each)) for each in view.waiting)
    flush()
    write(html_foot())


def _is_rewind(event: LastingEvent) -> TypeGuard[Rewound]:
    return isinstance(event, Rewound)


async def search(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    hits = _once(await gateway.search(" ".join(arguments.words), arguments.whole("limit") or 50))
    if arguments.has("json"):
        place.write(as_json([{"session": summary_object(each), "seq": seq, "text": text} for each, seq, text in hits]))
        return 0
    rows = [[each.id, str(seq), ago(each.updated), one_line(text, 100)] for each, seq, text in hits]
    if not rows:
        say("nothing found")
    place.write(table(["ID", "EVENT", "WHEN", "TEXT"], rows))
    return 0


def _once(hits: Iterable[tuple[SessionSummary, int, str]]) -> list[tuple[SessionSummary, int, str]]:
    """Hits without those a fork has from its parent: what is copied keeps its number and its words."""
    found = list(hits)
    there = {(each.id, seq, text) for each, seq, text in found}
    parents = {each.id: each.parent for each, _, _ in found}

    def copied(session: str, seq: int, text: str) -> bool:
        above = parents.get(session)
        return above is not None and ((above, seq, text) in there or copied(above, seq, text))

    return [hit for hit in found if not copied(hit[0].id, hit[1], hit[2])]


async def replay(gateway: Gateway, place: Place) -> int:
    """A recording, line by line as it is played."""
    from protea.interfaces.drawing import Drawing

    session = (await gateway.sessions())[0].id
    drawing = Drawing(place.write, Paint(False), lambda: 100)
    async for event in gateway.events(session):
        if isinstance(event, PromptSubmitted):
            drawing.prompt(event.text)
        else:
            drawing.draw(event)
    return 0


async def fork(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    summary = await _summary(gateway, arguments.words[0])
    where = _folder(summary.cwd) or place.cwd
    id = await gateway.open(OpenSession(cwd=where, resume=summary.id, fork=True, interactive=False))
    place.write(as_json({"session": id, "parent": summary.id}) if arguments.has("json") else f"{id}\n")
    return 0


async def delete(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    kept: list[str] = []
    for wanted in arguments.words:
        try:
            await gateway.delete(wanted)
            place.write(f"deleted {wanted}\n")
        except ProteaError as error:
            kept.append(str(error))
    if kept:
        raise SessionError("; ".join(kept))
    return 0


def summary_object(summary: SessionSummary) -> dict[str, Any]:
    """A session as JSON, with every key."""
    return {name: msgspec.to_builtins(value) for name, value in msgspec.structs.asdict(summary).items()}


def _folder(path: str) -> str | None:
    return path if os.path.isdir(path) else None


async def _events(gateway: Gateway, session: str) -> AsyncIterator[LastingEvent]:
    after = 0
    while page := await gateway.history(session, after, PAGE):
        for event in page:
            yield event
        after = page[-1].seq or after + len(page)


async def _summary(gateway: Gateway, wanted: str) -> SessionSummary:
    """The summary of a session by its id or a beginning of it."""
    found: Iterable[SessionSummary] = await gateway.sessions()
    exact = [each for each in found if each.id == wanted]
    if exact:
        return exact[0]
    first = await gateway.history(wanted, limit=1)  # raises for what is unknown or not unique, naming the near ones
    id = first[0].session if first else wanted
    for each in found:
        if each.id == id:
            return each
    raise SessionError(f"there is no session {wanted}; 'protea sessions list' shows what there is")


async def _latest(gateway: Gateway, cwd: str) -> str:
    found = await gateway.sessions(cwd)
    if not found:
        raise SessionError(f"there is no session of {cwd}; 'protea sessions list' shows those of other directories")
    return found[0].id


def _format_of(path: str) -> str:
    ending = path.rpartition(".")[2].lower()
    return {"htm": "html", "html": "html", "json": "json", "jsonl": "jsonl"}.get(ending, "md")


def _shortened(path: str, home: str) -> str:
    short = "~" + path[len(home) :] if path == home or path.startswith(home + "/") else path
    return one_line(short if len(short) <= 40 else "…" + short[-39:])


COMMANDS: dict[str, Callable[[Gateway, Arguments, Place], Awaitable[int]]] = {
    "sessions list": list_sessions,
    "sessions show": show,
    "sessions export": export,
    "sessions search": search,
    "sessions fork": fork,
    "sessions delete": delete,
    "export": export,
}
