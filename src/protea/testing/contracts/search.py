"""What every `Search` keeps."""

from __future__ import annotations

from collections.abc import Sequence

from protea.ports.search import Hit, Search, SearchError


class SearchContract:
    def search(self) -> Search:
        """One whose other side answers, or that says it has none."""
        raise NotImplementedError

    async def test_hits_have_addresses_of_the_web_each_once_and_no_more_than_asked(self) -> None:
        for limit in (1, 3, 10):
            hits: Sequence[Hit] = ()
            try:
                hits = await self.search().search("protea flower", limit)
            except SearchError as error:
                told = str(error)
                assert told.strip() == told.splitlines()[0]
            assert len(hits) <= limit
            assert len({hit.url for hit in hits}) == len(hits)
            assert all(hit.url.startswith(("http://", "https://")) and hit.title.strip() for hit in hits)

    async def test_odd_questions_are_answered_or_refused_in_a_line(self) -> None:
        for query in ("", "  ", "a&b=c#d", "ünï ✓", "\udcff", "x" * 3000):
            told = ""
            try:
                assert isinstance(list(await self.search().search(query, 2)), list)
            except SearchError as error:
                told = str(error)
            assert "\n" not in told
