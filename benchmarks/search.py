"""Glob and Grep over 20,000 files, with `rg` and without, beside `rg` itself in the same run.

    python benchmarks/search.py [--files 20000] [--rounds 15] [--check]

Prints milliseconds (medians of rounds taken in turns) and their ratios to `rg`'s. The bounds are 1.5 with it and
4 without; with `--check` the exit code says whether they were kept.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from protea.adapters.sandbox import none
from protea.adapters.search.none import NoSearch
from protea.adapters.tools import builtin
from protea.adapters.web.none import NoWeb
from protea.adapters.workspace import disk
from protea.domain.looking_back import Recalled
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext, Toolset

BOUNDS = {"with rg": 1.5, "without rg": 4.0}
REFERENCE = ("rg", "--no-config", "--hidden", "--no-require-git", "--glob=!.git")


def make(top: str, files: int) -> None:
    """A tree like a large project: 50 files a folder, 20 to 200 lines each, some of it ignored."""
    chance = random.Random(7)
    words = "return import value result index config handler request response error context self".split()  # noqa: SIM905
    with open(f"{top}/.gitignore", "w") as file:
        file.write("*.log\nbuild/\n!keep.log\n__pycache__/\n")
    for number in range(files):
        folder = f"{top}/pkg{number // 1000:02}/{'build' if number // 50 % 20 == 19 else f'mod{number // 50 % 20:02}'}"
        os.makedirs(folder, exist_ok=True)
        kind = chance.choice(("py", "py", "ts", "md", "txt", "log"))
        lines = [" ".join(chance.choices(words, k=chance.randint(3, 12))) for _ in range(chance.randint(20, 200))]
        if chance.random() < 0.01:
            lines[len(lines) // 2] += " needle_in_haystack"
        with open(f"{folder}/file{number}.{kind}", "w") as file:
            file.write("\n".join(lines) + "\n")


class Context:
    """A `ToolContext` nobody listens to, where everything may be read."""

    session = "benchmark"
    call_id = "call"
    answer = None
    writes: Literal["kept", "discarded", "refused"] = "kept"
    beside = None

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def may_read(self, path: str) -> bool:
        return True

    async def recall(self, wanted: str, limit: int) -> Sequence[Recalled]:
        return ()

    def tools(self) -> Sequence[ToolSpec]:
        return ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        raise AssertionError(f"a search called {name}")

    def say(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Nobody listens."""

    def output_path(self, suffix: str = ".txt") -> str:
        return f"{self._folder}/output{suffix}"


async def measure(top: str, rounds: int) -> bool:
    surroundings = Surroundings(
        cwd=top, root=top, user_home="/nonexistent", protea_home="/nonexistent", environment=os.environ
    )
    workspace = disk.create(disk.Options(), surroundings=surroundings)
    sandbox = none.create(none.Options())
    toolsets: dict[str, Toolset] = {
        name: builtin.create(
            builtin.Options(ripgrep=name == "with rg"),
            workspace=workspace,
            sandbox=sandbox,
            surroundings=surroundings,
            web=NoWeb(),
            search=NoSearch(),
        )
        for name in BOUNDS
    }
    context: ToolContext = Context(top)

    def call(name: str, tool: str, **arguments: object) -> Callable[[], Awaitable[object]]:
        found = toolsets[name].tool(tool)
        assert found is not None
        return lambda: found.run(arguments, context)

    def rg(*arguments: str) -> Callable[[], Awaitable[object]]:
        async def run() -> None:
            # What rg alone costs a program that wants its answer: the start and the reading, no parsing.
            subprocess.run((*REFERENCE, *arguments, "--", top), check=False, capture_output=True)  # noqa: ASYNC221

        return run

    tasks = {
        "glob **/*.py": (rg("--files", "--type-add", "w:*.py", "--type", "w"), "Glob", {"pattern": "**/*.py"}),
        "grep rare word": (rg("-n", "needle_in_haystack"), "Grep", {"pattern": "needle_in_haystack"}),
        "grep regex": (rg("-n", r"self\s+needle_\w+"), "Grep", {"pattern": r"self\s+needle_\w+"}),
        "grep files": (rg("-l", "needle_in_haystack"), "Grep", {"pattern": "needle_in_haystack", "output": "files"}),
    }
    kept = True
    for title, (reference, tool, arguments) in tasks.items():
        ways = {"rg": reference} | {name: call(name, tool, **arguments) for name in BOUNDS}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                begin = time.perf_counter()
                await way()
                times[name].append(time.perf_counter() - begin)
        row = f"{title:16} rg {statistics.median(times['rg']) * 1000:6.1f} ms"
        for name, bound in BOUNDS.items():
            ratio = statistics.median(times[name]) / statistics.median(times["rg"])
            kept = kept and ratio <= bound
            verdict = "" if ratio <= bound else " TOO SLOW"
            row += f" · {name} {statistics.median(times[name]) * 1000:6.1f} ms = {ratio:.2f} (≤ {bound}){verdict}"
        print(row)
    for toolset in toolsets.values():
        await toolset.aclose()
    await sandbox.aclose()
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if shutil.which("rg") is None:
        print("rg is not installed: there is nothing to compare with", file=sys.stderr)
        return 1
    top = os.path.realpath(tempfile.mkdtemp(prefix="protea-search-"))
    try:
        make(top, options.files)
        return 0 if asyncio.run(measure(top, options.rounds)) or not options.check else 1
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    raise SystemExit(main())
