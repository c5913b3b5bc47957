"""Slash commands, through the gateway as any face would send them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, get_args

import pytest

from protea.application.slash import conversation
from protea.application.slash.call import Call
from protea.application.slash_commands import COMMANDS, listed
from protea.domain.commands import AnyCommand, Copy, Interrupt, Invoke, SubmitPrompt
from protea.domain.errors import UsageError
from protea.domain.events import (
    AnyEvent,
    CommandAnswered,
    LastingEvent,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    PromptSubmitted,
    Rewound,
    TitleChanged,
    TurnFinished,
)
from protea.domain.messages import Text, ToolMessage, UserMessage
from protea.domain.usage import ModelInfo, Price, Usage
from protea.ports.gateway import OpenSession, Topic
from protea.testing.gateway import ScriptedGateway
from protea.testing.persona import FixedPersona
from protea.testing.templates import FixedTemplates
from tests.application.consistency import faults, unpaired
from tests.application.world import PlayedModel, World, of, says


class Chat:
    """One open session, and what slash commands bring about in it."""

    def __init__(self, world: World, session: str) -> None:
        self.world, self.session = world, session

    async def invoke(self, text: str, id: str = "i1") -> list[AnyEvent]:
        """Everything from the command to its answer."""
        return await self._until(Invoke(text=text, id=id), lambda event: isinstance(event, CommandAnswered))

    async def answer(self, text: str) -> CommandAnswered:
        (answered,) = of(await self.invoke(text), CommandAnswered)
        return answered

    async def prompt(self, text: str) -> None:
        async for _ in self.world.turn(self.session, SubmitPrompt(text=text)):
            pass

    async def _until(self, command: AnyCommand, last: Any) -> list[AnyEvent]:
        gateway = self.world.gateway
        past = await gateway.history(self.session, limit=-1)
        following = gateway.events(self.session, past[-1].seq or 0)
        events: list[AnyEvent] = []

        async def follow() -> None:
            async for event in following:
                events.append(event)
                if last(event):
                    return

        watching = asyncio.create_task(follow())
        await asyncio.sleep(0)
        try:
            await gateway.submit(self.session, command)
        except BaseException:
            watching.cancel()
            raise
        await asyncio.wait_for(watching, 30)
        return events


@pytest.fixture
async def chat() -> Any:
    priced = ModelInfo(id="test/two", context=1000, price=Price(input=1.0, output=1.0))
    world = World(says("Hello."), says("Again."), others=[PlayedModel([], info=priced)])
    session = await world.gateway.open(OpenSession(cwd="/w"))
    yield Chat(world, session)
    await world.gateway.close()


def test_every_row_is_whole_and_no_name_is_given_twice() -> None:
    names = [name for each in COMMANDS for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))
    for row in listed():
        assert row["about"], row
        if isinstance(row["completes"], str):
            assert row["completes"] in get_args(Topic)


async def test_help_lists_all_of_them(chat: Chat) -> None:
    answer = await chat.answer("/help")
    assert [row["name"] for row in answer.data] == [each.name for each in COMMANDS]
    assert all(f"/{each.name}" in answer.text and each.about in answer.text for each in COMMANDS)
    assert (await chat.answer("/help mode")).text == "/mode [MODE]  show or change the permission mode\n"


async def test_the_answer_carries_what_it_is_known_by_and_comes_last(chat: Chat) -> None:
    switched, answered = await chat.invoke("/model test/two high", id="mine")
    assert isinstance(switched, ModelSwitched)
    assert (switched.model, switched.effort) == ("test/two", "high")
    assert isinstance(answered, CommandAnswered)
    assert (answered.id, answered.command, answered.text, answered.seq) == ("mine", "model", "", None)


async def test_what_is_in_force_is_marked(chat: Chat) -> None:
    assert ">  test/one\n   test/two\n" in (await chat.answer("/model")).text
    assert ">  normal" in (await chat.answer("/mode")).text
    assert ">  test" in (await chat.answer("/profile")).text


@pytest.mark.parametrize(
    ("typed", "event"),
    [
        ("/mode plan", ModeChanged(mode="plan")),
        ("/effort LOW", ModelSwitched(model="test/one", effort="low")),
        ("/title Of  ships\nand kings", TitleChanged(title="Of ships and kings")),
    ],
)
async def test_what_is_changed_is_told_by_its_event(chat: Chat, typed: str, event: AnyEvent) -> None:
    happened, _ = await chat.invoke(typed)
    assert type(happened) is type(event)
    envelope = {"session", "seq", "at", "identity"}
    fields = [name for name in event.__struct_fields__ if name not in envelope]
    assert [getattr(happened, name) for name in fields] == [getattr(event, name) for name in fields]


async def test_the_title_is_the_first_prompt_until_one_is_given(chat: Chat) -> None:
    assert (await chat.answer("/title")).data == ""
    await chat.prompt("count the stars")
    assert (await chat.answer("/title")).text == "count the stars\n"
    await chat.invoke("/title Astronomy")
    assert (await chat.answer("/title")).data == "Astronomy"
    assert "Astronomy" in (await chat.answer("/sessions")).text


async def test_cost_and_context_are_those_of_the_session(chat: Chat) -> None:
    assert (await chat.answer("/cost")).text == "0 in · 0 out\n"
    await chat.prompt("one")
    await chat.prompt("two")
    assert (await chat.answer("/usage")).text == "20 in · 10 out · price unknown\n"
    context = await chat.answer("/context")
    assert context.data["used"] == 15
    assert context.text.splitlines() == [
        "15 tokens, of a window nobody knows",
        "  system        2",
        "  conversation  13",
        "The parts are estimates; the provider counted 15 with the last reply.",
    ]
    await chat.invoke("/model test/two")
    assert (await chat.answer("/context")).text.startswith("27 tokens of 1.0k (3 %)\n")


async def test_rewind_goes_back_to_before_a_prompt(chat: Chat) -> None:
    assert (await chat.answer("/rewind")).text == "There is no prompt yet.\n"
    await chat.prompt("one")
    await chat.prompt("two")
    prompts = of(await chat.world.gateway.history(chat.session), PromptSubmitted)
    listed = await chat.answer("/rewind")
    assert [(row["event"], row["text"]) for row in listed.data] == [(each.seq, each.text) for each in prompts]
    rewound, answered = await chat.invoke(f"/rewind {prompts[1].seq}")
    assert isinstance(rewound, Rewound)
    assert rewound.to == (prompts[1].seq or 0) - 1
    assert isinstance(answered, CommandAnswered)
    assert answered.data == {"text": "two"}
    await chat.prompt("three")
    shown = [message for message in chat.world.model.requests[-1].messages if isinstance(message, UserMessage)]
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/modle x", "there is no /modle; did you mean /model?"),
        ("/xyzzy", "there is no /xyzzy; /help shows what is"),
        ("/help modle", "there is no /modle; did you mean /model?"),
        ("/mode normla", "there is no mode normla"),
        ("/effort hgih", "there is no effort 'hgih'; did you mean high?"),
        ("/model nothing/there", "nothing/there"),
        ("/rewind 99", "no prompt has the number 99; /rewind alone lists them"),
        ("/swap persona", "/swap takes PORT=ADAPTER, like /swap persona=minimal, not 'persona'"),
        ("/exit", "/exit is for the full screen and the plain chat"),
        ("/resume", "in a script: protea -p -r ID"),
        ("/cost of it", "/cost takes nothing behind it, and not 'of it'"),
    ],
)
async def test_mistakes_are_refused_in_one_line_and_nothing_happens(chat: Chat, typed: str, told: str) -> None:
    before: Sequence[AnyEvent] = await chat.world.gateway.history(chat.session)
    with pytest.raises(UsageError) as raised:
        await chat.world.gateway.submit(chat.session, Invoke(text=typed))
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert await chat.world.gateway.history(chat.session) == before


async def test_they_work_while_a_turn_runs() -> None:
    reached, go = asyncio.Event(), asyncio.Event()

    async def slow(request: object) -> Any:
        reached.set()
        await go.wait()
        return says("Done.")

    world = World(slow)
    session = await world.gateway.open(OpenSession(cwd="/w"))
    chat = Chat(world, session)
    await world.gateway.submit(session, SubmitPrompt(text="begin"))
    await asyncio.wait_for(reached.wait(), 30)
    assert "tokens" in (await chat.answer("/context")).text
    go.set()
    await world.gateway.close()


def test_cost_shows_the_day_and_the_budgets() -> None:
    spent = {
        "session": {"spent": 0.5, "budget": 2.0},
        "day": {"spent": 1.25, "budget": None},
        "profile": {"name": "coding", "spent": 0.0, "budget": None},
    }
    assert conversation.sums(spent) == "this session  $0.5000  of $2.00\ntoday         $1.2500\n"


@pytest.mark.parametrize("behind", [3, 2 * conversation.RECENT])
async def test_the_last_answer_is_copied_however_much_came_behind_it(behind: int) -> None:
    def answer(text: str, seq: int) -> MessageCompleted:
        return MessageCompleted(seq=seq, model="m", content=(Text(text),), stop="end_turn", usage=Usage())

    log: list[LastingEvent] = [answer("first", 1), answer("second", 2), answer(" ", 3)]
    log += [TitleChanged(seq=number, title="x") for number in range(4, 4 + behind)]
    gateway = ScriptedGateway(lambda command: (), logs={"s": log})
    await gateway.open(OpenSession(cwd="/w", resume="s"))

    async def rested() -> None:
        """Nothing runs."""

    call = Call(gateway=gateway, session="s", rest="", by="t", now="", rested=rested, templates=None)
    await conversation.copy(call)
    assert [each.text for each in gateway.commands if isinstance(each, Copy)] == ["second"]


async def test_one_of_ones_own_becomes_a_prompt_and_is_listed_last(chat: Chat) -> None:
    templates = FixedTemplates({"review": "Look at $1.", "model": "hides none of ours"})
    templates.problems = ("/c/git/odd.md: its head does not end",)
    chat.world.templates = templates
    names = [each["name"] for each in await chat.world.gateway.describe("commands", chat.session)]
    assert names[-1] == "review"
    assert names.count("model") == 1
    await chat.invoke("/review src/a.py")
    history = await chat.world.gateway.history(chat.session)
    assert [event.text for event in history if isinstance(event, PromptSubmitted)] == ["Look at src/a.py."]
    with pytest.raises(UsageError, match="did you mean /review"):
        await chat.invoke("/reviev")
    with pytest.raises(UsageError, match=r"/git:odd cannot be used: /c/git/odd\.md: its head"):
        await chat.invoke("/git:odd")
    assert "left out: " in (told := (await chat.answer("/help")).text)
    assert "/model is a command of Protea's own; call the file otherwise" in told
    await chat.invoke("/review\nsrc/b.py")
    history = await chat.world.gateway.history(chat.session)
    assert [event.command for event in history if isinstance(event, PromptSubmitted)] == ["/review", "/review"]


async def test_a_command_it_brings_is_a_call_like_any_other_and_can_be_interrupted() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def bash(command: str) -> str:
        """Run it."""
        begun.set()
        await go_on.wait()
        return f"{command} gave this"

    bash.__name__ = "Bash"
    world = World(says("seen"), tools=[bash])
    world.templates = FixedTemplates({"look": "Look at !`git diff $1`."})
    session = await world.gateway.open(OpenSession(cwd="/w"))
    await world.gateway.submit(session, Invoke(text="/look 'a b'"))
    async with asyncio.timeout(30):
        await begun.wait()
    await world.gateway.submit(session, Interrupt())
    async with asyncio.timeout(30):
        async for event in world.gateway.events(session):
            if isinstance(event, TurnFinished):
                assert event.outcome == "interrupted"
                break
    go_on.set()
    events = [event async for event in world.turn(session, Invoke(text="/look src"))]
    log = list(await world.gateway.history(session))
    await world.gateway.close()
    assert faults(log) == []
    assert of(events, PromptSubmitted)[0].runs == ("git diff src",)
    assert of(events, TurnFinished)[0].outcome == "finished"
    (request,) = world.model.requests
    assert unpaired(request.messages) == []
    texts = [message.text for message in request.messages if isinstance(message, ToolMessage)]
    assert texts == ["Cancelled before it finished.", "git diff src gave this"]
    assert "git diff 'a b'" in str(request.messages)


async def test_where_there_is_no_shell_its_commands_are_not_run_and_that_is_said() -> None:
    world = World(says("seen"))
    world.templates = FixedTemplates({"look": "Look at !`ls`."})
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = [event async for event in world.turn(session, Invoke(text="/look"))]
    await world.gateway.close()
    assert [notice.text for notice in of(events, NoticeGiven)] == [
        "The commands of /look were not run: there is no Bash here."
    ]
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_another_model_is_told_of_itself() -> None:
    world = World(says("one"), others=[PlayedModel([says("two")], info=ModelInfo(id="other/one"))])
    persona = FixedPersona("You are a test.")
    world.fixed.system = persona.system  # type: ignore[method-assign]  # who is told what
    session = await world.gateway.open(OpenSession(cwd="/w"))
    chat = Chat(world, session)
    await chat.prompt("a")
    await chat.invoke("/model other/one")
    await chat.prompt("b")
    assert [model for _, model, _, _ in persona.given] == ["test/one", "other/one"]
    await world.gateway.close()
