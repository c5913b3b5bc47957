"""A session's line in a list, as a projection of its log.

Called by the stores, event by event while a session is written, or over the whole log where an index is rebuilt.
"""

from __future__ import annotations

from msgspec.structs import replace

from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    MessageCompleted,
    ModelSwitched,
    ProfileSwapped,
    PromptSubmitted,
    SessionStarted,
    TitleChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.session import SessionSummary

TITLE_LENGTH = 80
"""Characters of a first prompt that make a title."""


def begin(session: str) -> SessionSummary:
    """The summary of an empty log."""
    return SessionSummary(id=session, cwd="", created="", updated="")


def advance(summary: SessionSummary, event: LastingEvent) -> SessionSummary:
    """The summary after `event`. `running` and `waiting` say what the log says: whether a process still has the
    session is for the store to find out."""
    summary = replace(summary, events=event.seq or summary.events + 1, updated=event.at or summary.updated)
    match event:
        case SessionStarted():
            return replace(
                summary,
                cwd=event.cwd,
                created=event.at,
                model=event.model,
                profile=event.profile,
                parent=event.parent,
                agent=event.agent,
            )
        case PromptSubmitted():
            title = summary.title or title_of(event.text)
            return replace(summary, title=title, prompts=summary.prompts + 1)
        case TurnStarted():
            return replace(summary, state="running", model=event.model)
        case MessageCompleted():
            cost = summary.cost_usd
            if event.cost_usd is not None:
                cost = (cost or 0.0) + event.cost_usd
            return replace(summary, turns=summary.turns + 1, usage=summary.usage + event.usage, cost_usd=cost)
        case ApprovalRequested():
            return replace(summary, state="waiting")
        case ApprovalResolved():
            return replace(summary, state="running")
        case TurnFinished():
            return replace(summary, state="idle")
        case ModelSwitched():
            return replace(summary, model=event.model)
        case ProfileSwapped():
            return replace(summary, profile=event.profile)
        case TitleChanged():
            return replace(summary, title=event.title)
        case _:
            return summary


def title_of(prompt: str) -> str:
    """The first words of a prompt, on one line."""
    words = " ".join(prompt[: TITLE_LENGTH * 4].split())
    if len(words) <= TITLE_LENGTH:
        return words
    return words[:TITLE_LENGTH].rsplit(" ", 1)[0] + " …"
