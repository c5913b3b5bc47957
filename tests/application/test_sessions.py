"""Sessions: resuming, forking, what a crash leaves, following."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from protea.adapters.storage.memory import MemoryStore
from protea.adapters.tools.functions import FunctionToolset
from protea.application.past import PIECE, read_past
from protea.application.sessions import MOST_ENDED
from protea.domain.commands import (
    EndSession,
    ResolveApproval,
    Rewind,
    SetMode,
    SetModel,
    SetTitle,
    SubmitPrompt,
    Swap,
    WithdrawPrompt,
)
from protea.domain.errors import SessionError, StoreError, UsageError
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    MessageCompleted,
    PromptSubmitted,
    PromptWithdrawn,
    SessionEnded,
    SessionStarted,
    TitleChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import ToolCall, ToolMessage, UserMessage
from protea.domain.reply import ModelRequest, Reply
from protea.domain.usage import ModelInfo, Usage
from protea.ports.gateway import OpenSession
from protea.ports.model import Model
from protea.testing.model_source import TableModelSource
from tests.application.consistency import faults, unpaired
from tests.application.long_turn import LongTurn
from tests.application.world import PlayedModel, World, calls, of, says


async def echo(text: str) -> str:
    """Give the text back."""
    return text


async def conversation(world: World, *prompts: str, **spec: object) -> str:
    session = await world.gateway.open(OpenSession(cwd="/w", **spec))  # type: ignore[arg-type]
    for prompt in prompts:
        async for _ in world.turn(session, SubmitPrompt(text=prompt)):
            pass
    await world.gateway.close()
    return session


async def test_a_resumed_session_shows_the_model_all_that_was_said() -> None:
    store = MemoryStore()
    session = await conversation(World(says("one"), store=store), "a")
    world = World(says("two"), store=store)
    assert await conversation(world, "b", resume=session) == session
    assert [type(message) for message in world.model.requests[0].messages].count(UserMessage) == 2


async def long_conversation(store: MemoryStore) -> tuple[str, int]:
    """A session of many events; its id, and how many."""
    session = await conversation(World(says("one"), store=store), "a")
    log = store.open(session)
    titles = [TitleChanged(seq=log.last + n, session=session, at="", title=f"title {n}") for n in range(1, 20 * PIECE)]
    log.append(titles, durable=False)
    last = log.last
    log.close()
    return session, last


@pytest.mark.parametrize("fork", [False, True])
async def test_while_a_long_session_is_opened_others_go_on(fork: bool) -> None:
    store = MemoryStore()
    session, events = await long_conversation(store)
    world = World(store=store)
    opening = asyncio.ensure_future(world.gateway.open(OpenSession(cwd="/w", resume=session, fork=fork)))
    turns = 0
    while not opening.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= events // PIECE
    await world.gateway.close()


async def test_two_who_open_a_long_session_at_the_same_time_have_the_same_one() -> None:
    store = MemoryStore()
    session, _ = await long_conversation(store)
    world = World(store=store)
    spec = OpenSession(cwd="/w", resume=session)
    assert await asyncio.gather(*(world.gateway.open(spec) for _ in range(3))) == [session] * 3
    await world.gateway.close()


async def test_a_fork_has_the_history_and_leaves_the_original_alone() -> None:
    store = MemoryStore()
    first = await conversation(World(says("one"), store=store), "a")
    before = list(store.read(first))
    world = World(says("two"), store=store)
    second = await conversation(world, "b", resume=first, fork=True)
    assert second != first
    assert len(world.model.requests[0].messages) == 3
    assert list(store.read(first)) == before
    started = next(iter(store.read(second)))
    assert isinstance(started, SessionStarted)
    assert (started.parent, started.parent_seq) == (first, before[-1].seq)


def crashed(store: MemoryStore, *, answered: bool) -> str:
    """A log as a process leaves it that is killed with a call running."""
    call = ToolCall(id="c1", name="echo", arguments={"text": "x"})
    log = store.create("crashed")
    events = [
        SessionStarted(version="0", cwd="/w", model="test/one"),
        PromptSubmitted(id="p1", text="go"),
        TurnStarted(id="t1", prompt="p1", model="test/one"),
        MessageCompleted(model="test/one", content=(call,), stop="tool_calls", usage=Usage(), seen=3),
        ToolCallChanged(call=call, state="validating"),
        *((ToolCallChanged(call=call, state="awaiting_approval"),) if answered else ()),
    ]
    from msgspec.structs import replace

    numbered = [
        replace(event, session="crashed", seq=seq, at="2026-01-01T00:00:00.000Z") for seq, event in enumerate(events, 1)
    ]
    log.append(numbered, durable=True)  # type: ignore[arg-type]
    log.close()
    return "crashed"


@pytest.mark.parametrize("answered", [False, True])
async def test_what_a_crash_left_open_is_ended_when_the_session_opens(answered: bool) -> None:
    store = MemoryStore()
    crashed(store, answered=answered)
    world = World(says("go on"), store=store)
    await conversation(world, "and now", resume="crashed")
    events = list(store.read("crashed"))
    ends = of(events, ToolCallChanged)
    assert ends[-1].state == "cancelled"
    assert of(events, TurnFinished)[0].outcome == "interrupted"
    assert [type(m) for m in world.model.requests[0].messages][-2:] == [ToolMessage, UserMessage]


async def test_a_prompt_that_was_accepted_before_a_crash_is_still_run() -> None:
    store = MemoryStore()
    log = store.create("killed")
    started = SessionStarted(version="0", cwd="/w", model="test/one", session="killed", seq=1)
    log.append([started, PromptSubmitted(id="p1", text="first", session="killed", seq=2)], durable=True)
    log.close()
    world = World(says("one"), says("two"), store=store)
    session = await world.gateway.open(OpenSession(cwd="/w", resume="killed"))
    await world.gateway.submit(session, SubmitPrompt(text="second"))
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            if isinstance(event, TurnFinished) and len(world.model.requests) == 2:
                break
    assert [len(request.messages) for request in world.model.requests] == [1, 3]
    await world.gateway.close()


async def test_a_queued_prompt_can_be_taken_back() -> None:
    world = World(says("one"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, SubmitPrompt(text="a"))
    id = await world.gateway.submit(session, SubmitPrompt(text="b"))
    assert id is not None
    await world.gateway.submit(session, WithdrawPrompt(id=id))
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            if isinstance(event, TurnFinished):
                break
    await world.gateway.close()
    assert len(world.model.requests) == 1


async def test_rewinding_forgets_a_turn() -> None:
    store = MemoryStore()
    world = World(says("one"), says("two"), says("three"), store=store)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    ends = []
    for prompt in ("a", "b"):
        async for event in world.turn(session, SubmitPrompt(text=prompt)):
            if isinstance(event, TurnFinished):
                ends.append(event.seq)
    await asyncio.sleep(0)
    await world.gateway.submit(session, Rewind(to=ends[0]))
    async for _ in world.turn(session, SubmitPrompt(text="c")):
        pass
    assert len(world.model.requests[-1].messages) == 3
    await world.gateway.close()


async def test_a_late_follower_sees_all_that_lasts_once_and_in_order() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo])
    session = await conversation_open(world)
    seen: list[AnyEvent] = []
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            seen.append(event)
            if isinstance(event, TurnFinished):
                break
    numbers = [event.seq for event in seen if event.seq]
    assert numbers == list(range(1, len(numbers) + 1))
    await world.gateway.close()


async def conversation_open(world: World) -> str:
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for _ in world.turn(session, SubmitPrompt(text="go")):
        pass
    return session


async def test_a_follower_that_fell_far_behind_misses_nothing_that_lasts() -> None:
    world = World(*(calls(("echo", {"text": str(i)})) for i in range(40)), says("ok"), tools=[echo])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    world.gateway._session(session).hub._ring = deque(maxlen=8)
    slow = world.gateway.events(session)
    first = await anext(slow)
    await world.gateway.submit(session, SubmitPrompt(text="go"))
    async for event in world.gateway.events(session):
        if isinstance(event, TurnFinished):
            break
    numbers = [first.seq]
    async with asyncio.timeout(10):
        async for event in slow:
            numbers.append(event.seq)
            if isinstance(event, TurnFinished):
                break
    lasting = [number for number in numbers if number]
    assert lasting == list(range(1, len(lasting) + 1))
    await world.gateway.close()


async def test_an_empty_prompt_is_refused() -> None:
    world = World()
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match="empty"):
        await world.gateway.submit(session, SubmitPrompt(text="  \n"))
    await world.gateway.close()


async def test_an_unknown_mode_is_refused_with_those_there_are() -> None:
    world = World()
    session = await world.gateway.open(OpenSession(cwd="/w"))
    with pytest.raises(UsageError, match="normal, plan, yolo"):
        await world.gateway.submit(session, SetMode(mode="reckless"))
    await world.gateway.close()


async def test_a_session_that_does_not_exist_is_named() -> None:
    with pytest.raises(SessionError, match="nowhere"):
        await World().gateway.open(OpenSession(cwd="/w", resume="nowhere"))


async def test_a_fork_of_a_session_that_runs_on_has_its_history_up_to_then_and_none_of_its_work() -> None:
    store = MemoryStore()
    turn = LongTurn(store)
    await turn.open(watched=False)
    await turn.submit(SubmitPrompt(text="go"))
    await turn.submit(SubmitPrompt(text="later"))
    async for event in turn.world.gateway.events(turn.session):
        if isinstance(event, ApprovalRequested):
            break
    forked = await turn.world.gateway.open(OpenSession(cwd="/w", resume=turn.session, fork=True))
    log = list(store.read(forked))
    assert faults(log) == []
    assert of(log, ApprovalResolved)[0].decision == "deny"
    taken_back = {event.id for event in of(log, PromptWithdrawn)}
    assert [event.text for event in of(log, PromptSubmitted) if event.id in taken_back] == ["later"]
    await turn.close()
    await conversation(World(says("two"), store=store), "and now", resume=forked)
    assert faults(list(store.read(forked))) == []


async def test_what_the_parent_says_while_it_is_forked_is_in_the_log_and_the_history_of_the_fork_or_in_neither() -> (
    None
):
    store = MemoryStore()
    first = World(*(says(str(number)) for number in range(9)), store=store)
    session = await first.gateway.open(OpenSession(cwd="/w"))
    second = World(says("fork"), store=store)

    class Slow(TableModelSource):
        async def open(self, name: str) -> Model:
            async for _ in first.turn(session, SubmitPrompt(text="meanwhile")):
                pass
            return await super().open(name)

    second.source = Slow(second.model)
    forked = await second.gateway.open(OpenSession(cwd="/w", resume=session, fork=True))
    live = second.gateway._session(forked).transcript.messages()
    await second.gateway.close()
    await first.gateway.close()
    assert (await read_past(lambda: store.read(forked))).transcript.messages() == live == ()
    assert of(list(store.read(forked)), PromptSubmitted) == []


async def test_a_fork_goes_on_with_the_model_it_was_opened_with() -> None:
    store = MemoryStore()
    others = [PlayedModel([], info=ModelInfo(id="other/one")), PlayedModel([], info=ModelInfo(id="third/one"))]
    world = World(says("one"), store=store, others=others)
    first = await conversation_open(world)
    await world.gateway.submit(first, SetModel(model="other/one"))
    forked = await world.gateway.open(OpenSession(cwd="/w", resume=first, fork=True, model="third/one"))
    await world.gateway.close()
    assert (await read_past(lambda: store.read(forked))).model == "third/one"


@pytest.mark.parametrize("where", ["before", "in the middle", "after its calls"])
async def test_rewinding_anywhere_shows_the_model_whole_messages(where: str) -> None:
    world = World(calls(("echo", {"text": "a"}), ("echo", {"text": "b"})), says("one"), says("two"), tools=[echo])
    session = await conversation_open(world)
    log = await world.gateway.history(session)
    message = of(log, MessageCompleted)[0].seq or 0
    to = {"before": message - 1, "in the middle": message + 5, "after its calls": message + 9}[where]
    await world.gateway.submit(session, Rewind(to=to))
    async for _ in world.turn(session, SubmitPrompt(text="again")):
        pass
    assert unpaired(world.model.requests[-1].messages) == []
    await world.gateway.close()
    assert faults(list(world.store.read(session))) == []


async def test_rewinding_takes_back_what_waits_and_runs_nothing_twice() -> None:
    world = World(says("one"), says("two"))
    session = await conversation_open(world)
    await world.gateway.submit(session, Rewind(to=2))
    async for _ in world.turn(session, SubmitPrompt(text="again")):
        pass
    assert len(world.model.requests) == 2
    assert len(world.model.requests[1].messages) == 1
    await world.gateway.close()


async def asking(world: World) -> tuple[str, ApprovalRequested]:
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for event in world.turn(session, SubmitPrompt(text="go")):
        if isinstance(event, ApprovalRequested):
            return session, event
    raise AssertionError("nothing was asked")


async def test_a_question_is_answered_once_and_the_answer_is_kept_when_that_returns() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])
    session, question = await asking(world)
    await world.gateway.submit(session, ResolveApproval(id=question.id, decision="once", by="phone"))
    kept = of(await world.gateway.history(session), ApprovalResolved)
    assert [(event.decision, event.by) for event in kept] == [("once", "phone")]
    with pytest.raises(UsageError, match="answered already"):
        await world.gateway.submit(session, ResolveApproval(id=question.id, decision="deny"))
    await world.gateway.close()


async def test_an_answer_whose_rule_cannot_be_saved_leaves_the_question_open() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])
    session, question = await asking(world)

    def full(rules: object) -> str:
        raise StoreError("no space left on device")

    world.fixed.allow = full  # type: ignore[method-assign,assignment]
    with pytest.raises(StoreError, match="no space"):
        await world.gateway.submit(session, ResolveApproval(id=question.id, decision="always"))
    await world.gateway.submit(session, ResolveApproval(id=question.id, decision="session"))
    async for event in world.gateway.events(session):
        if isinstance(event, TurnFinished):
            break
    await world.gateway.close()
    assert faults(list(world.store.read(session))) == []


async def test_an_approval_that_fails_closes_its_question() -> None:
    world = World(calls(("echo", {"text": "a"})), says("ok"), tools=[echo], ask=["echo"])

    class Broken:
        def answer(self, question: ApprovalRequested) -> ApprovalResolved | None:
            raise RuntimeError("no answer")

    world.approval = Broken()
    events = await world.run("go")
    assert of(events, ApprovalResolved)[0].decision == "deny"
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_prompts_in_line_run_in_their_order() -> None:
    world = World(*(says(str(number)) for number in range(4)))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    ids = [await world.gateway.submit(session, SubmitPrompt(text=text, delivery="queue")) for text in "abcd"]
    async with asyncio.timeout(10):
        async for event in world.gateway.events(session):
            if isinstance(event, TurnFinished) and len(world.model.requests) == 4:
                break
    await world.gateway.close()
    assert [event.prompt for event in of(list(world.store.read(session)), TurnStarted)] == ids


async def test_a_session_that_cannot_begin_closes_what_was_opened_for_it() -> None:
    world = World()
    closed = []

    class Kept(FunctionToolset):
        async def aclose(self) -> None:
            closed.append("tools")

    world.toolsets = (Kept([echo]),)
    with pytest.raises(UsageError, match="no model"):
        await world.gateway.open(OpenSession(cwd="/w", model="no/model"))
    assert closed == ["tools"]
    assert await world.gateway.sessions() == []


def test_a_loop_that_is_ended_from_outside_begins_no_further_prompt() -> None:
    store = MemoryStore()
    requests = []

    async def killed() -> str:
        asked = asyncio.Event()

        async def hang(request: ModelRequest) -> Reply:
            requests.append(request)
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        world = World(hang, hang, store=store)
        session = await world.gateway.open(OpenSession(cwd="/w"))
        for text in "ab":
            await world.gateway.submit(session, SubmitPrompt(text=text))
        await asked.wait()
        return session

    session = asyncio.run(killed())
    assert len(requests) == 1
    assert faults(list(store.read(session))) == []


async def test_one_that_was_left_without_a_word_is_in_no_list() -> None:
    store = MemoryStore()
    world = World(says("a"), store=store)
    said, silent = await world.gateway.open(OpenSession(cwd="/w")), await world.gateway.open(OpenSession(cwd="/w"))
    assert [event async for event in world.turn(said, SubmitPrompt(text="hello"))]
    assert {each.id for each in await world.gateway.sessions()} == {said, silent}  # they are open
    await world.gateway.close()
    later = World(store=store)
    assert [each.id for each in await later.gateway.sessions()] == [said]
    assert [each.id for each in await later.gateway.sessions("/w")] == [said]
    assert await later.gateway.open(OpenSession(cwd="/w", resume=silent)) == silent
    await later.gateway.close()


async def test_of_sessions_that_have_ended_the_last_few_are_kept() -> None:
    """A screen on which one conversation after another is cleared does not hold them all."""
    world = World()
    ids = [await world.gateway.open(OpenSession(cwd="/w")) for _ in range(MOST_ENDED + 2)]
    for id in ids[1:]:
        await world.gateway.submit(id, EndSession())
    assert [type(event) async for event in world.gateway.events(ids[-1])] == [SessionStarted, SessionEnded]
    with pytest.raises(SessionError, match="is not open here"):
        world.gateway.events(ids[1])
    assert [type(event) for event in await world.gateway.history(ids[1])] == [SessionStarted, SessionEnded]
    assert await world.gateway.open(OpenSession(cwd="/w", resume=ids[1])) == ids[1]
    await world.gateway.submit(ids[0], SetTitle(title="still open"))
    await world.gateway.close()


async def test_a_session_that_only_had_the_offline_model_is_opened_with_the_one_that_is_there_now() -> None:
    store = MemoryStore()
    offline = PlayedModel([says("one")], info=ModelInfo(id="offline/grammar"))
    session = await conversation(World(store=store, others=[offline]), "a", model="offline/grammar")
    assert (await read_past(lambda: store.read(session))).model == "offline/grammar"
    world = World(says("two"), store=store)
    await conversation(world, "b", resume=session)
    assert len(world.model.requests) == 1


async def test_a_swap_that_brings_other_models_lets_one_of_them_be_chosen() -> None:
    world = World(says("one"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    other = PlayedModel([says("two")], info=ModelInfo(id="other/one"))
    with pytest.raises(UsageError, match="there is no model other/one"):
        await world.gateway.submit(session, SetModel(model="other/one"))
    world.source = TableModelSource(world.model, other)
    await world.gateway.submit(session, Swap(profile="test"))
    await world.gateway.submit(session, SetModel(model="other/one"))
    async for _ in world.turn(session, SubmitPrompt(text="go")):
        pass
    assert len(other.requests) == 1
    await world.gateway.close()
