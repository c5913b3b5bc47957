"""What every `FileList` keeps."""

from __future__ import annotations

from protea.ports.file_list import MOST, FileList


class FileListContract:
    def file_list(self) -> FileList:
        raise NotImplementedError

    def folder(self) -> str:
        """An absolute folder that is listed; what is in it does not change."""
        raise NotImplementedError

    async def test_paths_are_relative_each_once_and_in_a_fixed_order(self) -> None:
        found = list(await self.file_list().files(self.folder()))
        assert found == sorted(set(found))
        assert not any(path.startswith("/") or ".." in path.split("/") or "\n" in path for path in found)
        assert len(found) <= MOST

    async def test_asking_twice_gives_the_same(self) -> None:
        assert list(await self.file_list().files(self.folder())) == list(await self.file_list().files(self.folder()))

    async def test_a_folder_that_is_gone_has_no_files(self) -> None:
        assert list(await self.file_list().files(self.folder() + "/gone/away")) == []
        assert dict(await self.file_list().stamps(self.folder() + "/gone/away")) == {}

    async def test_what_has_a_stamp_is_what_is_listed_and_keeps_it_while_it_stays_the_same(self) -> None:
        made = self.file_list()
        stamps = await made.stamps(self.folder())
        assert list(stamps) == list(await made.files(self.folder()))
        assert await made.stamps(self.folder()) == stamps
