"""The whole screen over a gateway that plays a script: no process, no terminal, what is drawn as text."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from protea.domain.commands import AnyCommand, Interrupt, Invoke, ResolveApproval, SetMode, SetModel, SubmitPrompt
from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    CommandAnswered,
    Event,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    TodoChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import Text, ToolCall
from protea.domain.session import SessionSummary
from protea.domain.settings import ScreenSettings
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.usage import Usage
from protea.interfaces.tui.app import ProteaApp
from protea.interfaces.tui.desk import Desk, Place
from protea.interfaces.tui.opening import open_tab
from protea.interfaces.tui.transcript.widget import Transcript
from protea.ports.gateway import OpenSession
from protea.testing.gateway import ScriptedGateway
from tests.interfaces.tui.keyboard import press, taken_in

SNAPSHOTS = Path(__file__).parent / "snapshots"
DIFF = "--- a/src/main.py\n+++ b/src/main.py\n@@ -1,2 +1,2 @@\n def main():\n-    return 1\n+    return 2\n"
USED = Usage(input=12_000, output=300, cache_read=9_000)
STARTED = TurnStarted(id="t1", prompt="", model="acme/big")


def answer(text: str) -> tuple[Event, ...]:
    return (
        MessageCompleted(model="acme/big", content=(Text(text),), stop="end_turn", usage=USED),
        TurnFinished(id="t1", outcome="finished", turns=1, usage=USED, cost_usd=0.0421),
    )


def edited() -> tuple[Event, ...]:
    call = ToolCall(id="c1", name="Edit", arguments={"path": "src/main.py"})
    done = ToolResult(text="edited", diff=DIFF)
    return (
        ToolCallChanged(call=call, state="executing"),
        ToolCallChanged(call=call, state="success", result=done),
    )


def script(command: AnyCommand) -> Sequence[Event]:
    match command:
        case SubmitPrompt(delivery="steer") | SubmitPrompt(text="then this" | "and that"):
            return ()  # it waits
        case SubmitPrompt(text="wait"):
            return (STARTED,)
        case SubmitPrompt(text="edit"):
            calls = edited()
            todo = TodoChanged(items=(TodoItem("read", "done"), TodoItem("change", "in_progress"), TodoItem("test")))
            return (STARTED, *calls, todo, *answer("Changed **one** line."))
        case SubmitPrompt(text="ask"):
            call = ToolCall(id="c2", name="Bash", arguments={"command": "make all"})
            return (
                STARTED,
                ApprovalRequested(id="a1", call=call, why="no rule allows make", proposals=("Bash(make all)",)),
            )
        case SubmitPrompt(text="change"):
            call = ToolCall(id="c3", name="Edit", arguments={"path": "src/main.py"})
            detail = {"diff": DIFF}
            return (STARTED, ApprovalRequested(id="a2", call=call, why="it writes a file", detail=detail))
        case SubmitPrompt(text="create"):
            words = ("first", "second", "third", "fourth", "fifth", "sixth")
            content = "".join(f"{word} line\n" for word in words)
            call = ToolCall(id="c6", name="Write", arguments={"path": "src/new.py", "content": content})
            rules = ("Edit(//srv/app/src/new.py)",)
            return (STARTED, ApprovalRequested(id="a5", call=call, why="it writes a file", proposals=rules))
        case SubmitPrompt(text="plan"):
            call = ToolCall(id="c5", name="Plan", arguments={})
            detail = {"plan": "# The plan\n\n1. read\n2. change\n"}
            return (STARTED, ApprovalRequested(id="a4", call=call, why="a plan", detail=detail, kind="plan"))
        case SubmitPrompt(text="question"):
            call = ToolCall(id="c4", name="AskUser", arguments={"question": "Which colour?"})
            options = ("red", "blue")
            return (
                STARTED,
                ApprovalRequested(id="a3", call=call, why="Which colour?", proposals=options, kind="question"),
            )
        case SubmitPrompt(text=text):
            return (STARTED, *answer(f"Heard: {text}"))
        case ResolveApproval():
            said = f"{command.decision} {command.comment or ''}".strip()
            return (
                ApprovalResolved(id=command.id, decision=command.decision, comment=command.comment),
                *answer(f"Decided: {said}"),
            )
        case Interrupt():
            return (TurnFinished(id="t1", outcome="interrupted"),)
        case SetMode():
            return (ModeChanged(mode=command.mode),)
        case SetModel():
            return (ModelSwitched(model=command.model, effort=command.effort),)
        case Invoke():
            return (CommandAnswered(id=command.id, command="cost", text="12k in · 300 out\n"),)
        case _:
            return ()


DESCRIBED: dict[str, Any] = {
    "commands": [
        {"name": "model", "arguments": "[PROVIDER/MODEL]", "about": "show or change the model", "completes": "models"},
        {"name": "mode", "arguments": "[MODE]", "about": "show or change the mode", "completes": ["normal", "plan"]},
        {"name": "cost", "arguments": "", "about": "tokens and dollars so far", "completes": []},
        {"name": "exit", "arguments": "", "about": "leave", "completes": [], "face": True},
    ],
    "models": [
        {"id": "acme/big", "context": 200_000, "price": {"input": 3.0, "output": 15.0, "cache_read": 0.3}},
        {"id": "acme/small", "context": 128_000, "price": {"input": 0.1, "output": 0.4}, "images": True},
        {"id": "home/free"},
        {"id": "far/away", "context": 1_000_000, "lacks": "FAR_API_KEY is not set"},
    ],
    "profiles": [{"name": "coding", "about": "writes programs"}, {"name": "minimal", "about": "says little"}],
    "files": ["README.md", "docs/index.md", "src/main.py", "src/words/list.py", "src/words/table.py"],
    "context": {"window": 200_000, "used": 12_300, "parts": [], "cache_read": 0.75},
    "session": {},
    "agents": [{"name": "reviewer", "about": "reads what was changed"}],
}

OLD = SessionSummary(
    "old-1", "/srv/app", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", title="An old one", prompts=3,
    model="acme/big",
)  # fmt: skip
ELSEWHERE = SessionSummary("old-2", "/srv/other", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", title="Elsewhere")


class Stage:
    """What a test holds."""

    def __init__(self, app: ProteaApp, pilot: Pilot[int], gateway: ScriptedGateway) -> None:
        self.app = app
        self.pilot = pilot
        self.gateway = gateway
        self.main = app.main

    @property
    def lines(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        if self.app.screen is not self.app.main:
            below = self.app.main._compositor.render_strips()
            strips = [_over(*pair) for pair in zip(strips, below, strict=True)]
        return [strip.text.rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def composer(self) -> str:
        return self.main.tab.composer.text

    async def press(self, *keys: str) -> None:
        await press(self.pilot, *keys)
        await self.settle()

    async def type(self, text: str) -> None:
        await self.press(*(_KEYS.get(character, character) for character in text))

    async def send(self, text: str) -> None:
        """Into an empty composer, and Enter."""
        self.main.tab.composer.set(text)
        await self.press("enter")

    async def settle(self) -> None:
        """Until what was sent has been done and is drawn. One thing may bring about another, some times over."""
        for _ in range(4):
            await self.app.desk.settle()
            await taken_in(self.pilot)
            for transcript in self.app.main.query(Transcript):
                if transcript._timer is not None:  # it would paint in a moment
                    transcript._paint()

    async def readable(self) -> None:
        """Let a question stand long enough to count as read."""
        self.main.tab.card._drawn_at = time.monotonic() - 2

    def unread(self) -> None:
        """Let a question have come this very moment, however busy the machine is."""
        self.main.tab.card._drawn_at = time.monotonic() + 60

    def matches(self, name: str, *, without: str = "") -> None:
        """Compare with the file of that name, but what fits a pattern; SNAPSHOTS=write writes it."""
        text = re.sub(without, lambda found: "·" * len(found[0]), self.text) if without else self.text
        path = SNAPSHOTS / f"{name}.txt"
        if os.environ.get("SNAPSHOTS") == "write":
            SNAPSHOTS.mkdir(exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        assert text + "\n" == path.read_text(encoding="utf-8")


def _over(above: Any, below: Any) -> Any:
    return above if above.text.strip() else below


_KEYS = {" ": "space", "/": "slash", "@": "at", "!": "exclamation_mark", "?": "question_mark", ".": "full_stop"}


def _welcomed(home: Path) -> None:
    """As after a first run."""
    home.mkdir(exist_ok=True)
    if not (home / "tui.json").exists():
        (home / "tui.json").write_text('{"welcomed":true}')


@asynccontextmanager
async def stage(
    home: Path,
    size: tuple[int, int] = (80, 24),
    *,
    play: Callable[[AnyCommand], Sequence[Event]] = script,
    preferences: ScreenSettings | None = None,
    environment: dict[str, str] | None = None,
    welcomed: bool = True,
    described: dict[str, Any] = DESCRIBED,
    over: type[ScriptedGateway] = ScriptedGateway,
) -> AsyncIterator[Stage]:
    """The screen, open and at rest."""
    if welcomed:
        _welcomed(home)
    gateway = over(play, sessions=[OLD, ELSEWHERE], logs={"old-1": [], "old-2": []}, described=described)
    spec = OpenSession(cwd="/srv/app", model="acme/big")
    place = Place(home=str(home), environment=environment or {"TERM": "xterm"}, open=spec)
    desk = Desk(gateway, place, preferences or ScreenSettings(motion=False))
    app = ProteaApp(desk, await open_tab(desk, spec))
    async with app.run_test(size=size) as pilot:
        found = Stage(app, pilot, gateway)
        await found.settle()
        yield found
    if app.fault is not None:
        raise app.fault
