"""The built-in tools alone, and one from a function: call them as a model would, without one.

Needs msgspec.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from protea.adapters.sandbox import none as no_sandbox
from protea.adapters.search import none as no_search
from protea.adapters.tools import builtin
from protea.adapters.tools.functions import FunctionToolset
from protea.adapters.web import none as no_web
from protea.adapters.workspace import disk
from protea.domain.looking_back import Recalled
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import Toolset


class Context:
    """What a call may use of its surroundings."""

    session, call_id, answer = "demo", "c1", None
    writes: Literal["kept", "discarded", "refused"] = "kept"
    beside = None

    def __init__(self, folder: str, toolset: Toolset) -> None:
        self._folder, self._toolset = folder, toolset

    def say(self, text: str, stream: str = "stdout") -> None:
        print("  |", text.rstrip("\n").replace("\n", "\n  | "))

    def may_read(self, path: str) -> bool:
        return True

    async def recall(self, wanted: str, limit: int) -> Sequence[Recalled]:
        return ()

    def tools(self) -> Sequence[ToolSpec]:
        return self._toolset.specs()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        tool = self._toolset.tool(name)
        return await tool.run(arguments, self) if tool else ToolResult(f"There is no {name}.", is_error=True)

    def output_path(self, suffix: str = ".txt") -> str:
        return os.path.join(self._folder, f"{self.call_id}{suffix}")


def multiply(a: int, b: int) -> str:
    """The product of two numbers."""
    return str(a * b)


async def main(project: str) -> None:
    around = Surroundings(
        cwd=project, root=project, user_home=project, protea_home=project, environment=dict(os.environ)
    )
    toolset = builtin.create(
        builtin.Options(),
        workspace=disk.create(disk.Options(), surroundings=around),
        sandbox=no_sandbox.create(no_sandbox.Options()),
        surroundings=around,
        web=no_web.create(no_web.Options()),
        search=no_search.create(no_search.Options()),
    )
    calls = (
        ("Write", {"path": "greeting.py", "content": "print('hello')\n"}),
        ("Edit", {"path": "greeting.py", "old_string": "hello", "new_string": "good day"}),
        ("Bash", {"command": "cat greeting.py"}),
        ("Grep", {"pattern": "good", "path": "."}),
    )
    for name, arguments in calls:
        tool = toolset.tool(name)
        assert tool is not None
        result = await tool.run(arguments, Context(project, toolset))
        print(f"{name}: {'failed: ' if result.is_error else ''}{result.text.strip()}")
    await toolset.aclose()

    functions = FunctionToolset([multiply])
    own = functions.tool("multiply")
    assert own is not None
    print("multiply:", (await own.run({"a": 6, "b": 7}, Context(project, functions))).text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(os.path.realpath(folder)))
