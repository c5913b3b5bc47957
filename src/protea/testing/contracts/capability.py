"""What every `Capability` keeps."""

from __future__ import annotations

from typing import Any

from protea.ports.capability import Capability


class CapabilityContract:
    def capability(self) -> Capability:
        raise NotImplementedError

    def use(self) -> tuple[str, dict[str, Any]] | None:
        """A tool and arguments with which one of them can be used; None where there is nothing to use."""
        return None

    async def test_each_is_there_once_by_name_with_what_it_is(self) -> None:
        cards = await self.capability().discover()
        names = [card.name for card in cards]
        assert names == sorted(set(names))
        assert all(card.description.strip() and card.kind and card.source and card.digest for card in cards)

    async def test_the_same_things_have_the_same_words_and_digests(self) -> None:
        capability = self.capability()
        assert list(await capability.discover()) == list(await capability.discover())
        assert await capability.render() == await capability.render()
        assert [spec.name for spec in await capability.specs()] == [spec.name for spec in await capability.specs()]

    async def test_what_is_there_is_told_and_can_be_used(self) -> None:
        capability = self.capability()
        cards, told, use = await capability.discover(), await capability.render(), self.use()
        assert bool(cards) == bool(await capability.specs())
        assert all(card.name in told for card in cards)
        if use is not None:
            result = await capability.invoke(*use)
            assert not result.is_error
            assert result.text
        await capability.aclose()

    async def test_what_is_not_there_is_a_result_that_says_so(self) -> None:
        capability = self.capability()
        names = [spec.name for spec in await capability.specs()] or ["Nothing"]
        for tool, arguments in ((names[0], {"name": "../../etc"}), (names[0], {}), ("No Such Tool", {"name": "x"})):
            result = await capability.invoke(tool, arguments)
            assert result.is_error
            assert result.text
        await capability.aclose()

    async def test_problems_are_lines(self) -> None:
        capability = self.capability()
        await capability.discover()
        assert all(problem.strip() and "\n" not in problem for problem in capability.problems)
