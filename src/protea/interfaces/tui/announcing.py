"""What a screen reader is told in plain lines: an answer came, a question waits, something failed, it is done. Pure."""

from __future__ import annotations

from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    MessageCompleted,
    ModeChanged,
    NoticeGiven,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.messages import text_of
from protea.domain.pattern import regex
from protea.domain.view import call_object, result_summary
from protea.interfaces.terminal import one_line, revealed

_MARKS = regex(r"[*_`#|>~]+|-{3,}|:?-+:")
"""What only draws: nobody wants to hear it."""
LONGEST = 400
"""Characters of one line: more of it stands in the conversation."""


def announced(event: AnyEvent) -> str:
    """The line for an event; empty where it needs none."""
    match event:
        case MessageCompleted():
            text = one_line(_MARKS.sub(" ", text_of(event.content)), LONGEST)
            return f"Answer: {text}" if text else ""
        case ApprovalRequested(kind="question"):
            numbered = "".join(f" {number}: {option}." for number, option in enumerate(event.proposals, 1))
            return one_line(f"Question: {event.why}{numbered} Write an answer, or n declines.", LONGEST)
        case ApprovalRequested(kind="plan"):
            return "Approval wanted: a plan is proposed. y carries it out, e changes it, n refuses."
        case ApprovalRequested():
            what = one_line(f"{event.call.name} {revealed(call_object(event.call))}", LONGEST // 2)
            ways = "y allows once, s this session, a always, n refuses" if event.proposals else "y allows, n refuses"
            return f"Approval wanted: {what}. {one_line(revealed(event.why), LONGEST // 2)}. {ways}."
        case ToolCallChanged(state="error"):
            return one_line(f"Failed: {event.call.name}: {result_summary(event.result)}", LONGEST)
        case ToolCallChanged(state="executing"):
            return one_line(f"Runs: {event.call.name} {call_object(event.call)}", LONGEST // 2)
        case NoticeGiven():
            return one_line(f"{event.level.title()}: {event.text}", LONGEST)
        case ModeChanged():
            return f"Mode: {event.mode}"
        case TurnFinished():
            return _ended(event)
        case _:
            return ""


def _ended(event: TurnFinished) -> str:
    match event.outcome:
        case "finished":
            return "Done."
        case "error":
            return one_line(f"Error: {event.error.message if event.error else 'the turn failed'}", LONGEST)
        case "limit":
            return f"Stopped on a limit: {event.limit or 'length'}."
        case "denied":
            return "Done; something was not allowed."
        case _:
            return "Interrupted."
