"""Tools from single Python files: every public function with a docstring and annotations is one. `EXAMPLES`, where a
file has it, maps their names to the arguments of a call that works, which help on them shows.

The files are read when the toolset is made (of a project only what a person has looked at), and run when its tools are
first asked for.
"""

from __future__ import annotations

import inspect
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import msgspec

from protea.adapters.tools.functions import FunctionTool
from protea.domain.permission.effects import EFFECTS, HARMLESS, NEVER, UNATTENDED
from protea.domain.permission.rules import KNOWN_TOOLS
from protea.domain.surroundings import Surroundings, tool_folders
from protea.domain.tools import Effect, ToolSpec

LARGEST = 1 << 20
"""Bytes of a file."""
MANY = 24
"""Tools of files that every request tells the model of; where there are more, it has to look for them (ToolSearch)."""
MOST = 100
"""Files of a folder that are read."""
ANYTHING: tuple[Effect, ...] = ("proc.exec", "fs.read", "fs.write", "net.egress")
"""Nobody knows what a function does."""
_RESERVED = frozenset(name.lower() for name in (*EFFECTS, *HARMLESS, *NEVER, *UNATTENDED, *KNOWN_TOOLS))
"""Rules and the engine know these names, and what they know would not be true of another tool."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folders: tuple[str, ...] = ()
    """More folders of such files, absolute; they come before all others."""


class FileToolset:
    """`Toolset` of what lies in the person's own folder and in that of a trusted project; of a name the nearest."""

    def __init__(self, sources: Sequence[tuple[str, bytes | str]]) -> None:
        """`sources` are (path, what it says); a `str` says why that cannot be read."""
        self.sources = list(sources)
        self._tools: dict[str, FunctionTool] | None = None
        self._files: dict[str, str] = {}
        self.problems: tuple[str, ...] = ()
        """What is no tool although it might be meant as one, a line each, with file and line."""

    def load(self, taken: Collection[str] = ()) -> Sequence[str]:
        """Run the files, once; the problems. Tools of the names `taken` are left out. Of many the model is told once it
        has looked for them, where there is ToolSearch to do so."""
        if self._tools is not None:
            return self.problems
        tools: dict[str, FunctionTool] = {}
        problems: list[str] = []
        reserved = _RESERVED | {name.lower() for name in taken}
        for path, source in self.sources:
            found = _run(path, source)
            if isinstance(found, str):
                problems.append(found)
                continue
            examples = vars(found).get("EXAMPLES")
            for function in _public(found):
                name, where = function.__name__, f"{path}:{function.__code__.co_firstlineno}"
                tool = _made(function)
                if isinstance(tool, FunctionTool) and isinstance(examples, Mapping) and name in examples:
                    wrong = _misfit(examples[name], tool.spec)
                    problems += [f"{where}: the example of {name} is left out: {wrong}"] if wrong else []
                    tool = tool if wrong else _made(function, examples[name])
                if name in tools:
                    problems.append(f"{where}: {name} is left out: {self._files[name]} has a tool of that name")
                elif name.lower() in reserved or name.startswith("mcp__"):
                    problems.append(f"{where}: {name} is left out: another tool is called so")
                elif isinstance(tool, str):
                    problems.append(f"{where}: {name} cannot be a tool: {tool}")
                else:
                    tools[name], self._files[name] = tool, path
        if len(tools) > MANY and "ToolSearch" in taken:
            for tool in tools.values():
                tool.defer()
        self._tools, self.problems = tools, tuple(problems)
        return self.problems

    def files(self) -> Mapping[str, str]:
        """Tool → the file it comes from."""
        self.load()
        return self._files

    def specs(self) -> Sequence[ToolSpec]:
        self.load()
        return tuple(tool.spec for tool in (self._tools or {}).values())

    def tool(self, name: str) -> FunctionTool | None:
        self.load()
        return (self._tools or {}).get(name)

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        return None  # nobody knows what a function does

    @property
    def cwd(self) -> str | None:
        return None

    async def aclose(self) -> None:
        """Nothing is open."""


def _run(path: str, source: bytes | str) -> ModuleType | str:
    """The file as a module, or what is wrong with it.

    Its text is compiled here and not imported: compiled files that lie beside it are nothing anybody has looked at.
    """
    if isinstance(source, str):
        return f"{path}: {source}"
    name = "protea_tools_" + re.sub(r"\W", "_", path)
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module  # annotations of classes are looked up there
    try:
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except BaseException as fault:
        sys.modules.pop(name, None)
        if isinstance(fault, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise  # somebody has pressed Ctrl+C, as far as anybody can tell
        words = fault.msg if isinstance(fault, SyntaxError) else str(fault)
        return f"{path}:{_line(fault, path)}: {type(fault).__name__}: {words}; none of its tools can be used"
    return module


def _line(fault: BaseException, path: str) -> int:
    """The last line of the file that had to do with it."""
    if isinstance(fault, SyntaxError) and fault.filename == path and fault.lineno:
        return fault.lineno
    line, frame = 1, fault.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == path:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _public(module: ModuleType) -> Iterator[Any]:
    """Its functions that are meant for others, in the order of the file."""
    for name, value in list(vars(module).items()):
        if name.startswith("_") or not inspect.isfunction(value) or value.__module__ != module.__name__:
            continue
        parameters = [each for each in inspect.signature(value).parameters.values() if each.name != "context"]
        if value.__doc__ and all(each.annotation is not inspect.Parameter.empty for each in parameters):
            yield value


def _misfit(example: Any, spec: ToolSpec) -> str:
    """What is wrong with an example; nothing where it fits."""
    from protea.domain.schema import problems  # few files bring any

    try:
        return "; ".join(problems(msgspec.json.decode(msgspec.json.encode(example)), spec.parameters))
    except (msgspec.MsgspecError, TypeError, RecursionError) as fault:
        return f"it cannot be JSON: {fault}"


def _made(function: Any, example: Any = None) -> FunctionTool | str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", function.__name__):
        return "its name has other characters than a tool's may have, or more than 64"
    try:
        return FunctionTool(function, effects=ANYTHING, thread=True, example=example)
    except Exception as fault:
        return f"{type(fault).__name__}: {fault}"


def _read(folder: str) -> Iterator[tuple[str, bytes | str]]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py") and name[0] not in "._")
    except OSError:
        return
    for name in names[:MOST]:
        path = os.path.join(folder, name)
        try:
            # O_NONBLOCK: a FIFO is opened at once, and then refused.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                whole = stat.S_ISREG(os.fstat(descriptor).st_mode) and os.fstat(descriptor).st_size <= LARGEST
                yield path, file.read(LARGEST) if whole else "it is no file, or larger than 1 MiB"
        except OSError as error:
            yield path, f"it cannot be read: {(error.strerror or str(error)).lower()}"


def create(options: Options, *, surroundings: Surroundings) -> FileToolset:
    folders = dict.fromkeys(map(os.path.realpath, (*options.folders, *tool_folders(surroundings))))
    sources = []
    for folder in folders:
        for path, data in _read(folder):
            # What is run is what was looked at: these very bytes.
            seen = isinstance(data, str) or surroundings.vouches(path, data)
            sources.append((path, data if seen else "it is not as you trusted it; `protea trust` shows the difference"))
    return FileToolset(sources)
