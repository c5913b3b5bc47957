"""What every `ModelSource` keeps."""

from __future__ import annotations

from protea.domain.errors import ProteaError, UsageError
from protea.ports.model_source import ModelSource


class ModelSourceContract:
    def model_source(self) -> ModelSource:
        """One whose default can be opened without a network."""
        raise NotImplementedError

    async def test_the_default_can_be_opened(self) -> None:
        source = self.model_source()
        assert (await source.open(source.default())).info.id == source.default()

    async def test_a_model_is_opened_once(self) -> None:
        source = self.model_source()
        assert await source.open(source.default()) is await source.open(source.default())

    async def test_the_default_is_listed(self) -> None:
        source = self.model_source()
        assert source.default() in [info.id for info in source.list()]
        provider = source.default().partition("/")[0]
        assert source.default() in [info.id for info in source.list(provider)]

    async def test_the_default_lacks_nothing(self) -> None:
        source = self.model_source()
        assert source.lacks(source.default().partition("/")[0]) == ""

    async def test_an_unknown_name_is_a_person_s_mistake_and_is_named(self) -> None:
        try:
            await self.model_source().open("nobody/nothing")
        except UsageError as error:
            assert "nobody" in str(error)  # noqa: PT017  # pytest is not imported in what is shipped
        except ProteaError as error:
            raise AssertionError(f"a mistake in a name is a UsageError, not {type(error).__name__}") from error
        else:
            raise AssertionError("it was opened")

    async def test_it_can_be_closed_twice(self) -> None:
        source = self.model_source()
        await source.open(source.default())
        await source.aclose()
        await source.aclose()
