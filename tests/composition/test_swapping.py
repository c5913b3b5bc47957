"""Who the agent is changes while it runs: real adapters, a model that answers when it is told to."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import shutil
import sys
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.storage.jsonl import JsonlLog, JsonlStore
from protea.application.sessions import Sessions
from protea.composition.catalogue import CATALOGUE
from protea.composition.launch import Launch
from protea.composition.root import Given, build
from protea.domain.commands import Interrupt, SubmitPrompt, Swap, Undo
from protea.domain.errors import StoreError, UsageError
from protea.domain.events import (
    AnyEvent,
    LastingEvent,
    MessageCompleted,
    NoticeGiven,
    ProfileSwapped,
    PromptSubmitted,
    SessionStarted,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import ModelInfo, Price, Usage
from protea.ports.gateway import OpenSession
from tests.application.world import PlayedModel, calls, of, says

WITHIN = 30.0
Step = Reply | Callable[[ModelRequest], Awaitable[Reply]]


class Held:
    """A step of a model that answers when it is told to."""

    def __init__(self, reply: Reply) -> None:
        self.asked, self.go, self.reply = asyncio.Event(), asyncio.Event(), reply

    async def __call__(self, request: ModelRequest) -> Reply:
        self.asked.set()
        await self.go.wait()
        return self.reply


class Live:
    """A session in a process of its own making."""

    def __init__(self, folder: Path, steps: tuple[Step, ...], **given: Any) -> None:
        self.home = folder / ".protea"
        (self.home / "profiles").mkdir(parents=True, exist_ok=True)
        self.project = folder / "project"
        self.project.mkdir(exist_ok=True)
        self.warnings: list[str] = []
        self.model = PlayedModel(steps, info=given.pop("info", None))
        self.launch = Launch(
            cwd=str(self.project),
            environment={"HOME": str(folder), "PATH": os.environ["PATH"]},
            warn=self.warnings.append,
            **given,
        )
        self.gateway: Sessions
        self.session = ""

    def profile(self, name: str, text: str) -> None:
        (self.home / "profiles" / f"{name}.toml").write_text(text)

    async def open(self, **spec: Any) -> None:
        self.gateway = build(self.launch, Given(model=self.model))
        self.session = await self.gateway.open(OpenSession(cwd=str(self.project), **spec))

    async def swap(self, profile: str | None = None, **ports: str) -> None:
        await self.gateway.submit(self.session, Swap(profile=profile, ports=ports))

    async def prompt(self, text: str) -> None:
        await self.gateway.submit(self.session, SubmitPrompt(text=text))

    async def until(self, kind: type[Any], after: int = 0) -> Any:
        async with asyncio.timeout(WITHIN):
            async for event in self.gateway.events(self.session, after):
                if isinstance(event, kind):
                    return event
        raise AssertionError(f"no {kind.__name__} came")

    async def turn(self, text: str) -> None:
        past = await self.history()
        await self.prompt(text)
        await self.until(TurnFinished, past[-1].seq or 0)

    async def history(self) -> list[LastingEvent]:
        return list(await self.gateway.history(self.session))

    async def about(self) -> dict[str, Any]:
        about: dict[str, Any] = await self.gateway.describe("session", self.session)
        return about


@pytest.fixture
def live(tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(*steps: Step, **given: Any) -> AsyncIterator[Live]:
        spec = given.pop("spec", {})
        made = Live(tmp_path, steps, **given)
        await made.open(**spec)
        try:
            yield made
        finally:
            await made.gateway.close()

    return opened


# ── hot ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_at_rest_is_another_at_once(live: Any) -> None:
    async with live(says("One."), says("Two.")) as it:
        await it.turn("first")
        await it.swap("reviewer")
        about = await it.about()
        assert (about["profile"], about["mode"], about["swapping"]) == ("reviewer", "plan", None)
        await it.turn("second")
        before, after = it.model.requests
        assert before.system[-1] != after.system[-1]
        assert {"Edit", "Write"} <= {tool.name for tool in before.tools}
        assert not {"Edit", "Write"} & {tool.name for tool in after.tools}
        assert len(after.messages) == 3  # the conversation is the same
        log = await it.history()
        (marker,) = of(log, ProfileSwapped)
        assert (marker.profile, set(marker.changed)) == ("reviewer", {"persona", "toolset", "permission"})
        assert {event.identity for event in log[: (marker.seq or 0) - 1]} == {"coding"}
        assert {event.identity for event in log[(marker.seq or 0) - 1 :]} == {"reviewer"}


async def test_in_a_turn_it_takes_hold_between_two_requests(live: Any) -> None:
    """What the old identity was asked for is still its own: its reply, and the calls of it."""
    held = Held(calls(("TodoWrite", {"todos": [{"text": "x", "status": "pending"}]})))
    async with live(held, says("Done.")) as it:
        await it.prompt("go on")
        await asyncio.wait_for(held.asked.wait(), WITHIN)
        await it.swap(persona="minimal")
        assert (await it.about())["swapping"] == "coding+persona=minimal"
        assert (await it.history())[-1].identity == "coding"
        held.go.set()
        finished = await it.until(TurnFinished)
        log = await it.history()
        (marker,) = of(log, ProfileSwapped)
        first, second = of(log, MessageCompleted)
        done = [event for event in of(log, ToolCallChanged) if event.state == "success"]
        assert [event.identity for event in (first, *done)] == ["coding", "coding"]
        assert [event.identity for event in (marker, second, finished)] == ["coding+persona=minimal"] * 3
        assert it.model.requests[0].system != it.model.requests[1].system
        assert it.model.requests[1].system[0].startswith("You are Protea, a helpful agent.")


async def test_a_turn_that_hooks_send_back_goes_on_as_who_it_has_become(live: Any, tmp_path: Path) -> None:
    once = "import json, sys; sys.exit(0 if json.load(sys.stdin)['stop_hook_active'] else 2)"
    (tmp_path / ".protea").mkdir()
    hook = f"[[hooks.turn_end]]\nname = 'once'\ncommand = {json.dumps([sys.executable, '-c', once])}\n"
    (tmp_path / ".protea" / "config.toml").write_text(hook)
    held = Held(calls(("TodoWrite", {"todos": [{"text": "x", "status": "pending"}]})))
    async with live(held, says("Done."), says("Now.")) as it:
        await it.prompt("go on")
        await asyncio.wait_for(held.asked.wait(), WITHIN)
        await it.swap(persona="minimal")
        held.go.set()
        assert (await it.until(TurnFinished)).turns == 3
        before, *after = (request.system[0] for request in it.model.requests)
        assert before not in after
        assert len(set(after)) == 1


async def test_one_that_comes_before_another_has_taken_hold_takes_its_place(live: Any) -> None:
    held = Held(says("One."))
    async with live(held) as it:
        await it.prompt("go on")
        await asyncio.wait_for(held.asked.wait(), WITHIN)
        await it.swap("reviewer")
        await it.swap("base")
        await it.swap(instructions="none")
        assert (await it.about())["swapping"] == "base+instructions=none"
        held.go.set()
        await it.until(ProfileSwapped)
        await it.until(TurnFinished)
        assert [event.identity for event in of(await it.history(), ProfileSwapped)] == ["base+instructions=none"]


async def test_an_interrupted_turn_lets_it_take_hold(live: Any) -> None:
    held = Held(says("Never."))
    async with live(held, says("Two.")) as it:
        await it.prompt("go on")
        await asyncio.wait_for(held.asked.wait(), WITHIN)
        await it.swap("base")
        await it.gateway.submit(it.session, Interrupt())
        swapped = await it.until(ProfileSwapped)
        finished = await it.until(TurnFinished)
        assert (finished.outcome, finished.identity) == ("interrupted", "coding")
        assert (swapped.seq or 0) > (finished.seq or 0)
        await it.turn("again")
        assert (await it.history())[-1].identity == "base"


# ── warm ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_another_store_takes_the_whole_log_over(live: Any) -> None:
    async with live(*(says(f"Answer {n}.") for n in range(9))) as it:
        await it.turn("one")
        following = it.gateway.events(it.session)
        first = await anext(following)
        assert isinstance(first, SessionStarted)
        disk = JsonlStore(str(it.home / "sessions"))
        await it.swap(session_store="memory")
        await it.turn("two")
        left = list(disk.read(it.session))
        log = await it.history()
        assert log[: len(left)] == left
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        assert len(left) < len(log)
        await it.swap(session_store="jsonl")  # back to where a part of it still lies
        await it.turn("three")
        log = await it.history()
        assert list(disk.read(it.session)) == log
        assert [event.text for event in of(log, PromptSubmitted)] == ["one", "two", "three"]
        assert [summary.id for summary in await it.gateway.sessions()] == [it.session]
        seen = [1]
        async with asyncio.timeout(WITHIN):
            async for event in following:  # one that has followed all the while misses nothing
                if event.seq is not None:
                    seen.append(event.seq)
                if event.seq == log[-1].seq:
                    break
        assert seen == [each.seq for each in log]


async def test_a_prompt_that_comes_while_the_log_is_carried_is_in_both(live: Any) -> None:
    async with live(*(says("x" * 50) for _ in range(9))) as it:
        for n in range(5):
            await it.turn(f"prompt {n}")
        swapping = asyncio.create_task(it.swap(session_store="memory"))
        prompts = [asyncio.create_task(it.prompt(f"meanwhile {n}")) for n in range(3)]
        await asyncio.wait_for(asyncio.gather(swapping, *prompts), WITHIN)
        log = await it.history()
        assert {f"meanwhile {n}" for n in range(3)} <= {event.text for event in of(log, PromptSubmitted)}
        assert [event.seq for event in log] == list(range(1, len(log) + 1))


async def test_a_store_that_cannot_be_written_leaves_everything_as_it_was(live: Any) -> None:
    async with live(says("One."), says("Two.")) as it:
        await it.swap(session_store="memory")
        await it.turn("one")
        in_the_way = it.home / "sessions" / it.session
        shutil.rmtree(in_the_way)
        in_the_way.write_text("no folder")
        await it.swap(session_store="jsonl")
        notice = of(await it.history(), NoticeGiven)[-1]
        assert notice.level == "error"
        assert notice.text.startswith("it stays coding+session_store=memory: ")
        await it.turn("two")
        assert (await it.history())[-1].identity == "coding+session_store=memory"


async def test_one_that_is_given_up_while_the_log_is_carried_leaves_nothing_in_the_other_store(
    live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is kept in memory, is to go to the disk, and is told to stay before all of it is there."""
    async with live(*(says("x" * 400) for _ in range(200))) as it:
        kept = it.home / "sessions" / it.session
        await it.swap(session_store="memory")
        shutil.rmtree(kept)
        for n in range(120):
            await it.turn(f"prompt {n}")
        carrying = asyncio.Event()
        real = JsonlLog.append

        def noticed(self: Any, events: Any, *, durable: bool) -> None:
            real(self, events, durable=durable)
            carrying.set()

        monkeypatch.setattr(JsonlLog, "append", noticed)
        moving = asyncio.create_task(it.swap(session_store="jsonl"))
        await asyncio.wait_for(carrying.wait(), WITHIN)
        staying = asyncio.create_task(it.swap(persona="minimal", session_store="memory"))
        await asyncio.wait_for(asyncio.gather(moving, staying), WITHIN)
        about = await it.about()
        assert about["identity"] == "coding+persona=minimal+session_store=memory"
        log = await it.history()
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        moved = any("session_store=jsonl" in event.identity for event in of(log, ProfileSwapped))
        assert moved or not kept.exists()


# ── cold ───────────────────────────────────────────────────────────────────────────────────────────────────────────


STEADY = """
import msgspec
from protea.adapters.clock.system import SystemClock

class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True): ...

class SteadyClock(SystemClock):
    def now(self):
        return "2001-01-01T00:00:00.000Z"

def create(options):
    return SteadyClock()
"""


async def test_a_cold_one_waits_for_the_end_of_the_turn(
    live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is exchanged together with it waits as well."""
    (tmp_path / "steady_clock.py").write_text(STEADY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(CATALOGUE["clock"], "steady", "steady_clock")
    held = Held(calls(("TodoWrite", {"todos": []})))
    async with live(held, says("Done."), says("Next.")) as it:
        await it.prompt("go on")
        await asyncio.wait_for(held.asked.wait(), WITHIN)
        swap = Swap(ports={"clock": "steady", "persona": "minimal"})
        seen = await it.gateway.preview(it.session, swap)
        assert (seen.swap_class, seen.waits_for) == ("cold", ("turn",))
        await it.gateway.submit(it.session, swap)
        held.go.set()
        finished = await it.until(TurnFinished)
        marker = await it.until(ProfileSwapped)
        assert finished.identity == "coding"
        assert marker.seq == (finished.seq or 0) + 1
        first, second = it.model.requests
        assert first.system == second.system
        await it.turn("next")
        assert {event.at for event in await it.history() if (event.seq or 0) >= marker.seq} == {STOOD}
        assert it.model.requests[2].system != second.system


STOOD = "2001-01-01T00:00:00.000Z"


# ── what cannot be had ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("swap", "told"),
    [
        (Swap(profile="revewier"), "there is no profile 'revewier'; did you mean reviewer?"),
        (Swap(ports={"persona": "codign"}), "the port persona has no adapter codign; did you mean coding?"),
        (Swap(ports={"persna": "coding"}), "there is no port persna; did you mean persona?"),
        (Swap(profile="broken"), "there is no option 'txet' (did you mean text?)"),
        (Swap(profile="broken2"), "the port sandbox has no adapter walls"),
        (Swap(profile="coding"), "that is what it is already: coding"),
        (Swap(), "a swap names a profile or ports"),
    ],
)
async def test_what_cannot_be_had_is_refused_and_nothing_changes(live: Any, swap: Swap, told: str) -> None:
    async with live(says("One.")) as it:
        it.profile("broken", 'extends = "base"\nmode = "yolo"\n[persona]\nadapter = "minimal"\ntxet = "x"\n')
        it.profile("broken2", 'extends = "base"\n[sandbox]\nadapter = "walls"\n')
        before = await it.history()
        with pytest.raises(UsageError) as raised:
            await it.gateway.submit(it.session, swap)
        assert told in str(raised.value)
        if swap.profile != "coding":
            with pytest.raises(UsageError):
                await it.gateway.preview(it.session, swap)
        assert await it.history() == before
        about = await it.about()
        assert (about["profile"], about["mode"]) == ("coding", "normal")
        await it.turn("still here")
        assert "Protea, a coding agent" in it.model.requests[0].system[0]


async def test_a_log_that_cannot_be_written_keeps_the_old_identity(live: Any, monkeypatch: Any) -> None:
    async with live(says("One.")) as it:
        log = it.gateway._open[it.session].log
        real = type(log).append

        def full(self: Any, events: Any, *, durable: bool) -> None:
            if any(isinstance(event, ProfileSwapped) for event in events):
                raise StoreError("the disk is full")
            real(self, events, durable=durable)

        monkeypatch.setattr(type(log), "append", full)
        await it.swap("reviewer")
        assert of(await it.history(), NoticeGiven)[-1].text == "it stays coding: the disk is full"
        about = await it.about()
        assert (about["profile"], about["mode"], about["identity"]) == ("coding", "normal", "coding")
        await it.turn("go on")
        assert {"Edit", "Write"} <= {tool.name for tool in it.model.requests[0].tools}


# ── preview ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_preview_tells_what_would_happen_and_changes_nothing(live: Any) -> None:
    info = ModelInfo(id="test/one", price=Price(input=3.0, output=15.0, cache_read=0.3))
    reply = says("One.")
    used = Reply(
        content=reply.content, stop="end_turn", model=reply.model, usage=Usage(input=9000, output=5, cache_read=8000)
    )
    held = Held(says("Two."))
    async with live(used, held, info=info) as it:
        await it.turn("one")
        before = await it.history()
        seen = await it.gateway.preview(it.session, Swap(profile="reviewer"))
        assert (seen.profile, seen.identity, seen.mode, seen.swap_class) == ("reviewer", "reviewer", "plan", "hot")
        assert seen.tools_removed == ("Write", "Edit", "Patch")
        assert seen.tools_added == ()
        assert seen.cached_tokens_lost == 8000
        assert seen.cost_usd == pytest.approx(8000 * 2.7e-6)
        assert {each.port for each in seen.changes} == {"persona", "toolset", "permission"}
        assert seen.waits_for == ()
        nothing = await it.gateway.preview(it.session, Swap(ports={"approval": "policy"}))
        assert (nothing.cached_tokens_lost, nothing.cost_usd) == (0, 0.0)
        warm = await it.gateway.preview(it.session, Swap(ports={"session_store": "memory"}))
        assert warm.swap_class == "warm"
        assert warm.warnings == ("the session moves from jsonl to memory; what jsonl has of it stays as it is",)
        assert await it.history() == before
        await it.prompt("two")
        await asyncio.wait_for(held.asked.wait(), WITHIN)
        assert (await it.gateway.preview(it.session, Swap(profile="base"))).waits_for == ("reply",)
        cold = await it.gateway.preview(it.session, Swap(ports={"checkpoint": "none"}))
        assert (cold.swap_class, cold.waits_for) == ("cold", ("turn",)), "a turn's changes are kept in one place"
        held.go.set()


# ── resuming ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_that_is_opened_again_is_who_it_was(live: Any, tmp_path: Path) -> None:
    async with live(says("One.")) as it:
        await it.swap("reviewer")
        await it.swap(persona="minimal")
        session = it.session
    again = Live(tmp_path, (says("Two."),))
    await again.open(resume=session)
    assert (await again.about())["identity"] == "reviewer+persona=minimal"
    assert (await again.about())["mode"] == "plan"
    assert len(of(await again.history(), ProfileSwapped)) == 2  # nothing changed by opening it
    await again.gateway.close()
    other = Live(tmp_path, (says("Three."),))
    await other.open(resume=session, profile="base")
    assert (await other.about())["identity"] == "base"
    assert of(await other.history(), ProfileSwapped)[-1].by == "resumed"
    await other.gateway.close()


async def test_one_whose_profile_is_gone_opens_as_the_configuration_says(live: Any, tmp_path: Path) -> None:
    async with live(says("One.")) as it:
        it.profile("mine", 'extends = "base"\n')
        await it.swap("mine")
        session = it.session
    (tmp_path / ".protea" / "profiles" / "mine.toml").unlink()
    again = Live(tmp_path, (says("Two."),))
    await again.open(resume=session)
    about = await again.about()
    assert about["profile"] == "coding"
    assert any("there is no profile 'mine'" in warning for warning in about["warnings"])
    await again.gateway.close()


# ── nothing is left ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_nothing_keeps_a_part_that_was_exchanged(live: Any) -> None:
    """Whoever holds a part must go on with the new one: the old ones are garbage afterwards."""
    async with live(says("One."), says("Two.")) as it:
        await it.turn("one")
        parts = it.gateway._open[it.session].parts
        kinds = ("persona", "instructions", "toolset", "approval", "rule_store", "permission", "workspace", "sandbox")
        old = {kind: weakref.ref(parts.opened.get(kind)) for kind in kinds}
        del parts
        it.profile(
            "other",
            'extends = "base"\n[permission]\nadapter = "everything-asks"\n[instructions]\nadapter = "none"\n'
            '[toolset]\nadapter = "none"\n[rule_store]\nadapter = "none"\n[workspace]\nadapter = "memory"\n'
            '[sandbox]\nadapter = "bubblewrap"\n',
        )
        await it.swap("other")
        await it.swap(approval="policy")
        await it.turn("two")
        gc.collect()
        left = [kind for kind, ref in old.items() if ref() is not None]
        assert left == []


PROFILES = ("base", "coding", "ops", "personal-assistant", "reviewer")
PORTS = {
    "persona": ("coding", "minimal"),
    "instructions": ("files", "none"),
    "toolset": ("builtin", "none"),
    "permission": ("rules", "everything-asks"),
    "workspace": ("disk", "memory"),
    "session_store": ("jsonl", "memory"),
    "rule_store": ("file", "none"),
    "sandbox": ("none", "bubblewrap"),
}


def descriptors() -> Counter[str]:
    """Open files, by name."""
    found: Counter[str] = Counter()
    for each in os.listdir("/proc/self/fd"):
        try:
            found[os.readlink(f"/proc/self/fd/{each}")] += 1
        except OSError:
            continue
    return found


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_a_hundred_swaps_at_random_under_load_lose_nothing_and_leave_nothing(live: Any) -> None:
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    begin_tasks = len(asyncio.all_tasks())

    async def chatty(request: ModelRequest) -> Reply:
        await asyncio.sleep(0)
        if request.tools and dice.random() < 0.5:
            return calls(("TodoWrite", {"todos": [{"text": f"{dice.random()}", "status": "pending"}]}))
        return says("Yes.")

    async with live(*([chatty] * 2000)) as it:
        descriptors_before, children_before = descriptors(), children()
        told: list[AnyEvent] = []

        async def follow() -> None:
            async for event in it.gateway.events(it.session):
                told.append(event)

        follower = asyncio.create_task(follow())
        sent, made, refused = [], 0, 0
        for n in range(100):
            if dice.random() < 0.6:
                sent.append(f"prompt {n}")
                await it.prompt(sent[-1])
            try:
                if dice.random() < 0.4:
                    await it.swap(dice.choice(PROFILES))
                else:
                    port = dice.choice([*PORTS])
                    await it.swap(**{port: dice.choice(PORTS[port])})
                made += 1
            except UsageError:  # it is that already, or cannot be had on this machine
                refused += 1
            for _ in range(dice.randrange(20)):
                await asyncio.sleep(0)
        async with asyncio.timeout(WITHIN):
            done = 0
            async for event in it.gateway.events(it.session):
                done += isinstance(event, TurnFinished)
                if done == len(sent):
                    break
        if (await it.about())["identity"] != "coding":
            await it.swap("coding")
        log = await it.history()
        if closing := {*it.gateway._open[it.session].swapping._closing}:
            await asyncio.wait(closing, timeout=WITHIN)
        assert made + refused == 100, seed
        assert made > 20, seed
        assert [event.text for event in of(log, PromptSubmitted) if event.origin == "user"] == sent, seed
        assert [event.seq for event in log] == list(range(1, len(log) + 1)), seed
        assert sum(isinstance(event, TurnFinished) for event in log) == len(sent), seed
        assert {event.outcome for event in of(log, TurnFinished)} <= {"finished"}, seed
        _identities_are_true(log, seed)
        assert children() == children_before, seed
        extra = {name: count for name, count in (descriptors() - descriptors_before).items() if name.startswith("/")}
        assert max(extra.values(), default=1) == 1, (seed, extra)
        others = {name for name in extra if it.session not in name and "/audit/" not in name}
        assert others == set(), (seed, extra)
    await asyncio.wait_for(follower, WITHIN)
    lasting = [event for event in told if event.seq is not None]
    assert [event.seq for event in lasting] == list(range(1, len(lasting) + 1)), seed
    assert len(asyncio.all_tasks()) == begin_tasks, seed


def _identities_are_true(log: list[LastingEvent], seed: int) -> None:
    """Every event carries the identity of the last marker before it, or of the start."""
    now = log[0].identity
    for event in log:
        if isinstance(event, ProfileSwapped):
            assert event.identity != now or event.changed, seed
            now = event.identity
        assert event.identity == now, (seed, event)


async def test_what_was_kept_by_a_checkpoint_that_is_gone_cannot_be_undone(live: Any) -> None:
    write = calls(("Write", {"path": "a.txt", "content": "a\n"}))
    async with live(write, says("One."), spec={"mode": "yolo"}) as it:
        await it.turn("write")
        assert (it.project / "a.txt").exists()
        await it.swap(checkpoint="none")
        with pytest.raises(StoreError, match="filled by none"):
            await it.gateway.submit(it.session, Undo())
        await it.swap(checkpoint="snapshots")
        await it.gateway.submit(it.session, Undo())
        assert not (it.project / "a.txt").exists()
