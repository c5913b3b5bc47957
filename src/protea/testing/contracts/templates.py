"""What every `Templates` keeps."""

from __future__ import annotations

from protea.ports.templates import Templates


class TemplatesContract:
    def templates(self) -> Templates:
        raise NotImplementedError

    def test_they_come_by_name_each_once(self) -> None:
        names = [template.name for template in self.templates().load()]
        assert names == sorted(set(names))

    def test_each_can_be_typed_and_says_something(self) -> None:
        for template in self.templates().load():
            assert template.name.strip() == template.name != ""
            assert " " not in template.name
            assert template.body
            assert "\n" not in template.about

    def test_loading_twice_gives_the_same(self) -> None:
        templates = self.templates()
        assert list(templates.load()) == list(templates.load())

    def test_problems_are_lines(self) -> None:
        templates = self.templates()
        templates.load()
        assert all("\n" not in problem for problem in templates.problems)
