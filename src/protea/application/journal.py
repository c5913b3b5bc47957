"""What the log of the process says of a session: a line for each lasting event, with names and figures and no text of
a conversation. Told by `session` of every event; the sessions' own logs hold the whole.
"""

from __future__ import annotations

import logging

from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    ProfileSwapped,
    PromptSubmitted,
    SessionEnded,
    SessionStarted,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)

_log = logging.getLogger("protea.sessions")
_NOTICES = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_INFO = (SessionStarted, SessionEnded, ProfileSwapped, ModelSwitched, ModeChanged)


def write_down(event: LastingEvent) -> None:
    """Log it, where its level is wanted."""
    level = _level(event)
    if _log.isEnabledFor(level):
        kind = str(type(event).__struct_config__.tag)
        _log.log(level, "%s #%s %s%s", event.session, event.seq, kind, "".join(f" {word}" for word in _words(event)))


def _level(event: LastingEvent) -> int:
    match event:
        case NoticeGiven():
            return _NOTICES[event.level]
        case TurnFinished():
            return logging.WARNING if event.outcome == "error" else logging.DEBUG
        case _:
            return logging.INFO if isinstance(event, _INFO) else logging.DEBUG


def _words(event: LastingEvent) -> tuple[object, ...]:
    match event:
        case SessionStarted():
            return event.profile, event.model
        case PromptSubmitted():
            return event.id, event.delivery, f"from {event.origin}"
        case TurnStarted():
            return event.id, event.model, event.mode
        case MessageCompleted():
            return event.model, event.stop, f"{event.usage.input} in {event.usage.output} out"
        case ToolCallChanged():
            return event.call.id, event.call.name, event.state
        case ApprovalRequested():
            return event.id, event.call.name
        case ApprovalResolved():
            return event.id, event.decision, f"by {event.by}"
        case ProfileSwapped():
            return event.identity, *(f"{port}={adapter}" for port, adapter in event.changed.items())
        case ModelSwitched():
            return event.model, event.reason
        case ModeChanged():
            return (event.mode,)
        case NoticeGiven():
            return (event.text,)
        case TurnFinished():
            failed = f"{event.error.kind}: {event.error.message}" if event.error is not None else ""
            return event.id, event.outcome, f"after {event.turns} replies", *([failed] if failed else [])
        case _:
            return ()
