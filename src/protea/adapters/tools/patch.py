"""Patch: change any number of files at once, all of them or none."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.tools._files import difference, existing, explained, judged
from protea.adapters.tools._kit import Kit
from protea.domain.patch import FileChange, PatchError, apply, created, parse
from protea.domain.textfile import binary, decode, encode, shown_name
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import Entry, WorkspaceError

NAMED = 200
"""Files a result names."""


class Step(msgspec.Struct, frozen=True):
    """One file as it was and as it will be; None where it is not."""

    path: str
    old: bytes | None
    new: bytes | None
    expect: Entry | None


class Patch:
    """First everything is read and computed, then written; should a write fail, what was written is put back."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        try:
            steps: dict[str, Step] = {}
            for change in parse(str(arguments["patch"])):
                await self._plan(change, steps)
        except (PatchError, UnicodeEncodeError) as error:
            return ToolResult(f"Nothing was changed. {error}", is_error=True)
        if all(step.old == step.new for step in steps.values()):
            names = ", ".join(shown_name(self._kit.shown(path)) for path in list(steps)[:5])
            return ToolResult(f"Nothing was changed: what the patch puts into {names} is there already.", is_error=True)
        trouble = await self._write(list(steps.values()))
        if trouble:
            return ToolResult(trouble, is_error=True)
        lines, diffs = [], []
        for step in steps.values():
            diff, words = difference(self._kit, step.old, step.new, step.path)
            verb = "Created" if step.old is None else "Deleted" if step.new is None else "Changed"
            lines.append(f"{verb} {shown_name(self._kit.shown(step.path))} ({words})")
            diffs.append(diff)
        if len(lines) > NAMED:
            lines[NAMED:] = [f"… and {len(lines) - NAMED} more files"]
        result = ToolResult("\n".join(lines), diff="".join(diffs) or None)
        real = [(step.path, step.old, step.new) for step in steps.values()]
        return await judged(self._kit, result, real)

    async def _plan(self, change: FileChange, steps: dict[str, Step]) -> None:
        path = self._kit.absolute(change.path)
        current = await self._now(path, steps)
        if change.action == "add":
            if current.new is not None and current.new != created(change).encode():
                raise PatchError(f"{change.path} is to be added and exists already: update it instead.")
            steps[path] = replace(current, new=created(change).encode("utf-8", "surrogatepass"))
            return
        if current.new is None:
            error = WorkspaceError("missing", f"{change.path} does not exist.")
            raise PatchError(await explained(self._kit, path, error))
        if change.action == "delete":
            if change.hunks and apply(decode(current.new).text, change):
                raise PatchError(f"{change.path} is to be removed and holds more than the patch says: it has changed.")
            steps[path] = replace(current, new=None)
            return
        new = current.new
        if change.hunks:
            if binary(new):
                raise PatchError(f"{change.path} is not a text file.")
            file = decode(new)
            new = encode(replace(file, text=apply(file.text, change)))
        if change.move_to is None or self._kit.absolute(change.move_to) == path:
            steps[path] = replace(current, new=new)
            return
        target = await self._now(self._kit.absolute(change.move_to), steps)
        if target.new is not None:
            raise PatchError(f"{change.path} is to be moved to {change.move_to}, which exists already.")
        steps[path] = replace(current, new=None)
        steps[target.path] = replace(target, new=new)

    async def _now(self, path: str, steps: dict[str, Step]) -> Step:
        if path in steps:
            return steps[path]
        try:
            found = await existing(self._kit, path)
        except WorkspaceError as error:
            raise PatchError(str(error)) from error
        return Step(path, found[1], found[1], found[0]) if found else Step(path, None, None, None)

    async def _write(self, steps: list[Step]) -> str | None:
        """Write everything; None, or why nothing was."""
        done: list[Step] = []
        try:
            for step in steps:
                if step.new is None and step.old is not None:
                    await self._kit.workspace.remove(step.path)
                elif step.new is not None and step.new != step.old:
                    entry = await self._kit.workspace.write(step.path, step.new, expect=step.expect)
                    self._kit.seen[entry.path] = entry
                done.append(step)
        except WorkspaceError as error:
            lost = []
            for step in reversed(done):
                try:
                    await self._put_back(step)
                except WorkspaceError:
                    lost.append(self._kit.shown(step.path))
            kept = f" These could not be put back: {', '.join(lost)}." if lost else ""
            return f"Nothing was changed. {error}{kept}"
        return None

    async def _put_back(self, step: Step) -> None:
        if step.old is None:
            with contextlib.suppress(WorkspaceError):
                await self._kit.workspace.remove(step.path)
        elif step.old != step.new:
            entry = await self._kit.workspace.write(step.path, step.old)
            self._kit.seen[entry.path] = entry
