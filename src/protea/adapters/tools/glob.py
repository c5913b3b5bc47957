"""Glob: the files whose path fits a pattern, sorted by path.

By path and not by time: the same answer to the same question keeps the cached prefix, and needs no look at each file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._files import explained
from protea.adapters.tools._kit import Kit
from protea.adapters.tools._search import Filter, filter_for, in_thread, ripgrep, split
from protea.adapters.tools._walk import paths_below
from protea.adapters.walking.disk import Stop, files_below
from protea.domain.textfile import shown_name
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import WorkspaceError

SMALL = 1000
"""Files up to which walking by hand is quicker than to start `rg`."""


class Glob:
    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit = self._kit
        folder, pattern = split(str(arguments["pattern"]))
        asked = kit.absolute(str(arguments.get("path") or "."))
        top = f"{asked}/{folder}" if folder and not folder.startswith(("/", "~")) else kit.absolute(folder or asked)
        try:
            wanted = filter_for((), pattern)
            try:
                entry = await kit.workspace.stat(top)
            except WorkspaceError as error:
                if error.trouble != "missing" or not folder:
                    raise
                return ToolResult(f"No file fits {arguments['pattern']}: there is no directory {folder}.")
        except ValueError as error:
            return ToolResult(f"{error}", is_error=True)
        except WorkspaceError as error:
            return ToolResult(await explained(kit, top, error), is_error=True)
        if entry.kind != "directory":
            return ToolResult(f"{kit.shown(entry.path)} is a file; give a directory.", is_error=True)
        paths = sorted(await self._paths(entry.path, wanted))
        if not paths:
            return ToolResult(f"No file fits {arguments['pattern']} in {kit.shown(entry.path)}.")
        return ToolResult(self._text(entry.path, paths))

    async def _paths(self, top: str, wanted: Filter) -> list[str]:
        kit = self._kit
        if kit.workspace.on_disk:
            found, files = [], 0
            for _, folder, names in files_below(top, Stop()):
                files += len(names)
                if files > SMALL:
                    break
                found += [folder + name for name in names if wanted.wants(folder + name)]
            else:
                return found
        done = await ripgrep(kit, top, ("--files",), wanted)
        if done is not None:
            cut = len(top.rstrip("/")) + 1  # rg names files by the path it was given
            found = [path[cut:] for path in done.output.decode("utf-8", "surrogateescape").split("\0")]
            return [path for path in found if path and wanted.wants(path)]
        if not kit.workspace.on_disk:
            return [path for path in await paths_below(kit, top) if wanted.wants(path)]

        def walk(stop: Stop) -> list[str]:
            return [
                folder + name
                for _, folder, names in files_below(top, stop)
                for name in names
                if wanted.wants(folder + name)
            ]

        return await in_thread(walk)

    def _text(self, top: str, paths: list[str]) -> str:
        limit, budget = self._kit.options.glob_limit, self._kit.options.search_characters
        prefix = "" if top == self._kit.cwd else self._kit.shown(top).rstrip("/") + "/"
        lines: list[str] = []
        for path in paths[:limit]:
            line = shown_name(prefix + path)
            budget -= len(line) + 1
            if budget < 0 and lines:
                break
            lines.append(line)
        if len(lines) < len(paths):
            lines.append(f"[the first {len(lines):,} of {len(paths):,} files; narrow the pattern to see others]")
        return "\n".join(lines)
