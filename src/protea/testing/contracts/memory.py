"""What every `Memory` keeps."""

from __future__ import annotations

from protea.domain.errors import UsageError
from protea.ports.memory import Memory

NOTES = (
    "The deployment runs on Tuesdays after the review.",
    "Grandmother's recipe needs three eggs and no sugar.",
    "The database password rotates every ninety days.",
)


class MemoryContract:
    def memory(self) -> Memory:
        """An empty one; the same notes at every call within one test."""
        raise NotImplementedError

    def keeps(self) -> bool:
        """Whether it keeps anything at all: the null adapter does not."""
        return True

    async def _filled(self) -> Memory:
        memory = self.memory()
        for text in NOTES:
            await memory.remember(text, source="user", tags=["first"])
        return memory

    async def test_what_was_kept_is_listed_with_where_it_came_from(self) -> None:
        if not self.keeps():
            assert list(await self.memory().list()) == []
            return
        note = await self.memory().remember(
            'Says "yes", \\ and: ünï ✓\nin two lines', source='session "7": a # b', tags=["a", "b c"]
        )
        assert note.text == 'Says "yes", \\ and: ünï ✓\nin two lines'
        assert (note.source, note.tags) == ('session "7": a # b', ("a", "b c"))
        assert note.at.endswith("Z")
        assert list(await self.memory().list()) == [note]

    async def test_the_latest_is_listed_first_and_lists_can_be_short(self) -> None:
        if not self.keeps():
            return
        memory = await self._filled()
        listed = await memory.list()
        assert [note.at for note in listed] == sorted((note.at for note in listed), reverse=True)
        assert {note.text for note in listed} == set(NOTES)
        assert list(await memory.list(2)) == list(listed[:2])

    async def test_the_same_text_is_kept_once(self) -> None:
        if not self.keeps():
            return
        memory = self.memory()
        first = await memory.remember("only once", source="user")
        assert await memory.remember("  only once\n", source="another") == first
        assert len(await memory.list()) == 1

    async def test_a_note_is_found_by_its_words_the_best_first(self) -> None:
        if not self.keeps():
            assert list(await self.memory().recall("eggs")) == []
            return
        memory = await self._filled()
        for query, text in (("grandmother eggs", NOTES[1]), ("when is the DEPLOYMENT?", NOTES[0])):
            found = await memory.recall(query)
            assert found[0].note.text == text
            assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
        assert len(await memory.recall("the", limit=1)) == 1

    async def test_any_text_is_a_query(self) -> None:
        memory = await self._filled() if self.keeps() else self.memory()
        for query in (
            "",
            "  ",
            '"',
            "a AND (b OR",
            "NEAR(x y)",
            "-- ; DROP TABLE",
            "*",
            "ü" * 5000,
            "col:x",
            "\0",
            "ß",
        ):
            assert isinstance(list(await memory.recall(query)), list)
        assert list(await memory.recall("?!")) == []

    async def test_what_is_forgotten_is_gone_from_every_answer(self) -> None:
        assert await self.memory().forget("nobody") is False
        if not self.keeps():
            return
        memory = await self._filled()
        (best, *_) = await memory.recall("grandmother")
        assert await memory.forget(best.note.id) is True
        assert await memory.forget(best.note.id) is False
        assert NOTES[1] not in {found.note.text for found in await memory.recall("grandmother eggs")}
        assert len(await memory.list()) == 2

    async def test_nothing_cannot_be_remembered(self) -> None:
        refused = False
        try:
            await self.memory().remember("  \n", source="user")
        except UsageError as error:
            refused = "\n" not in str(error)
        assert refused

    async def test_it_can_be_closed(self) -> None:
        await self.memory().aclose()
