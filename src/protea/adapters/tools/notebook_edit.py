"""NotebookEdit: change one cell of a Jupyter notebook; all else stays as it was. https://nbformat.readthedocs.io"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from protea.adapters.tools._files import difference, explained
from protea.adapters.tools._kit import Kit
from protea.adapters.tools._notebook_text import Cells, find
from protea.domain.textfile import decode, encode
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import WorkspaceError


class NotebookEdit:
    """Writes anew the text of that cell alone."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit, path = self._kit, self._kit.absolute(str(arguments["path"]))
        try:
            before = await kit.workspace.stat(path)
            old = await kit.workspace.read(path)
            file = decode(old)
            try:
                notebook = json.loads(file.text)
                found = find(file.text) if isinstance(notebook, dict) and "cells" in notebook else None
            except (ValueError, RecursionError):
                notebook, found = None, None
            if found is None:
                return ToolResult(f"{kit.shown(path)} is no notebook with cells{_why_not(notebook)}.", is_error=True)
            said = _changed(notebook, found, arguments)
            if isinstance(said, ToolResult):
                return said
            words_of_it, text = said
            data = encode(replace(file, text=text))
            entry = await kit.workspace.write(path, data, expect=before)
        except WorkspaceError as error:
            return ToolResult(await explained(kit, path, error), is_error=True)
        except UnicodeEncodeError as error:
            return ToolResult(f"The new text cannot be stored as {error.encoding}.", is_error=True)
        kit.seen[entry.path] = entry
        diff, words = difference(kit, old, data, entry.path)
        return ToolResult(f"{words_of_it} of {kit.shown(entry.path)} ({words}).", diff=diff or None)


def _why_not(notebook: Any) -> str:
    if isinstance(notebook, dict) and "worksheets" in notebook:
        return ": it is of nbformat 3; `jupyter nbconvert --to notebook --nbformat 4` makes one of it"
    return ""


def _changed(notebook: dict[str, Any], found: Cells, arguments: Mapping[str, Any]) -> tuple[str, str] | ToolResult:
    """(what was done, the text now), or why nothing was."""
    cells: list[Any] = notebook["cells"]
    action, wanted = str(arguments.get("action", "replace")), str(arguments["cell"])
    at = _find(cells, wanted)
    if at is None and not (action == "insert" and wanted == "0"):
        return ToolResult(f"There is no cell {wanted}: there are {len(cells)}, numbered from 1.", is_error=True)
    if action == "delete":
        return f"Deleted cell {(at or 0) + 1}", found.deleted(at or 0)
    if "source" not in arguments:
        return ToolResult(f"To {action} a cell, give its source.", is_error=True)
    source = str(arguments["source"]).splitlines(keepends=True)
    if action == "insert":
        place = 0 if at is None else at + 1
        made = _cell(str(arguments.get("kind", "code")), source, named=_has_ids(notebook))
        return f"Inserted cell {place + 1}", found.inserted(place, made)
    cell = cells[at or 0]
    kind = str(arguments.get("kind", cell.get("cell_type", "code")))
    if kind != cell.get("cell_type"):
        made = {**_cell(kind, source, named=False), **({"id": cell["id"]} if "id" in cell else {})}
    else:
        made = {**cell, "source": source, **({"outputs": [], "execution_count": None} if kind == "code" else {})}
    return f"Replaced cell {(at or 0) + 1}", found.replaced(at or 0, made)


def _find(cells: list[Any], wanted: str) -> int | None:
    for at, cell in enumerate(cells):
        if isinstance(cell, dict) and cell.get("id") == wanted:
            return at
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else 0
    return number - 1 if 1 <= number <= len(cells) and isinstance(cells[number - 1], dict) else None


def _has_ids(notebook: Mapping[str, Any]) -> bool:
    """Cells have ids since nbformat 4.5."""
    return (notebook.get("nbformat"), notebook.get("nbformat_minor", 0)) >= (4, 5)


def _cell(kind: str, source: list[str], *, named: bool) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return {"id": secrets.token_hex(4), **cell} if named else cell
