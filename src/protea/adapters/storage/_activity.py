"""`activity.log`: a line per notable event, for a person with `tail -f`. Nothing reads it back."""

from __future__ import annotations

from collections.abc import Iterable

from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    Compacted,
    LastingEvent,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    ProfileSwapped,
    PromptSubmitted,
    Rewound,
    SessionEnded,
    SessionStarted,
    TaskChanged,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.messages import ToolCall, text_of
from protea.domain.tools import ENDED

NAME = "activity.log"
WIDTH = 160


def activity(events: Iterable[LastingEvent]) -> str:
    """The lines for `events`; empty where none is notable."""
    return "".join(f"{event.at}  {said}\n" for event in events if (said := _said(event)))


def _said(event: LastingEvent) -> str | None:
    match event:
        case SessionStarted():
            return _line("session", f"started in {event.cwd}" + (f", from {event.parent}" if event.parent else ""))
        case PromptSubmitted():
            return _line("prompt", event.text)
        case MessageCompleted():
            text = text_of(event.content)
            return _line("answer", text) if text.strip() else None
        case ToolCallChanged() if event.state in ENDED:
            return _line(event.state, _call(event.call))
        case ApprovalRequested():
            return _line("asked", f"{_call(event.call)}: {event.why}")
        case ApprovalResolved():
            return _line("decided", f"{event.decision} by {event.by}" + (f": {event.comment}" if event.comment else ""))
        case ModelSwitched():
            return _line("model", event.model)
        case ModeChanged():
            return _line("mode", event.mode)
        case ProfileSwapped():
            return _line("profile", event.profile)
        case Compacted():
            return _line("compacted", f"up to event {event.upto}")
        case Rewound():
            return _line("rewound", f"to event {event.to}")
        case TaskChanged():
            return _line("task", f"{event.state}: {event.title}")
        case NoticeGiven():
            return _line(event.level, event.text)
        case TurnFinished():
            why = event.error.message if event.error else event.limit or ""
            spent = f"{event.usage.input} in, {event.usage.output} out"
            return _line("turn", f"{event.outcome}{': ' + why if why else ''} ({spent})")
        case SessionEnded():
            return _line("session", f"ended: {event.reason}")
        case _:
            return None


def _call(call: ToolCall) -> str:
    if not isinstance(call.arguments, dict):
        return f"{call.name} {call.arguments_text or ''}"
    return f"{call.name} " + " ".join(f"{name}={str(value)[:WIDTH]!r}" for name, value in call.arguments.items())


def _line(what: str, text: str) -> str:
    """On one line, cut, and without what a terminal would obey."""
    words = " ".join(text[: WIDTH * 4].split())
    if len(words) > WIDTH:
        words = words[: WIDTH - 2] + " …"
    if not words.isprintable():
        words = "".join(letter if letter.isprintable() else "\ufffd" for letter in words)
    return f"{what:<9} {words}"
