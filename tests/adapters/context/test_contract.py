"""Each choice through the contract of its port, and what sets them apart."""

from __future__ import annotations

from protea.adapters.context import everything, windowed
from protea.ports.context import Context
from protea.testing.contracts.context import ContextContract, count
from protea.testing.conversations import conversation


class TestEverything(ContextContract):
    def context(self) -> Context:
        return everything.create(everything.Options())


class TestWindowed(ContextContract):
    def context(self) -> Context:
        return windowed.create(windowed.Options())


class TestWindowedWithRecall(ContextContract):
    def context(self) -> Context:
        return windowed.create(windowed.Options(recall=3))


HISTORY = conversation(20)
SIZE = sum(map(count, HISTORY))


def test_everything_is_shown_however_little_room_there_is() -> None:
    assert everything.create(everything.Options()).choose(HISTORY, room=10, count=count) is HISTORY


def test_a_window_fills_its_share_of_the_room() -> None:
    shown = windowed.create(windowed.Options(share=0.5)).choose(HISTORY, room=SIZE, count=count)
    assert SIZE * 0.2 < sum(map(count, shown)) <= SIZE * 0.5


def test_a_window_can_have_a_size_of_its_own() -> None:
    context = windowed.create(windowed.Options(most=SIZE // 4))
    assert sum(map(count, context.choose(HISTORY, room=None, count=count))) <= SIZE // 4
