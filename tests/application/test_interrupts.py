"""Interrupting a turn with everything in it, anywhere: the log stays whole and the session goes on."""

from __future__ import annotations

import asyncio

import pytest

from protea.application.past import read_past
from protea.domain.commands import Interrupt, SubmitPrompt
from protea.domain.events import TurnFinished, TurnStarted
from tests.application.long_turn import LongTurn, sound, texts

FAR = 400
"""More steps of the loop than the turn takes."""


async def whole_turn() -> tuple[int, int]:
    """How many events the undisturbed turn has, and how many steps of the loop it takes."""
    turn = LongTurn()
    await turn.open()
    await turn.submit(SubmitPrompt(text="go"))
    steps = 0
    while not any(isinstance(event, TurnFinished) for event in turn.log()):
        await asyncio.sleep(0)
        steps += 1
        assert steps < FAR
    events = await turn.until_finished()
    finished = events[-1]
    assert isinstance(finished, TurnFinished)
    assert (finished.outcome, finished.structured, finished.turns) == ("finished", 3, 4)
    log = await turn.close()
    sound(log, turn.requests)
    assert sum(text == "be quick" for text in texts(turn.requests[-1])) == 1
    return len(events), steps


async def check_what_is_left(turn: LongTurn) -> None:
    await turn.until_finished()
    await turn.at_rest()
    sound(turn.log(), turn.requests)
    assert (await turn.go_on()).outcome == "finished"
    await turn.at_rest()
    live = turn.live_messages()
    log = await turn.close()
    sound(log, turn.requests)
    assert sum(text == "go" for text in texts(turn.requests[-1])) == 1
    assert sum(text == "be quick" for text in texts(turn.requests[-1])) <= 1
    assert (await read_past(lambda: iter(log))).transcript.messages() == live


async def test_an_undisturbed_turn_is_sound() -> None:
    events, steps = await whole_turn()
    assert events > 40
    assert steps > 30


@pytest.mark.parametrize("again", [None, 0, 1, 2, 5])
async def test_an_interrupt_at_any_step_of_the_loop_leaves_a_sound_session(again: int | None) -> None:
    _, steps = await whole_turn()
    for step in range(steps + 2):
        turn = LongTurn()
        await turn.open()
        await turn.submit(SubmitPrompt(text="go"))
        for _ in range(step):
            await asyncio.sleep(0)
        await turn.submit(Interrupt())
        if again is not None:
            for _ in range(again):
                await asyncio.sleep(0)
            await turn.submit(Interrupt())
        await check_what_is_left(turn)


@pytest.mark.parametrize("twice", [False, True])
async def test_an_interrupt_at_any_event_leaves_a_sound_session(twice: bool) -> None:
    events, _ = await whole_turn()
    for index in range(events):
        turn = LongTurn()
        await turn.open()
        await turn.submit(SubmitPrompt(text="go"))
        seen = 0
        async with asyncio.timeout(20):
            async for event in turn.world.gateway.events(turn.session):
                if seen == index:
                    await turn.submit(Interrupt())
                    if twice:
                        await turn.submit(Interrupt())
                seen += 1
                if isinstance(event, TurnFinished):
                    break
        await check_what_is_left(turn)


async def test_an_interrupt_right_after_the_prompt_is_not_lost() -> None:
    turn = LongTurn()
    await turn.open()
    await turn.submit(SubmitPrompt(text="go"))
    await turn.submit(Interrupt())
    finished = (await turn.until_finished())[-1]
    assert isinstance(finished, TurnFinished)
    assert finished.outcome == "interrupted"
    assert turn.requests == []
    await turn.close()


async def test_after_an_interrupt_at_any_step_prompts_in_line_wait_for_the_next_one() -> None:
    _, steps = await whole_turn()
    for step in range(0, steps - 2, 3):
        turn = LongTurn()
        await turn.open(watched=False)
        first = await turn.submit(SubmitPrompt(text="go"))
        await turn.submit(SubmitPrompt(text="later"))
        for _ in range(step):
            await asyncio.sleep(0)
        await turn.submit(Interrupt())
        await turn.at_rest()
        started = [event.prompt for event in turn.log() if isinstance(event, TurnStarted)]
        assert started == [first]
        await turn.go_on()
        said = texts(turn.requests[-1])
        assert said.index("go") < said.index("later") < said.index("and now")
        sound(await turn.close(), turn.requests)


async def test_closing_at_any_step_leaves_a_log_that_is_whole() -> None:
    _, steps = await whole_turn()
    for step in range(steps + 2):
        turn = LongTurn()
        await turn.open()
        await turn.submit(SubmitPrompt(text="go"))
        for _ in range(step):
            await asyncio.sleep(0)
        sound(await turn.close(), turn.requests)
        store = turn.world.store
        again = LongTurn(store)
        await again.open(turn.session)
        assert (await again.go_on()).outcome == "finished"
        again.requests[:0] = turn.requests  # numbers of requests begin anew in each process
        assert sum(text == "go" for text in texts(again.requests[-1])) == 1
        await again.close()


@pytest.mark.parametrize("where", range(0, 120, 4))
async def test_a_slow_disk_changes_nothing(where: int) -> None:
    turn = LongTurn()
    await turn.open()
    turn.world.gateway._session(turn.session).hub.pace = 1.0
    await turn.submit(SubmitPrompt(text="go"))
    for _ in range(where):
        await asyncio.sleep(0)
    await turn.submit(Interrupt())
    await check_what_is_left(turn)
