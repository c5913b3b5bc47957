"""Any log, shrunk and chosen from in any way at any time: what is sent is a conversation that every wire takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protea.adapters.compaction import clear_results, digest, levels, summarise, truncate
from protea.adapters.context import windowed
from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.changes import ChangedFile
from protea.domain.compaction import Conversation, applied
from protea.domain.events import (
    Compacted,
    FilesRestored,
    InstructionsFound,
    Lasting,
    MessageCompleted,
    PinsChanged,
    PromptSubmitted,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import AssistantMessage, Image, Text, Thinking, ToolCall, UserMessage
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolResult, ToolSpec
from protea.domain.transcript import Transcript, transcript_of
from protea.domain.usage import Usage
from protea.ports.compaction import Compaction
from protea.testing.contracts.context import count
from protea.testing.conversations import whole
from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import Ledger, seal
from protea.testing.loopback.strict import anthropic as strict_anthropic
from protea.testing.loopback.strict import gemini as strict_gemini
from protea.testing.loopback.strict import ollama as strict_ollama
from protea.testing.loopback.strict import openai_chat as strict_chat
from protea.testing.loopback.strict import openai_responses as strict_responses
from tests.adapters.models.recordings import surroundings

LOOK = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
CLAUDE = "anthropic/claude-sonnet-4-5"
PIXEL = Image("image/png", "aGVsbG8=")
HEADERS = {"x-api-key": "k", "authorization": "Bearer k", "x-goog-api-key": "k", "anthropic-version": "2023-06-01"}
Refuse = Callable[[Any, Mapping[str, str], Ledger, str], Trouble | None]


def wires() -> dict[str, tuple[Any, Refuse]]:
    around = surroundings()
    claude = anthropic.Options(model="claude-sonnet-4-5")
    return {
        "anthropic": (anthropic.create(claude, surroundings=around), strict_anthropic.refuse),
        "chat": (openai_chat.create(openai_chat.Options(model="m"), surroundings=around), strict_chat.refuse),
        "responses": (
            openai_responses.create(openai_responses.Options(model="gpt-5.1"), surroundings=around),
            strict_responses.refuse,
        ),
        "gemini": (
            gemini.create(gemini.Options(model="gemini-2.5-flash"), surroundings=around),
            strict_gemini.refuse,
        ),
        "ollama": (ollama.create(ollama.Options(model="qwen3"), surroundings=around), strict_ollama.refuse),
    }


STRATEGIES: tuple[Compaction, ...] = (
    clear_results.create(clear_results.Options(keep=1)),
    truncate.create(truncate.Options(keep=1, longest=200)),
    digest.create(digest.Options()),
    summarise.create(summarise.Options()),
    levels.create(levels.Options(keep_results=1)),
)


class Life:
    """A session that lives by chance: steered, interrupted, told of things, shrunk."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.events: list[Lasting] = []
        self.transcript = Transcript()
        self.names = 0

    def add(self, event: Lasting) -> None:
        event = replace(event, seq=len(self.events) + 1)
        self.events.append(event)
        self.transcript.add(event)  # type: ignore[arg-type]  # the base's subclasses are the union's members

    def name(self, what: str) -> str:
        self.names += 1
        return f"{what}{self.names}"

    def some(self, most: int) -> str:
        return "a word or two " * self.random.randint(1, most)

    def beside(self) -> None:
        """What may come at any moment of a turn."""
        match self.random.randint(0, 11):
            case 0:
                self.add(PromptSubmitted(id=self.name("s"), text=self.some(9), delivery="steer"))
            case 1:
                text = f"[Protea] Task {self.name('b')} has ended."
                self.add(PromptSubmitted(id=self.name("n"), text=text, delivery="steer", origin="task"))
            case 2:
                self.add(PinsChanged(pins=(*self.transcript.pins, self.name("pin "))))
            case _:
                pass

    def turn(self) -> None:
        prompt = self.name("p")
        images = (PIXEL,) if self.random.random() < 0.1 else ()
        self.add(PromptSubmitted(id=prompt, text=self.some(9), images=images))
        self.add(TurnStarted(id=self.name("t"), prompt=prompt, model=CLAUDE))
        for _ in range(self.random.randint(0, 4)):
            if not self.reply():
                break
        self.add(TurnFinished(id="t", outcome="finished"))
        self.beside()
        if self.random.random() < 0.1:
            changes = (ChangedFile(path="/w/a", what="modified"),)
            self.add(FilesRestored(direction="undo", turns=("t",), files=changes))  # type: ignore[arg-type]

    def reply(self) -> bool:
        """Whether the turn goes on."""
        seen = len(self.events)
        self.beside()
        calls = [ToolCall(self.name("c"), "Look", {"path": "a"}) for _ in range(self.random.choice((0, 1, 1, 2, 3)))]
        thought = self.some(5)
        parts = [Thinking(thought, seal("anthropic", thought))] if self.random.random() < 0.5 else []
        words = [Text(self.some(20))] if not calls or self.random.random() < 0.5 else []
        content = (*parts, *words, *calls)
        self.add(MessageCompleted(model=CLAUDE, content=content, stop="end_turn", usage=Usage(), seen=seen))
        for call in self.random.sample(calls, len(calls)):
            self.beside()
            if self.random.random() < 0.05:
                return False  # it was interrupted
            images = (PIXEL,) if self.random.random() < 0.1 else ()
            self.add(ToolCallChanged(call=call, state="success", result=ToolResult(self.some(200), images=images)))
        if calls and self.random.random() < 0.2:
            self.add(InstructionsFound(path=f"/w/{self.name('d')}/AGENTS.md", text=self.some(9)))
        return bool(calls)

    async def shrink(self) -> None:
        messages = self.transcript.messages()
        sizes = tuple(map(count, messages))
        room = max(1, int(sum(sizes) * self.random.choice((0.1, 0.5, 1.0, 1.2))))
        forced = self.random.random() < 0.3
        given = Conversation(messages=messages, sizes=sizes, room=room, forced=forced)
        shrunk = await self.random.choice(STRATEGIES).shrink(given, answers)
        if shrunk is None:
            return
        assert whole(applied(messages, shrunk))
        if upto := self.transcript.seq_before(shrunk.before):
            self.add(Compacted(upto=upto, summary=shrunk.text, how=shrunk.how, longest=shrunk.longest))


async def answers(shown: Any, question: str) -> str:
    assert whole(tuple(shown))
    return "All went well."


def run(seed: int, turns: int) -> Life:
    import asyncio

    life = Life(seed)
    with asyncio.Runner() as runner:
        for _ in range(turns):
            life.turn()
            if life.random.random() < 0.5:
                runner.run(life.shrink())
                assert whole(life.transcript.messages())
    return life


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**9), turns=st.integers(1, 8), room=st.integers(1, 6000), recall=st.integers(0, 2))
def test_whatever_was_shrunk_or_left_out_no_wire_refuses_what_is_sent(
    seed: int, turns: int, room: int, recall: int
) -> None:
    life = run(seed, turns)
    life.add(PromptSubmitted(id="last", text="And now?"))
    life.add(TurnStarted(id="last", prompt="last", model=CLAUDE))
    messages = life.transcript.messages()
    chosen = windowed.create(windowed.Options(recall=recall)).choose(messages, room=room, count=count)
    for shown in (messages, chosen):
        assert whole(shown)
        assert "And now?" in str(shown[-1])
        request = ModelRequest(shown, system=("Be kind.",), tools=(LOOK,), effort="low", cache_key="s")
        for wire, (model, refuse) in wires().items():
            trouble = refuse(msgspec.json.decode(model.body(request)), HEADERS, Ledger(), model.info.id)
            assert trouble is None, f"{wire}: {trouble}"
    assert transcript_of(life.events).messages() == messages  # type: ignore[arg-type]  # as above


def test_a_prompt_that_steers_between_a_call_and_its_result_parts_them_in_no_summary() -> None:
    life = Life(1)
    call, later = ToolCall("c1", "Look", {}), ToolCall("c2", "Look", {})
    for event in (
        PromptSubmitted(id="p", text="go"),
        TurnStarted(id="t", prompt="p", model=CLAUDE),
        MessageCompleted(model=CLAUDE, content=(call,), stop="tool_calls", usage=Usage(), seen=2),
        PromptSubmitted(id="s", text="no, the other", delivery="steer"),
        ToolCallChanged(call=call, state="success", result=ToolResult("a")),
        MessageCompleted(model=CLAUDE, content=(later,), stop="tool_calls", usage=Usage(), seen=5),
        ToolCallChanged(call=later, state="success", result=ToolResult("b")),
    ):
        life.add(event)
    assert isinstance(life.transcript.messages()[3], UserMessage)
    for before in (1, 3, 4):
        shown = transcript_of(
            [*life.events, Compacted(seq=8, upto=life.transcript.seq_before(before), summary="so far")]  # type: ignore[list-item]
        ).messages()
        assert whole(shown)
        assert isinstance(shown[-2], AssistantMessage)


@pytest.mark.parametrize("upto", range(1, 8))
def test_a_log_that_names_an_event_between_a_call_and_its_result_is_shown_whole(upto: int) -> None:
    life = run(3, 2)
    assert whole(transcript_of([*life.events, Compacted(seq=99, upto=upto, summary="so far")]).messages())  # type: ignore[list-item]
