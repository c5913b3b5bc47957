"""What requests show where a conversation fills its window: seen in what the model was sent, and in the log."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from protea.adapters.compaction import clear_results, digest, levels, summarise, truncate
from protea.adapters.context import windowed
from protea.adapters.tokens import bytes as by_bytes
from protea.adapters.tools.functions import FunctionToolset
from protea.application.parts import Parts
from protea.domain.commands import Compact, EditSummary, Interrupt, Rewind, SetPins, SubmitPrompt, UndoCompaction
from protea.domain.compaction import Conversation, Shrunk
from protea.domain.errors import Failure, ModelError, UsageError
from protea.domain.events import Compacted, NoticeGiven, TurnFinished, TurnStarted
from protea.domain.hooks import HookSaid, to_wire
from protea.domain.looking_back import by_number
from protea.domain.messages import Image, Message, Text, ToolMessage, UserMessage
from protea.domain.reply import ModelRequest, Reply
from protea.domain.transcript import transcript_of
from protea.domain.usage import ModelInfo, Price, Usage
from protea.ports.compaction import Ask
from protea.ports.gateway import OpenSession
from protea.testing.compaction import ClearingCompaction
from protea.testing.context import LastTurns
from protea.testing.conversations import whole
from protea.testing.hooks import TableHooks
from protea.testing.tokens import WordTokens
from tests.application.world import NAME, Held, PlayedModel, Step, World, calls, of, says


def read(path: str) -> str:
    """Read a file."""
    return f"{path}: " + "words of a file " * 60


class Windowed(World):
    """A world whose sessions choose and shrink, and whose model sees 2,000 tokens. Nobody counts tokens for it."""

    def __init__(self, *steps: Step, price: Price | None = None, context: int | None = 2000, **parts: Any) -> None:
        super().__init__(*steps, tools=[read])
        self.model = PlayedModel(steps, info=ModelInfo(id=NAME, context=context, max_output=400, price=price))
        self._parts = {"tokens": by_bytes.create(by_bytes.Options()), **parts}

    def _assemble(self, spec: OpenSession) -> Parts:
        return replace(super()._assemble(spec), **self._parts)


def uncounted(reply: Reply) -> Reply:
    return replace(reply, usage=Usage())


READS: tuple[Reply, ...] = tuple(uncounted(calls(("read", {"path": f"{number}.txt"}))) for number in range(10))
DONE = uncounted(says("done"))


def shown(requests: Sequence[ModelRequest]) -> list[int]:
    return [len(request.messages) for request in requests]


def said(message: Message) -> str:
    assert isinstance(message, UserMessage)
    return "".join(part.text for part in message.content if isinstance(part, Text))


async def test_without_parts_that_choose_everything_is_shown() -> None:
    world = Windowed(*READS, DONE)
    await world.run("go")
    assert shown(world.model.requests) == [1 + 2 * number for number in range(11)]


async def test_a_window_shows_what_fits_and_is_whole_each_time() -> None:
    world = Windowed(*READS, DONE, context=2000)
    world._parts["context"] = windowed.create(windowed.Options())
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert max(shown(world.model.requests)) < 21
    assert all(whole(request.messages) for request in world.model.requests)


async def test_old_results_are_cleared_and_the_log_says_so() -> None:
    compaction = clear_results.create(clear_results.Options(above=0.5, keep=2))
    world = Windowed(*READS, DONE, compaction=compaction)
    events = await world.run("go")
    last = [message for message in world.model.requests[-1].messages if isinstance(message, ToolMessage)]
    cleared = ["cleared" in message.text for message in last]
    assert cleared == sorted(cleared, reverse=True)
    assert 2 <= cleared.count(False) < 6
    compacted = of(events, Compacted)
    assert [event.how for event in compacted] == ["clear"] * len(compacted)
    assert 1 <= len(compacted) <= 8
    assert of(events, NoticeGiven) == []


async def test_what_the_model_was_shown_can_be_told_from_the_log() -> None:
    world = Windowed(*READS, DONE, says("again"), compaction=levels.create(levels.Options(clear_above=0.5)))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    _ = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
    _ = [event async for event in world.turn(session, SubmitPrompt(text="and now?"))]
    history = await world.gateway.history(session)
    await world.gateway.close()
    assert transcript_of(history).messages()[:-1] == world.model.requests[-1].messages


async def test_what_is_summed_up_keeps_what_the_person_said_the_pins_and_the_list() -> None:
    world = Windowed(
        says("first answer"), uncounted(says("it was about ports")), DONE, compaction=levels.create(levels.Options())
    )
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SetPins(pins=("never push",)))
    _ = [event async for event in world.turn(session, SubmitPrompt(text="tell me of ports"))]
    _ = [event async for event in world.turn(session, SubmitPrompt(text="x" * 30))]
    await world.gateway.submit(session, Compact(focus="the ports"))
    async for event in world.gateway.events(session, 0):
        if isinstance(event, Compacted):
            break
    question = said(world.model.requests[2].messages[-1])
    assert "Above all: the ports" in question
    assert "> tell me of ports" in event.summary
    assert "- never push" in event.summary
    _ = [event async for event in world.turn(session, SubmitPrompt(text="go on"))]
    await world.gateway.close()
    first, *rest = world.model.requests[-1].messages
    assert said(first) == event.summary
    assert said(rest[-1]) == "go on"


async def test_a_huge_single_turn_goes_on_after_it_was_summed_up() -> None:
    many = tuple(uncounted(calls(("read", {"path": f"{number}.txt"}))) for number in range(30))
    world = Windowed(*many, DONE, compaction=levels.create(levels.Options(keep_results=50)))
    world.model.steps = [*many]  # the summaries are taken from the same steps: replies with calls say nothing
    events = await world.run("read them all")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert [event.how for event in of(events, Compacted)].count("summarise") >= 1
    for request in world.model.requests:
        assert whole(request.messages)
        assert any("read them all" in str(message) for message in request.messages)


async def test_a_conversation_the_provider_refuses_as_too_long_is_made_smaller_and_sent_again() -> None:
    too_long = Failure("context_length", "It is too long.", "test", 400)
    for context in (2_000_000, None):
        world = Windowed(
            says("one"),
            too_long,
            uncounted(says("a summary")),
            says("done"),
            context=context,
            compaction=levels.create(levels.Options()),
        )
        session = await world.gateway.open(OpenSession(cwd="/w"))
        _ = [event async for event in world.turn(session, SubmitPrompt(text="a"))]
        events = [event async for event in world.turn(session, SubmitPrompt(text="b"))]
        await world.gateway.close()
        assert of(events, TurnFinished)[0].outcome == "finished"
        (compacted,) = of(events, Compacted)
        assert "a summary" in compacted.summary


async def test_one_that_cannot_be_made_smaller_ends_with_the_providers_words() -> None:
    too_long = Failure("context_length", "It is too long.", "test", 400)
    world = Windowed(too_long, too_long, compaction=levels.create(levels.Options()))
    finished = of(await world.run("a"), TurnFinished)[0]
    assert finished.outcome == "error"
    assert finished.error is not None
    assert finished.error.kind == "context_length"
    assert len(world.model.requests) == 1


async def test_a_summary_is_paid_for() -> None:
    price = Price(input=1.0, output=1.0)
    world = Windowed(
        says("one"), says("two"), says("a summary"), compaction=levels.create(levels.Options()), price=price
    )
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        _ = [event async for event in world.turn(session, SubmitPrompt(text=text))]
    before = (await world.gateway.describe("session", session))["cost_usd"]
    await world.gateway.submit(session, Compact())
    async for event in world.gateway.events(session, 0):
        if isinstance(event, Compacted):
            break
    after = (await world.gateway.describe("session", session))["cost_usd"]
    await world.gateway.close()
    assert event.model == NAME
    assert event.cost_usd is not None
    assert after == pytest.approx(before + event.cost_usd)


async def test_one_that_is_asked_for_while_a_reply_comes_waits_for_the_end_of_the_turn() -> None:
    slowly = Held(says("two"))
    world = Windowed(says("one"), slowly, says("a summary"), compaction=levels.create(levels.Options()))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    _ = [event async for event in world.turn(session, SubmitPrompt(text="a"))]
    await world.gateway.submit(session, SubmitPrompt(text="b"))
    await slowly.asked()
    await world.gateway.submit(session, Compact())
    await world.gateway.submit(session, SubmitPrompt(text="c", delivery="queue"))
    slowly.come()
    async with asyncio.timeout(30):
        async for event in world.gateway.events(session, 0):
            if isinstance(event, TurnFinished) and event.turns and len(world.model.requests) == 4:
                break
    log = await world.gateway.history(session)
    await world.gateway.close()
    told = [type(event).__name__ for event in log if isinstance(event, TurnStarted | TurnFinished | Compacted)]
    assert told == ["TurnStarted", "TurnFinished"] * 2 + ["TurnStarted", "Compacted", "TurnFinished"]


async def test_a_summary_can_be_read_edited_and_undone() -> None:
    world = Windowed(
        says("one"), says("two"), says("a summary"), says("three"), compaction=levels.create(levels.Options())
    )
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match="nothing was summed up"):
        await world.gateway.submit(session, EditSummary(text="x"))
    for text in "ab":
        _ = [event async for event in world.turn(session, SubmitPrompt(text=text))]
    await world.gateway.submit(session, Compact())
    async for event in world.gateway.events(session, 0):
        if isinstance(event, Compacted):
            break
    await world.gateway.submit(session, EditSummary(text="All is well."))
    assert (await world.gateway.describe("session", session))["summary"] == "All is well."
    await world.gateway.submit(session, UndoCompaction())
    await world.gateway.submit(session, UndoCompaction())
    with pytest.raises(UsageError, match="no compaction to undo"):
        await world.gateway.submit(session, UndoCompaction())
    _ = [event async for event in world.turn(session, SubmitPrompt(text="c"))]
    await world.gateway.close()
    assert [said(m) for m in world.model.requests[-1].messages if isinstance(m, UserMessage)] == ["a", "b", "c"]


async def test_a_hook_may_keep_it_from_happening() -> None:
    world = Windowed(*READS, DONE, compaction=clear_results.create(clear_results.Options(above=0.5, keep=2)))
    no = HookSaid(hook="h", verdict="deny", why="not during the audit")
    world.hooks = TableHooks({"before_compaction": (no,)})
    events = await world.run("go")
    assert of(events, Compacted) == []
    assert [notice.text for notice in of(events, NoticeGiven)] == [
        "the conversation was not made smaller: not during the audit"
    ]


async def test_a_hook_behind_it_is_told_what_was_done_and_tells_the_model_what_it_should_not_lose() -> None:
    world = Windowed(
        READS[0], says("one"), says("two"), says("In short."), DONE, compaction=levels.create(levels.Options())
    )
    world.hooks = hooks = TableHooks({"after_compaction": (HookSaid(hook="h", context="the audit is on"),)})
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        await _all(world, session, text)
    await world.gateway.submit(session, Compact())
    events = [event async for event in world.turn(session, SubmitPrompt(text="c"))]
    await world.gateway.close()
    (told,) = hooks.told
    assert (told.text, "In short." in told.summary) == (of(events, Compacted)[0].strategy, True)
    assert to_wire(told)["compact_summary"] == told.summary
    sent = [said(message) for message in world.model.requests[-1].messages if isinstance(message, UserMessage)]
    assert sum("[hook] the audit is on" in text for text in sent) == 1


async def test_a_compaction_that_fails_is_told_and_the_turn_goes_on() -> None:
    failing = ClearingCompaction(fails=ModelError.of("overloaded", "Too busy.", retryable=True))
    world = Windowed(*READS, DONE, compaction=failing, tokens=WordTokens())
    events = await world.run("go")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert [notice.text for notice in of(events, NoticeGiven)] == [
        "the conversation could not be made smaller: Too busy."
    ]


class Broken:
    """A compaction with a fault of its own."""

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        raise KeyError("levels")


async def test_a_compaction_with_a_fault_is_told_and_the_turn_goes_on() -> None:
    events = await Windowed(*READS, DONE, compaction=Broken()).run("go")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert [notice.text for notice in of(events, NoticeGiven)] == [
        "the conversation could not be made smaller: KeyError: 'levels'"
    ]


class Idle:
    """A compaction that finds nothing to do, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        self.asked += 1
        return None


@pytest.mark.parametrize(("window", "asked"), [(500, 1), (5000, 0)])
async def test_what_came_after_the_provider_counted_counts_before_the_next_request(window: int, asked: int) -> None:
    counted = calls(("read", {"path": "a.txt"}))
    compaction = Idle()
    await Windowed(counted, DONE, compaction=compaction, context=window).run("go")
    assert counted.usage.input + counted.usage.output < window * 0.5
    assert compaction.asked == asked


class Breaks(LastTurns):
    """A context with a fault in it, from the second request on."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def choose(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> tuple[Message, ...]:
        self.times += 1
        if self.times == 2:
            raise KeyError("turns")
        return super().choose(messages, room=room, count=count)


async def test_a_fault_while_a_conversation_at_rest_is_made_smaller_ends_only_that() -> None:
    world = Windowed(says("one"), says("two"), compaction=levels.create(levels.Options()))
    world._parts["context"] = Breaks()
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await _all(world, session, "a")
    await world.gateway.submit(session, Compact())
    async with asyncio.timeout(30):
        async for event in world.gateway.events(session, 0):
            if isinstance(event, NoticeGiven) and event.level == "error":
                assert event.text == "making the conversation smaller failed: KeyError: 'turns'"
                break
    events = [event async for event in world.turn(session, SubmitPrompt(text="b"))]
    await world.gateway.close()
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_the_parts_of_the_window_are_told_and_add_up_to_what_the_provider_counted() -> None:
    for counted in (Usage(), Usage(input=1001, output=500, cache_read=250), Usage(input=3, output=0)):
        world = Windowed(*READS[:2], replace(DONE, usage=counted))
        session = await world.gateway.open(OpenSession(cwd="/w"))
        await _all(world, session, "go")
        meter = await world.gateway.describe("context", session)
        await world.gateway.close()
        assert meter["window"] == 2000
        parts = {part["name"]: part["tokens"] for part in meter["parts"]}
        assert meter["used"] == sum(parts.values())
        assert meter["counted"] == counted.input + counted.output
        assert meter["used"] == (meter["counted"] or meter["used"])
        assert meter["cache_read"] == (0.25 if counted.input == 1001 else 0) or counted.input == 1001
        if counted.input != 3:
            assert set(parts) == {"system", "tools", "conversation", "results"}
            assert parts["results"] > parts["conversation"]


async def test_what_came_after_the_last_reply_is_estimated_and_added() -> None:
    slowly = Held(says("so"))
    first = replace(calls(("read", {"path": "a.txt"})), usage=Usage(input=500, output=100))
    world = Windowed(first, slowly)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    turn = asyncio.create_task(_all(world, session, "go"))
    await slowly.asked()
    meter = await world.gateway.describe("context", session)
    slowly.come()
    await turn
    await world.gateway.close()
    parts = {part["name"]: part["tokens"] for part in meter["parts"]}
    assert meter["counted"] == 600
    assert meter["used"] == 600 + parts["results"]
    assert parts["results"] > 100


async def test_what_the_provider_counted_counts_no_longer_once_something_was_taken_back() -> None:
    big = Usage(input=1500, output=1)
    world = Windowed(says("one"), replace(says("two"), usage=big), compaction=levels.create(levels.Options()))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await _all(world, session, "a")
    after = (await world.gateway.history(session))[-1].seq or 0
    await _all(world, session, "b")
    assert (await world.gateway.describe("context", session))["used"] == 1501
    await world.gateway.submit(session, Rewind(to=after))
    meter = await world.gateway.describe("context", session)
    await world.gateway.close()
    assert meter["counted"] == 0
    assert meter["used"] < 400


async def test_a_command_of_the_persons_own_does_not_make_the_meter_forget() -> None:
    world = Windowed(replace(says("one"), usage=Usage(input=700, output=10)))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await _all(world, session, "a")
    _ = [event async for event in world.turn(session, SubmitPrompt(text="!ls", origin="shell"))]
    meter = await world.gateway.describe("context", session)
    await world.gateway.close()
    assert meter["counted"] == 710
    assert meter["used"] > 710


async def test_the_meter_shows_what_a_window_chooses() -> None:
    world = Windowed(*(uncounted(says("x" * 2000)) for _ in range(3)))
    world._parts["context"] = LastTurns(1)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "abc":
        await _all(world, session, text)
    meter = await world.gateway.describe("context", session)
    await world.gateway.close()
    assert 500 < meter["used"] < 1000


async def test_a_choice_comes_after_what_was_shrunk() -> None:
    world = Windowed(says("one"), says("two"), says("three"), context=2000)
    world._parts["context"] = LastTurns(1)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "abc":
        _ = [event async for event in world.turn(session, SubmitPrompt(text=text))]
    await world.gateway.close()
    assert [said(message) for message in world.model.requests[-1].messages] == ["c"]


async def test_the_room_is_what_the_prompt_tools_and_answer_leave_and_figures_are_learned() -> None:
    context, tokens = LastTurns(), WordTokens()
    world = Windowed(says("hello"), tokens=tokens)
    world._parts["context"] = context
    await world.run("go")
    (room,) = context.rooms
    assert room is not None
    assert 1000 < room < 1600
    assert [(model, usage.input) for model, usage in tokens.learned] == [(NAME, 10)]


async def test_a_pin_is_told_at_once_and_stands_in_every_window() -> None:
    world = Windowed(*READS, DONE, says("and so"), context=2000)
    world._parts["context"] = windowed.create(windowed.Options())
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SetPins(pins=("never push",)))
    _ = [event async for event in world.turn(session, SubmitPrompt(text="go"))]
    await world.gateway.submit(session, SetPins(pins=()))
    _ = [event async for event in world.turn(session, SubmitPrompt(text="now push"))]
    await world.gateway.close()
    first, *_, last = world.model.requests
    assert [said(message) for message in first.messages] == [
        "[Protea] Pinned by the person, for as long as this goes on:\n- never push",
        "go",
    ]
    assert max(shown(world.model.requests)) < 21
    assert all("never push" in str(request.messages) for request in world.model.requests)
    assert "No longer pinned:\n- never push" in said(last.messages[-2])


async def test_a_pin_in_the_midst_of_a_turn_asks_for_no_further_reply() -> None:
    slowly = Held(says("one"))
    world = Windowed(slowly)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    turn = asyncio.create_task(_all(world, session, "a"))
    await slowly.asked()
    await world.gateway.submit(session, SetPins(pins=("never push",)))
    slowly.come()
    await turn
    await world.gateway.close()
    assert len(world.model.requests) == 1


async def _all(world: World, session: str, text: str) -> None:
    _ = [event async for event in world.turn(session, SubmitPrompt(text=text))]


async def test_a_summary_stands_in_every_window() -> None:
    world = Windowed(
        says("one"), says("two"), uncounted(says("FACT-7")), *READS, DONE, compaction=levels.create(levels.Options())
    )
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        await _all(world, session, text)
    await world.gateway.submit(session, Compact())
    async for event in world.gateway.events(session, 0):
        if isinstance(event, Compacted):
            break
    await world.gateway.close()
    world._parts = {"tokens": world._parts["tokens"], "context": LastTurns(1)}
    session = await world.gateway.open(OpenSession(cwd="/w", resume=session))
    await _all(world, session, "c")
    await world.gateway.close()
    assert all("FACT-7" in str(request.messages[0]) for request in world.model.requests[3:])
    assert all(whole(request.messages) for request in world.model.requests[3:])


class Skillful(Windowed):
    """Has a skill."""

    def __init__(self, *steps: Step, **parts: Any) -> None:
        super().__init__(*steps, **parts)

        def Skill(name: str) -> str:
            """Read a skill."""
            return f"The skill {name}: " + "always say FACT-skill. " * 20

        self.toolsets = (FunctionToolset([read, Skill]),)


LEARNS = uncounted(calls(("Skill", {"name": "brewing"})))


@pytest.mark.parametrize("strategy", ["clear-results", "truncate", "digest", "summarise", "levels"])
async def test_a_skill_a_pin_the_list_and_the_prompt_survive_each_strategy(strategy: str) -> None:
    made: dict[str, Any] = {
        "clear-results": clear_results.create(clear_results.Options(above=0.5, keep=1)),
        "truncate": truncate.create(truncate.Options(above=0.5, keep=1, longest=200)),
        "digest": digest.create(digest.Options(above=0.5, keep=0.1)),
        "summarise": summarise.create(summarise.Options(above=0.5, keep=0.1)),
        "levels": levels.create(levels.Options(clear_above=0.5, summarise_above=0.5, keep_results=1)),
    }

    async def goes_on(request: ModelRequest) -> Reply:
        if "about to be shortened" in str(request.messages[-1]):
            return uncounted(says("It went well."))
        return reads.pop() if reads else DONE

    reads = list(READS)
    world = Skillful(LEARNS, *[goes_on] * 40, context=3000, compaction=made[strategy])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SetPins(pins=("FACT-pin",)))
    events = [event async for event in world.turn(session, SubmitPrompt(text="brew FACT-prompt"))]
    await world.gateway.close()
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert of(events, Compacted)
    last = str(world.model.requests[-1].messages)
    for fact in ("FACT-skill", "FACT-pin", "FACT-prompt"):
        assert fact in last
    assert all(whole(request.messages) for request in world.model.requests)


async def test_a_skill_that_was_read_again_is_told_once_and_as_it_was_last() -> None:
    world = Skillful(LEARNS, LEARNS, says("one"), says("two"), says("In short."), DONE)
    world._parts["compaction"] = summarise.create(summarise.Options(keep=0))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        await _all(world, session, text)
    await world.gateway.submit(session, Compact())
    await _all(world, session, "c")
    await world.gateway.close()
    assert str(world.model.requests[-1].messages).count("The skill brewing") == 1


async def test_results_of_one_reply_that_are_too_many_do_not_end_the_turn() -> None:
    many = uncounted(calls(*(("read", {"path": f"{number}.txt"}) for number in range(40))))
    too_long = Failure("context_length", "It is too long.", "test", 400)
    for context, steps in ((6000, (many, DONE)), (None, (many, too_long, DONE)), (2_000_000, (many, too_long, DONE))):
        world = Windowed(*steps, context=context, compaction=levels.create(levels.Options()))
        events = await world.run("read them all")
        assert of(events, TurnFinished)[0].outcome == "finished", context
        assert [event.how for event in of(events, Compacted)] == ["shorten"]
        last = world.model.requests[-1].messages
        assert sum(isinstance(message, ToolMessage) for message in last) == 40
        assert "words of a file" in str(last[-1])


async def test_a_prompt_too_long_to_be_answered_does_not_hold_up_the_session_for_ever() -> None:
    too_long = Failure("context_length", "It is too long.", "test", 400)
    world = Windowed(too_long, too_long, DONE, compaction=levels.create(levels.Options()))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    first = [event async for event in world.turn(session, SubmitPrompt(text="beginning " + "x" * 90_000 + " end"))]
    assert of(first, TurnFinished)[0].outcome == "error"
    second = [event async for event in world.turn(session, SubmitPrompt(text="then only this"))]
    await world.gateway.close()
    assert of(second, TurnFinished)[0].outcome == "finished"
    last = str(world.model.requests[-1].messages)
    assert "beginning x" in last
    assert "x end" in last
    assert len(last) < 5000


async def test_a_request_too_large_for_the_wire_is_made_smaller_as_well() -> None:
    too_large = Failure("too_large", "413", "test", 413)
    world = Windowed(says("one"), too_large, says("a summary"), DONE, compaction=levels.create(levels.Options()))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await _all(world, session, "a")
    events = [event async for event in world.turn(session, SubmitPrompt(text="b"))]
    await world.gateway.close()
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert len(of(events, Compacted)) == 1


async def test_what_a_hook_does_not_want_is_not_paid_for() -> None:
    world = Windowed(says("one"), says("two"), DONE, compaction=levels.create(levels.Options()))
    world.hooks = TableHooks({"before_compaction": (HookSaid(hook="h", verdict="deny", why="not now"),)})
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        await _all(world, session, text)
    await world.gateway.submit(session, Compact())
    await _all(world, session, "c")
    await world.gateway.close()
    assert len(world.model.requests) == 3


@pytest.mark.parametrize("stop", ["refusal", "content_filter", "error"])
async def test_a_summary_that_is_none_is_a_digest(stop: Any) -> None:
    refuses = replace(says("I cannot help with that."), stop=stop)
    world = Windowed(READS[0], says("one"), says("two"), refuses, DONE, compaction=levels.create(levels.Options()))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        await _all(world, session, text)
    await world.gateway.submit(session, Compact())
    await _all(world, session, "c")
    await world.gateway.close()
    told = said(world.model.requests[-1].messages[0])
    assert "I cannot help" not in told
    assert "read 0.txt" in told


async def test_a_summary_is_asked_for_as_any_reply_is_with_the_effort_the_tools_and_no_more_images_than_it_sees() -> (
    None
):
    busy = Failure("overloaded", "Too busy.", "test", 529, retryable=True)
    world = Windowed(says("one"), says("two"), busy, says("In short."), DONE, context=40_000)
    world._parts |= {"compaction": levels.create(levels.Options()), "effort": "high"}
    world.model._info = replace(world.model.info, images=False)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    picture = SubmitPrompt(text="a", images=(Image("image/png", "aGVsbG8="),) * 3)
    _ = [event async for event in world.turn(session, picture)]
    await _all(world, session, "b")
    await world.gateway.submit(session, Compact())
    await _all(world, session, "c")
    await world.gateway.close()
    before, first, again = world.model.requests[1:4]
    assert first == again, "it was tried again"
    assert (first.effort, first.system, first.tools, first.cache_key) == (
        before.effort,
        before.system,
        before.tools,
        before.cache_key,
    )
    assert first.messages[:1] == before.messages[:1]
    assert "Image" not in str(first.messages)
    assert "In short." in said(world.model.requests[-1].messages[0])


async def test_an_interrupt_ends_a_compaction_and_what_is_rewound_meanwhile_does_not_come_back() -> None:
    for interrupts in (True, False):
        slowly = Held(says("FACT-gone"))
        world = Windowed(says("one"), says("two"), slowly, DONE, compaction=levels.create(levels.Options()))
        session = await world.gateway.open(OpenSession(cwd="/w"))
        for text in "ab":
            await _all(world, session, text)
        await world.gateway.submit(session, Compact())
        await slowly.asked()
        if interrupts:
            await world.gateway.submit(session, Interrupt())
        else:
            await world.gateway.submit(session, Rewind(to=1))
            slowly.come()
        await _all(world, session, "c")
        log = await world.gateway.history(session)
        await world.gateway.close()
        assert not [event for event in log if isinstance(event, Compacted)]
        assert [notice.level for notice in log if isinstance(notice, NoticeGiven)] == [
            "info" if interrupts else "warning"
        ]
        kept = ["a", "b", "c"] if interrupts else ["c"]
        assert [said(each) for each in world.model.requests[-1].messages if isinstance(each, UserMessage)] == kept


async def test_a_summary_that_was_edited_still_tells_the_pins() -> None:
    world = Windowed(says("one"), says("two"), says("a summary"), DONE, compaction=levels.create(levels.Options()))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SetPins(pins=("never push", "be kind")))
    for text in "ab":
        await _all(world, session, text)
    await world.gateway.submit(session, Compact())
    async for event in world.gateway.events(session, 0):
        if isinstance(event, Compacted):
            break
    await world.gateway.submit(session, EditSummary(text="All is well, and be kind."))
    await _all(world, session, "c")
    await world.gateway.close()
    told = said(world.model.requests[-1].messages[0])
    assert told == "All is well, and be kind.\n\n## Pinned\n- never push"


async def test_a_summary_that_was_edited_still_tells_the_skills_that_were_read() -> None:
    world = Skillful(LEARNS, says("one"), says("two"), says("In short."), DONE, DONE)
    world._parts["compaction"] = summarise.create(summarise.Options(keep=0))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    for text in "ab":
        await _all(world, session, text)
    await world.gateway.submit(session, Compact())
    async for event in world.gateway.events(session, 0):
        if isinstance(event, Compacted):
            break
    await world.gateway.submit(session, EditSummary(text="All is well."))
    shown = (await world.gateway.describe("session", session))["summary"]
    assert shown.startswith("All is well.\n\n## Skills in use\nThe skill brewing: always")
    await world.gateway.submit(session, EditSummary(text=shown.replace("well", "very well")))
    await _all(world, session, "c")
    await world.gateway.close()
    told = str(world.model.requests[-1].messages)
    assert "All is very well." in told
    assert told.count("The skill brewing") == 1


async def test_a_window_that_is_next_to_nothing_does_not_ask_for_a_summary_at_every_step() -> None:
    world = Windowed(*READS, DONE, context=100, compaction=levels.create(levels.Options()))
    events = await world.run("go")
    assert not any("about to be shortened" in str(request.messages[-1]) for request in world.model.requests)
    assert of(events, Compacted)
    (notice,) = of(events, NoticeGiven)
    assert "of its 100 tokens" in notice.text


async def test_a_summary_says_where_images_were_and_recall_has_them() -> None:
    world = Windowed(says("one"), says("two"), says("In short."), DONE, compaction=levels.create(levels.Options()))
    world.model._info = replace(world.model.info, context=40_000)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    picture = Image("image/png", "aGVsbG8=")
    _ = [event async for event in world.turn(session, SubmitPrompt(text="look", images=(picture, picture)))]
    await _all(world, session, "b")
    await world.gateway.submit(session, Compact())
    await _all(world, session, "c")
    log = await world.gateway.history(session)
    await world.gateway.close()
    told = said(world.model.requests[-1].messages[0])
    (number,) = re.findall(r"> look \(with 2 images: Recall gives \[(\d+)\] whole\)", told)
    found = by_number(log, f"[{number}]")
    assert found is not None
    assert found.images == (picture, picture)
