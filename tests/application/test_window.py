"""What requests show where a profile chooses and shrinks: seen in what the model was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from protea.adapters.compaction import clear_results
from protea.adapters.context import windowed
from protea.adapters.tokens import bytes as by_bytes
from protea.application.parts import Parts
from protea.domain.errors import ModelError
from protea.domain.events import NoticeGiven, TurnFinished
from protea.domain.messages import ToolMessage
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import ModelInfo
from protea.ports.gateway import OpenSession
from protea.testing.compaction import ClearingCompaction
from protea.testing.context import LastTurns
from protea.testing.conversations import whole
from protea.testing.tokens import WordTokens
from tests.application.world import NAME, PlayedModel, Step, World, calls, of, says


def read(path: str) -> str:
    """Read a file."""
    return f"{path}: " + "words of a file " * 60


class Windowed(World):
    """A world whose sessions choose and shrink, and whose model sees 2,000 tokens."""

    def __init__(self, *steps: Step, **parts: Any) -> None:
        super().__init__(*steps, tools=[read])
        self.model = PlayedModel(steps, info=ModelInfo(id=NAME, context=2000, max_output=400))
        self._parts = parts

    def _assemble(self, spec: OpenSession) -> Parts:
        return replace(super()._assemble(spec), **self._parts)


READS: tuple[Reply, ...] = tuple(calls(("read", {"path": f"{number}.txt"})) for number in range(10))


def shown(requests: Sequence[ModelRequest]) -> list[int]:
    return [len(request.messages) for request in requests]


async def test_without_parts_that_choose_everything_is_shown() -> None:
    world = Windowed(*READS, says("done"))
    await world.run("go")
    assert shown(world.model.requests) == [1 + 2 * number for number in range(11)]


async def test_a_window_shows_what_fits_and_is_whole_each_time() -> None:
    world = Windowed(
        *READS, says("done"), context=windowed.create(windowed.Options()), tokens=by_bytes.create(by_bytes.Options())
    )
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert max(shown(world.model.requests)) < 21
    assert all(whole(request.messages) for request in world.model.requests)


async def test_old_results_are_cleared_and_the_person_is_told_once_for_each_step() -> None:
    compaction = clear_results.create(clear_results.Options(above=0.5, keep=2, step=3))
    world = Windowed(*READS, says("done"), compaction=compaction, tokens=by_bytes.create(by_bytes.Options()))
    events = await world.run("go")
    last = [message for message in world.model.requests[-1].messages if isinstance(message, ToolMessage)]
    assert ["cleared" in message.text for message in last] == [True] * 6 + [False] * 4
    told = [notice.text for notice in of(events, NoticeGiven)]
    assert told == [f"the conversation was made smaller: results of {n} old calls cleared" for n in (3, 6)]


async def test_a_compaction_that_fails_is_told_and_the_turn_goes_on() -> None:
    failing = ClearingCompaction(fails=ModelError.of("overloaded", "Too busy.", retryable=True))
    world = Windowed(*READS, says("done"), compaction=failing, tokens=WordTokens())
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert [notice.text for notice in of(events, NoticeGiven)] == [
        "the conversation could not be made smaller: Too busy."
    ]


async def test_the_room_is_what_the_prompt_tools_and_answer_leave_and_figures_are_learned() -> None:
    context, tokens = LastTurns(), WordTokens()
    world = Windowed(says("hello"), context=context, tokens=tokens)
    await world.run("go")
    (room,) = context.rooms
    assert room is not None
    assert 1000 < room < 1600
    assert [(model, usage.input) for model, usage in tokens.learned] == [(NAME, 10)]
