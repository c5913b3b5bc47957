"""A question in its place: what would happen, why it is asked, how it can be answered. One session's at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from protea.domain.commands import ResolveApproval
from protea.domain.events import Answer, ApprovalRequested
from protea.domain.view import call_object
from protea.interfaces.terminal import one_line, revealed, visible
from protea.interfaces.tui.frame import wrap
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.themes import Look

UNREAD = 0.25
"""Seconds after a question is drawn in which nothing that is typed counts as its answer."""


class Card(Lines):
    """Shows the first open question; `answer` turns a key into the command that answers it."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look, id="card")
        self.question: ApprovalRequested | None = None
        self.more = 0
        """Questions that wait behind it."""
        self.whole = False
        self.commenting = False
        self._drawn_at = 0.0

    def show(self, questions: tuple[ApprovalRequested, ...]) -> None:
        """The first of these, or nothing."""
        first = questions[0] if questions else None
        if first is None or self.question is None or first.id != self.question.id:
            self.whole = self.commenting = False
            self._drawn_at = time.monotonic()
        self.question = first
        self.more = max(0, len(questions) - 1)
        self.again()

    @property
    def readable(self) -> bool:
        """Whether it has stood long enough to have been read."""
        return time.monotonic() - self._drawn_at >= UNREAD

    def answer(self, action: str, comment: str = "") -> ResolveApproval | None:
        """The command for an `approval.` action; None where it means nothing here (yet)."""
        question = self.question
        if question is None or not self.readable:
            return None
        word = action.removeprefix("approval.")
        if word.isdigit():
            options = choices(question)
            if not 1 <= int(word) <= len(options):
                return None
            if question.kind == "question":
                return ResolveApproval(id=question.id, decision="once", comment=options[int(word) - 1][1])
            word = options[int(word) - 1][0]
        if question.kind == "question":
            if word == "deny":
                return ResolveApproval(id=question.id, decision="deny", comment=comment or None)
            return ResolveApproval(id=question.id, decision="once", comment=comment) if comment else None
        decision = _DECISIONS.get(word)
        if decision is None or (decision in ("session", "always") and not question.proposals):
            return None
        return ResolveApproval(id=question.id, decision=decision, comment=comment or None)

    def rows(self, width: int) -> list[Row]:
        if self.question is None:
            return []
        height = self.app.size.height
        most = height if self.whole else max(5, min(height // 2, height - 7))
        rows = question_rows(self.question, width, most)
        if self.more:
            rows.append([(f"  {self.more} more behind it", "dim")])
        if self.commenting:
            rows.append([("  Enter refuses with what you write; Esc goes back", "dim")])
        return rows


_DECISIONS: dict[str, Answer] = {"once": "once", "session": "session", "always": "always", "deny": "deny"}


def choices(question: ApprovalRequested) -> list[tuple[str, str]]:
    """(answer, words) by their numbers."""
    if question.kind == "question":
        return [("once", option) for option in question.proposals]
    rules = ", ".join(question.proposals)
    always = [("session", f"allow {rules} for this session"), ("always", f"always allow {rules}")] if rules else []
    return [("once", "allow once"), *always, ("deny", "refuse")]


_KEYS = {"once": "y", "session": "s", "always": "a", "deny": "n"}


def question_rows(question: ApprovalRequested, width: int, most: int) -> list[Row]:
    """The whole card; of a long change no more than fits, and how much is left out."""
    if question.kind == "question":
        rows: list[Row] = [
            [("? " if at == 0 else "  ", "question"), (text, "text")]
            for at, text in enumerate(_wrapped(question.why, width - 3))
        ]
        rows += [
            [(f"  {number} ", "key"), (one_line(text, width - 6), "text")]
            for number, (_, text) in enumerate(choices(question), 1)
        ]
        rows.append([("  or write an answer and press Enter; ", "dim"), ("n", "key"), (" declines", "dim")])
        return rows
    if plan := plan_of(question):
        return _plan_rows(question, plan, width, most)
    head: list[Row] = []
    subject = revealed(call_object(question.call))
    name = one_line(revealed(question.call.name))
    for at, text in enumerate(_wrapped(subject, width - len(name) - 5)):
        lead: Row = [("? ", "question"), (f"{name} ", "question")] if at == 0 else [(" " * (len(name) + 3), "text")]
        head.append([*lead, (text, "text")])
    why: list[Row] = [[("  " + text, "warn")] for text in _wrapped(revealed(question.why), width - 4)]
    detail = question.detail or {}
    tail: list[Row] = []
    if isinstance(effects := detail.get("effects"), (list, tuple)) and effects:
        tail.append([("  effects: " + one_line(", ".join(map(str, effects)), width - 12), "dim")])
    if isinstance(cwd := detail.get("cwd"), str):
        tail.append([(one_line("  in " + revealed(cwd), width - 2), "dim")])
    if question.rule:
        tail.append([(one_line(f"  rule: {revealed(question.rule)}", width - 2), "dim")])
    for number, (word, text) in enumerate(choices(question), 1):
        tail.append(
            [(f"  {number} ", "dim"), (_KEYS[word], "key"), (" " + one_line(revealed(text), width - 8), "text")]
        )
    tail.append([("    ", "dim"), ("Tab", "key"), (" refuse and say why", "dim")])
    room = max(1, most - len(why) - len(tail))
    if len(head) > room:
        left_out = len(head) - room + 1
        head = [*head[: room - 1], [(f"    … {left_out} more lines (Ctrl+O shows all)", "warn")]]
    diff = diff_rows(_diff_of(question), width, max(1, room - len(head)))
    return [*head, *why, *diff, *tail]


def plan_of(question: ApprovalRequested) -> str:
    """The plan that is proposed, Markdown; empty where it is about something else."""
    plan = (question.detail or {}).get("plan")
    return plan if isinstance(plan, str) else ""


def _plan_rows(question: ApprovalRequested, plan: str, width: int, most: int) -> list[Row]:
    lines = _wrapped(plan, width - 4)
    room = max(2, most - 4)
    rows: list[Row] = [[("? ", "question"), ("a plan is proposed", "question")]]
    rows += [[("  │ ", "rule"), (line, "text")] for line in lines[:room]]
    if len(lines) > room:
        rows[-1] = [(f"  … {len(lines) - room + 1} more lines (Ctrl+O shows all)", "warn")]
    keys = (
        ("y", "carry it out"),
        ("e", "change it in your editor"),
        ("n", "no"),
        ("Tab", "no, and say what to change"),
    )
    for key, words in keys:
        rows.append([(f"  {key:>3}", "key"), (f" {words}", "text")])
    return rows


def _diff_of(question: ApprovalRequested) -> str:
    diff = (question.detail or {}).get("diff")
    return diff if isinstance(diff, str) and diff else would_write(question.call.arguments)


def would_write(arguments: Any) -> str:
    """What a call would write, from its arguments, where nobody made a diff of it."""
    if not isinstance(arguments, dict):
        return ""
    if isinstance(patch := arguments.get("patch"), str):
        return patch
    edits = arguments.get("edits")
    parts = [arguments, *(edits if isinstance(edits, list) else ())]
    return "\n".join(
        sign + line
        for part in parts
        if isinstance(part, dict)
        for name, sign in (("old_string", "-"), ("new_string", "+"), ("content", "+"))
        if isinstance(text := part.get(name), str) and text
        for line in text.removesuffix("\n").split("\n")
    )


def diff_rows(diff: str, width: int, most: int) -> list[Row]:
    """A diff, a row per line, cut to `most` rows."""
    lines = diff.removesuffix("\n").split("\n") if diff else []
    if len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        del lines[:2]  # the file's name stands above
    rows: list[Row] = []
    for line in lines[:most]:
        role = {"+": "add", "-": "remove", "@": "info"}.get(line[:1], "dim")
        rows.append([("    " + revealed(line.removesuffix("\r")).replace("\t", "    ")[: width - 5], role)])
    if len(lines) > most:
        rows = [
            *rows[: max(0, most - 1)],
            [(f"    … {len(lines) - max(0, most - 1)} more lines (Ctrl+O shows all)", "warn")],
        ]
    return rows


def _wrapped(text: str, width: int) -> list[str]:
    text = visible(text)
    return [text[begin:end] for begin, end in wrap(text, max(10, width))]
