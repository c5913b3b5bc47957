"""The text of a PDF, by pypdf where it is installed (the extra `media`), else by the `pdftotext` command."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._program import run
from protea.domain.cut import cut
from protea.domain.plain import plain
from protea.domain.textfile import shown
from protea.domain.tools import ToolResult

PAGES = 20
"""Pages read at once."""
SECONDS = 60


async def read(kit: Kit, path: str, pages: str | None) -> ToolResult:
    """The wanted pages, each under its number."""
    span = _span(pages)
    if span is None:
        return ToolResult(f"pages {pages!r} cannot be read: give 3, 1-5 or 7-.", is_error=True)
    try:
        import pypdf  # type: ignore[import-not-found, unused-ignore]  # optional; heavy
    except ImportError:
        return await _by_command(kit, path, *span)
    try:
        data = await kit.workspace.read(path)
        texts, total = await asyncio.to_thread(_by_pypdf, pypdf, data, *span)
    except (pypdf.errors.PyPdfError, ValueError, KeyError, RecursionError, TypeError) as error:
        return ToolResult(f"{kit.shown(path)} cannot be read as a PDF: {error}.", is_error=True)
    return _result(kit, path, texts, span[0], total)


def _by_pypdf(pypdf: Any, data: bytes, first: int, last: int) -> tuple[list[str], int]:
    reader = pypdf.PdfReader(io.BytesIO(data))
    total = len(reader.pages)
    return [reader.pages[number].extract_text() for number in range(first - 1, min(last, total))], total


async def _by_command(kit: Kit, path: str, first: int, last: int) -> ToolResult:
    program = kit.which("pdftotext")
    if program is None or not kit.workspace.on_disk:
        return ToolResult(
            f"{kit.shown(path)} is a PDF. To read it install protea[media], or the pdftotext command (poppler-utils).",
            is_error=True,
        )
    # The file comes in by its real path, which begins with a slash: never taken for an option.
    real = (await kit.workspace.stat(path)).path
    argv = (program, "-layout", "-enc", "UTF-8", "-f", str(first), "-l", str(last + 1), real, "-")
    done = await run(kit, argv, seconds=SECONDS, limit=8 << 20)
    if done.code:
        why = shown(done.errors.decode("utf-8", "surrogateescape")).strip().split("\n")[-1]
        return ToolResult(f"{kit.shown(path)} cannot be read as a PDF: {why}", is_error=True)
    texts = done.output.decode("utf-8", "replace").split("\f")
    if texts and not texts[-1].strip():
        texts.pop()
    more = len(texts) > last - first + 1
    return _result(kit, path, texts[: last - first + 1], first, first + len(texts) if more else first + len(texts) - 1)


def _result(kit: Kit, path: str, texts: list[str], first: int, total: int) -> ToolResult:
    if not texts:
        return ToolResult(f"{kit.shown(path)} has {total} pages; there is no page {first}.", is_error=True)
    parts = [f"── page {number}\n{plain(shown(text)).strip()}" for number, text in enumerate(texts, first)]
    last = first + len(texts) - 1
    if not any(text.strip() for text in texts):
        parts.append("[no text on these pages: they may be scanned images]")
    note = (
        f"\n[pages {first}-{last}; there are more: go on with pages {last + 1}-{last + PAGES}]" if last < total else ""
    )
    return ToolResult(cut("\n".join(parts), kit.options.read_characters) + note)


def _span(pages: str | None) -> tuple[int, int] | None:
    if not pages:
        return 1, PAGES
    match = re.fullmatch(r"\s*(\d{1,6})\s*(?:(-|–|\.\.)\s*(\d{1,6})?)?\s*", str(pages))  # noqa: RUF001 - people write it
    if match is None or int(match[1]) < 1:
        return None
    first = int(match[1])
    last = int(match[3]) if match[3] else first if not match[2] else first + PAGES - 1
    return (first, min(last, first + PAGES - 1)) if last >= first else None
