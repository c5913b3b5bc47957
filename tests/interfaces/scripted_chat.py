"""A process that chats over a scripted gateway: `python scripted_chat.py HISTORY_FILE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from protea.application.slash_commands import invoke, listed
from protea.domain.commands import AnyCommand, Interrupt, Invoke, ResolveApproval, SetMode, SetModel, SubmitPrompt
from protea.domain.errors import SessionError
from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    TaskChanged,
    TextDelta,
    TodoChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import PERSON, Text, ToolCall
from protea.domain.session import SessionSummary
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.usage import Usage
from protea.interfaces.repl import chat
from protea.ports.gateway import OpenSession
from protea.testing.gateway import ScriptedGateway

LONG_DIFF = "--- a/x.sql\n+++ b/x.sql\n@@ -1 +1,50 @@\n--- drop\u202e it\n" + "".join(f"+line {n}\n" for n in range(50))
DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+new\n"


def script(command: AnyCommand) -> Sequence[Event]:
    match command:
        case SubmitPrompt(text="markdown"):
            return answer("# Title\n\n- **one** and `two`\n\n```py\nx = 1\n```\nred \x1b[31mtext\n")
        case SubmitPrompt(text="hold"):
            return ()  # it waits
        case SubmitPrompt(text="behind"):
            ended = TaskChanged(id="k1", title="make", state="done", detail="exit code 0", background=True)
            waited = TaskChanged(id="k2", title="look", state="done", detail="seen", kind="agent")
            return (
                STARTED,
                waited,
                replace(ended, title="early"),
                *answer("It runs.")[1:],
                replace(ended, title="late"),
            )
        case SubmitPrompt(text="unpriced"):
            return (*answer("for nothing")[:-1], TurnFinished(id="t1", outcome="finished", usage=USED))
        case SubmitPrompt(text="wait"):
            return (STARTED, TextDelta(text="working on it "))
        case SubmitPrompt(text="edit"):
            call = ToolCall(id="c1", name="Edit", arguments={"path": "x.py"})
            done = ToolResult(text="edited", diff=DIFF)
            return (
                STARTED,
                ToolCallChanged(call=call, state="executing"),
                ToolCallChanged(call=call, state="success", result=done),
                TodoChanged(items=(TodoItem("write tests", "in_progress"),)),
                *answer("Edited.")[1:],
            )
        case SubmitPrompt(text="ask"):
            call = ToolCall(id="c2", name="Bash", arguments={"command": "make \x1b[2K all"})
            return (STARTED, ApprovalRequested(id="a1", call=call, why="it runs code", proposals=("Bash(make all)",)))
        case SubmitPrompt(text="rewrite"):
            call = ToolCall(id="c4", name="Edit", arguments={"path": "x.py"})
            detail = {"diff": LONG_DIFF}
            return (STARTED, ApprovalRequested(id="a4", call=call, why="it writes", detail=detail))
        case SubmitPrompt(text="write"):
            call = ToolCall(id="c5", name="Write", arguments={"path": "x.py", "content": "one\ntwo\u200b\x1b[8m\n"})
            return (STARTED, ApprovalRequested(id="a5", call=call, why="it writes"))
        case ResolveApproval(id="a5", decision="deny"):
            call = ToolCall(id="c5", name="Write", arguments={"path": "x.py", "content": "one"})
            text = "The person refused this. Do not try it again in another way."
            refused = ToolResult(text=text, is_error=True, denied="refused by user")
            return (
                ApprovalResolved(id="a5", decision="deny", comment=command.comment),
                ToolCallChanged(call=call, state="error", result=refused),
                *answer("I see.")[1:],
            )
        case SubmitPrompt(text="!ls", origin="shell"):
            call = ToolCall(id="c7", name="Bash", arguments={"command": "ls"})
            return (
                STARTED,
                MessageCompleted(model=PERSON, content=(call,), stop="tool_calls", usage=Usage()),
                ToolCallChanged(call=call, state="executing"),
                ToolCallChanged(call=call, state="success", result=ToolResult(text="one.py\ntwo.py")),
                TurnFinished(id="t1", outcome="finished"),
            )
        case SubmitPrompt(text="plan"):
            call = ToolCall(id="c6", name="ProposePlan", arguments={"plan": "1. paint it blue"})
            detail = {"plan": "1. paint it blue"}
            why = "Shall it be done like this?"
            return (STARTED, ApprovalRequested(id="a6", call=call, why=why, kind="plan", detail=detail))
        case SubmitPrompt(text="rows"):
            return answer(
                "a row that is so long that a terminal with a hundred columns would not end it where a word does, aword"
            )
        case SubmitPrompt(text="question"):
            call = ToolCall(id="c3", name="AskUser", arguments={"question": "Which?"})
            options = ("red", "blue")
            return (STARTED, ApprovalRequested(id="a2", call=call, why="Which?", proposals=options, kind="question"))
        case SubmitPrompt(text=text):
            return answer(f"heard: {text}")
        case Interrupt():
            return (TurnFinished(id="t1", outcome="interrupted"),)
        case ResolveApproval():
            said = f"{command.decision} {command.comment or ''}".strip()
            resolved = ApprovalResolved(id=command.id, decision=command.decision, comment=command.comment)
            return (resolved, *answer(f"decided: {said}")[1:])
        case SetModel():
            return (ModelSwitched(model=command.model, effort=command.effort),)
        case SetMode():
            return (ModeChanged(mode=command.mode),)
        case _:
            return ()


USED = Usage(input=1200, output=30)
STARTED = TurnStarted(id="t1", prompt="", model="scripted/one")


def answer(text: str) -> tuple[Event, ...]:
    usage = USED
    return (
        STARTED,
        *(TextDelta(text=text[at : at + 3]) for at in range(0, len(text), 3)),
        MessageCompleted(model="scripted/one", content=(Text(text),), stop="end_turn", usage=usage),
        TurnFinished(id="t1", outcome="finished", turns=1, usage=usage, cost_usd=0.002),
    )


async def at_rest() -> None:
    """What is scripted is done at once."""


class ChatGateway(ScriptedGateway):
    """Knows slash commands as any gateway does."""

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        if isinstance(command, Invoke):
            if command.text == "/compact":
                raise SessionError("no room can be made now")
            self.publish(session, await invoke(self, session, command, NOW, at_rest))
            return None
        return await super().submit(session, command)


NOW = "2025-01-01T00:00:30Z"


async def create() -> ScriptedGateway:
    return ChatGateway(
        script,
        sessions=[SessionSummary("abc123", "/", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", title="An old one")],
        logs={"abc123": []},
        described={
            "session": {
                "model": "scripted/one",
                "mode": "normal",
                "profile": "coding",
                "cwd": "/",
                "usage": msgspec.to_builtins(USED),
                "cost_usd": 0.0,
                "priced": False,
            },
            "cost": {
                "session": {"spent": 0.0, "budget": None},
                "day": {"spent": 0.0, "budget": None},
                "profile": {"name": "coding", "spent": 0.0, "budget": None},
            },
            "commands": listed(),
            "models": [{"id": "scripted/one"}, {"id": "scripted/two"}],
            "modes": [{"name": "normal", "about": "asks"}, {"name": "plan", "about": "reads"}],
            "tools": [{"name": "Bash", "description": "runs a command"}],
        },
    )


if __name__ == "__main__":
    spec = chat.Conversation(
        open=OpenSession(cwd="/"), history=sys.argv[1], choose="--choose" in sys.argv, plain="--plain" in sys.argv
    )
    sys.exit(chat.run(create, spec, os.environ))
