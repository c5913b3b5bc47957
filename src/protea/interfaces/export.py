"""A session as Markdown: what was said and done, for people."""

from __future__ import annotations

from protea.domain.columns import usage_text
from protea.domain.events import (
    Compacted,
    HookRan,
    LastingEvent,
    MessageCompleted,
    ModelSwitched,
    NoticeGiven,
    PromptSubmitted,
    PromptWithdrawn,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.messages import Content, Image, Thinking, text_of
from protea.domain.session import SessionSummary
from protea.domain.view import call_object, hook_details, hook_text, problem_lines, result_summary
from protea.interfaces.terminal import one_line, visible


def markdown_head(summary: SessionSummary) -> str:
    """The title and the figures."""
    return (
        f"# {one_line(summary.title) or 'A session'}\n\n"
        f"- session `{summary.id}` in `{one_line(summary.cwd)}`\n"
        f"- begun {summary.created}, last {summary.updated}\n"
        f"- model `{one_line(summary.model)}`, {usage_text(summary.usage, summary.cost_usd)}\n\n"
    )


def markdown_of(event: LastingEvent, *, short: bool = False) -> str:
    """One event; empty for those that say nothing to a person. `short` leaves out what tools gave."""
    match event:
        case PromptSubmitted(origin="user"):
            return f"## You\n\n{visible(event.text)}\n\n{_pictures(event.images)}"
        case PromptSubmitted():
            return f"## {event.origin}\n\n{visible(event.text)}\n\n"
        case HookRan(moment="prompt", text=str(text)):
            return f"## sent instead, by {one_line(event.hook)}\n\n{visible(text)}\n\n"
        case HookRan():
            details = "".join(f"- {what}: {_code(one_line(text, 400))}\n" for what, text in hook_details(event))
            return f"*{one_line(hook_text(event))}*\n\n{details}" + ("\n" if details else "")
        case PromptWithdrawn(why=str(why)) if why:
            return f"*{one_line(why)}*\n\n"
        case MessageCompleted():
            thought = "" if short else _thought(event.content)
            text = visible(text_of(event.content).strip())
            told = thought + (f"{text}\n\n" if text else "")
            return f"## {one_line(event.model)}\n\n{told}" if told else ""
        case ToolCallChanged(state="success" | "error" | "cancelled" as state):
            return _call(event, state, short)
        case ModelSwitched():
            return f"*model: {one_line(event.model)}*\n\n"
        case NoticeGiven():
            return f"*{event.level}: {one_line(event.text)}*\n\n"
        case Compacted():
            return f"*summed up for the model:*\n\n{visible(event.summary)}\n\n"
        case TurnFinished(outcome=outcome) if outcome != "finished":
            why = event.error.message if event.error else event.limit or ""
            return f"*{outcome}{': ' + one_line(why) if why else ''}*\n\n"
        case _:
            return ""


def _call(event: ToolCallChanged, state: str, short: bool) -> str:
    head = f"- **{one_line(event.call.name)}** {_code(one_line(call_object(event.call)))}: {state}"
    if event.result is None:
        return head + "\n\n"
    if short:
        return f"{head}, {one_line(result_summary(event.result), 120)}\n\n"
    body = event.result.diff or event.result.text
    problems = "".join(f"- {_code(one_line(line))}\n" for _, line in problem_lines(event.result, 100))
    told = f"{problems}\n" if problems else ""
    shown = f"{_fenced(visible(body), 'diff' if event.result.diff else '')}\n" if body else ""
    return f"{head}\n\n{shown}{told}{_pictures(event.result.images)}"


def _thought(content: tuple[Content, ...]) -> str:
    text = "\n\n".join(part.text.strip() for part in content if isinstance(part, Thinking) and part.text.strip())
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in visible(text).split("\n"))
    return f"> *thought:*\n>\n{quoted}\n" if text else ""


def _pictures(images: tuple[Image, ...]) -> str:
    """What stands for pictures: Markdown has no place for them, HTML and JSON have them."""
    return "".join(f"*picture: {one_line(each.media_type)}*\n\n" for each in images)


def _code(text: str) -> str:
    marks = "`" * (_longest_ticks(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{pad}{text}{pad}{marks}" if text else ""


def _fenced(text: str, kind: str) -> str:
    fence = "`" * max(3, _longest_ticks(text) + 1)
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}\n"


def _longest_ticks(text: str) -> int:
    longest = run = 0
    for each in text:
        run = run + 1 if each == "`" else 0
        longest = max(longest, run)
    return longest
