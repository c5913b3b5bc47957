"""What every `Workspace` keeps."""

from __future__ import annotations

from collections.abc import Awaitable

from protea.ports.workspace import Trouble, Workspace, WorkspaceError


class WorkspaceContract:
    def workspace(self) -> Workspace:
        """An empty workspace with at least one root; the same one at every call within one test."""
        raise NotImplementedError

    def _path(self, name: str) -> str:
        return f"{self.workspace().roots[0].rstrip('/')}/{name}"

    async def _trouble(self, work: Awaitable[object]) -> Trouble:
        try:
            await work
        except WorkspaceError as error:
            found = error
        else:
            raise AssertionError("it was not refused")
        assert "\n" not in str(found)
        return found.trouble

    async def test_what_was_written_is_read(self) -> None:
        files, path = self.workspace(), self._path("a/b/c.bin")
        data = bytes(range(256)) * 3
        entry = await files.write(path, data)
        assert await files.read(path) == data
        assert entry == await files.stat(path)
        assert (entry.kind, entry.size, entry.name) == ("file", len(data), "c.bin")

    async def test_parts_are_read(self) -> None:
        files, path = self.workspace(), self._path("digits")
        await files.write(path, b"0123456789")
        assert await files.read(path, start=3, size=4) == b"3456"
        assert await files.read(path, start=8) == b"89"
        assert await files.read(path, start=20, size=5) == b""
        assert await files.read(path, size=0) == b""

    async def test_a_change_changes_the_entry(self) -> None:
        files, path = self.workspace(), self._path("x")
        before = await files.write(path, b"one")
        for number in range(100):  # as many as it takes for two of them to come at one tick of a clock
            after = await files.write(path, b"two" if number % 2 else b"one")
            assert before != after
            assert after == await files.stat(path)
            before = after

    async def test_an_expected_file_that_changed_is_not_replaced(self) -> None:
        files, path = self.workspace(), self._path("x")
        before = await files.write(path, b"one")
        await files.write(path, b"two, longer")
        assert await self._trouble(files.write(path, b"three", expect=before)) == "changed"
        assert await files.read(path) == b"two, longer"

    async def test_directories_are_listed_by_name(self) -> None:
        files = self.workspace()
        for name in ("d/z", "d/a", "d/sub/inner"):
            await files.write(self._path(name), b"")
        entries = await files.list(self._path("d"))
        assert [(entry.name, entry.kind) for entry in entries] == [("a", "file"), ("sub", "directory"), ("z", "file")]

    async def test_what_is_missing_is_said_to_be(self) -> None:
        files = self.workspace()
        path = self._path("none")
        assert await self._trouble(files.stat(path)) == "missing"
        assert await self._trouble(files.read(path)) == "missing"
        assert await self._trouble(files.list(path)) == "missing"
        assert await self._trouble(files.remove(path)) == "missing"

    async def test_kinds_are_not_mixed_up(self) -> None:
        files = self.workspace()
        await files.write(self._path("d/f"), b"x")
        assert await self._trouble(files.read(self._path("d"))) == "directory"
        assert await self._trouble(files.write(self._path("d"), b"")) == "directory"
        assert await self._trouble(files.list(self._path("d/f"))) == "not_directory"
        assert await self._trouble(files.stat(self._path("d/f/g"))) == "not_directory"

    async def test_dots_in_paths_are_resolved(self) -> None:
        files = self.workspace()
        await files.write(self._path("d/../e/./f"), b"x")
        assert await files.read(self._path("e/f")) == b"x"
        assert (await files.stat(self._path("e/../e/f"))).path == self._path("e/f")

    async def test_a_removed_file_is_gone(self) -> None:
        files, path = self.workspace(), self._path("x")
        await files.write(path, b"x")
        await files.remove(path)
        assert await self._trouble(files.read(path)) == "missing"

    async def test_impossible_paths_are_refused(self) -> None:
        files = self.workspace()
        for path in (self._path("a\0b"), "relative/path", ""):
            assert await self._trouble(files.read(path)) == "other"
            assert await self._trouble(files.write(path, b"")) == "other"

    async def test_the_root_itself_is_a_directory(self) -> None:
        files = self.workspace()
        entry = await files.stat(files.roots[0])
        assert entry.kind == "directory"
        assert list(await files.list(files.roots[0])) == []
