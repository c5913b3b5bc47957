"""The log as a person scrolls through it: a fold of events into blocks. Pure.

`advance` takes one event and tells what it changes; whoever holds the blocks makes those changes to its list. The
`View` between two events keeps only what is still open, so a session of any length costs the same per event, and a fold
may begin anywhere: what began before its first event is `astray` and is joined when the page before is folded
(`joined`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from protea.domain.blocks import (
    Answer,
    AnyBlock,
    Call,
    Change,
    Dropped,
    Footer,
    Forgotten,
    Grown,
    Job,
    Marker,
    MarkerOf,
    Notice,
    Prompt,
    Put,
    Question,
    Thought,
    Todo,
)
from protea.domain.changes import changed_line
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    Compacted,
    CompactionUndone,
    FilesChanged,
    FilesRestored,
    HookRan,
    InstructionsFound,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    PinsChanged,
    ProfileSwapped,
    PromptSubmitted,
    PromptWithdrawn,
    RetryScheduled,
    Rewound,
    SessionStarted,
    TaskChanged,
    TextDelta,
    ThinkingDelta,
    TodoChanged,
    ToolCallChanged,
    ToolOutputDelta,
    TurnFinished,
    TurnStarted,
    UnknownEvent,
)
from protea.domain.messages import PERSON, Content, Other, Text, Thinking
from protea.domain.question import plan_of
from protea.domain.tools import ENDED
from protea.domain.view import change_text, hook_details, hook_text, retry_text


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What is open after some events, and what the last of them changed."""

    changes: tuple[Change, ...] = ()
    seq: int = 0
    model: str = ""
    turn: TurnStarted | None = None
    waiting: tuple[PromptSubmitted, ...] = ()
    """Prompts in line behind a running turn: they get their place when theirs begins."""
    placed: tuple[PromptSubmitted, ...] = ()
    """Prompts that have a place and no turn yet."""
    drafts: tuple[Answer | Thought, ...] = ()
    """What of the coming message is shown already; the texts themselves are with whoever holds the blocks."""
    drafted: int = 0
    calls: dict[str, Call] = {}
    """Call id → the call, of those that have not ended."""
    questions: dict[str, Question] = {}
    asked: dict[str, str] = {}
    """Question id → the id of the call it is about."""
    tasks: dict[str, Job] = {}
    astray: dict[str, str] = {}
    """Call id → key, of calls whose beginning was not among the events."""
    strayed: dict[str, Job] = {}
    """Task id → its last state, of tasks whose beginning was not among the events."""
    retrying: bool = False
    by_hand: bool = False
    """Whether the calls that come were typed by a person."""


NAMED = 3
"""Files up to which a line names each."""
RETRY = "retry"
"""The key of the note about a retry, which nobody keeps."""


def advance(view: View, event: AnyEvent) -> View:
    """`view` after one more event; its `changes` are those of this event alone."""
    match event:
        case TextDelta():
            return _draft(view, "answer", event.text, event.at)
        case ThinkingDelta():
            return _draft(view, "thought", event.text, event.at)
        case ToolOutputDelta():
            call = view.calls.get(event.call_id)
            return replace(view, changes=(Grown(call.key, event.text),) if call is not None else ())
        case RetryScheduled():
            note = Notice(key=RETRY, at=event.at, level="warning", text=retry_text(event))
            cleared = _undrafted(view)
            return replace(cleared, changes=(*cleared.changes, Put(note)), retrying=True)
    if event.seq is None:
        return replace(view, changes=())
    view = replace(view, seq=event.seq, changes=())
    match event:
        case PromptSubmitted():
            if view.turn is not None and event.delivery != "steer":
                return replace(view, waiting=(*view.waiting, event))
            placed = view.placed if event.delivery == "steer" else (*view.placed, event)
            return _put(replace(view, placed=placed), prompt_of(event))
        case PromptWithdrawn():
            kept = tuple(each for each in view.waiting if each.id != event.id)
            if len(kept) < len(view.waiting):
                return replace(view, waiting=kept)
            if event.why:
                # No model is shown it; whoever wrote it still wants to see it, and why.
                told = Notice(key=f"refused:{event.seq}", seq=event.seq, at=event.at, level="warning", text=event.why)
                return _put(view, told)
            return replace(view, changes=(Dropped(_prompt_key(event.id)),))
        case HookRan(moment="prompt", text=str()):
            return _sent(view, event)
        case TurnStarted():
            return _turn_started(_undrafted(view), event)
        case MessageCompleted():
            return _message(view, event)
        case ToolCallChanged():
            return _call(view, event)
        case ApprovalRequested() | ApprovalResolved():
            return _question(view, event)
        case TurnFinished():
            return _turn_finished(_undrafted(view), event)
        case TaskChanged():
            return _task(view, event)
        case Rewound():
            view = _undrafted(view)
            marker = _marker(event, "rewound", "rewound: the model no longer knows what came after this point")
            taken = Forgotten(event.to, event.seq)
            changes = (*view.changes, taken, Put(marker))
            return replace(view, changes=changes, waiting=(), placed=(), calls={}, turn=None)
        case ModelSwitched():
            view = _undrafted(view)
            effort = f", effort {event.effort}" if event.effort else ""
            reason = "" if event.reason == "asked" else f" ({event.reason})"
            return _put(
                replace(view, model=event.model), _marker(event, "model", f"model: {event.model}{effort}{reason}")
            )
        case _:
            if isinstance(event, SessionStarted):
                view = replace(view, model=event.model)
            lone = _lone_block(event)
            return view if lone is None else _put(view, lone)


class Held:
    """A list of blocks to which changes are made. For those who want all of them at once."""

    def __init__(self) -> None:
        self._blocks: dict[str, AnyBlock] = {}

    def make(self, changes: Iterable[Change]) -> None:
        for change in changes:
            match change:
                case Put(block=block, instead=instead) if instead in self._blocks:
                    self._blocks = {
                        block.key if key == instead else key: block if key == instead else each
                        for key, each in self._blocks.items()
                    }
                case Put(block=block):
                    self._blocks[block.key] = block
                case Grown(key=key, piece=piece) if isinstance(grown := self._blocks.get(key), Answer | Thought):
                    self._blocks[key] = replace(grown, text=grown.text + piece)
                case Dropped(key=key):
                    self._blocks.pop(key, None)
                case Forgotten():
                    self._blocks = {
                        key: replace(block, gone=True) if is_in(block, change) else block
                        for key, block in self._blocks.items()
                    }
                case _:
                    pass

    def blocks(self) -> tuple[AnyBlock, ...]:
        return tuple(self._blocks.values())


def is_in(block: AnyBlock, taken: Forgotten) -> bool:
    """Whether a block is one of those that were taken back."""
    return taken.after < block.seq < taken.until


def blocks_of(events: Iterable[AnyEvent]) -> tuple[AnyBlock, ...]:
    """The blocks of a whole log, in order; prompts that wait in line come last."""
    held, view = Held(), View()
    for event in events:
        view = advance(view, event)
        held.make(view.changes)
    held.make(Put(prompt_of(each)) for each in view.waiting)
    return held.blocks()


def joined(older: View, newer: View) -> tuple[View, tuple[Change, ...]]:
    """What becomes of two neighbouring pages that were folded each for itself: the view to join the next older page
    to, and the changes to make to all blocks once those of the older page stand before the others."""
    changes: list[Change] = [Put(prompt_of(each)) for each in (*older.placed, *older.waiting)]
    for id, call in older.calls.items():
        if id in newer.astray:
            changes.append(Dropped(call.key))  # its place is where it is seen to go on
    for id, task in older.tasks.items():
        if (later := newer.strayed.get(id)) is not None:
            detail = later.detail if later.waited else ""
            changes.append(Put(replace(task, title=later.title, state=later.state, detail=detail, waited=later.waited)))
            if later.waited:
                changes.append(Dropped(later.key))
    carried = replace(
        older,
        changes=(),
        astray={**newer.astray, **older.astray},
        strayed={**newer.strayed, **older.strayed},
    )
    return carried, tuple(changes)


def prompt_of(event: PromptSubmitted) -> Prompt:
    """The block of a prompt that has its place."""
    return Prompt(
        key=_prompt_key(event.id),
        seq=event.seq or 0,
        at=event.at,
        text=event.text,
        images=event.images,
        origin=event.origin,
        steer=event.delivery == "steer",
    )


def _sent(view: View, event: HookRan) -> View:
    """What of a prompt is sent stands below what was typed; a line of its own for what else the hook said."""
    key, origin = f"sent:{event.seq}", f"sent instead, by {event.hook}"
    sent = Prompt(key=key, seq=event.seq or 0, at=event.at, text=event.text or "", origin=origin)
    rest = replace(event, text=None)
    more = [] if not (rest.verdict or rest.why or rest.context or rest.failed) else [_lone_block(rest)]
    return _put(view, *(each for each in more if each is not None), sent)


def _put(view: View, *blocks: AnyBlock) -> View:
    return replace(view, changes=(*view.changes, *(Put(block) for block in blocks)))


def _prompt_key(id: str) -> str:
    return f"prompt:{id}"


def _draft(view: View, kind: Literal["answer", "thought"], text: str, at: str) -> View:
    gone: tuple[Change, ...] = (Dropped(RETRY),) if view.retrying else ()
    if view.drafts and isinstance(view.drafts[-1], Answer if kind == "answer" else Thought):
        return replace(view, changes=(*gone, Grown(view.drafts[-1].key, text)), retrying=False)
    if not text:
        return replace(view, changes=())
    key = f"draft:{view.drafted}"
    draft = (
        Answer(key=key, at=at, text="", open=True) if kind == "answer" else Thought(key=key, at=at, text="", open=True)
    )
    return replace(
        view,
        changes=(*gone, Put(draft), Grown(key, text)),
        drafts=(*view.drafts, draft),
        drafted=view.drafted + 1,
        retrying=False,
    )


def _undrafted(view: View) -> View:
    """Without what was shown of a message that did not come to its end."""
    gone = [Dropped(draft.key) for draft in view.drafts]
    if view.retrying:
        gone.append(Dropped(RETRY))
    return replace(view, changes=(*view.changes, *gone), drafts=(), retrying=False)


def _turn_started(view: View, event: TurnStarted) -> View:
    prompt = next((each for each in view.waiting if each.id == event.prompt), None)
    waiting = tuple(each for each in view.waiting if each.id != event.prompt)
    started = replace(view, turn=event, model=event.model or view.model, waiting=waiting, calls={}, by_hand=False)
    if prompt is not None:
        return _put(started, prompt_of(prompt))
    placed = next((each for each in view.placed if each.id == event.prompt), None)
    if placed is not None:
        started = replace(started, placed=tuple(each for each in view.placed if each.id != event.prompt))
        if placed.seq == (event.seq or 0) - 1:
            return started
        moved = (*started.changes, Dropped(_prompt_key(placed.id)), Put(prompt_of(placed)))
        return replace(started, changes=moved)
    return _put(started, Prompt(key=_prompt_key(event.prompt), seq=event.seq or 0, at=event.at, text="", known=False))


def _message(view: View, event: MessageCompleted) -> View:
    blocks = _message_blocks(event)
    drafts = list(view.drafts)
    changes: list[Change] = [Dropped(RETRY)] if view.retrying else []
    for block in blocks:
        fitting = next((draft for draft in drafts if type(draft) is type(block)), None)
        if fitting is None:
            changes.append(Put(block))
        else:
            drafts.remove(fitting)
            changes.append(Put(block, fitting.key))
    changes += [Dropped(draft.key) for draft in drafts]
    by_hand = event.model == PERSON
    return replace(view, changes=tuple(changes), drafts=(), calls={}, retrying=False, by_hand=by_hand)


def _message_blocks(event: MessageCompleted) -> list[AnyBlock]:
    """Its parts, neighbours of one kind as one block."""
    seq, at = event.seq or 0, event.at
    blocks: list[AnyBlock] = []
    for kind, parts in _runs(event.content):
        key = f"{seq}.{len(blocks)}"
        match kind:
            case "text" if (text := "".join(part.text for part in parts if isinstance(part, Text))).strip():
                blocks.append(Answer(key=key, seq=seq, at=at, text=text, model=event.model, partial=event.partial))
            case "thinking" if (
                text := "\n\n".join(p.text for p in parts if isinstance(p, Thinking) and p.text)
            ).strip():
                blocks.append(Thought(key=key, seq=seq, at=at, text=text))
            case "other":
                names = ", ".join(dict.fromkeys(part.kind for part in parts if isinstance(part, Other)))
                blocks.append(Marker(key=key, seq=seq, at=at, of="other", text=f"the provider also sent: {names}"))
            case _:
                pass
    return blocks


def _runs(content: tuple[Content, ...]) -> list[tuple[str, list[Content]]]:
    runs: list[tuple[str, list[Content]]] = []
    for part in content:
        kind = {Text: "text", Thinking: "thinking", Other: "other"}.get(type(part), "call")
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(part)
        else:
            runs.append((kind, [part]))
    return runs


def _call(view: View, event: ToolCallChanged) -> View:
    id = event.call.id
    known = view.calls.get(id)
    astray = view.astray
    if known is None or event.state == "validating":
        known = Call(
            key=f"call:{event.seq}",
            seq=event.seq or 0,
            at=event.at,
            call=event.call,
            state=event.state,
            typed=view.by_hand,
        )
        if event.state != "validating":
            astray = {**astray, id: known.key}
    block = replace(known, call=event.call, state=event.state, result=event.result or known.result)
    calls = {name: call for name, call in view.calls.items() if name != id}
    if event.state not in ENDED:
        calls[id] = block
    return _put(replace(view, calls=calls, astray=astray), block)


def _question(view: View, event: ApprovalRequested | ApprovalResolved) -> View:
    if isinstance(event, ApprovalRequested):
        if event.kind != "permission":
            block = Question(
                key=f"question:{event.id}",
                seq=event.seq or 0,
                at=event.at,
                asked=event.why,
                options=event.proposals,
                plan=plan_of(event),
            )
            return _put(replace(view, questions={**view.questions, event.id: block}), block)
        view = replace(view, asked={**view.asked, event.id: event.call.id})
        call = view.calls.get(event.call.id)
        return view if call is None else _changed_call(view, replace(call, why=event.why))
    question = view.questions.get(event.id)
    if question is not None:
        answered = replace(question, answer=event.comment or _ANSWERS[event.decision])
        left = {id: each for id, each in view.questions.items() if id != event.id}
        return _put(replace(view, questions=left), answered)
    call = view.calls.get(view.asked.get(event.id, ""))
    view = replace(view, asked={id: about for id, about in view.asked.items() if id != event.id})
    if call is None:
        return view
    said = _ANSWERS[event.decision] + (f": {event.comment}" if event.comment else "")
    return _changed_call(view, replace(call, answer=said if event.by == "user" else f"{said} (by {event.by})"))


_ANSWERS = {
    "once": "allowed once",
    "session": "allowed for this session",
    "always": "always allowed",
    "deny": "refused",
}


def _changed_call(view: View, call: Call) -> View:
    return _put(replace(view, calls={**view.calls, call.call.id: call}), call)


def _turn_finished(view: View, event: TurnFinished) -> View:
    footer = Footer(
        key=f"footer:{event.seq}",
        seq=event.seq or 0,
        at=event.at,
        outcome=event.outcome,
        model="" if view.by_hand else view.model,
        error=event.error,
        limit=event.limit,
        usage=event.usage,
        cost_usd=event.cost_usd,
        seconds=_seconds(view.turn.at, event.at) if view.turn is not None else None,
    )
    return _put(replace(view, turn=None, calls={}, questions={}, asked={}), footer)


def _task(view: View, event: TaskChanged) -> View:
    """A task stands where it began and is told of again where it ends."""
    detail = event.detail or ""
    before = view.tasks.get(event.id)
    key = before.key if before is not None else f"task:{event.seq}"
    begun = before or Job(key=key, seq=event.seq or 0, at=event.at, title=event.title, state=event.state)
    waited = not event.background and event.state not in ("running", "lost")
    block = replace(begun, title=event.title, state=event.state, detail=detail, waited=waited)
    if event.state == "running":
        return _put(replace(view, tasks={**view.tasks, event.id: block}), block)
    left = {id: task for id, task in view.tasks.items() if id != event.id}
    if before is None:
        return _put(replace(view, strayed={**view.strayed, event.id: block}), block)
    if waited:  # what came of it stands there, and in the result of its call
        return _put(replace(view, tasks=left), block)
    end = replace(block, key=f"{key}:end", seq=event.seq or 0, at=event.at)
    return _put(replace(view, tasks=left), replace(block, detail=""), end)


def _names(event: FilesChanged | FilesRestored) -> str:
    """The files by their names, where they are few enough for one line."""
    few = 0 < len(event.files) + event.more <= NAMED
    return ", ".join(each.path.rstrip("/").rpartition("/")[2] for each in event.files) if few else ""


def _lone_block(event: AnyEvent) -> AnyBlock | None:
    match event:
        case SessionStarted():
            parts = [event.cwd, event.model, event.profile, f"from {event.parent}" if event.parent else ""]
            return _marker(event, "session", " · ".join(part for part in parts if part))
        case ProfileSwapped():
            ports = ", ".join(f"{port} → {adapter}" for port, adapter in event.changed.items())
            return _marker(event, "profile", f"profile: {event.profile}", ports)
        case ModeChanged():
            return _marker(event, "mode", change_text(event))
        case Compacted():
            return _marker(event, "compacted", change_text(event), event.summary)
        case CompactionUndone():
            return _marker(event, "compacted", change_text(event))
        case PinsChanged():
            return _marker(event, "pins", f"{len(event.pins)} pinned", "\n".join(event.pins))
        case HookRan(failed=str(failed)) if failed:
            return Notice(key=f"hook:{event.seq}", seq=event.seq or 0, at=event.at, level="warning", text=failed)
        case HookRan():
            detail = "\n\n".join(f"{what}: {text}" for what, text in hook_details(event))
            return _marker(event, "hook", hook_text(event), detail)
        case InstructionsFound():
            return _marker(event, "instructions", f"instructions: {event.path}", event.text)
        case FilesChanged():
            count = len(event.files) + event.more
            rows = [changed_line(each) for each in event.files]
            rows += [f"cannot be undone: {each.path}: {each.why}" for each in event.uncovered]
            text = f"changed: {names}" if (names := _names(event)) else f"{count} files changed"
            return _marker(event, "files", text, "\n".join(rows))
        case FilesRestored():
            first, _, rest = change_text(event).partition("\n")
            names = "" if event.skipped else _names(event)
            return _marker(event, "files", f"{first.partition(':')[0]}: {names}" if names else first, rest)
        case TodoChanged():
            return Todo(key=f"todo:{event.seq}", seq=event.seq or 0, at=event.at, items=event.items)
        case NoticeGiven():
            return Notice(
                key=f"notice:{event.seq}", seq=event.seq or 0, at=event.at, level=event.level, text=event.text
            )
        case UnknownEvent():
            return _marker(event, "other", f"an event of a newer version: {event.name}")
        case _:
            return None


def _marker(event: AnyEvent, of: MarkerOf, text: str, detail: str = "") -> Marker:
    return Marker(key=f"{of}:{event.seq}", seq=event.seq or 0, at=event.at, of=of, text=text, detail=detail)


def _seconds(begin: str, end: str) -> float | None:
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
    except (ValueError, TypeError):  # an event without a time, or one time with a zone and one without
        return None
