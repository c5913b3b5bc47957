"""Instruction files about what was just touched."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.commands import Rewind, SubmitPrompt
from protea.domain.events import Compacted, InstructionsFound
from protea.domain.messages import ToolMessage, UserMessage
from protea.domain.transcript import transcript_of
from protea.ports.gateway import OpenSession
from protea.ports.instructions import Instruction
from tests.application.world import Step, World, calls, of, says

RULES = Instruction(path="/w/api/AGENTS.md", text="Validate input.")


async def look(path: str) -> str:
    """Look at a file."""
    return f"looked at {path}"


def world(*steps: Step, deny: Sequence[str] = ()) -> World:
    made = World(*steps, tools=[look], deny=deny)
    made.fixed.nearby = {"/w/api/a.py": RULES, "/w/api/b.py": RULES}
    return made


async def test_the_model_reads_them_before_its_next_reply_and_once() -> None:
    told = world(calls(("look", {"path": "api/a.py"})), calls(("look", {"path": "/w/api/b.py"})), says("done"))
    events = await told.run("go")
    assert [(found.path, found.text) for found in of(events, InstructionsFound)] == [(RULES.path, RULES.text)]
    first, second, third = told.model.requests
    assert not any("Validate input." in str(message) for message in first.messages)
    assert isinstance(second.messages[-2], ToolMessage)
    assert isinstance(second.messages[-1], UserMessage)
    assert "Validate input." in str(second.messages[-1])
    assert third.messages[: len(second.messages)] == second.messages
    assert str(third.messages).count("Validate input.") == 1


async def test_a_call_that_was_denied_touched_nothing() -> None:
    told = world(calls(("look", {"path": "api/a.py"})), says("done"), deny=["look"])
    assert of(await told.run("go"), InstructionsFound) == []


async def test_what_was_told_is_told_again_only_after_it_was_rewound_or_compacted() -> None:
    told = world(*[reply for _ in range(3) for reply in (calls(("look", {"path": "api/a.py"})), says("done"))])
    session = await told.gateway.open(OpenSession(cwd="/w"))
    first = [event async for event in told.turn(session, SubmitPrompt(text="go"))]
    assert len(of(first, InstructionsFound)) == 1
    again = [event async for event in told.turn(session, SubmitPrompt(text="go on"))]
    assert of(again, InstructionsFound) == []
    await told.gateway.submit(session, Rewind(to=1))
    after = [event async for event in told.turn(session, SubmitPrompt(text="once more"))]
    assert len(of(after, InstructionsFound)) == 1
    history = list(await told.gateway.history(session))
    await told.gateway.close()
    assert list(transcript_of(history).instructed) == [RULES.path]
    compacted = Compacted(seq=history[-1].seq, upto=history[-1].seq or 0, summary="…")
    assert transcript_of([*history, compacted]).instructed == {}
