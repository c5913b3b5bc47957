"""`protea config import`: what another agent was told, shown first, then written."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from protea.domain.adoption import Adopted, Taken, named
from protea.domain.columns import table
from protea.domain.diff import unified
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.terminal import one_line, say, visible

HIDDEN = frozenset({"env", "headers"})
"""Parts of a server whose values may be keys: they are written, and not shown."""


class Adoption(Protocol):
    """What is needed of it; the composition has it."""

    @property
    def found(self) -> Adopted: ...

    @property
    def files(self) -> tuple[str, ...]:
        """Those that were read."""
        ...

    @property
    def changes(self) -> tuple[tuple[str, str, str], ...]:
        """(path, text as it is, text as it would be)."""
        ...

    def write(self) -> None: ...


def run_import(arguments: Arguments, place: Place, adoption: Adoption, ask: Callable[[str], bool] | None) -> int:
    """`ask` puts a yes-or-no question to the person; None where nobody is there."""
    json, dry = arguments.has("json"), arguments.has("dry_run")
    changes = adoption.changes
    if not json:
        place.write(_shown(adoption, place.user_home))
    free = bool(changes) and not dry
    asking = free and not arguments.has("yes") and not json
    written = free and (arguments.has("yes") or (asking and ask is not None and ask("Write this?")))
    if written:
        adoption.write()
    if json:
        place.write(
            as_json(
                {
                    "read": list(adoption.files),
                    "taken": [_plain(item) for item in adoption.found.taken],
                    "left": adoption.found.left,
                    "files": [path for path, _, _ in changes],
                    "written": written,
                }
            )
        )
    elif written:
        place.write("".join(f"written: {path}\n" for path, _, _ in changes))
    elif asking and ask is None:
        say("nothing was written; add --yes to write it")
    elif not changes:
        place.write("there is nothing to write\n")
    return 0


def _shown(adoption: Adoption, home: str) -> str:
    def short(path: str) -> str:
        return "~" + path[len(home) :] if path.startswith(home + os.sep) else path

    found = adoption.found
    lines = [f"read: {short(path)}\n" for path in adoption.files]
    if found.taken:
        rows = [
            ["+", one_line(named(item), 60), one_line(_value(item), 60), short(item.source)] for item in found.taken
        ]
        lines += ["\ntaken over\n", table(None, rows)]
    if found.left:
        rows = [["-", one_line(item.what, 60), one_line(item.why, 90), short(item.source)] for item in found.left]
        lines += ["\nleft\n", table(None, rows)]
    for path, before, after in adoption.changes:
        if path.endswith(".toml"):  # servers may hold keys, and instructions are long
            lines += ["\n", visible(unified(before, after, short(path)))]
    return "".join(lines) + "\n"


def _value(item: Taken) -> str:
    match item.kind:
        case "mcp":
            return str(item.value.get("url") or " ".join([item.value.get("command", ""), *item.value.get("args", ())]))
        case "rule":
            return ""
        case "instructions":
            return f"{len(str(item.value).splitlines())} lines"
        case _:
            return ", ".join(map(str, item.value.values())) if isinstance(item.value, dict) else str(item.value)


def _plain(item: Taken) -> dict[str, object]:
    value = item.value
    if item.kind == "mcp":
        value = {key: "(set)" if key in HIDDEN else part for key, part in value.items()}
    return {"kind": item.kind, "name": item.name, "value": value, "source": item.source}
