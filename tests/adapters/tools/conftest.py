"""A project on disk, the built-in tools over it, and a short way to call them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.sandbox import none
from protea.adapters.tools import builtin
from protea.adapters.workspace import disk
from protea.domain.schema import problems
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolResult
from protea.ports.search import Search
from protea.ports.toolset import Toolset
from protea.ports.web import Web
from protea.testing.diagnostics import ScriptedDiagnostics
from protea.testing.search import ListSearch
from protea.testing.toolset import RecordedCall
from protea.testing.web import ScriptedWeb


class Project:
    """Files under `root`, tools that know them, and what the last call said."""

    def __init__(self, folder: Path, options: builtin.Options) -> None:
        self.root = folder / "project"
        self.root.mkdir(exist_ok=True)
        self.outputs = folder / "outputs"
        self.outputs.mkdir(exist_ok=True)
        self.surroundings = Surroundings(
            cwd=str(self.root),
            root=str(self.root),
            user_home=str(folder),
            protea_home=str(folder / ".protea"),
            environment={**os.environ, "SOME_API_KEY": "hush-hush"},
        )
        self.sandbox = none.create(none.Options())
        self.web: Web = ScriptedWeb()
        self.search: Search = ListSearch()
        self.diagnostics: ScriptedDiagnostics | None = None
        self.tools: Toolset = self.open(options)
        self.last = RecordedCall(str(self.outputs))
        self.unreadable: set[str] = set()
        """Absolute paths that the rules keep from being read."""

    def open(self, options: builtin.Options) -> Toolset:
        workspace = disk.create(disk.Options(), surroundings=self.surroundings)
        return builtin.create(
            options,
            workspace=workspace,
            sandbox=self.sandbox,
            surroundings=self.surroundings,
            web=self.web,
            search=self.search,
            diagnostics=self.diagnostics,
        )

    async def call(
        self, name: str, tools: Toolset | None = None, *, beside: Any = None, **arguments: Any
    ) -> ToolResult:
        """Call a tool as the runner does: the arguments fit its schema."""
        tool = (tools or self.tools).tool(name)
        assert tool is not None
        assert problems(arguments, tool.spec.parameters) == []
        self.last = RecordedCall(str(self.outputs), unreadable=self.unreadable, beside=beside)
        return await tool.run(arguments, self.last)

    def write(self, files: dict[str, str | bytes]) -> None:
        for path, content in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)

    async def close(self) -> None:
        await self.tools.aclose()
        await self.sandbox.aclose()


@pytest.fixture
async def project(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Project]:
    options = getattr(request, "param", builtin.Options())
    found = Project(Path(os.path.realpath(tmp_path)), options)  # noqa: ASYNC240 - a test's own folder
    yield found
    await found.close()
