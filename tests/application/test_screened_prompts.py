"""Prompts that hooks refuse or rewrite: what models are sent, and what the person who wrote them sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from io import StringIO
from typing import Any

from protea.domain.blocks import Prompt
from protea.domain.commands import Interrupt, Rewind, SubmitPrompt
from protea.domain.events import HookRan, LastingEvent, PromptWithdrawn, TurnFinished, TurnStarted
from protea.domain.folding import blocks_of
from protea.domain.going_back import places
from protea.domain.hooks import HookMoment, HookSaid, Moment, rewritten
from protea.domain.looking_back import as_sent
from protea.domain.looking_back import places as recalled
from protea.domain.reply import ModelRequest, Reply
from protea.domain.transcript import transcript_of
from protea.interfaces.drawing import Drawing
from protea.interfaces.export import markdown_of
from protea.interfaces.html import block_html
from protea.interfaces.terminal import Paint
from protea.ports.gateway import OpenSession
from tests.application.world import World, calls, of, says

Says = Callable[[HookMoment], Awaitable[HookSaid]]


class Asked:
    """Hooks of prompts, functions one after another; they keep what they were told."""

    def __init__(self, *hooks: Says) -> None:
        self.hooks, self.told = hooks, list[str]()

    def wants(self, moment: Moment, tool: str | None = None) -> bool:
        return moment == "prompt"

    async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
        said: list[HookSaid] = []
        for hook in self.hooks:
            self.told.append(moment.text or "")
            said.append(await hook(moment))
            moment = rewritten(moment, said[-1])
        return said

    async def aclose(self) -> None:
        """Nothing is open."""


async def no_secrets(moment: HookMoment) -> HookSaid:
    bad = "hunter2" in (moment.text or "")
    return HookSaid(hook="no-secrets", verdict="deny" if bad else None, why="it holds a password" if bad else "")


async def masks(moment: HookMoment) -> HookSaid:
    text = moment.text or ""
    return HookSaid(hook="mask", text=text.replace("hunter2", "[masked]") if "hunter2" in text else None)


async def politely(moment: HookMoment) -> HookSaid:
    return HookSaid(hook="polite", text=f"Please: {moment.text}")


async def echo(text: str) -> str:
    """Give the text back."""
    return f"<{text}>"


def world(*steps: Any, hooks: Asked) -> World:
    made = World(*steps, tools=[echo])
    made.hooks = hooks
    return made


async def turn(made: World, session: str, text: str) -> list[Any]:
    return [event async for event in made.turn(session, SubmitPrompt(text=text))]


def sent(made: World) -> str:
    return "\n".join(str(request.messages) for request in made.model.requests)


async def log_of(made: World, session: str) -> list[LastingEvent]:
    return list(await made.gateway.history(session))


async def test_no_later_request_shows_a_prompt_that_was_refused() -> None:
    made = world(says("one"), says("two"), hooks=Asked(no_secrets))
    session = await made.gateway.open(OpenSession(cwd="/w"))
    events = await turn(made, session, "the password is hunter2")
    assert of(events, TurnFinished)[0].outcome == "denied"
    assert of(events, PromptWithdrawn)[0].why == "The hook no-secrets refused the prompt: it holds a password"
    await turn(made, session, "what did I say?")
    log = await log_of(made, session)
    await made.gateway.close()
    assert len(made.model.requests) == 1
    assert "hunter2" not in sent(made)
    assert transcript_of(log).prompts == ["what did I say?"]
    assert list(recalled(as_sent(log), "hunter2")) == []
    seen = [block.text for block in blocks_of(log) if isinstance(block, Prompt)]
    assert seen == ["the password is hunter2", "what did I say?"], "whoever wrote it still sees it"


async def test_what_was_typed_and_what_was_sent_are_both_seen() -> None:
    made = world(says("one"), says("two"), hooks=Asked(masks))
    session = await made.gateway.open(OpenSession(cwd="/w"))
    await turn(made, session, "log in with hunter2")
    await turn(made, session, "go on")
    log = await log_of(made, session)
    await made.gateway.close()
    assert "hunter2" not in sent(made)
    assert "log in with [masked]" in str(made.model.requests[1].messages[0])
    assert transcript_of(log).prompts == ["log in with [masked]", "go on"]
    assert [each.text for each in recalled(as_sent(log), "log in")] == ["log in with [masked]"]
    assert [prompt.text for prompt, _ in places(log)] == ["log in with hunter2", "go on"], "to go back to, and edit"
    prompts = [block for block in blocks_of(log) if isinstance(block, Prompt)]
    assert [(block.origin, block.text) for block in prompts[:2]] == [
        ("user", "log in with hunter2"),
        ("sent instead, by mask", "log in with [masked]"),
    ]
    page = "".join(map(block_html, blocks_of(log)))
    markdown = "".join(map(markdown_of, log))
    plain = StringIO()
    drawing = Drawing(plain.write, Paint(False), lambda: 100)
    for event in log:
        drawing.draw(event)
    for told in (page, markdown, plain.getvalue()):
        assert "log in with [masked]" in told
        assert "mask" in told


async def test_several_rewrite_one_after_another() -> None:
    made = world(says("one"), hooks=Asked(masks, politely))
    session = await made.gateway.open(OpenSession(cwd="/w"))
    events = await turn(made, session, "use hunter2")
    await made.gateway.close()
    assert isinstance(made.hooks, Asked)
    assert made.hooks.told == ["use hunter2", "use [masked]"]
    assert [(ran.hook, ran.text) for ran in of(events, HookRan)] == [
        ("mask", "use [masked]"),
        ("polite", "Please: use [masked]"),
    ]
    assert "text='Please: use [masked]'" in sent(made)


async def test_a_later_one_may_refuse_what_an_earlier_one_rewrote() -> None:
    made = world(says("one"), hooks=Asked(politely, no_secrets))
    session = await made.gateway.open(OpenSession(cwd="/w"))
    await turn(made, session, "use hunter2")
    await turn(made, session, "and now?")
    await made.gateway.close()
    assert "hunter2" not in sent(made)
    assert "Please: and now?" in sent(made)


async def test_after_going_back_the_persons_own_words_can_be_sent_again() -> None:
    made = world(says("one"), says("two"), hooks=Asked(politely))
    session = await made.gateway.open(OpenSession(cwd="/w"))
    await turn(made, session, "begin")
    ((prompt, before),) = places(await log_of(made, session))
    await made.gateway.submit(session, Rewind(to=before))
    await turn(made, session, prompt.text)
    await made.gateway.close()
    assert "Please: Please:" not in sent(made)
    assert len(made.model.requests[1].messages) == 1


async def test_what_is_said_into_a_turn_is_seen_before_the_model_reads_it() -> None:
    made = world(hooks=Asked(no_secrets, masks))

    async def meanwhile(request: ModelRequest) -> Reply:
        for text in ("it is hunter2", "and be quick"):
            await made.gateway.submit(session, SubmitPrompt(text=text, delivery="steer"))
        return calls(("echo", {"text": "a"}))

    made.model.steps = [meanwhile, says("done")]
    session = await made.gateway.open(OpenSession(cwd="/w"))
    events = await turn(made, session, "go")
    await made.gateway.close()
    assert "hunter2" not in sent(made)
    assert "and be quick" in sent(made)
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert len(of(events, PromptWithdrawn)) == 1
    shown = [block.text for block in blocks_of(events) if isinstance(block, Prompt)]
    assert "it is hunter2" in shown


async def test_a_turn_in_which_all_that_was_said_is_refused_ends_without_another_request() -> None:
    made = world(hooks=Asked(no_secrets))

    async def meanwhile(request: ModelRequest) -> Reply:
        await made.gateway.submit(session, SubmitPrompt(text="it is hunter2", delivery="steer"))
        return says("done")

    made.model.steps = [meanwhile]
    session = await made.gateway.open(OpenSession(cwd="/w"))
    events = await turn(made, session, "go")
    await made.gateway.close()
    assert len(made.model.requests) == 1
    assert of(events, TurnFinished)[0].outcome == "finished"


async def test_what_was_interrupted_before_hooks_had_seen_it_is_shown_to_them_first() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(moment: HookMoment) -> HookSaid:
        asked.set()
        await go_on.wait()
        return await no_secrets(moment)

    made = world(says("one"), hooks=Asked(slow))
    session = await made.gateway.open(OpenSession(cwd="/w"))
    await made.gateway.submit(session, SubmitPrompt(text="it is hunter2"))
    async with asyncio.timeout(30):
        await asked.wait()
    await made.gateway.submit(session, Interrupt())
    async with asyncio.timeout(30):
        async for event in made.gateway.events(session):
            if isinstance(event, TurnFinished):
                break
    go_on.set()
    await turn(made, session, "well?")
    await made.gateway.close()
    assert "hunter2" not in sent(made)
    assert "well?" in sent(made)


async def test_what_was_lost_with_its_process_is_shown_to_hooks_again() -> None:
    made = world(says("one"), hooks=Asked(no_secrets))
    first = await made.gateway.open(OpenSession(cwd="/w"))
    log = made.gateway._open[first].log
    hub = made.gateway._open[first].hub
    from protea.domain.events import PromptSubmitted

    # As a process leaves it that is killed while it asks its hooks.
    hub.record(PromptSubmitted(id="p_1", text="it is hunter2"), TurnStarted(id="t_1", prompt="p_1", model="test/one"))
    assert log.last == hub.last
    await made.gateway.close()
    made.use_clock(made.clock)
    session = await made.gateway.open(OpenSession(cwd="/w", resume=first))
    await turn(made, session, "well?")
    await made.gateway.close()
    assert "hunter2" not in sent(made)
    assert "well?" in sent(made)
