"""A plan is proposed in plan mode, answered by a person, and carried out."""

from __future__ import annotations

from typing import Any

import pytest

from protea.adapters.sandbox import none as no_walls
from protea.adapters.tools import builtin
from protea.adapters.workspace import disk
from protea.domain.commands import ResolveApproval, SetMode, SubmitPrompt
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ModeChanged,
    PinsChanged,
    TodoChanged,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.surroundings import Surroundings
from protea.ports.gateway import OpenSession
from protea.testing.search import ListSearch
from protea.testing.web import ScriptedWeb
from tests.application.consistency import faults
from tests.application.world import World, calls, of, says

PLAN = "# Blue\n1. Look at it\n2. Paint it"


def world() -> World:
    w = World(calls(("ProposePlan", {"plan": PLAN})), says("so be it"))
    around = Surroundings(cwd="/w", root="/w", user_home="/h", protea_home="/h/.protea", environment={})
    w.toolsets = (
        builtin.create(
            builtin.Options(only=("ProposePlan",)),
            workspace=disk.create(disk.Options(), surroundings=around),
            sandbox=no_walls.create(no_walls.Options()),
            surroundings=around,
            web=ScriptedWeb(),
            search=ListSearch(),
        ),
    )
    return w


async def answered(w: World, *, before: str = "normal", **answer: Any) -> list[AnyEvent]:
    session = await w.gateway.open(OpenSession(cwd="/w", mode=before))
    if before != "plan":
        await w.gateway.submit(session, SetMode(mode="plan"))
    events: list[AnyEvent] = []
    async for event in w.turn(session, SubmitPrompt(text="paint it")):
        events.append(event)
        if isinstance(event, ApprovalRequested):
            assert (event.kind, event.detail) == ("plan", {"plan": PLAN})
            await w.gateway.submit(session, ResolveApproval(id=event.id, **answer))
    assert faults(list(w.store.read(session))) == []
    await w.gateway.close()
    return events


@pytest.mark.parametrize(("before", "after"), [("normal", "normal"), ("yolo", "yolo"), ("plan", "normal")])
async def test_agreed_to_the_mode_from_before_is_back_and_the_plan_is_kept(before: str, after: str) -> None:
    events = await answered(world(), before=before, decision="once")
    assert [(each.mode, each.by) for each in of(events, ModeChanged)] == [(after, "plan")]
    assert of(events, PinsChanged)[0].pins == (f"The plan that was agreed on:\n{PLAN}",)
    assert [item.text for item in of(events, TodoChanged)[0].items] == ["Look at it", "Paint it"]
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_what_the_person_edited_is_the_plan() -> None:
    events = await answered(world(), decision="once", comment="1. Paint it red")
    assert of(events, PinsChanged)[0].pins == ("The plan that was agreed on:\n1. Paint it red",)
    assert [item.text for item in of(events, TodoChanged)[0].items] == ["Paint it red"]
    (result,) = [each.result for each in of(events, ToolCallChanged) if each.result]
    assert "Paint it red" in result.text


async def test_sent_back_it_stays_plan_mode_and_the_model_hears_why() -> None:
    events = await answered(world(), decision="deny", comment="not blue, red")
    assert of(events, ModeChanged) == of(events, PinsChanged) == of(events, TodoChanged) == []
    (result,) = [each.result for each in of(events, ToolCallChanged) if each.result]
    assert "not blue, red" in result.text
    assert result.denied is None
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_where_nobody_is_there_the_plan_is_the_answer_and_nothing_counts_as_refused() -> None:
    w = world()
    events = await w.run("paint it", mode="plan", interactive=False)
    (result,) = [each.result for each in of(events, ToolCallChanged) if each.result]
    assert "give it as your answer" in result.text
    assert of(events, ModeChanged) == []
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_a_later_plan_takes_the_place_of_an_earlier_one_and_other_pins_stay() -> None:
    w = world()
    w.model.steps = [calls(("ProposePlan", {"plan": PLAN})), calls(("ProposePlan", {"plan": "1. Wash it"})), says("ok")]
    events = await answered_all(w)
    assert of(events, PinsChanged)[-1].pins == ("The plan that was agreed on:\n1. Wash it",)


async def test_agreed_to_is_in_the_log_at_once_or_not_at_all() -> None:
    """Whatever instant a process dies in: the plan is pinned and listed, or the session is still in plan mode."""
    w = world()
    await answered_all(w)
    (session,) = [each.id for each in await w.gateway.sessions()]
    log = list(w.store.read(session))
    kinds = [each.__class__.__name__ for each in log]
    at = kinds.index("PinsChanged")
    assert kinds[at : at + 3] == ["PinsChanged", "TodoChanged", "ModeChanged"], "who sees the mode sees the plan"
    assert len({each.at for each in log[at : at + 3]}) == 1, "one write"


@pytest.mark.parametrize(
    ("left", "asked", "starts"),
    [("plan", None, "plan"), ("plan", "normal", "normal"), ("normal", "plan", "plan"), ("yolo", None, "normal")],
)
async def test_a_session_left_in_plan_mode_is_taken_up_in_it(left: str, asked: str | None, starts: str) -> None:
    w = world()
    session = await w.gateway.open(OpenSession(cwd="/w"))
    await w.gateway.submit(session, SetMode(mode=left))
    await w.gateway.close()
    assert await w.gateway.open(OpenSession(cwd="/w", resume=session, mode=asked)) == session
    assert (await w.gateway.describe("session", session))["mode"] == starts
    fork = await w.gateway.open(OpenSession(cwd="/w", resume=session, fork=True, mode=asked))
    assert (await w.gateway.describe("session", fork))["mode"] == starts
    await w.gateway.close()


async def test_one_that_was_taken_up_in_plan_mode_goes_back_to_the_mode_before() -> None:
    w = world()
    session = await w.gateway.open(OpenSession(cwd="/w"))
    await w.gateway.submit(session, SetMode(mode="plan"))
    await w.gateway.close()
    await w.gateway.open(OpenSession(cwd="/w", resume=session))
    async for event in w.turn(session, SubmitPrompt(text="paint it")):
        if isinstance(event, ApprovalRequested):
            await w.gateway.submit(session, ResolveApproval(id=event.id, decision="once"))
    assert (await w.gateway.describe("session", session))["mode"] == "normal"
    assert of(list(w.store.read(session)), ModeChanged)[-1].by == "plan"
    await w.gateway.close()


async def answered_all(w: World) -> list[AnyEvent]:
    session = await w.gateway.open(OpenSession(cwd="/w", mode="plan"))
    events: list[AnyEvent] = []
    async for event in w.turn(session, SubmitPrompt(text="paint it")):
        events.append(event)
        if isinstance(event, ApprovalRequested):
            await w.gateway.submit(session, ResolveApproval(id=event.id, decision="once"))
    await w.gateway.close()
    return events


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ("", "The plan is empty: say step by step what is to be done."),
        (" \n# \n", "The plan is empty: say step by step what is to be done."),
        ("1. " + "x" * 50_000, "The plan has 50,003 characters, and 50,000 are the most: say it shorter."),
    ],
)
async def test_what_is_no_plan_is_asked_of_nobody_and_leaves_plan_mode_in_force(plan: str, why: str) -> None:
    w = world()
    w.model.steps = [calls(("ProposePlan", {"plan": plan})), says("so be it")]
    events = await w.run("go", mode="plan", interactive=True)
    (refused,) = [each.result for each in of(events, ToolCallChanged) if each.result is not None]
    assert refused.text.startswith(why)
    assert not of(events, ApprovalRequested)
    assert not of(events, ModeChanged)
