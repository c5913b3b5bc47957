"""Shows a Jupyter notebook: its cells and what they put out. https://nbformat.readthedocs.io"""

from __future__ import annotations

import codecs
from typing import Any

import msgspec

from protea.domain.cut import cut
from protea.domain.messages import Image
from protea.domain.plain import plain
from protea.domain.tools import ToolResult

OUTPUT = 5_000
"""Characters of one output."""
IMAGES = 5


def shown(data: bytes, limit: int) -> ToolResult | None:
    """The notebook as text with its first images; None where it is no notebook and should be read as text."""
    try:
        notebook = msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8))
        # Until nbformat 4 they stood in worksheets.
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return None
    if not isinstance(cells, list):
        return None
    images: list[Image] = []
    parts = [_cell(number, cell, images) for number, cell in enumerate(cells, 1) if isinstance(cell, dict)]
    text = "\n\n".join(parts) or "The notebook has no cells."
    return ToolResult(cut(plain(text), limit), images=tuple(images[:IMAGES]))


def _cell(number: int, cell: dict[str, Any], images: list[Image]) -> str:
    kind = str(cell.get("cell_type", "?"))
    name = f" {cell['id']}" if cell.get("id") else ""
    count = cell.get("execution_count", cell.get("prompt_number"))
    ran = f" [{count}]" if count is not None else ""
    lines = [f"── cell {number}{name}: {kind}{ran}", _text(cell.get("source", cell.get("input")))]
    for output in cell.get("outputs") or ():
        if isinstance(output, dict):
            lines.append(f"→ {cut(_output(output, images), OUTPUT)}")
    return "\n".join(lines)


def _output(output: dict[str, Any], images: list[Image]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        return _text(output.get("text"))
    if kind == "error":
        trace = output.get("traceback")
        return (
            "\n".join(map(str, trace)) if isinstance(trace, list) else f"{output.get('ename')}: {output.get('evalue')}"
        )
    data = output.get("data")
    if not isinstance(data, dict):
        return _text(output.get("text"))
    for media in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        if media in data:
            if len(images) < IMAGES:
                images.append(Image(media, _text(data[media]).replace("\n", "")))
                return f"[image {len(images)}: {media}]"
            return f"[{media}]"
    if "text/plain" in data:
        return _text(data["text/plain"])
    return f"[{', '.join(map(str, data))}]"


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
