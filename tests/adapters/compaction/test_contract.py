"""Each way to shrink through the contract of its port, and what sets them apart."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from protea.adapters.compaction import clear_results, digest, levels, none, summarise, truncate
from protea.domain.compaction import applied
from protea.domain.errors import Cause, ModelError
from protea.domain.messages import Message, ToolMessage
from protea.ports.compaction import Compaction
from protea.testing.contracts.compaction import CompactionContract
from protea.testing.contracts.compaction import conversation as given
from protea.testing.contracts.context import count
from protea.testing.conversations import conversation, prompt, step, whole


class TestNoCompaction(CompactionContract):
    def compaction(self) -> Compaction:
        return none.create(none.Options())


class TestClearResults(CompactionContract):
    def compaction(self) -> Compaction:
        return clear_results.create(clear_results.Options(keep=2))


class TestTruncate(CompactionContract):
    def compaction(self) -> Compaction:
        return truncate.create(truncate.Options(keep=2, longest=200))


class TestDigest(CompactionContract):
    def compaction(self) -> Compaction:
        return digest.create(digest.Options())


class TestSummarise(CompactionContract):
    def compaction(self) -> Compaction:
        return summarise.create(summarise.Options())


class TestLevels(CompactionContract):
    def compaction(self) -> Compaction:
        return levels.create(levels.Options(keep_results=2))


HISTORY = conversation(10, steps=4, size=3000)
SIZE = sum(map(count, HISTORY))


async def test_each_frees_more_than_the_one_before() -> None:
    sizes = [SIZE]
    for compaction in (
        truncate.create(truncate.Options()),
        clear_results.create(clear_results.Options()),
        digest.create(digest.Options(keep=0.05)),
    ):
        shrunk = await compaction.shrink(given(HISTORY, SIZE), None)
        assert shrunk is not None
        sizes.append(sum(map(count, applied(HISTORY, shrunk))))
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4


async def test_levels_clear_first_and_sum_up_when_that_is_not_enough() -> None:
    compaction = levels.create(levels.Options())
    first = await compaction.shrink(given(HISTORY, int(SIZE * 1.4)), None)
    assert first is not None
    assert first.how == "clear"
    cleared = applied(HISTORY, first)
    left = sum(map(count, cleared))
    assert await compaction.shrink(given(cleared, left * 2), None) is None
    second = await compaction.shrink(given(cleared, left), None)
    assert second is not None
    assert second.how == "summarise"


async def test_the_model_is_shown_what_goes_and_told_what_matters() -> None:
    asked: list[tuple[Sequence[Message], str]] = []

    async def ask(shown: Sequence[Message], question: str) -> str:
        asked.append((shown, question))
        return "  It went well. "

    compaction = summarise.create(summarise.Options(instructions="name the tickets"))
    shrunk = await compaction.shrink(
        given(HISTORY, SIZE, forced=True).__class__(
            messages=HISTORY, sizes=tuple(map(count, HISTORY)), room=SIZE, forced=True, focus="the tests"
        ),
        ask,
    )
    assert shrunk is not None
    assert shrunk.text == "It went well."
    ((shown, question),) = asked
    assert tuple(shown) == HISTORY[: shrunk.before]
    assert "Above all: name the tickets" in question
    assert "Above all: the tests" in question


async def test_what_does_not_fit_the_question_itself_is_asked_without_its_results() -> None:
    shown_sizes: list[int] = []

    async def ask(shown: Sequence[Message], question: str) -> str:
        shown_sizes.append(sum(map(count, shown)))
        return "ok"

    await summarise.create(summarise.Options()).shrink(given(HISTORY, SIZE // 3), ask)
    assert shown_sizes[0] < SIZE // 3


async def test_a_model_that_fails_is_an_error_unless_it_has_to_be_done() -> None:
    async def fails(shown: Sequence[Message], question: str) -> str:
        raise ModelError.of("overloaded", "Too busy.", retryable=True)

    compaction = summarise.create(summarise.Options())
    with pytest.raises(ModelError):
        await compaction.shrink(given(HISTORY, SIZE), fails)
    forced = await compaction.shrink(given(HISTORY, SIZE, forced=True), fails)
    assert forced is not None
    assert "Read c_0_0.txt" in forced.text
    assert "Too busy" in forced.text


async def test_a_huge_single_turn_can_be_made_small() -> None:
    turn = conversation(1, steps=60, size=3000)
    size = sum(map(count, turn))
    shrunk = await levels.create(levels.Options(keep_results=100)).shrink(given(turn, size), None)
    assert shrunk is not None
    after = applied(turn, shrunk)
    assert sum(map(count, after)) < size / 2
    assert isinstance(after[-1], ToolMessage)


async def test_a_question_that_is_itself_too_long_is_asked_without_results_and_at_last_not_at_all() -> None:
    for kind in ("context_length", "too_large"):
        for refusals in (1, 2):
            sizes: list[int] = []

            async def ask(
                shown: Sequence[Message],
                question: str,
                refusals: int = refusals,
                sizes: list[int] = sizes,
                kind: Cause = kind,  # type: ignore[assignment]  # one of them
            ) -> str:
                sizes.append(sum(map(count, shown)))
                if len(sizes) <= refusals:
                    raise ModelError.of(kind, "Too long.")
                return "In short."

            shrunk = await summarise.create(summarise.Options()).shrink(given(HISTORY, SIZE), ask)
            assert shrunk is not None
            assert len(sizes) == 2
            assert sizes[1] < sizes[0] / 4
            assert shrunk.text == "In short." if refusals == 1 else "Read c_0_0.txt" in shrunk.text


async def test_an_answer_of_nothing_is_a_digest() -> None:
    async def nothing(shown: Sequence[Message], question: str) -> str:
        return " \n"

    shrunk = await summarise.create(summarise.Options()).shrink(given(HISTORY, SIZE), nothing)
    assert shrunk is not None
    assert "Read c_0_0.txt" in shrunk.text


@pytest.mark.parametrize("name", ["clear-results", "truncate", "digest", "summarise", "levels"])
async def test_results_of_one_single_reply_that_fill_more_than_the_room_are_made_to_fit(name: str) -> None:
    compaction: Compaction = {
        "clear-results": clear_results.create(clear_results.Options()),
        "truncate": truncate.create(truncate.Options()),
        "digest": digest.create(digest.Options()),
        "summarise": summarise.create(summarise.Options()),
        "levels": levels.create(levels.Options()),
    }[name]
    messages: tuple[Message, ...] = (prompt("read all of it"), *step(1, calls=20, size=30_000))
    room = sum(map(count, messages)) // 3
    for _ in range(4):
        shrunk = await compaction.shrink(given(messages, room), None)
        if shrunk is None:
            break
        messages = applied(messages, shrunk)
    assert whole(messages)
    assert sum(map(count, messages)) <= room
    assert messages[0] == prompt("read all of it")
    assert all("c_1_" in message.text for message in messages if isinstance(message, ToolMessage))
