"""What every `Agents` keeps."""

from __future__ import annotations

from protea.ports.agents import Agents


class AgentsContract:
    def agents(self) -> Agents:
        raise NotImplementedError

    def test_they_come_by_name_each_once(self) -> None:
        names = [each.name for each in self.agents().load()]
        assert names == sorted(set(names))

    def test_each_has_a_name_a_rule_can_name_and_something_to_say(self) -> None:
        for each in self.agents().load():
            assert each.name.strip() == each.name != ""
            assert not set(each.name) & set(" ()*\n")
            assert each.words
            assert "\n" not in each.about

    def test_loading_twice_gives_the_same(self) -> None:
        agents = self.agents()
        assert list(agents.load()) == list(agents.load())

    def test_problems_are_lines(self) -> None:
        agents = self.agents()
        agents.load()
        assert all("\n" not in problem for problem in agents.problems)
