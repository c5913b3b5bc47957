"""Grep: the lines, files or counts that fit a regular expression, sorted by path. By `rg` where it is, else by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protea.adapters.tools import _by_hand
from protea.adapters.tools._files import explained
from protea.adapters.tools._kit import Kit
from protea.adapters.tools._search import Hits, clean, look, parse_lines, relative, ripgrep
from protea.adapters.tools._walk import paths_below
from protea.domain.cut import shorten
from protea.domain.textfile import shown_name
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import Entry, WorkspaceError

LINE = 500
"""Characters of one line that are shown."""


class Query(msgspec.Struct, frozen=True):
    pattern: str
    output: str
    ignore_case: bool
    multiline: bool
    context: int
    limit: int


class Grep:
    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit = self._kit
        query = Query(
            str(arguments["pattern"]),
            str(arguments.get("output", "content")),
            bool(arguments.get("ignore_case")),
            bool(arguments.get("multiline")),
            min(int(arguments.get("context", 0)), 100),
            min(int(arguments.get("limit", kit.options.grep_limit)), 10_000),
        )
        path = kit.absolute(str(arguments.get("path") or "."))
        try:
            entry = await kit.workspace.stat(path)
            if entry.kind not in ("file", "directory"):
                return ToolResult(f"{kit.shown(path)} is a pipe, socket or device, not a file.", is_error=True)
            # A file that is named is searched, whatever it is called: whether it may be was asked before.
            task = _by_hand.Task(
                entry.path,
                entry.kind == "file",
                query.pattern,
                query.ignore_case,
                query.multiline,
                query.context,
                {"content": query.limit, "files": 1}.get(query.output, 0),
                arguments.get("glob"),
                kit.options.unread,
            )
            looked = await self._hits(entry, query, task)
        except WorkspaceError as error:
            return ToolResult(await explained(kit, path, error), is_error=True)
        except ValueError as error:
            return ToolResult(str(error), is_error=True)
        if isinstance(looked, str):
            return ToolResult(looked, is_error=True)
        found, cut = looked
        where = kit.shown(entry.path)
        if not found:
            among = f" (files that fit {arguments['glob']})" if arguments.get("glob") else ""
            return ToolResult(f"Nothing fits in {where}{among}.")
        found.sort(key=lambda hits: hits.path)
        more = "[there is more than was looked through: these are not all; narrow the search by path or glob]"
        if entry.kind == "file":
            return ToolResult("\n".join((self._text(entry, found, query, cut), *((more,) if cut else ()))))
        readable = _readable(found, entry.path, query.limit, context)
        left_out = len(found) - len(readable)
        said = f"[{left_out} more left out: they may not be read]" if left_out else ""
        if not readable:
            return ToolResult(said or f"Nothing fits in {where}.")
        parts = (self._text(entry, readable, query, cut), more if cut else "", said)
        return ToolResult("\n".join(part for part in parts if part))

    async def _hits(self, entry: Entry, query: Query, task: _by_hand.Task) -> tuple[list[Hits], bool] | str:
        """What fits, and whether it is cut off because there is too much; or what went wrong."""
        kit, wanted = self._kit, task.filter()
        found = _by_hand.small(task) if kit.workspace.on_disk else None
        if found is not None:
            return found, False
        done = await ripgrep(kit, entry.path, _arguments(query), wanted)
        if done is not None:
            if done.late:
                return "The search took too long and was ended. Narrow it by path or glob."
            output = done.output
            if done.cut:  # its last record is a part of one
                output = output[: output.rfind(b"\0" if query.output == "files" else b"\n") + 1]
            if query.output == "files":
                names = [relative(path, entry.path) for path in output.split(b"\0") if path]
                hits = [Hits(name, 1, []) for name in names]
            elif query.output == "count":
                hits = _counts(output, entry.path)
            else:
                hits = list(parse_lines(output, entry.path))
            return [each for each in hits if wanted.wants(each.path)], done.cut
        if kit.workspace.on_disk:
            by_hand = await _by_hand.search(kit, task)
            return by_hand if isinstance(by_hand, str) else (by_hand, False)
        pattern = task.compiled()
        single = entry.kind == "file"
        names = [entry.path.rpartition("/")[2]] if single else await paths_below(kit, entry.path)
        hits = []
        for name in names:
            if wanted.wants(name):
                data = await kit.workspace.read(entry.path if single else f"{entry.path}/{name}")
                here = look(data, pattern, name, query.context, task.most)
                hits += [here] if here else []
        return hits, False

    def _text(self, entry: Entry, found: Sequence[Hits], query: Query, cut: bool) -> str:
        kit = self._kit
        if entry.kind == "file":
            prefix = kit.shown(entry.path).removesuffix(found[0].path)
        else:
            prefix = "" if entry.path == kit.cwd else kit.shown(entry.path).rstrip("/") + "/"
        if query.output == "content":
            return self._lines(prefix, found, query, "more than " if cut else "")
        rows = [
            shown_name(prefix + hits.path) + (f":{hits.count}" if query.output == "count" else "") for hits in found
        ]
        kept = _within(rows[: query.limit], kit.options.search_characters)
        if len(kept) < len(rows):
            kept.append(f"[the first {len(kept):,} of {len(rows):,} files; narrow the search to see others]")
        elif query.output == "count":
            kept.append(f"[{sum(hits.count for hits in found):,} in {len(found):,} files]")
        return "\n".join(kept)

    def _lines(self, prefix: str, found: Sequence[Hits], query: Query, least: str) -> str:
        budget = self._kit.options.search_characters
        rows: list[str] = []
        shown = 0
        full = False
        for hits in found:
            last = 0
            name = shown_name(prefix + hits.path)
            for number, hit, text in hits.rows:
                if hit and shown >= query.limit:
                    full = True
                    break
                row = f"{name}:{number}:{shorten(clean(text), LINE)}" if hit else ""
                row = row or f"{name}-{number}-{shorten(clean(text), LINE)}"
                budget -= len(row) + 1
                if budget < 0 and shown:
                    full = True
                    break
                if query.context and rows and number != last + 1:
                    rows.append("--")
                rows.append(row)
                shown += hit
                last = number
            if full:
                break
        total = sum(hits.count for hits in found)
        if full or (shown < total and not query.multiline):
            rows.append(
                f"[the first {shown:,} of {least}{total:,} lines, in {len(found):,} files; "
                "narrow the search, or ask for output files or count]"
            )
        return "\n".join(rows)


def _readable(found: Sequence[Hits], root: str, most: int, context: ToolContext) -> list[Hits]:
    """Those the rules let be read. Asked for as many as are shown; of the others only the number is told."""
    kept: list[Hits] = []
    for at, hits in enumerate(found):
        if len(kept) >= most:
            return [*kept, *found[at:]]
        if context.may_read(f"{root}/{hits.path}"):
            kept.append(hits)
    return kept


def _arguments(query: Query) -> tuple[str, ...]:
    form = {"files": ("--files-with-matches",), "count": ("--count", "--with-filename")}.get(
        query.output, ("--line-number", "--with-filename", "--no-heading")
    )
    return (
        *form,
        "--crlf",
        *(("--ignore-case",) if query.ignore_case else ()),
        *(("--multiline", "--multiline-dotall") if query.multiline else ()),
        *((f"--context={query.context}",) if query.context and query.output == "content" else ()),
        f"--regexp={query.pattern}",
    )


def _counts(output: bytes, top: str) -> list[Hits]:
    found = []
    for line in output.split(b"\n"):
        path, zero, count = line.rpartition(b"\0")
        if zero and count.strip().isdigit():  # with --crlf a carriage return follows
            found.append(Hits(relative(path, top), int(count), []))
    return found


def _within(rows: Sequence[str], budget: int) -> list[str]:
    kept: list[str] = []
    for row in rows:
        budget -= len(row) + 1
        if budget < 0 and kept:
            break
        kept.append(row)
    return kept
