"""Blocks as rows: every kind but the answer, which grows (see `entries`). Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec import UNSET

from protea.domain.blocks import Answer, AnyBlock, Call, Footer, Job, Marker, Notice, Prompt, Question, Thought, Todo
from protea.domain.columns import usage_text
from protea.domain.messages import Image
from protea.domain.tools import ENDED
from protea.domain.transcript import OWN_ORIGINS
from protea.domain.view import call_object, problem_lines, result_summary
from protea.interfaces.tui.transcript.cells import Span, clean, cut, flat, width_of
from protea.interfaces.tui.transcript.difference import beginning, diff_rows
from protea.interfaces.tui.transcript.markdown import document_of
from protea.interfaces.tui.transcript.prose import unit_rows
from protea.interfaces.tui.transcript.rows import BLANK, Row, clipped, no_picture, paragraph, picture_rows

if TYPE_CHECKING:
    from protea.interfaces.tui.transcript.rows import Hang

PASTED = 12
"""Rows of a prompt that are shown while it is folded."""
DIFF = 24
"""Rows of a diff."""
TAIL = 6
"""Rows of what a call says while it runs, or of its error."""
TYPED = 40
"""Rows of what came out of a command that a person typed."""
LEAD: list[Span] = [("  ", "", "")]
_BAR: list[Span] = [("  ", "", ""), ("│ ", "bar", "")]
_MARKS = {
    "validating": ("○", "dim"),
    "scheduled": ("○", "dim"),
    "awaiting_approval": ("?", "warning"),
    "executing": ("●", "accent"),
    "success": ("●", "ok"),
    "error": ("●", "error"),
    "cancelled": ("○", "dim"),
}
_BOXES = {"pending": ("☐", ""), "in_progress": ("◐", "accent"), "done": ("☑", "dim")}
_JOBS = {"running": "accent", "done": "ok", "failed": "error", "stopped": "dim"}


def block_rows(block: AnyBlock, width: int, fold: bool | None, output: str = "", hang: Hang = no_picture) -> list[Row]:
    """The rows of a block. `fold`: None as it is by default, True shut, False open. `output` is what has come of a
    call that runs."""
    match block:
        case Prompt():
            return _prompt(block, width, fold, hang)
        case Thought():
            return _thought(block, width, fold)
        case Call():
            return _call(block, width, fold, output, hang)
        case Question():
            return _question(block, width)
        case Todo():
            return _todo(block, width)
        case Job():
            mark = [("◆ ", _JOBS.get(block.state, "dim"), "")]
            detail = f": {flat(block.detail)}" if block.detail else ""
            return paragraph([(f"{flat(block.title)} ", "", ""), (block.state + detail, "dim", "")], width, mark, LEAD)
        case Notice():
            role = {"info": "dim", "warning": "warning", "error": "error"}[block.level]
            lines = clean(block.text).split("\n")
            return [
                row
                for number, line in enumerate(lines)
                for row in paragraph([(line, role, "")], width, LEAD if number else [("! ", role, "")], LEAD)
            ]
        case Marker():
            return _marker(block, width, fold)
        case Footer():
            return _footer(block, width)
        case Answer():
            return [row for unit in document_of(block.text).closed for row in unit_rows(unit, width, LEAD)]


def is_foldable(block: AnyBlock) -> bool:
    """Whether there is more of it than one sees at first."""
    match block:
        case Thought() | Call():
            return True
        case Marker():
            return bool(block.detail)
        case Prompt():
            long = block.text.count("\n") >= PASTED or len(block.text) > 80 * PASTED
            return long or (_by_itself(block) and block.known)
        case _:
            return False


def source_of(block: AnyBlock, text: str) -> str:
    """What is copied of a whole block: what its author wrote. `text` is what it has grown to."""
    match block:
        case Prompt():
            return block.text
        case Answer() | Thought():
            return text.strip("\n")
        case Call():
            said = block.result.diff or block.result.text if block.result is not None else text
            return "\n".join(
                part for part in (f"{block.call.name} {call_object(block.call)}", said.strip("\n")) if part
            )
        case Question():
            return "\n".join(part for part in (block.asked, block.plan, block.answer or "") if part)
        case Todo():
            boxes = {"done": "x", "pending": " ", "in_progress": " "}
            return "\n".join(f"- [{boxes[item.status]}] {item.text}" for item in block.items)
        case Job():
            return f"{block.title}: {block.state}" + (f"\n{block.detail}" if block.detail else "")
        case Notice():
            return block.text
        case Marker():
            return block.text + (f"\n\n{block.detail}" if block.detail else "")
        case Footer():
            return footer_text(block)


def target_of(block: AnyBlock, cwd: str) -> str:
    """What `o` opens: the file or the address a call is about; empty where there is none."""
    if not isinstance(block, Call):
        return ""
    arguments = block.call.arguments
    if arguments is UNSET or not isinstance(arguments, dict):
        return ""
    url = arguments.get("url")
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        return url
    for name in ("path", "file_path", "notebook_path"):
        path = arguments.get(name)
        if isinstance(path, str) and path:
            return posixpath.join(cwd, path)
    return ""


def call_title(block: Call, width: int) -> tuple[str, str]:
    """The tool and what it is about, both on one line and in at most `width` cells together. The object is cut in its
    middle: where a path begins and ends tells most."""
    name = cut(flat(block.call.name), max(4, width // 2))
    about = call_object(block.call).strip("\n")
    lines = about.split("\n")
    shown = flat(lines[0]) + (" ↵ …" if len(lines) > 1 else "")
    return name, cut(shown, max(0, width - width_of(name) - 1), keep_end=len(lines) == 1)


def footer_text(block: Footer) -> str:
    """How a turn ended, on one line."""
    parts = []
    if block.outcome == "error":
        parts.append(flat(block.error.message) if block.error else "the turn failed")
    elif block.outcome == "limit":
        parts.append(f"stopped on a limit: {block.limit or 'length'}")
    elif block.outcome != "finished":
        parts.append(block.outcome)
    if block.model:
        parts.append(flat(block.model))
    if block.usage.input or block.usage.output:
        parts.append(usage_text(block.usage, block.cost_usd))
    if block.seconds is not None:
        parts.append(_duration(block.seconds))
    return " · ".join(parts)


def _prompt(block: Prompt, width: int, fold: bool | None, hang: Hang) -> list[Row]:
    mark = ">" if block.origin == "user" else "◇"
    first: list[Span] = [(f"{mark} ", "prompt prompt-mark", "")]
    rest: list[Span] = [("  ", "prompt", "")]
    rows: list[Row] = []
    if not block.known:
        return [Row([*first, (cut("… (its beginning is further up)", width - 2), "prompt dim", "")], 2, fill="prompt")]
    if _by_itself(block) and fold is not False:
        # The person did not write it, and most of it stands above: one line says that the model was told.
        told = flat(block.text).removeprefix("[Protea] ")
        head: list[Span] = [*first, (f"{flat(block.origin)} ", "prompt dim", ""), (told, "prompt dim", "")]
        return [Row(clipped(head, width), 2, fill="prompt", mark="fold")]
    if block.origin != "user":
        rows += paragraph([(flat(block.origin), "prompt dim", "")], width, first, rest, fill="prompt")
    if block.steer:
        rows += paragraph([("steering", "prompt dim", "")], width, first, rest, fill="prompt")
    for line in clean(block.text).split("\n") if block.text else ():
        rows += paragraph([(line, "prompt", "")], width, rest if rows else first, rest, fill="prompt")
    if is_foldable(block) and fold is not False and len(rows) > PASTED:
        rows = [*rows[:PASTED], _more(len(rows) - PASTED, width, rest, "prompt dim", "prompt")]
    for image in block.images:
        rows += paragraph([(image_label(image), "prompt dim", "")], width, rest if rows else first, rest, fill="prompt")
        if (picture := hang(image, width - 4)) is not None:
            rows += picture_rows(picture, rest, "prompt")
    return rows or [Row(first, 2, fill="prompt")]


def _by_itself(block: Prompt) -> bool:
    """Whether nobody wrote it: it tells the model of something that happened."""
    return block.origin.partition(":")[0] in OWN_ORIGINS


def _thought(block: Thought, width: int, fold: bool | None) -> list[Row]:
    lines = [line for line in clean(block.text).split("\n") if line.strip()]
    words = len(block.text.split())
    is_shut = fold is not False
    arrow = "▸" if is_shut else "▾"
    label = "thinking …" if block.open else "thought"
    head: list[Span] = [(f"{arrow} ", "dim", ""), (label, "dim em", "")]
    size = f" · {words} words"
    if is_shut and not block.open and lines:
        room = width - 2 - len(label) - len(size) - 2
        first = cut(flat(lines[0]).strip("*# "), max(0, room))
        head += [(f": {first}", "dim", "")] if first else []
    if width >= 40:
        head.append((size, "dim", ""))
    rows = [Row(clipped(head, width), 2, mark="fold")]
    if is_shut:
        shown = (
            [row for line in lines[-12:] for row in paragraph([(line, "thought", "")], width, _BAR)]
            if block.open
            else []
        )
        return rows + shown[-4:]
    units = document_of(block.text).closed
    for number, unit in enumerate(units):
        if number and unit.spaced:
            rows.append(Row(_BAR, 4))
        rows += [_with_role(row, "thought") for row in unit_rows(unit, width, _BAR)]
    return rows


def _with_role(row: Row, role: str) -> Row:
    row.spans = tuple((text, f"{role} {roles}".strip(), link) for text, roles, link in row.spans)
    return row


def _call(block: Call, width: int, fold: bool | None, output: str, hang: Hang) -> list[Row]:
    mark, role = _MARKS[block.state]
    summary, summary_role = _outcome(block)
    room = width - 2
    summary = cut(summary, max(0, min(room // 2, 60)))
    beside = room - width_of(summary) - 2 if summary else room
    name, about = call_title(block, max(8, beside))
    head: list[Span] = [(f"{mark} ", role, ""), (name, "tool", "")]
    if about:
        head.append((f" {about}", "object", ""))
    if summary:
        head.append((f"  {summary}", summary_role, ""))
    rows = [Row(clipped(head, width), 2, mark="fold")]
    if fold is True:
        return rows
    is_open = fold is False
    if is_open:
        rows += _arguments(block, width, about)
    result = block.result
    if result is not None and result.diff:
        # Lines that name a file take no row; there are few of them.
        seen, left = (result.diff, 0) if is_open else beginning(result.diff, 2 * DIFF)
        rows += _limited(diff_rows(seen, width, LEAD), None if is_open else DIFF, width, left)
        for severity, line in problem_lines(result, 100 if is_open else TAIL):
            rows += paragraph([(line, severity, "")], width, _BAR)
    elif result is not None and (is_open or block.typed or (result.is_error and block.state == "error")):
        text = clean(result.text).strip("\n")
        if is_open or text.count("\n") or (block.typed and len(text) > width_of(summary)):
            most = None if is_open else TYPED if block.typed else TAIL
            rows += _limited(_output(text, width), most, width)
    elif result is None and output:
        shown = _output(clean(output).strip("\n"), width)
        rows += shown if is_open else shown[-TAIL:]
    if result is not None:
        for image in result.images:
            rows += paragraph([(image_label(image), "dim", "")], width, _BAR)
            if (picture := hang(image, width - 6)) is not None:
                rows += picture_rows(picture, _BAR)
        if is_open and result.file:
            rows += paragraph([(f"the whole: {flat(result.file)}", "dim", "")], width, _BAR)
    return rows


def _outcome(block: Call) -> tuple[str, str]:
    if block.state == "awaiting_approval":
        return "waits for you", "warning"
    if block.result is not None and block.result.denied is not None and block.answer:
        return flat(block.answer), "error"
    if block.state not in ENDED:
        return "", "dim"
    summary = flat(result_summary(block.result))
    if block.state == "error":
        return f"✗ {summary}", "error"
    return (f"- {summary or 'cancelled'}", "dim") if block.state == "cancelled" else (summary, "dim")


def _arguments(block: Call, width: int, shown: str) -> list[Row]:
    """What the one line could not hold: the whole command, why it was asked about."""
    rows: list[Row] = []
    about = clean(call_object(block.call)).strip("\n")
    if about != shown:
        for line in about.split("\n"):
            rows += paragraph(
                [(line, "object", "")], width, [("  ", "", ""), ("$ " if not rows else "  ", "bar", "")], LEAD
            )
    for text in (block.why, block.answer):
        if text:
            rows += paragraph([(flat(text), "dim", "")], width, LEAD)
    return rows


def _output(text: str, width: int) -> list[Row]:
    return [row for line in text.split("\n") for row in paragraph([(line, "output", "")], width, _BAR)] if text else []


def _limited(rows: list[Row], most: int | None, width: int, left: int = 0) -> list[Row]:
    """As many rows as there may be, and how many more there are; `left` of them were not made."""
    if most is None or len(rows) + left <= most + 1:
        return rows
    return [*rows[:most], _more(len(rows) - most + left, width, LEAD, "dim", "")]


def _more(count: int, width: int, lead: list[Span], role: str, fill: str) -> Row:
    text = f"… {count} more line{'s' if count != 1 else ''}"
    return Row([*lead, (cut(text, max(1, width - 2)), role, "")], 2, fill=fill, mark="fold")


def _question(block: Question, width: int) -> list[Row]:
    rows: list[Row] = []
    for line in clean(block.asked).split("\n"):
        rows += paragraph([(line, "strong", "")], width, [("? ", "warning", "")] if not rows else LEAD, LEAD)
    for unit in document_of(block.plan).closed if block.plan else ():
        rows += [BLANK, *unit_rows(unit, width, LEAD)] if unit.spaced else unit_rows(unit, width, LEAD)
    for number, option in enumerate(block.options, 1):
        rows += paragraph([(flat(option), "", "")], width, [(f"  {number} ", "bullet", "")], [("    ", "", "")])
    if block.answer is not None:
        rows += paragraph([(flat(block.answer), "accent", "")], width, [("  → ", "accent", "")], [("    ", "", "")])
    return rows


def _todo(block: Todo, width: int) -> list[Row]:
    rows: list[Row] = []
    for item in block.items:
        box, role = _BOXES[item.status]
        text_role = "dim strike" if item.status == "done" else "strong" if item.status == "in_progress" else ""
        rows += paragraph([(flat(item.text), text_role, "")], width, [(f"  {box} ", role, "")], [("    ", "", "")])
    return rows or [Row([("  the list is empty", "dim", "")], 2)]


def _marker(block: Marker, width: int, fold: bool | None) -> list[Row]:
    text = flat(block.text)
    is_open = bool(block.detail) and fold is False
    head = f"── {text} " + (("▾ " if is_open else "▸ ") if block.detail else "")
    head = cut(head, width)
    rows = [Row([(head + "─" * max(0, width - width_of(head)), "marker", "")], 0, mark="fold")]
    if is_open:
        for unit in document_of(block.detail).closed:
            rows += [Row(_BAR, 4), *unit_rows(unit, width, _BAR)] if unit.spaced else unit_rows(unit, width, _BAR)
    return rows


def _footer(block: Footer, width: int) -> list[Row]:
    text = footer_text(block)
    role = {"error": "error", "limit": "warning", "interrupted": "warning", "denied": "warning"}.get(
        block.outcome, "dim"
    )
    return paragraph([(text, role, "")], width, LEAD) if text else []


def image_label(image: Image) -> str:
    """What stands for a picture: its kind and size."""
    size = len(image.data) * 3 // 4
    shown = f"{size} bytes" if size < 1000 else f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"
    return f"▣ {flat(image.media_type)}, {shown}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
