"""Protea as a library: what `protea.Agent` promises to a program that holds one."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

import protea
from protea import (
    Agent,
    ApprovalRequested,
    ProteaError,
    ResolveApproval,
    SessionError,
    TextDelta,
    ToolContext,
    ToolResult,
    TurnFinished,
    UsageError,
)
from protea.adapters.storage.memory import MemoryStore
from protea.domain.errors import Failure
from protea.domain.events import Answer, ApprovalResolved, MessageCompleted, PromptSubmitted
from protea.domain.messages import text_of
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.ports.session_store import SessionStore
from protea.testing.model import ScriptedModel, Step

ROOT = Path(__file__).resolve().parent.parent
WRITE = ScriptedCall("Write", {"path": "a.txt", "content": "hello\n"})


def agent(folder: Path, *script: Step, store: SessionStore | None = None, **more: Any) -> Agent:
    return Agent(model=ScriptedModel(*script), cwd=str(folder), store=store or MemoryStore(), **more)


async def test_an_answer_comes_with_what_it_took(tmp_path: Path) -> None:
    async with agent(tmp_path, ScriptedCall("Glob", {"pattern": "*.txt"}), "There are none.") as it:
        run = await it.ask("find text files")
    assert (run.text, run.outcome, run.turns, run.error, run.denied) == ("There are none.", "finished", 2, None, ())
    assert run.session == it.session


async def test_what_no_rule_allows_is_refused_and_named(tmp_path: Path) -> None:
    async with agent(tmp_path, WRITE, "I may not.") as it:
        run = await it.ask("write it")
    assert run.outcome == "denied"
    assert [call.name for call in run.denied] == ["Write"]
    assert not (tmp_path / "a.txt").exists()


async def test_what_a_rule_allows_is_done(tmp_path: Path) -> None:
    async with agent(tmp_path, WRITE, "Done.", allow=["Edit(*.txt)"]) as it:
        run = await it.ask("write it")
    assert (run.outcome, run.denied) == ("finished", ())
    assert (tmp_path / "a.txt").read_text() == "hello\n"


@pytest.mark.parametrize(("said", "written"), [("once", True), ("deny", False)])
async def test_the_program_that_holds_it_answers_questions(tmp_path: Path, said: Answer, written: bool) -> None:
    asked: list[str] = []

    async def answer(question: ApprovalRequested) -> Answer:
        asked.append(question.call.name)
        return said

    async with agent(tmp_path, WRITE, "So it is.", on_question=answer) as it:
        await it.ask("write it")
    assert asked == ["Write"]
    assert (tmp_path / "a.txt").exists() is written


async def test_an_answer_may_carry_words(tmp_path: Path) -> None:
    model = ScriptedModel(ScriptedCall("AskUser", {"question": "Which colour?"}), "Blue, then.")

    async def answer(question: ApprovalRequested) -> ResolveApproval:
        assert question.kind == "question"
        return ResolveApproval(id=question.id, decision="once", comment="blue")

    async with Agent(model=model, cwd=str(tmp_path), store=MemoryStore(), on_question=answer) as it:
        run = await it.ask("paint it")
    assert run.text == "Blue, then."
    assert "They answered: blue" in repr(model.requests[-1].messages[-1])


@pytest.mark.parametrize("said", [None, "no", True])
async def test_what_is_no_answer_allows_nothing(tmp_path: Path, said: Any) -> None:
    """A program that forgets to return one, say."""

    async def answer(question: ApprovalRequested) -> Any:
        return said

    async with agent(tmp_path, WRITE, "So it is.", on_question=answer) as it:
        with pytest.raises(UsageError, match=f"{said!r} is no answer; say one of once, session, always, deny"):
            await it.ask("write it")
    assert not (tmp_path / "a.txt").exists()


async def test_a_question_that_is_closed_while_it_is_thought_about_is_no_fault(tmp_path: Path) -> None:
    closed = asyncio.Event()

    async def answer(question: ApprovalRequested) -> Answer:
        async for event in it.gateway.events(it.session):
            if isinstance(event, ApprovalResolved):
                closed.set()
                break
        return "once"

    async with agent(tmp_path, WRITE, on_question=answer, time_limit=0.05) as it, asyncio.timeout(30):
        run = await it.ask("write it")
    assert closed.is_set()
    assert run.outcome == "limit"
    assert not (tmp_path / "a.txt").exists()


async def test_functions_are_tools(tmp_path: Path) -> None:
    async def forecast(city: str, days: int = 1) -> str:
        """The weather forecast for a city."""
        return f"{days} days of rain in {city}"

    def where(context: ToolContext) -> ToolResult:
        """Which session this is."""
        return ToolResult(f"in {context.session}")

    model = ScriptedModel(ScriptedCall("forecast", {"city": "Bergen", "days": 3}), ScriptedCall("where"), "Rain.")
    given: dict[str, Any] = {"tools": [forecast, where], "builtin_tools": False, "allow": ["forecast", "where"]}
    async with Agent(model=model, cwd=str(tmp_path), store=MemoryStore(), **given) as it:
        await it.ask("will it rain?")
    assert {spec.name for spec in model.requests[0].tools} == {"forecast", "where"}
    shown = repr(model.requests[-1].messages)
    assert "3 days of rain in Bergen" in shown
    assert f"in {it.session}" in shown


async def test_a_provider_that_fails_is_an_outcome(tmp_path: Path) -> None:
    async with agent(tmp_path, Failure(kind="auth", message="the key is not accepted")) as it:
        run = await it.ask("hello")
    assert run.outcome == "error"
    assert run.error is not None
    assert run.error.kind == "auth"


async def test_an_answer_that_must_fit_a_schema_is_a_value(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    async with agent(tmp_path, "many", '{"n": 3}', schema=schema) as it:
        run = await it.ask("how many?")
    assert run.structured == {"n": 3}


async def test_a_limit_is_an_outcome(tmp_path: Path) -> None:
    look = ScriptedCall("Glob", {"pattern": "*"})
    async with agent(tmp_path, look, look, max_turns=1) as it:
        run = await it.ask("look around")
    assert (run.outcome, run.turns) == ("limit", 1)


async def test_a_stream_tells_pieces_and_ends_with_the_turn(tmp_path: Path) -> None:
    async with agent(tmp_path, "one two three") as it:
        events = [event async for event in it.stream("count")]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "one two three"
    assert isinstance(events[-1], TurnFinished)


async def test_a_stream_that_is_left_early_interrupts_its_turn(tmp_path: Path) -> None:
    gate = asyncio.Semaphore(1)
    model = ScriptedModel(ScriptedReply(words=100), "Again.", gate=gate)
    async with Agent(model=model, cwd=str(tmp_path), store=MemoryStore()) as it:
        stream = it.stream("talk")
        async for event in stream:
            if isinstance(event, TextDelta):
                break
        await stream.aclose()
        for _ in range(100):
            gate.release()
        later = [event async for event in it.stream("and now?")]
        history = await it.gateway.history(it.session)
    ends = [event.outcome for event in history if isinstance(event, TurnFinished)]
    assert ends == ["interrupted", "finished"]
    assert isinstance(later[0], PromptSubmitted), "nothing of the turn that was left comes before it"
    assert later[0].text == "and now?"
    assert [event.outcome for event in later if isinstance(event, TurnFinished)] == ["finished"]
    assert [text_of(event.content) for event in later if isinstance(event, MessageCompleted)] == ["Again."]


async def test_a_session_goes_on_in_another_agent(tmp_path: Path) -> None:
    store = MemoryStore()
    async with agent(tmp_path, "Hello Ada.", store=store) as first:
        await first.ask("I am Ada")
    model = ScriptedModel("Ada.")
    async with Agent(model=model, cwd=str(tmp_path), store=store, resume=first.session) as second:
        assert second.session == first.session
        await second.ask("who am I?")
    assert "I am Ada" in repr(model.requests[0].messages)


async def test_what_is_wrong_is_told_on_entering(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Bsah"):
        async with agent(tmp_path, allow=["Bsah(ls)"]):
            pass
    with pytest.raises(SessionError, match="nothing-like-it"):
        async with agent(tmp_path, resume="nothing-like-it"):
            pass


async def test_an_empty_prompt_is_told_and_costs_nothing(tmp_path: Path) -> None:
    async with agent(tmp_path, "Hello.") as it:
        with pytest.raises(UsageError, match="empty"):
            await it.ask("  ")
        assert (await it.ask("hello")).text == "Hello."


async def test_an_agent_that_is_not_open_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProteaError, match="async with"):
        await agent(tmp_path).ask("hello")


async def test_warnings_go_where_the_program_wants_them(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("Be brief.")
    told: list[str] = []
    async with agent(tmp_path, bare=False, warn=told.append):
        pass
    assert any("AGENTS.md is not read" in line for line in told)


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/sdk.md").read_text(), re.M | re.S))
def test_what_the_page_shows_is_python_and_given_out(code: str) -> None:
    page = compile(code, "docs/sdk.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    imports = [node for node in ast.walk(page) if isinstance(node, ast.ImportFrom) and node.module == "protea"]
    assert {alias.name for node in imports for alias in node.names} <= set(protea.__all__)


async def test_the_answer_is_the_last_that_says_anything(tmp_path: Path) -> None:
    call = ScriptedReply(text="It says hello.", tool_calls=(ScriptedCall("Glob", {"pattern": "*"}),))
    model = ScriptedModel(call, ScriptedReply())
    async with Agent(model=model, cwd=str(tmp_path), store=MemoryStore()) as it:
        run = await it.ask("what does it say?")
    assert (run.text, run.outcome, run.turns) == ("It says hello.", "finished", 2)
