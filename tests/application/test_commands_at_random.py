"""Any commands at any time, and a model that says anything: whatever happens, the session stays sound and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protea.application.past import read_past
from protea.domain.commands import (
    AnyCommand,
    Interrupt,
    ResolveApproval,
    Rewind,
    SetMode,
    SetModel,
    Steer,
    SubmitPrompt,
    WithdrawPrompt,
)
from protea.domain.errors import ModelError, UsageError
from protea.domain.hooks import HookMoment, HookSaid, Moment
from protea.domain.reply import ModelRequest, Reply
from tests.application.consistency import faults, unpaired
from tests.application.long_turn import BROKE, BUSY, SIX, LongTurn, sound
from tests.application.world import Step, calls, says

ANY: Sequence[Step] = (
    BUSY,
    BROKE,
    SIX,
    SIX,
    calls(("change", {"name": "x"})),
    calls(("risky", {"name": "x"}), text="Shall I?"),
    calls(("look", {"name": "x"}), ("look", {"name": "y"})),
    replace(SIX, stop="length"),
    replace(SIX, content=tuple(replace(part, id="same") for part in SIX.content[1:])),
    says("", "pause"),
    says("no number"),
    says("3"),
    replace(says(""), content=()),
)

COMMANDS = ("prompt", "prompt", "steer", "interrupt", "call", "answer", "answer", "withdraw", "mode", "model", "rewind")


class Chance(LongTurn):
    """Models that say anything, by a seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(steps=[])
        self.random = Random(seed)
        self.said = 0
        self.texts: Sequence[str] = ("do it",)
        for model in (self.first, self.second):
            model.steps[:] = [self.anything] * 500

    async def anything(self, request: ModelRequest) -> Reply:
        step = self.random.choice(ANY)
        self.said += 1
        if isinstance(step, Reply):
            return step
        raise ModelError(step)  # type: ignore[arg-type]  # the others are failures

    async def some(self, name: str) -> AnyCommand | None:
        about = await self.world.gateway.describe("session", self.session)
        match name:
            case "prompt":
                return SubmitPrompt(text=self.random.choice(self.texts))
            case "steer":
                return Steer(text=self.random.choice(("otherwise", *self.texts[1:])))
            case "interrupt":
                return Interrupt()
            case "call":
                return Interrupt(call_id=self.random.choice(("c1", "c2", "c3", "c4", "same", "same_3")))
            case "answer" if about["questions"]:
                decision = self.random.choice(("once", "session", "always", "deny"))
                return ResolveApproval(id=about["questions"][-1], decision=decision, comment="so")  # type: ignore[arg-type]
            case "withdraw" if about["waiting"]:
                return WithdrawPrompt(id=about["waiting"][-1]["id"])
            case "mode":
                return SetMode(mode=self.random.choice(("normal", "plan", "yolo")))
            case "model":
                return SetModel(model=self.random.choice(("test/one", "other/one")))
            case "rewind":
                return Rewind(to=self.random.randint(1, len(self.log())))
            case _:
                return None

    async def settle(self) -> None:
        """Refuse every question until nothing runs."""
        async with asyncio.timeout(20):
            while (about := await self.world.gateway.describe("session", self.session))["running"]:
                for question in about["questions"]:
                    await self.submit(ResolveApproval(id=question, decision="deny"))
                await asyncio.sleep(0)


class Whims:
    """Hooks at every moment that take their time, by a seed: what holds `secret` is refused, `mask` is rewritten, and
    the rest is let be, added to, objected to or asked about."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def wants(self, moment: Moment, tool: str | None = None) -> bool:
        return True

    async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
        for _ in range(self.random.randint(0, 8)):
            await asyncio.sleep(0)
        text = moment.text or ""
        if moment.moment == "prompt" and "secret" in text:
            return [HookSaid(hook="h", verdict="deny", why="it is one")]
        if moment.moment == "prompt" and "mask" in text:
            return [HookSaid(hook="h", text=text.replace("mask", "m**k"))]
        says: list[HookSaid] = [HookSaid(hook="h")] * 4
        says += [HookSaid(hook="h", failed="it broke"), HookSaid(hook="h", context="mind the gap")]
        says += [HookSaid(hook="h", verdict="deny", why="no"), HookSaid(hook="h", verdict="ask", why="well?")]
        return [self.random.choice(says)]

    async def aclose(self) -> None:
        """Nothing is open."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**9),
    commands=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(COMMANDS)), min_size=1, max_size=25),
)
def test_with_hooks_everywhere_it_stays_sound_and_no_model_is_shown_what_one_refused(
    seed: int, commands: list[tuple[int, str]]
) -> None:
    async def play() -> None:
        turn = Chance(seed)
        turn.world.hooks = Whims(turn.random)
        turn.texts = ("do it", "a secret", "a mask")
        await turn.open(watched=False)
        await turn.submit(SubmitPrompt(text="a secret"))
        for steps, name in commands:
            for _ in range(steps):
                await asyncio.sleep(0)
            command = await turn.some(name)
            if command is not None:
                with suppress(UsageError):
                    await turn.submit(command)
            now = turn.log()
            assert not faults(now, resting=False), faults(now, resting=False)
        await turn.settle()
        turn.world.hooks = None
        live = turn.live_messages()
        log = await turn.close()
        sound(log, turn.requests)
        assert (await read_past(lambda: iter(log))).transcript.messages() == live
        sent = [str(request.messages) for request in turn.requests]
        assert not any("secret" in each or "mask" in each for each in sent)

    with asyncio.Runner() as runner:
        runner.run(play())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**9),
    commands=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(COMMANDS)), min_size=1, max_size=25),
)
def test_any_commands_at_any_time_leave_a_sound_session(seed: int, commands: list[tuple[int, str]]) -> None:
    async def play() -> None:
        turn = Chance(seed)
        await turn.open(watched=False)
        await turn.submit(SubmitPrompt(text="do it"))
        for steps, name in commands:
            for _ in range(steps):
                await asyncio.sleep(0)
            command = await turn.some(name)
            if command is not None:
                with suppress(UsageError):  # too late, too early, or twice
                    await turn.submit(command)
            now = turn.log()
            assert not faults(now, resting=False), faults(now, resting=False)
            assert not unpaired(turn.live_messages())  # type: ignore[arg-type]  # messages
        await turn.settle()
        await turn.submit(SetModel(model="test/one"))
        assert (await turn.go_on()).outcome in ("finished", "denied")
        await turn.settle()
        live = turn.live_messages()
        log = await turn.close()
        sound(log, turn.requests)
        assert (await read_past(lambda: iter(log))).transcript.messages() == live

    with asyncio.Runner() as runner:
        runner.run(play())
