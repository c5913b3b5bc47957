"""The built-in tools: their names and schemas as data, their code imported when one is first called.

Every word here is sent with every request, so there are few. What a tool promises in full is in docs/tools.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from protea.adapters.tools._kit import Kit, Options
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolSpec
from protea.ports.sandbox import Sandbox
from protea.ports.toolset import Tool, Toolset
from protea.ports.workspace import Workspace

__all__ = ["Options", "create", "specs"]


def _object(required: str = "", **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


def _text(description: str = "") -> dict[str, Any]:
    return {"type": "string", "description": description} if description else {"type": "string"}


def _whole(description: str = "", minimum: int = 0) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "integer", "minimum": minimum}
    return {**number, "description": description} if description else number


def _seconds(description: str) -> dict[str, Any]:
    return {"type": "number", "exclusiveMinimum": 0, "description": description}


def _flag(description: str = "") -> dict[str, Any]:
    return {"type": "boolean", "description": description} if description else {"type": "boolean"}


def _choice(*names: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_PATH = {"file_path": "path", "filepath": "path", "filename": "path", "file": "path", "target_file": "path"}
_FOLDER = {"directory": "path", "dir": "path", "dir_path": "path", "target_directory": "path"}
_STRINGS = {
    "old_str": "old_string",
    "new_str": "new_string",
    "oldText": "old_string",
    "newText": "new_string",
    "old_text": "old_string",
    "new_text": "new_string",
    "search": "old_string",
    "replace": "new_string",
}

SPECS: tuple[tuple[str, ToolSpec], ...] = (
    (
        "protea.adapters.tools.bash:Bash",
        ToolSpec(
            name="Bash",
            description="Run a shell command. cd lasts; other shell state does not. Nothing can be typed in. Processes "
            "left running are ended with the command: for servers and the like use background. "
            "To read, find, search or edit files use the other tools.",
            parameters=_object(
                "command",
                command=_text(),
                timeout=_seconds("Seconds; default 120, at most 600"),
                background=_flag("Return at once with an id for BashOutput and KillShell"),
                description=_text("What it does, in a few words"),
            ),
            effects=("proc.exec",),
            aliases={
                "cmd": "command",
                "script": "command",
                "run_in_background": "background",
                "is_background": "background",
                "timeout_seconds": "timeout",
                "timeout_ms": "timeout",
            },
        ),
    ),
    (
        "protea.adapters.tools.bash:BashOutput",
        ToolSpec(
            name="BashOutput",
            description="What a background command has written since last asked, and whether it still runs.",
            parameters=_object("id", id=_text(), wait=_seconds("Seconds to wait for news")),
            aliases={"bash_id": "id", "shell_id": "id", "task_id": "id", "timeout": "wait"},
        ),
    ),
    (
        "protea.adapters.tools.bash:KillShell",
        ToolSpec(
            name="KillShell",
            description="End a background command.",
            parameters=_object("id", id=_text()),
            aliases={"bash_id": "id", "shell_id": "id", "task_id": "id"},
        ),
    ),
    (
        "protea.adapters.tools.read:Read",
        ToolSpec(
            name="Read",
            description="Read a file: text as `number<tab>line`, images, PDFs, notebooks; or list a directory.",
            parameters=_object(
                "path",
                path=_text(),
                offset=_whole("First line, from 1; negative: from the end", -1_000_000_000),
                limit=_whole("Lines; default 2000", 1),
                pages=_text("Of a PDF: 1-5 or 3"),
            ),
            effects=("fs.read",),
            parallel=True,
            aliases={**_PATH, "start_line": "offset", "start": "offset", "line_count": "limit", "page_range": "pages"},
        ),
    ),
    (
        "protea.adapters.tools.write:Write",
        ToolSpec(
            name="Write",
            description="Create a file or replace all of it. To change part of one use Edit.",
            parameters=_object("path content", path=_text(), content=_text()),
            effects=("fs.write",),
            aliases={**_PATH, "text": "content", "contents": "content", "file_text": "content", "data": "content"},
        ),
    ),
    (
        "protea.adapters.tools.edit:Edit",
        ToolSpec(
            name="Edit",
            description="Replace old_string, exactly as in the file (without line numbers) and there once, by "
            "new_string. Or several in one go, all or none: edits.",
            parameters=_object(
                "path",
                path=_text(),
                old_string=_text(),
                new_string=_text(),
                replace_all=_flag(),
                edits=_list(
                    _object("old_string new_string", old_string=_text(), new_string=_text(), replace_all=_flag())
                ),
            ),
            effects=("fs.write",),
            aliases={**_PATH, **_STRINGS, "replaceAll": "replace_all", "expand_all": "replace_all"},
        ),
    ),
    (
        "protea.adapters.tools.patch:Patch",
        ToolSpec(
            name="Patch",
            description="Apply a patch to any number of files, all or none: a unified diff, or *** Begin Patch with "
            "*** Add|Update|Delete File: lines.",
            parameters=_object("patch", patch=_text()),
            effects=("fs.write",),
            aliases={"diff": "patch", "input": "patch", "patch_text": "patch", "patchText": "patch"},
        ),
    ),
    (
        "protea.adapters.tools.glob:Glob",
        ToolSpec(
            name="Glob",
            description="List files whose path fits a glob (**/*.py, src/**/*.{ts,tsx}), sorted. Ignored files are "
            "left out.",
            parameters=_object("pattern", pattern=_text(), path=_text("Directory; default the current one")),
            effects=("fs.read",),
            parallel=True,
            aliases={**_FOLDER, "glob": "pattern", "glob_pattern": "pattern"},
        ),
    ),
    (
        "protea.adapters.tools.grep:Grep",
        ToolSpec(
            name="Grep",
            description="Search file contents for a regular expression. Ignored and binary files are left out.",
            parameters=_object(
                "pattern",
                pattern=_text(),
                path=_text("File or directory; default the current one"),
                glob=_text("Only files that fit"),
                output={**_choice("content", "files", "count"), "description": "Default content: path:line:text"},
                ignore_case=_flag(),
                context=_whole("Lines around each hit"),
                limit=_whole("Most lines or files shown; default 200", 1),
                multiline=_flag("Match across lines"),
            ),
            effects=("fs.read",),
            parallel=True,
            aliases={
                **_FOLDER,
                "query": "pattern",
                "regex": "pattern",
                "include": "glob",
                "file_pattern": "glob",
                "include_pattern": "glob",
                "-i": "ignore_case",
                "case_insensitive": "ignore_case",
                "-C": "context",
                "head_limit": "limit",
                "max_results": "limit",
            },
        ),
    ),
    (
        "protea.adapters.tools.todo:TodoWrite",
        ToolSpec(
            name="TodoWrite",
            description="Keep the plan of work with several steps: the whole list each time, one step in_progress.",
            parameters=_object(
                "items",
                items=_list(
                    _object("text status", text=_text(), status=_choice("pending", "in_progress", "done")),
                ),
            ),
            aliases={"todos": "items", "plan": "items", "todo_list": "items"},
        ),
    ),
    (
        "protea.adapters.tools.ask:AskUser",
        ToolSpec(
            name="AskUser",
            description="Ask the person, when only they can decide.",
            parameters=_object("question", question=_text(), options=_list(_text())),
            effects=("ask",),
            aliases={"text": "question", "prompt": "question", "choices": "options"},
        ),
    ),
)


def specs(options: Options) -> tuple[ToolSpec, ...]:
    """The tools that are chosen, in their fixed order. Raises `ConfigError` for a name there is not."""
    known = [spec.name for _, spec in SPECS]
    for name in (*options.only, *options.without):
        if name not in known:
            from protea.domain.errors import ConfigError

            raise ConfigError(f"there is no built-in tool {name!r}; there are {', '.join(known)}")
    return tuple(
        spec
        for _, spec in SPECS
        if (not options.only or spec.name in options.only) and spec.name not in options.without
    )


def create(options: Options, *, workspace: Workspace, sandbox: Sandbox, surroundings: Surroundings) -> Toolset:
    """The tools for one session. Opens and starts nothing."""
    return BuiltinToolset(specs(options), Kit(options, workspace, sandbox, surroundings))


class BuiltinToolset:
    """`Toolset` of one session: its tools share a working directory and what was read."""

    def __init__(self, chosen: Sequence[ToolSpec], kit: Kit) -> None:
        self._specs = tuple(chosen)
        self._kit = kit
        self._places: Mapping[str, str] = {spec.name: place for place, spec in SPECS}
        self._tools: dict[str, Tool] = {}

    def specs(self) -> Sequence[ToolSpec]:
        return self._specs

    def tool(self, name: str) -> Tool | None:
        if name not in self._tools:
            spec = next((each for each in self._specs if each.name == name), None)
            if spec is None:
                return None
            self._tools[name] = self._made(spec, self._kit)
        return self._tools[name]

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        spec = next((each for each in self._specs if each.name == name and "fs.write" in each.effects), None)
        if spec is None:
            return None
        from protea.adapters.tools._dry import preview, still  # only where a person is asked

        return await preview(self._made(spec, still(self._kit, may_read)), arguments)

    def _made(self, spec: ToolSpec, kit: Kit) -> Tool:
        module, _, attribute = self._places[spec.name].partition(":")
        made: Tool = getattr(importlib.import_module(module), attribute)(spec, kit)
        return made

    @property
    def cwd(self) -> str | None:
        return self._kit.cwd

    async def aclose(self) -> None:
        await self._kit.aclose()


def size(options: Options = Options()) -> int:  # noqa: B008 - frozen
    """Bytes of JSON that all descriptions and schemas together cost."""
    shown = [{"name": s.name, "description": s.description, "parameters": s.parameters} for s in specs(options)]
    return len(msgspec.json.encode(shown))
