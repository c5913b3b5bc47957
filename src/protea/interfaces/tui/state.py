"""What one session's status, queue and questions show: a projection of its events. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    Outcome,
    ProfileSwapped,
    PromptSubmitted,
    PromptWithdrawn,
    RetryScheduled,
    Rewound,
    SessionEnded,
    SessionStarted,
    TaskChanged,
    TextDelta,
    ThinkingDelta,
    TitleChanged,
    TodoChanged,
    ToolCallChanged,
    ToolOutputDelta,
    TurnFinished,
    TurnStarted,
    UsageUpdated,
)
from protea.domain.question import plan_of
from protea.domain.tools import TodoItem
from protea.domain.usage import Usage
from protea.domain.view import call_object, retry_text


class State(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as it stands."""

    title: str = ""
    model: str = ""
    effort: str | None = None
    profile: str = ""
    mode: str = "normal"
    turn: str | None = None
    """The turn that runs."""
    since: str = ""
    """When it began, RFC 3339."""
    doing: str = ""
    """What it is doing right now, in a few words."""
    waiting: tuple[PromptSubmitted, ...] = ()
    """Prompts in line."""
    held: bool = False
    """After an interrupt what waits runs only before the next prompt."""
    questions: tuple[ApprovalRequested, ...] = ()
    todos: tuple[TodoItem, ...] = ()
    plan: str = ""
    """The plan that was proposed last, Markdown."""
    lasting: bool = False
    """Whether what is done is a call that may go on in the background."""
    tasks: tuple[TaskChanged, ...] = ()
    outcome: Outcome | None = None
    usage: Usage = Usage()
    last: Usage = Usage()
    """Of the last reply: its input is what the model was shown."""
    cost_usd: float | None = None
    prompts: int = 0
    ended: bool = False
    seq: int = 0

    @property
    def busy(self) -> bool:
        return self.turn is not None or (bool(self.waiting) and not self.held)


PASSING = (TextDelta, ThinkingDelta, ToolOutputDelta, UsageUpdated)
"""What comes by the thousand and changes nothing here but what is being done."""


def advance(state: State, event: AnyEvent) -> State:
    """`state` after one more event."""
    if isinstance(event, PASSING):
        doing = _DOING.get(type(event), "")
        return state if not doing or state.doing == doing else replace(state, doing=doing)
    if event.seq is not None:
        state = replace(state, seq=event.seq)
    match event:
        case SessionStarted():
            return replace(state, model=event.model, profile=event.profile)
        case PromptSubmitted():
            title = state.title or " ".join(event.text.split())[:60]
            if event.delivery == "steer":
                return replace(state, title=title)
            return replace(state, title=title, waiting=(*state.waiting, event), held=False, prompts=state.prompts + 1)
        case PromptWithdrawn():
            return replace(state, waiting=tuple(each for each in state.waiting if each.id != event.id))
        case TurnStarted():
            waiting = tuple(each for each in state.waiting if each.id != event.prompt)
            return replace(
                state,
                turn=event.id,
                since=event.at,
                doing="asking the model",
                waiting=waiting,
                model=event.model or state.model,
                mode=event.mode,
            )
        case MessageCompleted():
            return replace(state, last=event.usage, doing="")
        case ToolCallChanged():
            runs = event.state == "executing" and event.call.name not in ATTENDED
            return replace(state, doing=_call(event), lasting=runs)
        case ApprovalRequested():
            return replace(
                state,
                questions=(*state.questions, event),
                doing="waiting for an answer",
                plan=plan_of(event) or state.plan,
            )
        case ApprovalResolved():
            asked = next((each for each in state.questions if each.id == event.id), None)
            agreed = asked is not None and asked.kind == "plan" and event.decision != "deny"
            return replace(
                state,
                questions=tuple(each for each in state.questions if each.id != event.id),
                plan=(event.comment if agreed else None) or state.plan,
            )
        case RetryScheduled():
            # What went wrong stands in the conversation; here, where there is little room, what comes of it.
            return replace(state, doing=retry_text(event).rpartition("; ")[2])
        case TurnFinished():
            cost = state.cost_usd
            if event.cost_usd is not None:
                cost = (cost or 0.0) + event.cost_usd
            return replace(
                state,
                turn=None,
                doing="",
                questions=(),
                outcome=event.outcome,
                held=event.outcome == "interrupted",
                usage=state.usage + event.usage,
                cost_usd=cost,
            )
        case ModelSwitched():
            return replace(state, model=event.model, effort=event.effort)
        case ModeChanged():
            return replace(state, mode=event.mode)
        case ProfileSwapped():
            return replace(state, profile=event.profile)
        case TitleChanged():
            return replace(state, title=event.title)
        case TodoChanged():
            return replace(state, todos=event.items)
        case TaskChanged():
            known = any(each.id == event.id for each in state.tasks)
            kept = tuple(event if each.id == event.id else each for each in state.tasks)
            return replace(state, tasks=kept if known else (*kept, event))
        case Rewound():
            return replace(state, waiting=())
        case SessionEnded():
            return replace(state, ended=True, turn=None, questions=())
        case _:
            return state


def state_of(events: Iterable[AnyEvent], state: State | None = None) -> State:
    """The state after all of `events`."""
    state = state or State()
    for event in events:
        state = advance(state, event)
    return state


ATTENDED = ("AskUser", "ProposePlan", "Race", "Pipeline")
"""Calls that the turn is needed for until they end."""

_DOING: dict[type, str] = {TextDelta: "answering", ThinkingDelta: "thinking"}


def _call(event: ToolCallChanged) -> str:
    if event.state in ("executing", "awaiting_approval"):
        return f"{event.call.name} {' '.join(call_object(event.call).split())}"[:200]
    return "" if event.state in ("success", "error", "cancelled") else event.call.name
