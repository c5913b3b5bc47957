"""Events as any face tells them: one line per call, the figures of a run. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from protea.domain.errors import Failure
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    Compacted,
    CompactionUndone,
    Event,
    FilesRestored,
    HookRan,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    Outcome,
    ProfileSwapped,
    RetryScheduled,
    Rewound,
    TitleChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import ToolCall, text_of
from protea.domain.retry import most_attempts
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage

EXIT_CODES: dict[Outcome, int] = {"finished": 0, "error": 2, "limit": 3, "interrupted": 4, "denied": 5}

_OBJECTS = (
    "command",
    "path",
    "file_path",
    "notebook_path",
    "pattern",
    "url",
    "query",
    "question",
    "code",
    "name",
    "id",
)
"""Argument names that say what a call is about, the most telling first."""


def call_object(call: ToolCall) -> str:
    """What a call is about: its command, its file, its pattern. May be long and have several lines."""
    arguments = call.arguments
    if arguments is UNSET or not isinstance(arguments, dict):
        return call.arguments_text or ""
    if call.name == "TodoWrite" and isinstance(items := arguments.get("items", arguments.get("todos")), list):
        return _at_work_on(items)
    if call.name == "ProposePlan" and isinstance(plan := arguments.get("plan"), str):
        return next((line.lstrip("# ") for line in plan.split("\n") if line.strip("# ")), "")
    if "command" not in arguments and isinstance(pattern := arguments.get("pattern"), str):
        where = arguments.get("path")
        return f"{pattern} in {where}" if isinstance(where, str) and where else pattern
    for name in _OBJECTS:
        value = arguments.get(name)
        if isinstance(value, str) and value:
            return value + _range(arguments) if name.endswith("path") else value
    for value in arguments.values():
        if isinstance(value, str) and value:
            return value
    return msgspec.json.encode(arguments).decode() if arguments else ""


def _at_work_on(items: list[Any]) -> str:
    """Of a todo list the item that is being done; the list itself stands below the call."""
    texts = (item.get("text") for item in items if isinstance(item, dict) and item.get("status") == "in_progress")
    return next((text for text in texts if isinstance(text, str)), "")


def _range(arguments: dict[str, Any]) -> str:
    begin, count = arguments.get("offset"), arguments.get("limit")
    if isinstance(begin, int) and isinstance(count, int):
        return f":{begin}-{begin + count - 1}"
    return f":{begin}" if isinstance(begin, int) else ""


def result_summary(result: ToolResult | None) -> str:
    """How a call ended, in a few words: its error, its one line, or how much there is."""
    if result is None:
        return ""
    if result.is_error:
        return next((line.strip() for line in result.text.splitlines() if line.strip()), "failed")
    if result.diff:
        from protea.domain.diff import counts  # few results have one

        added, removed = counts(result.diff)
        problems = len(result.diagnostics)
        told = f" · {problems} new problem{'' if problems == 1 else 's'}" if problems else ""
        return f"+{added} -{removed}{told}"
    lines = [line for line in result.text.splitlines() if line.strip()]
    if not lines:
        return "no output"
    if len(lines) > 1:
        return f"{len(lines)} lines"
    return lines[0].strip() if len(lines[0]) <= 100 else "1 line"


def problem_lines(result: ToolResult, most: int) -> list[tuple[str, str]]:
    """What is newly wrong with the files it changed, as (`error` or `warning`, line); how many more where not all."""
    from protea.domain.diagnostics import line  # few changes bring any

    lines: list[tuple[str, str]] = [
        (each.severity, line(each, lambda path: path.rpartition("/")[2])) for each in result.diagnostics[:most]
    ]
    more = len(result.diagnostics) - len(lines)
    return [*lines, ("warning", f"… and {more} more")] if more > 0 else lines


def hook_text(event: HookRan) -> str:
    """What a hook did, in a line: `hook check: deny: not on a Friday`."""
    if event.failed:
        return event.failed
    did: list[str] = [event.verdict] if event.verdict is not None else []
    if event.arguments is not None:
        about = call_object(ToolCall(id="", name="", arguments=event.arguments))
        did.append(f"rewrote the call to {about}" if about else "rewrote the call")
    elif event.text is not None:
        did.append(_REWROTE.get(event.moment, "rewrote it"))
    did += ["told the model something"] if event.context else []
    return f"hook {event.hook}: {', '.join(did) or 'says'}" + (f": {event.why}" if event.why else "")


_REWROTE = {
    "after_tool": "rewrote the result",
    "prompt": "rewrote the prompt",
    "before_compaction": "rewrote what the summary is asked for",
    "after_compaction": "rewrote the summary",
}


def hook_details(event: HookRan) -> tuple[tuple[str, str], ...]:
    """What that line leaves out, each with a word for what it is."""
    call = ", ".join(
        f"{name}={value if isinstance(value, str) else _shown(value)}"
        for name, value in (event.arguments or {}).items()
    )
    return tuple(
        (what, text)
        for what, text in (("now", call), ("now", event.text or ""), ("was", event.was), ("told", event.context))
        if text
    )


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def change_text(event: AnyEvent) -> str:
    """What a command has brought about, where an event of its own tells it: `model: ollama/qwen3`. Else empty."""
    match event:
        case ModelSwitched():
            return f"model: {event.model}" + (f", effort {event.effort}" if event.effort else "")
        case ProfileSwapped():
            return f"profile: {event.identity}"
        case ModeChanged():
            return f"mode: {event.mode}"
        case Compacted(how="summarise", strategy="edited by a person"):
            return "the summary was replaced"
        case Compacted(how="summarise"):
            return "what was said before is summed up for the model"
        case Compacted():
            return f"for the model, to make room: {event.strategy or event.how}"
        case CompactionUndone():
            return "the model is shown again what was made smaller last"
        case Rewound():
            return "went back to before that prompt"
        case TitleChanged():
            return f"title: {event.title}"
        case FilesRestored():
            from protea.domain.changes import restored_text  # few turns bring any

            return restored_text(event.direction, event.files, event.skipped, more=event.more).rstrip("\n")
        case _:
            return ""


def retry_text(event: RetryScheduled) -> str:
    """`acme: The provider is busy; trying again in 2 s (attempt 3 of 5)`."""
    error = event.error
    who = f"{error.provider}: " if error.provider and error.provider not in error.message else ""
    most = most_attempts(error)
    of = f" of {most}" if event.attempt <= most else ""
    wait = f"{event.delay:.1f}".removesuffix(".0")
    return f"{who}{error.message.rstrip('. ')}; trying again in {wait} s (attempt {event.attempt}{of})"


class Refusal(msgspec.Struct, frozen=True):
    """A call that was not allowed."""

    tool: str
    arguments: Any
    why: str
    rule: str | None = None


class Figures(msgspec.Struct, frozen=True):
    """What a run amounts to so far; every turn of it is summed up."""

    text: str = ""
    """The answer: what the last message of the last turn said, or the last one in it that said anything."""
    outcome: Outcome | None = None
    """None before any turn has finished."""
    error: Failure | None = None
    limit: str | None = None
    structured: Any = None
    turns: int = 0
    usage: Usage = Usage()
    cost_usd: float | None = None
    denied: tuple[Refusal, ...] = ()
    asked: dict[str, ApprovalRequested] = {}
    """Call id → the question about it."""


def advance(figures: Figures, event: Event) -> Figures:
    """`figures` after one more lasting event."""
    replace = msgspec.structs.replace
    match event:
        case TurnStarted():
            return replace(figures, text="")
        case MessageCompleted():
            return replace(figures, text=text_of(event.content) or figures.text)
        case ApprovalRequested():
            return replace(figures, asked={**figures.asked, event.call.id: event})
        case ToolCallChanged(call=call, result=ToolResult(denied=str(denied))):
            return replace(figures, denied=(*figures.denied, _refusal(call, event.result, denied, figures)))
        case TurnFinished():
            return replace(
                figures,
                outcome=event.outcome,
                error=event.error,
                limit=event.limit,
                structured=event.structured,
                turns=figures.turns + event.turns,
                usage=figures.usage + event.usage,
                cost_usd=_sum(figures.cost_usd, event.cost_usd),
            )
        case _:
            return figures


def _refusal(call: ToolCall, result: ToolResult | None, denied: str, figures: Figures) -> Refusal:
    arguments = call.arguments_text if call.arguments is UNSET else call.arguments
    question = figures.asked.get(call.id)
    if question is not None:
        return Refusal(call.name, arguments, question.why, question.rule)
    why = (result.text if result else "").removeprefix("Not allowed: ") or denied
    return Refusal(call.name, arguments, why, denied if denied != why else None)


def _sum(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else a + b
