"""Each list of files through the contract of its port, on a real folder with real ignore files."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from protea.adapters.file_list import git, none, walk
from protea.domain.surroundings import Surroundings
from protea.ports.file_list import FileList
from protea.testing.contracts.file_list import FileListContract

EXPECTED = [".gitignore", "README.md", "docs/a b.md", "src/main.py"]


def plant(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for name in ("README.md", "src/main.py", "docs/a b.md", "build/out.o", "src/x.tmp"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (folder / ".gitignore").write_text("build/\n*.tmp\n")
    os.mkfifo(folder / "pipe.tmp")


class OnDisk(FileListContract):
    @pytest.fixture(autouse=True)
    def _planted(self, tmp_path: Path) -> None:
        plant(tmp_path)
        self._folder = tmp_path

    def folder(self) -> str:
        return str(self._folder)

    async def test_what_is_ignored_is_left_out(self) -> None:
        assert list(await self.file_list().files(self.folder())) == EXPECTED


class TestWalk(OnDisk):
    def file_list(self) -> FileList:
        return walk.create(walk.Options())

    async def test_it_needs_no_repository(self, tmp_path: Path) -> None:
        (tmp_path / ".git").rename(tmp_path / "elsewhere.tmp")
        assert list(await self.file_list().files(self.folder())) == EXPECTED

    async def test_it_stops_after_so_many(self) -> None:
        assert len(await walk.create(walk.Options(most=2)).files(self.folder())) == 2


class TestGit(OnDisk):
    def file_list(self) -> FileList:
        around = Surroundings(
            cwd="/", root="/", add_dirs=(), user_home="/", protea_home="/p", environment=os.environ, trusted=False
        )
        return git.create(git.Options(), surroundings=around)

    async def test_a_file_that_is_tracked_though_ignored_is_there(self) -> None:
        await asyncio.to_thread(subprocess.run, ["git", "add", "-f", "src/x.tmp"], cwd=self.folder(), check=True)
        assert "src/x.tmp" in await self.file_list().files(self.folder())


class TestNone(FileListContract):
    def file_list(self) -> FileList:
        return none.create(none.Options())

    def folder(self) -> str:
        return "/"

    async def test_nothing_is_listed(self) -> None:
        assert list(await self.file_list().files("/")) == []
