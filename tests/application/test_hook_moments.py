"""What a hook can say at each moment: every cell of the table, by a real command, address and function."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from protea.adapters.compaction import levels
from protea.adapters.hooks import configured
from protea.adapters.hooks.configured import Hook
from protea.adapters.sandbox import none as no_sandbox
from protea.adapters.tokens import bytes as by_bytes
from protea.application.parts import Parts
from protea.domain.commands import Compact, ResolveApproval, SubmitPrompt
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    Compacted,
    HookRan,
    MessageCompleted,
    PromptWithdrawn,
    TurnFinished,
)
from protea.domain.hooks import CAN, REWRITES, WIRE_NAMES, Moment, Say
from protea.domain.messages import ToolMessage, text_of
from protea.domain.surroundings import Surroundings
from protea.domain.usage import ModelInfo
from protea.ports.gateway import OpenSession
from tests.application.world import NAME, PlayedModel, World, calls, of, says

KINDS = ("command", "url", "python")
SAYS: tuple[Say, ...] = get_args(Say)
DOCS = Path(__file__).parents[2] / "docs/hooks.md"

FUNCTION = """
import json
def answer(told):
    with open("answer.json") as file:
        return json.load(file)
"""


async def echo(text: str) -> str:
    """Give the text back."""
    return f"<{text}>"


def answer_of(moment: Moment, say: Say) -> dict[str, Any]:
    if say == "add":
        return {"additionalContext": "ADDED"}
    if say == "rewrite":
        key = REWRITES.get(moment, ("updatedPrompt",))[0]
        return {key: {"text": "INSTEAD"} if moment == "before_tool" else "INSTEAD"}
    return {"decision": say, "reason": "BECAUSE"}


class Day(World):
    """A session in which every moment comes: a call, an answer, a compaction, another prompt, the end."""

    def __init__(self, folder: Path, moment: Moment, hook: Hook) -> None:
        steps = (calls(("echo", {"text": "a"})), says("done"), says("SHORT"), *[says("again")] * 6)
        super().__init__(*steps, tools=[echo], ask=("echo",) if moment == "before_tool" else ())
        self.model = PlayedModel(steps, info=ModelInfo(id=NAME, context=200_000))
        root = str(folder)
        around = Surroundings(
            cwd=root, root=root, user_home=root, protea_home=root, environment={"PATH": "/bin:/usr/bin"}
        )
        self.walls = no_sandbox.create(no_sandbox.Options())
        self.hooks = configured.create(configured.Options(**{moment: (hook,)}), sandbox=self.walls, surroundings=around)
        self.events: list[AnyEvent] = []
        self.answers = "yes"

    def _assemble(self, spec: OpenSession) -> Parts:
        tokens, compaction = by_bytes.create(by_bytes.Options()), levels.create(levels.Options())
        return replace(super()._assemble(spec), tokens=tokens, compaction=compaction)

    async def live(self, answer: str) -> None:
        """What a person is asked they answer with `answer`."""
        session = await self.gateway.open(OpenSession(cwd="/w"))
        answering = asyncio.create_task(self._answer(session, answer))
        for text in ("first", "second"):
            async for _ in self.turn(session, SubmitPrompt(text=text)):
                pass
            if text == "first":
                await self.gateway.submit(session, Compact())
        await self.gateway.close()
        await answering
        await self.walls.aclose()

    async def _answer(self, session: str, answer: str) -> None:
        async for event in self.gateway.events(session):
            self.events.append(event)
            if isinstance(event, ApprovalRequested):
                permission = event.kind == "permission"
                refuses = answer != "yes"
                decision, comment = ("deny" if refuses else "once", None) if permission else ("once", answer)
                await self.gateway.submit(session, ResolveApproval(id=event.id, decision=decision, comment=comment))

    # ── what came of it ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def sent(self) -> str:
        """All that any model was ever sent."""
        return "\n".join(str(request.messages) for request in self.model.requests)

    @property
    def refused(self) -> list[str]:
        return [event.error.message for event in of(self.events, TurnFinished) if event.error is not None]

    @property
    def result(self) -> ToolMessage:
        return next(m for request in self.model.requests for m in request.messages if isinstance(m, ToolMessage))

    @property
    def answered(self) -> list[str]:
        return [text_of(event.content) for event in of(self.events, MessageCompleted)]

    @property
    def compacted(self) -> list[Compacted]:
        return of(self.events, Compacted)

    @property
    def asked(self) -> list[str]:
        return [event.why for event in of(self.events, ApprovalRequested)]


def looks_as_ever(day: Day) -> None:
    assert (day.refused, day.asked, day.result.is_error) == ([], [], False)
    assert day.answered == ["", "done", "again"]
    assert [event.how for event in day.compacted] == ["summarise"]
    assert not re.search("INSTEAD|ADDED|BECAUSE", day.sent)


def call_denied(day: Day) -> None:
    assert day.result.is_error
    assert "BECAUSE" in day.result.text


def call_allowed(day: Day) -> None:
    assert (day.asked, day.result.text) == ([], "<a>")


def call_asked(day: Day) -> None:
    assert [why for why in day.asked if "BECAUSE" in why or "echo" in why]
    assert day.result.text == "<a>"


def call_rewritten(day: Day) -> None:
    assert day.result.text == "<INSTEAD>"


def call_added(day: Day) -> None:
    assert day.result.text == "<a>\n[hook] ADDED"


def result_denied(day: Day) -> None:
    assert day.result.is_error
    assert day.result.text.startswith("<a>\n[hook] The hook h objects: BECAUSE")


def result_rewritten(day: Day) -> None:
    assert day.result.text == "INSTEAD"
    assert "<a>" not in day.sent
    assert of(day.events, HookRan)[0].was == "<a>"


def prompt_denied(day: Day) -> None:
    assert day.model.requests == []
    assert all("BECAUSE" in why for why in day.refused)
    assert len(of(day.events, PromptWithdrawn)) == 2


def prompt_rewritten(day: Day) -> None:
    assert "INSTEAD" in day.sent
    assert not re.search("first|second", day.sent)


def prompt_added(day: Day) -> None:
    assert "[hook] ADDED" in str(day.model.requests[0].messages)


def sent_back(day: Day) -> None:
    assert "[hook] BECAUSE" in day.sent
    assert len(day.answered) > 3


def told_next(day: Day) -> None:
    assert "[hook] ADDED" not in str(day.model.requests[1].messages)
    assert "[hook] ADDED" in str(day.model.requests[2].messages)


def not_compacted(day: Day) -> None:
    assert day.compacted == []


def asked_otherwise(day: Day) -> None:
    assert "INSTEAD" in str(day.model.requests[2].messages[-1])
    assert "about to be shortened" not in day.sent
    assert "about to be shortened" in of(day.events, HookRan)[0].was


def asked_besides(day: Day) -> None:
    asked = str(day.model.requests[2].messages[-1])
    assert "about to be shortened" in asked
    assert "ADDED" in asked


def other_summary(day: Day) -> None:
    assert [each.summary == "INSTEAD" for each in day.compacted] == [False, True]
    assert "INSTEAD" in str(day.model.requests[-1].messages)
    assert "SHORT" not in str(day.model.requests[-1].messages)


def told_behind(day: Day) -> None:
    assert "[hook] ADDED" in str(day.model.requests[-1].messages)


CELLS: dict[tuple[Moment, Say], Callable[[Day], None]] = {
    ("before_tool", "allow"): call_allowed,
    ("before_tool", "ask"): call_asked,
    ("before_tool", "deny"): call_denied,
    ("before_tool", "rewrite"): call_rewritten,
    ("before_tool", "add"): call_added,
    ("after_tool", "deny"): result_denied,
    ("after_tool", "rewrite"): result_rewritten,
    ("after_tool", "add"): call_added,
    ("prompt", "deny"): prompt_denied,
    ("prompt", "rewrite"): prompt_rewritten,
    ("prompt", "add"): prompt_added,
    ("turn_end", "deny"): sent_back,
    ("turn_end", "add"): told_next,
    ("session_start", "deny"): prompt_denied,
    ("session_start", "add"): prompt_added,
    ("before_compaction", "deny"): not_compacted,
    ("before_compaction", "rewrite"): asked_otherwise,
    ("before_compaction", "add"): asked_besides,
    ("after_compaction", "rewrite"): other_summary,
    ("after_compaction", "add"): told_behind,
}
"""What is seen where a hook says it. Where a person is asked, their no is what a deny is, but before a tool."""


def test_the_table_has_no_other_cells() -> None:
    cells = {(moment, say) for moment, can in CAN.items() for say in can if say != "ask" or moment == "before_tool"}
    assert cells == set(CELLS)
    assert {moment for moment, can in CAN.items() if "rewrite" in can} == set(REWRITES)
    assert all(("ask" in can) == ("deny" in can) for can in CAN.values())


def test_the_page_has_the_same_table() -> None:
    heads = "| moment | allow | ask | deny | rewrite | add |"
    page = DOCS.read_text()
    rows = page[page.index(heads) :].partition("\n\n")[0].splitlines()[2:]
    told: dict[str, list[str]] = {}
    key_of: dict[str, str] = {moment: f"`{keys[0]}`" for moment, keys in REWRITES.items()}
    for row in rows:
        name, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        told[name.strip("`")] = [
            say for say, cell in zip(("allow", "ask", "deny", "rewrite", "add"), cells, strict=True) if cell != "-"
        ]
        assert key_of.get(name.strip("`"), "") in row, row
    assert told == {moment: list(can) for moment, can in CAN.items()}


class Answering:
    """A server that gives one answer to everybody."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._body = json.dumps(answer).encode()

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"content-length: *(\d+)", head.lower())
        await reader.readexactly(int(size[1]) if size is not None else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self._body) + self._body)
        writer.close()


@pytest.fixture(params=KINDS)
async def day(request: pytest.FixtureRequest, tmp_path: Path, moment: Moment, say: Say) -> AsyncIterator[Day]:
    answer = answer_of(moment, say)
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    (tmp_path / "hooks.py").write_text(FUNCTION.replace("answer.json", str(tmp_path / "answer.json")))
    async with Answering(answer) as url:
        given = {"command": ("cat", "answer.json"), "url": url, "python": "hooks.py:answer"}
        hook = Hook(name="h", **{request.param: given[request.param]})
        yield Day(tmp_path, moment, hook)


@pytest.mark.parametrize(("moment", "say"), [(moment, say) for moment in WIRE_NAMES for say in SAYS])
async def test_a_hook_does_what_the_table_says_and_nothing_else(day: Day, moment: Moment, say: Say) -> None:
    await day.live("yes")
    ran = [event for event in of(day.events, HookRan) if event.moment == moment]
    assert ran
    if say in CAN[moment]:
        assert not any(event.failed for event in ran)
        if say == "ask" and moment != "before_tool":
            assert day.asked
            assert all(re.fullmatch(r"The hook h asks: BECAUSE\n.+\?", why) for why in day.asked)
            day.events = [event for event in day.events if not isinstance(event, ApprovalRequested)]
            looks_as_ever(day)
        else:
            CELLS[moment, say](day)
    elif say == "allow":
        looks_as_ever(day)
        assert not any(event.failed for event in ran)
    else:
        looks_as_ever(day)
        assert all(moment in event.failed and "the hook h failed" in event.failed for event in ran)


@pytest.mark.parametrize(
    ("moment", "say"), [(moment, "ask") for moment, can in CAN.items() if "ask" in can and moment != "before_tool"]
)
async def test_a_persons_no_is_what_a_deny_is(day: Day, moment: Moment, say: Say) -> None:
    await day.live("no")
    CELLS[moment, "deny"](day)
