"""The fallback chain over several turns: who is asked, who rests, and what is said about it."""

from __future__ import annotations

import pytest

from protea.domain.commands import SetModel, SubmitPrompt
from protea.domain.errors import Failure, ModelError
from protea.domain.events import AnyEvent, MessageCompleted, ModelSwitched, NoticeGiven, RetryScheduled, TurnFinished
from protea.domain.messages import Text
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import ModelInfo, Usage
from protea.ports.gateway import OpenSession
from tests.application.world import PlayedModel, QuickClock, Step, World, of, says

BUSY = Failure(kind="overloaded", message="busy", retryable=True)
BROKE = Failure(kind="billing", message="no credits")


class Hours(QuickClock):
    """Time passes when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.passed


class Chain:
    """A session with `test/one` and two that stand in for it."""

    def __init__(self, *steps: Step, second: list[Step] | None = None, info: ModelInfo | None = None) -> None:
        self.second = PlayedModel(second or [_from("b/two", str(n)) for n in range(9)], info=info or ModelInfo("b/two"))
        self.third = PlayedModel([_from("c/three", str(n)) for n in range(9)], info=ModelInfo("c/three"))
        self.world = World(*steps, others=[self.second, self.third])
        self.clock = Hours()
        self.world.use_clock(self.clock)
        self.session = ""

    async def turn(self) -> list[AnyEvent]:
        self.session = self.session or await self.world.gateway.open(OpenSession(cwd="/w"))
        return [event async for event in self.world.turn(self.session, SubmitPrompt(text="go"))]

    async def close(self) -> None:
        await self.world.gateway.close()


def _from(model: str, text: str, tokens: int = 10) -> Reply:
    return Reply((Text(text),), "end_turn", Usage(input=tokens, output=1), model)


def spoke(events: list[AnyEvent]) -> list[str]:
    return [event.model for event in of(events, MessageCompleted)]


async def test_a_model_that_failed_is_not_waited_for_again_in_the_next_turns() -> None:
    chain = Chain(*[BUSY] * 5, says("never"))
    first = await chain.turn()
    assert len(of(first, RetryScheduled)) == 4
    assert spoke(first) == ["b/two"]
    for _ in range(3):
        later = await chain.turn()
        assert (spoke(later), of(later, ModelSwitched), of(later, RetryScheduled)) == (["b/two"], [], [])
    assert len(chain.world.model.requests) == 5
    await chain.close()


async def test_once_it_has_rested_a_turn_goes_back_and_says_so() -> None:
    chain = Chain(*[BUSY] * 5, says("back"), says("still here"))
    await chain.turn()
    chain.clock.passed += 61
    events = await chain.turn()
    assert [event.model for event in of(events, ModelSwitched)] == ["test/one"]
    assert "recovered" in of(events, ModelSwitched)[0].reason
    assert of(events, NoticeGiven)[0].text == "test/one is tried again"
    assert spoke(events) == ["test/one"]
    assert of(await chain.turn(), ModelSwitched) == []
    await chain.close()


async def test_a_trial_is_one_attempt_and_a_failed_one_rests_longer() -> None:
    chain = Chain(*[BUSY] * 6, says("at last"))
    await chain.turn()
    chain.clock.passed += 61
    events = await chain.turn()
    assert of(events, RetryScheduled) == []
    assert [event.model for event in of(events, ModelSwitched)] == ["test/one", "b/two"]
    chain.clock.passed += 61
    assert of(await chain.turn(), ModelSwitched) == []
    chain.clock.passed += 61
    assert spoke(await chain.turn()) == ["test/one"]
    await chain.close()


async def test_what_waiting_does_not_help_is_not_tried_again() -> None:
    chain = Chain(BROKE, says("never"))
    await chain.turn()
    chain.clock.passed += 1e6
    assert of(await chain.turn(), ModelSwitched) == []
    await chain.close()


async def test_unless_a_person_chooses_it() -> None:
    chain = Chain(BROKE, says("paid"))
    await chain.turn()
    await chain.world.gateway.submit(chain.session, SetModel(model="test/one"))
    assert spoke(await chain.turn()) == ["test/one"]
    await chain.close()


async def test_the_one_a_person_chose_in_the_meantime_is_the_one_gone_back_to() -> None:
    chain = Chain(*[BUSY] * 5, says("never"))
    await chain.turn()
    await chain.world.gateway.submit(chain.session, SetModel(model="c/three"))
    chain.clock.passed += 1e6
    events = await chain.turn()
    assert (spoke(events), of(events, ModelSwitched)) == (["c/three"], [])
    await chain.close()


async def test_within_one_turn_each_is_asked_once_and_the_last_failure_is_told() -> None:
    chain = Chain(BROKE, second=[BROKE])
    chain.third.steps = [BROKE]
    events = await chain.turn()
    assert [event.model for event in of(events, ModelSwitched)] == ["b/two", "c/three"]
    assert of(events, TurnFinished)[0].error == BROKE
    assert of(events, MessageCompleted) == []
    await chain.close()


async def test_a_window_the_conversation_does_not_fit_is_no_stand_in() -> None:
    chain = Chain(
        Reply((Text("a"),), "pause", Usage(input=50_000, output=1), "test/one"),
        BROKE,
        info=ModelInfo("b/two", context=32_000),
    )
    events = await chain.turn()
    assert spoke(events) == ["test/one", "c/three"]
    assert "b/two cannot stand in: the conversation takes 50,000 tokens" in of(events, NoticeGiven)[0].text
    await chain.close()


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (ModelInfo("b/two", context=8_000, images=False, thinking=False), "it lacks images, thinking, window (8,000"),
        (ModelInfo("b/two"), "b/two goes on"),
    ],
)
async def test_what_is_lost_is_named(info: ModelInfo, said: str) -> None:
    chain = Chain(BROKE, info=info)
    chain.world.model._info = ModelInfo("test/one", context=200_000, images=True, thinking=True)
    text = of(await chain.turn(), NoticeGiven)[0].text
    assert said in text
    assert ("lacks" in text) == ("lacks" in said)
    await chain.close()


async def test_silence_that_lasted_two_minutes_is_tried_once_more_and_no_longer() -> None:
    async def silent(_request: ModelRequest) -> Reply:
        chain.clock.passed += 120
        raise ModelError.of("timeout", "silence", retryable=True)

    chain = Chain(*[silent] * 5, second=[BROKE])
    chain.third.steps = [BROKE]
    assert len(of(await chain.turn(), RetryScheduled)) == 1
    assert len(chain.world.model.requests) == 2
    await chain.close()


async def test_a_model_that_is_chosen_while_another_fails_is_the_one_that_goes_on() -> None:
    async def chosen_meanwhile(request: ModelRequest) -> Reply:
        await chain.world.gateway.submit(chain.session, SetModel(model="c/three"))
        raise ModelError(BROKE)

    chain = Chain(chosen_meanwhile)
    events = await chain.turn()
    assert spoke(events) == ["c/three"]
    assert [event.model for event in of(events, ModelSwitched)] == ["c/three"], "nobody stands in for who was not asked"
    await chain.close()


async def test_where_nobody_could_stand_in_a_model_on_trial_is_asked_with_patience() -> None:
    world = World(*[BUSY] * 5, BUSY, says("at last"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for outcome in ("error", "finished"):
        events = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
        assert of(events, TurnFinished)[0].outcome == outcome
    await world.gateway.close()


async def test_a_model_that_has_answered_has_its_patience_back() -> None:
    chain = Chain(*[BUSY] * 5, says("back"), BUSY, says("again"))
    await chain.turn()
    chain.clock.passed += 1e6
    assert spoke(await chain.turn()) == ["test/one"]
    events = await chain.turn()
    assert (spoke(events), len(of(events, RetryScheduled))) == (["test/one"], 1)
    await chain.close()


async def test_a_model_that_a_person_chooses_anew_has_its_patience_back() -> None:
    chain = Chain(BROKE, BUSY, says("paid"))
    await chain.turn()
    await chain.world.gateway.submit(chain.session, SetModel(model="test/one"))
    events = await chain.turn()
    assert (spoke(events), len(of(events, RetryScheduled))) == (["test/one"], 1)
    await chain.close()
