"""NotebookEdit: change one cell of a Jupyter notebook; all else stays as it was. https://nbformat.readthedocs.io"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._files import difference, explained
from protea.adapters.tools._kit import Kit
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import WorkspaceError


class NotebookEdit:
    """Works on the file's JSON; indentation and a missing line feed at the end are kept."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit, path = self._kit, self._kit.absolute(str(arguments["path"]))
        try:
            before = await kit.workspace.stat(path)
            old = await kit.workspace.read(path)
            try:
                # The standard decoder: it keeps the order of names and numbers of any size.
                notebook = json.loads(old)
                cells = notebook["cells"]
                if not isinstance(cells, list):
                    raise TypeError
            except (ValueError, KeyError, TypeError):
                return ToolResult(f"{kit.shown(path)} is no notebook with cells.", is_error=True)
            said = _change(notebook, cells, arguments)
            if isinstance(said, ToolResult):
                return said
            text = json.dumps(notebook, ensure_ascii=False, indent=_indent(old))
            data = (text + ("\n" if old.endswith(b"\n") else "")).encode("utf-8", "surrogatepass")
            entry = await kit.workspace.write(path, data, expect=before)
        except WorkspaceError as error:
            return ToolResult(await explained(kit, path, error), is_error=True)
        kit.seen[entry.path] = entry
        diff, words = difference(kit, old, data, entry.path)
        return ToolResult(f"{said} of {kit.shown(entry.path)} ({words}).", diff=diff or None)


def _change(notebook: dict[str, Any], cells: list[Any], arguments: Mapping[str, Any]) -> str | ToolResult:
    """Change `cells` in place; what was done, or why nothing was."""
    action, wanted = str(arguments.get("action", "replace")), str(arguments["cell"])
    at = _find(cells, wanted)
    if at is None and not (action == "insert" and wanted == "0"):
        return ToolResult(f"There is no cell {wanted}: there are {len(cells)}, numbered from 1.", is_error=True)
    if action == "delete":
        del cells[at or 0]
        return f"Deleted cell {(at or 0) + 1}"
    if "source" not in arguments:
        return ToolResult(f"To {action} a cell, give its source.", is_error=True)
    source = str(arguments["source"]).splitlines(keepends=True)
    if action == "insert":
        place = 0 if at is None else at + 1
        cells.insert(place, _cell(str(arguments.get("kind", "code")), source, named=_has_ids(notebook)))
        return f"Inserted cell {place + 1}"
    cell = cells[at or 0]
    kind = str(arguments.get("kind", cell.get("cell_type", "code")))
    if kind != cell.get("cell_type"):
        cells[at or 0] = {**_cell(kind, source, named=False), **({"id": cell["id"]} if "id" in cell else {})}
    else:
        cell["source"] = source
        if kind == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return f"Replaced cell {(at or 0) + 1}"


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


def _indent(data: bytes) -> int | None:
    """Spaces a level, as the file has them."""
    second = data.split(b"\n", 2)[1] if data.count(b"\n") > 1 else b""
    return len(second) - len(second.lstrip(b" ")) or None
