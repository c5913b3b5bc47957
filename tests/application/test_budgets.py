"""Budgets per session, day and profile: hard stops before the request that would pass them."""

from __future__ import annotations

from typing import Any

import pytest

from protea.domain.commands import SubmitPrompt
from protea.domain.errors import UsageError
from protea.domain.events import AnyEvent, NoticeGiven, TurnFinished
from protea.domain.messages import AssistantMessage, Image, Text, ToolCall, ToolMessage, UserMessage
from protea.domain.reply import ModelRequest, Reply
from protea.domain.spending import Budgets, Spent, broken, next_cost
from protea.domain.usage import Price, Usage
from protea.ports.gateway import OpenSession
from protea.testing.contracts.ledger import cost
from tests.application.world import World, of, says

PRICE = Price(input=1000, output=0)
"""Each reply of these tests reads ten tokens, so it costs one cent."""


def world(replies: int = 5, **budgets: Any) -> World:
    made = World(*(says(str(n)) for n in range(replies)), price=PRICE)
    made.budgets = Budgets(**budgets)
    return made


def limit(events: list[AnyEvent]) -> str | None:
    return of(events, TurnFinished)[0].limit


async def test_what_is_spent_is_in_the_ledger_with_who_spent_it() -> None:
    made = world()
    await made.run("hi")
    (spending,) = made.ledger.recorded
    assert (spending.cost_usd, spending.model, spending.profile) == (0.01, "test/one", "test")
    assert spending.day == made.clock.now()[:10]


async def test_a_model_without_a_price_leaves_no_line() -> None:
    made = World(says("a"))
    await made.run("hi")
    assert made.ledger.recorded == []


async def test_the_budget_of_a_day_stops_before_the_request_that_would_pass_it() -> None:
    made = world(day=0.02)
    assert limit(await made.run("one")) is None
    assert limit(await made.run("two")) is None
    events = await made.run("three")
    assert limit(events) == "budget"
    assert len(made.model.requests) == 2
    assert "the day's budget, $0.02" in of(events, NoticeGiven)[0].text


async def test_what_others_have_spent_today_counts_and_yesterday_does_not() -> None:
    made = world(day=1.0)
    made.ledger.record(cost(50, day="2020-01-01"))
    assert limit(await made.run("one")) is None
    made.ledger.record(cost(0.995, day=made.clock.now()[:10], session="another", profile="another"))
    assert limit(await made.run("two")) == "budget"


async def test_the_budget_of_a_profile_counts_its_own_alone() -> None:
    made = world(profiles={"test": 0.05, "base": 0.0})
    today = made.clock.now()[:10]
    made.ledger.record(cost(3, day=today, profile="base"))
    assert limit(await made.run("one")) is None
    made.ledger.record(cost(0.05, day=today, profile="test"))
    assert limit(await made.run("two")) == "budget"


async def test_the_budget_of_a_session_lasts_over_its_prompts_and_when_it_is_taken_up_again() -> None:
    made = world(session=0.02)
    session = await made.gateway.open(OpenSession(cwd="/w"))
    ends = [limit([event async for event in made.turn(session, SubmitPrompt(text="go"))]) for _ in range(3)]
    assert ends == [None, None, "budget"]
    await made.gateway.close()
    made.use_clock(made.clock)
    again = await made.gateway.open(OpenSession(cwd="/w", resume=session))
    assert limit([event async for event in made.turn(again, SubmitPrompt(text="go"))]) == "budget"
    other = await made.gateway.open(OpenSession(cwd="/w"))
    assert limit([event async for event in made.turn(other, SubmitPrompt(text="go"))]) is None
    await made.gateway.close()
    assert len(made.model.requests) == 3


async def test_within_a_turn_the_request_that_would_pass_it_is_not_made() -> None:
    again = Reply((ToolCall("c1", "none", {}),), "tool_calls", Usage(input=10), "test/one")
    made = World(again, again, again, says("end"), price=PRICE)
    made.budgets = Budgets(session=0.02)
    assert limit(await made.run("go")) == "budget"
    assert len(made.model.requests) == 2


async def test_a_budget_needs_a_price() -> None:
    made = World(says("a"))
    made.budgets = Budgets(day=1)
    with pytest.raises(UsageError, match="a budget needs the price of test/one"):
        await made.run("hi")


async def test_faces_can_ask_what_is_spent() -> None:
    made = world(day=5)
    session = await made.gateway.open(OpenSession(cwd="/w"))
    _ = [event async for event in made.turn(session, SubmitPrompt(text="go"))]
    made.ledger.record(cost(1, day=made.clock.now()[:10], profile="base"))
    assert await made.gateway.describe("cost", session) == {
        "session": {"spent": 0.01, "budget": None},
        "day": {"spent": 1.01, "budget": 5},
        "profile": {"name": "test", "spent": 0.01, "budget": None},
    }
    await made.gateway.close()


async def test_a_ledger_that_fails_is_told_once_and_stops_nothing_no_budget_hangs_on() -> None:
    made = world()
    made.ledger.full = True
    session = await made.gateway.open(OpenSession(cwd="/w"))
    events = [event for _ in range(2) async for event in made.turn(session, SubmitPrompt(text="go"))]
    assert [event.outcome for event in of(events, TurnFinished)] == ["finished", "finished"]
    assert ["no space" in event.text for event in of(events, NoticeGiven)] == [True]
    await made.gateway.close()


def test_the_sentence_names_the_budget_and_how_to_find_it() -> None:
    kept = Budgets(session=1, day=2, profiles={"coding": 0.5})
    assert broken(kept, Spent(0.1, 0.1, 0.1), "coding", 0.1) is None
    assert "budgets.session" in str(broken(kept, Spent(1.0, 1.0, 0.1), "coding", 0))
    assert "budgets.day" in str(broken(kept, Spent(0.5, 1.95, 0.1), "base", 0.1))
    assert "budgets.profiles.coding" in str(broken(kept, Spent(0.1, 0.1, 0.45), "coding", 0.1))
    assert broken(Budgets(day=0), Spent(), "coding", 0) is not None


def test_the_first_request_costs_at_least_its_texts_and_the_next_as_much_as_the_one_before() -> None:
    picture = Image("image/png", "A" * 6_000_000)
    request = ModelRequest(
        (
            UserMessage((Text("x" * 600), picture)),
            AssistantMessage((Text("x" * 600), ToolCall("c", "n", {"a": "x" * 590}))),
            ToolMessage("c", "n", "x" * 600, images=(picture,)),
        ),
        system=("x" * 600,),
    )
    price = Price(input=10, output=50, cache_read=1)
    assert 0.0004 < next_cost(request, price, Usage()) < 0.0006
    assert next_cost(request, price, Usage(input=1_000_000, output=10_000)) == 1.5
    assert next_cost(request, None, Usage()) == 0
