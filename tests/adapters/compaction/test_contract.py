"""Each way to shrink through the contract of its port, and what sets them apart."""

from __future__ import annotations

from protea.adapters.compaction import clear_results, none, truncate
from protea.ports.compaction import Compaction
from protea.testing.contracts.compaction import CompactionContract
from protea.testing.contracts.context import count
from protea.testing.conversations import conversation


class TestNoCompaction(CompactionContract):
    def compaction(self) -> Compaction:
        return none.create(none.Options())


class TestClearResults(CompactionContract):
    def compaction(self) -> Compaction:
        return clear_results.create(clear_results.Options(keep=2, step=2))


class TestTruncate(CompactionContract):
    def compaction(self) -> Compaction:
        return truncate.create(truncate.Options(keep=2, step=2, longest=200))


HISTORY = conversation(10, steps=4, size=3000)
SIZE = sum(map(count, HISTORY))


async def test_clearing_frees_more_than_cutting_and_nothing_frees_nothing() -> None:
    sizes = []
    for compaction in (
        none.create(none.Options()),
        truncate.create(truncate.Options()),
        clear_results.create(clear_results.Options()),
    ):
        shrunk = await compaction.shrink(HISTORY, room=SIZE, count=count)
        sizes.append(sum(map(count, shrunk.messages)))
    assert sizes[0] == SIZE > sizes[1] > sizes[2]


async def test_nothing_is_done_below_the_share_that_was_set() -> None:
    compaction = clear_results.create(clear_results.Options(above=0.6))
    for room, done in ((SIZE * 2, False), (SIZE, True)):
        assert bool((await compaction.shrink(HISTORY, room=room, count=count)).what) is done
