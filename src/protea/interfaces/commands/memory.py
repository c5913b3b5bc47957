"""`protea memory …`: what is kept beyond sessions."""

from __future__ import annotations

from protea.domain.columns import table
from protea.domain.errors import UsageError
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import ago
from protea.interfaces.terminal import one_line
from protea.ports.memory import Memory, Note


async def run_memory(memory: Memory, arguments: Arguments, place: Place) -> int:
    try:
        match arguments.name:
            case "memory search":
                found = await memory.recall(" ".join(arguments.words), arguments.whole("limit") or 10)
                _tell([each.note for each in found], arguments, place, "nothing was found\n")
            case "memory add":
                note = await memory.remember(" ".join(arguments.words), source="user", tags=arguments.all("tag"))
                place.write(as_json(note) if arguments.has("json") else f"{note.id}\n")
            case "memory forget":
                for id in arguments.words:
                    if not await memory.forget(id):
                        raise UsageError(f"there is no note {id}; `protea memory list` shows them")
            case _:
                _tell(list(await memory.list(arguments.whole("limit"))), arguments, place, "nothing is kept yet\n")
    finally:
        await memory.aclose()
    return 0


def _tell(notes: list[Note], arguments: Arguments, place: Place, nothing: str) -> None:
    if arguments.has("json"):
        place.write(as_json(notes))
    else:
        rows = [[note.id, ago(note.at), one_line(note.source, 30), one_line(note.text, 90)] for note in notes]
        place.write(table(["ID", "WHEN", "FROM", "NOTE"], rows) if rows else nothing)
