"""Read: text by lines, images, PDFs, notebooks, directories."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._files import explained
from protea.adapters.tools._images import kind_of, shrunk
from protea.adapters.tools._kit import Kit
from protea.domain.cut import shorten
from protea.domain.messages import Image
from protea.domain.plain import plain
from protea.domain.textfile import binary, decode, shown, shown_name
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import Entry, WorkspaceError

BEGINNING = 8192
"""Bytes of every file that are read first, to see what it is."""
WHOLE = 16 << 20
"""Bytes up to which a file is read at once; of a larger one only the lines that are asked for."""
PIECE = 1 << 20

KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "an ELF program or library"),
    (b"PK\x03\x04", "a ZIP archive (or a document, jar or wheel made of one)"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\xca\xfe\xba\xbe", "a Java class or a Mach-O file"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program or library"),
    (b"MZ", "a Windows program or library"),
    (b"\0asm", "WebAssembly"),
    (b"ID3", "an MP3"),
    (b"OggS", "Ogg media"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"BM", "a BMP image"),
)


class Read:
    """Tells by what is in a file, not by its name, how to show it."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = self._kit.absolute(str(arguments["path"]))
        try:
            entry = await self._kit.workspace.stat(path)
            if entry.kind == "directory":
                return await self._directory(path, entry)
            start = await self._kit.workspace.read(path, size=BEGINNING)
            result = await self._file(path, entry, start, arguments)
        except WorkspaceError as error:
            return ToolResult(await explained(self._kit, path, error), is_error=True)
        if not result.is_error:
            self._kit.seen[entry.path] = entry
        return result

    async def _file(self, path: str, entry: Entry, start: bytes, arguments: Mapping[str, Any]) -> ToolResult:
        image = kind_of(start)
        if image:
            return await self._image(path, entry, image)
        if start.startswith(b"%PDF-"):
            from protea.adapters.tools import _pdf  # PDFs are rare, and reading one is a page of code

            return await _pdf.read(self._kit, path, arguments.get("pages"))
        if entry.path.endswith(".ipynb") and "offset" not in arguments and entry.size < WHOLE:
            from protea.adapters.tools import _notebook

            found = _notebook.shown(await self._kit.workspace.read(path), self._kit.options.read_characters)
            if found is not None:
                return found
        if binary(start):
            kind = next((name for magic, name in KINDS if start.startswith(magic)), "a binary file")
            return ToolResult(
                f"{self._kit.shown(path)} is {kind}, {entry.size:,} bytes; it cannot be shown as text.", is_error=True
            )
        return await self._text(path, entry, start, arguments)

    async def _directory(self, path: str, entry: Entry) -> ToolResult:
        entries = await self._kit.workspace.list(path)
        limit = self._kit.options.glob_limit
        names = [each.name + {"directory": "/", "link": "@"}.get(each.kind, "") for each in entries]
        names.sort(key=lambda name: (not name.endswith("/"), name))
        more = f"\n… and {len(names) - limit} more" if len(names) > limit else ""
        head = f"{self._kit.shown(entry.path)} is a directory" + (" with:" if names else ", and empty.")
        return ToolResult("\n".join([head, *map(shown_name, names[:limit])]) + more)

    async def _image(self, path: str, entry: Entry, kind: str) -> ToolResult:
        limit = self._kit.options.image_bytes
        data = await self._kit.workspace.read(path)
        note = ""
        if entry.size > limit:
            smaller = shrunk(data, limit)
            if smaller is None:
                return ToolResult(
                    f"{self._kit.shown(path)} is an image of {entry.size:,} bytes; at most {limit:,} can be shown. "
                    "Make a smaller copy of it, or install protea[media] so that it is made smaller here.",
                    is_error=True,
                )
            kind, data, note = smaller
        return ToolResult(
            f"{self._kit.shown(path)}: {kind}, {entry.size:,} bytes{note}.",
            images=(Image(kind, binascii.b2a_base64(data, newline=False).decode()),),
        )

    # ── text ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _text(self, path: str, entry: Entry, start: bytes, arguments: Mapping[str, Any]) -> ToolResult:
        offset = int(arguments.get("offset", 1))
        limit = min(int(arguments.get("limit", self._kit.options.read_lines)), 100_000)
        if start and len(start) < BEGINNING:
            data = start  # that is all of it, as nearly all files are short
        elif entry.size == 0:
            data = await self._kit.workspace.read(path, size=WHOLE)  # files of /proc and kin say 0 and have content
            if not data:
                return ToolResult(f"{self._kit.shown(path)} is empty.")
        elif entry.size <= WHOLE:
            data = await self._kit.workspace.read(path)
        else:
            return await self._long(path, entry, offset, limit)
        text = decode(data).text
        lines = text.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        first = max(1, len(lines) + 1 + offset) if offset < 0 else max(1, offset)
        if first > len(lines):
            return ToolResult(
                f"{self._kit.shown(path)} has {len(lines)} lines; there is no line {first}.", is_error=True
            )
        rows, last = self._rows(lines[first - 1 : first - 1 + limit], first)
        note = ""
        if last < len(lines):
            note = f"\n[lines {first}-{last} of {len(lines)}; go on with offset {last + 1}]"
        elif first > 1:
            note = f"\n[lines {first}-{last} of {len(lines)}, the end]"
        return ToolResult(rows + note)

    def _rows(self, lines: list[str], first: int) -> tuple[str, int]:
        """Numbered lines, as many as fit, and the number of the last."""
        rows: list[str] = []
        size = 0
        for number, line in enumerate(lines, first):
            row = f"{number}\t{shorten(plain(shown(line.removesuffix(chr(13)))), self._kit.options.line_characters)}"
            size += len(row) + 1
            if rows and size > self._kit.options.read_characters:
                return "\n".join(rows), number - 1
            rows.append(row)
        return "\n".join(rows), first + len(rows) - 1

    async def _long(self, path: str, entry: Entry, offset: int, limit: int) -> ToolResult:
        """The wanted lines of a file too long to hold, found by counting line feeds piece by piece."""
        first = offset
        if offset < 0:
            first = max(1, await self._count(path, entry.size) + 1 + offset)
        first = max(1, first)
        line, at = 1, 0
        kept = bytearray()
        budget = 4 * self._kit.options.read_characters + PIECE
        while at < entry.size and (line < first or (kept.count(b"\n") < limit and len(kept) < budget)):
            piece = await self._kit.workspace.read(path, start=at, size=PIECE)
            if not piece:
                break
            at += len(piece)
            if line < first:
                count = piece.count(b"\n")
                if line + count < first:
                    line += count
                    continue
                cut_at = 0
                while line < first:
                    cut_at = piece.index(b"\n", cut_at) + 1
                    line += 1
                piece = piece[cut_at:]
            kept += piece
        if line < first or not kept:
            return ToolResult(f"{self._kit.shown(path)} has {line - 1} lines; there is no line {first}.", is_error=True)
        lines = decode(bytes(kept)).text.split("\n")
        if lines[-1] == "" or (at < entry.size and len(lines) > 1):
            lines.pop()
        rows, last = self._rows(lines[:limit], first)
        more = at < entry.size or last - first + 1 < len(lines)
        note = f"\n[lines {first}-{last} of a file of {entry.size:,} bytes"
        return ToolResult(rows + note + (f"; go on with offset {last + 1}]" if more else ", the end]"))

    async def _count(self, path: str, size: int) -> int:
        lines, last = 0, b"\n"
        for at in range(0, size, PIECE):
            last = await self._kit.workspace.read(path, start=at, size=PIECE)
            lines += last.count(b"\n")
        return lines + (not last.endswith(b"\n"))
