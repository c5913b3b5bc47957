"""What every `Instructions` keeps."""

from __future__ import annotations

import os

from protea.ports.instructions import Instructions


class InstructionsContract:
    def instructions(self) -> Instructions:
        raise NotImplementedError

    def directory(self) -> str:
        """An absolute directory that they are loaded for."""
        raise NotImplementedError

    def test_each_names_the_file_it_came_from(self) -> None:
        for each in self.instructions().load(self.directory()):
            assert os.path.isabs(each.path)

    def test_none_is_empty_or_there_twice(self) -> None:
        found = self.instructions().load(self.directory())
        assert all(each.text.strip() for each in found)
        assert len({each.path for each in found}) == len(found)

    def test_loading_twice_gives_the_same(self) -> None:
        instructions = self.instructions()
        assert instructions.load(self.directory()) == instructions.load(self.directory())

    def test_a_directory_that_is_gone_is_no_error(self) -> None:
        assert isinstance(self.instructions().load(os.path.join(self.directory(), "gone")), tuple)

    def test_what_is_near_is_new_and_there_once(self) -> None:
        instructions, cwd = self.instructions(), self.directory()
        loaded = {each.path for each in instructions.load(cwd)}
        near = instructions.near(cwd, [os.path.join(cwd, "a"), os.path.join(cwd, "deep/down/b")])
        paths = [each.path for each in near]
        assert len(set(paths)) == len(paths)
        assert loaded.isdisjoint(paths)

    def test_files_that_are_gone_bring_up_nothing_wrong(self) -> None:
        assert isinstance(self.instructions().near(self.directory(), ["/gone/away", "relative"]), tuple)
