"""A question in its place: what would happen, why it is asked, how it can be answered. One session's at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from protea.domain.commands import ResolveApproval
from protea.domain.events import Answer, ApprovalRequested
from protea.domain.question import plan_of, would_write
from protea.domain.view import call_object
from protea.interfaces.terminal import one_line, revealed, visible
from protea.interfaces.tui.changes import change_rows
from protea.interfaces.tui.frame import width_of, wrap
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.themes import Look

UNREAD = 0.25
"""Seconds after a question is drawn in which nothing that is typed counts as its answer."""
UNREAD_ELSEWHERE = 1.0
"""The same while the keys are not where one writes."""


class Card(Lines):
    """Shows the first open question; `answer` turns a key into the command that answers it."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look, id="card")
        self.question: ApprovalRequested | None = None
        self.more = 0
        """Questions that wait behind it."""
        self.whole = False
        self.commenting: Literal["", "deny", "once"] = ""
        """Whether words are written that go along with the answer, and with which."""
        self._top = 0
        """The first row that is shown of a question of which all is."""
        self._drawn_at = 0.0

    def show(self, questions: tuple[ApprovalRequested, ...]) -> None:
        """The first of these, or nothing."""
        first = questions[0] if questions else None
        if first is None or self.question is None or first.id != self.question.id:
            self.whole, self.commenting, self._top = False, "", 0
            self._drawn_at = time.monotonic()
        self.question = first
        self.more = max(0, len(questions) - 1)
        self.again()

    def scroll(self, pages: int) -> None:
        """Show what stands further down, or up, where all of it is shown."""
        self._top += pages * max(1, self.app.size.height - 12)
        self.again()

    def _window(self, rows: list[Row], room: int, width: int) -> list[Row]:
        """As many rows as there is room for, from the place that was scrolled to; the ways to answer stay in sight."""
        assert self.question is not None
        if len(rows) <= room:
            return rows
        kept = 4 if plan_of(self.question) else len(choices(self.question)) + (self.question.kind != "trust")
        body, answers = rows[:-kept], rows[-kept:]
        if kept > room // 2 and self.question.kind == "permission" and not plan_of(self.question):
            answers = _short_options(self.question, width)
        space = max(1, room - len(answers) - 1)
        self._top = max(0, min(self._top, len(body) - space))
        below = max(0, len(body) - space - self._top)
        note = f"{self._top} above, {below} below: PgUp PgDn; Ctrl+O folds"
        return [*body[self._top : self._top + space], [("    … " + one_line(note, width - 8), "warn")], *answers]

    def on_mouse_scroll_down(self) -> None:
        self._top += 3
        self.again()

    def on_mouse_scroll_up(self) -> None:
        self._top = max(0, self._top - 3)
        self.again()

    @property
    def readable(self) -> bool:
        """Whether it has stood long enough to have been read."""
        return time.monotonic() - self._drawn_at >= UNREAD

    def answers_at_distance(self, action: str) -> bool:
        """Whether an `approval.` action, done from elsewhere than where one writes, would be an answer: keys mean other
        things there, so it must have stood for longer."""
        question = self.question
        if question is None or time.monotonic() - self._drawn_at < UNREAD_ELSEWHERE:
            return False
        word = action.removeprefix("approval.")
        if word == "comment":
            return question.kind != "question"
        if word == "edit":
            return bool(plan_of(question))
        return self.answer(action) is not None

    @property
    def can_allow_with_words(self) -> bool:
        """Whether it can be allowed with a comment: what comes with a plan that is agreed to is the plan itself."""
        return self.question is not None and not plan_of(self.question)

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
        if self.whole:
            rows = self._window(question_rows(self.question, width, _ALL, whole=True), max(4, height - 6), width)
        else:
            rows = question_rows(self.question, width, max(min(7, height - 5), min(height // 2, height - 7)))
        if self.more:
            rows.append([(f"  {self.more} more behind it", "dim")])
        if self.commenting and not self.can_allow_with_words:
            rows.append([("  Enter refuses and says what you write; Esc goes back", "warn")])
        elif self.commenting:
            does, other = ("refuses", "allows") if self.commenting == "deny" else ("allows it once", "refuses")
            rows.append([(f"  Enter {does} and says what you write; Tab: {other} instead; Esc goes back", "warn")])
        return rows


_ALL = 1_000_000
"""Rows: more than any screen has."""
_DECISIONS: dict[str, Answer] = {"once": "once", "session": "session", "always": "always", "deny": "deny"}


def choices(question: ApprovalRequested) -> list[tuple[str, str]]:
    """(answer, words) by their numbers."""
    if question.kind == "question":
        return [("once", option) for option in question.proposals]
    if question.kind == "trust":
        return [("once", "use this as it is now"), ("deny", "leave it out")]
    rules = ", ".join(question.proposals)
    always = [("session", f"allow {rules} for this session"), ("always", f"always allow {rules}")] if rules else []
    return [("once", "allow once"), *always, ("deny", "refuse")]


_KEYS = {"once": "y", "session": "s", "always": "a", "deny": "n"}
_SHORT = {"once": "once", "session": "session", "always": "always", "deny": "no"}


def question_rows(question: ApprovalRequested, width: int, most: int, *, whole: bool = False) -> list[Row]:
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
        return _plan_rows(plan, width, whole=whole, tight=most < 8)
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
        tail.append([("  " + one_line("in " + revealed(cwd), width - 4), "dim")])
    if question.rule:
        tail.append([("  " + one_line(f"rule: {revealed(question.rule)}", width - 4), "dim")])
    options: list[Row] = [
        [(f"  {number} ", "dim"), (_KEYS[word], "key"), (" " + one_line(revealed(text), width - 8), "text")]
        for number, (word, text) in enumerate(choices(question), 1)
    ]
    if question.kind == "permission":
        options.append([("    ", "dim"), ("Tab", "key"), (" answer with a comment", "dim")])
    diff_text = would_write(question)
    if most < len(why) + len(tail) + len(options) + min(4, len(head) + len(diff_text.split("\n"))):
        # What would happen goes before long words about how to answer.
        why, tail = why[:1], []
        options = _short_options(question, width)
    tail += options
    room = max(1, most - len(why) - len(tail))
    if len(head) > room:
        left_out = len(head) - room + 1
        head = [*head[: room - 1], [(f"    … {left_out} more lines (Ctrl+O shows all)", "warn")]]
    diff = change_rows(diff_text, width, max(1, room - len(head))) if diff_text else []
    return [*head, *why, *diff, *tail]


def _short_options(question: ApprovalRequested, width: int) -> list[Row]:
    """All answers in as few rows as they need, and the rules two of them would keep, for a screen with no room."""
    words = [*((_KEYS[word], _SHORT[word]) for word, _ in choices(question)), ("Tab", "why")]
    room = width - 1
    gap = "  " if sum(width_of(key) + width_of(word) + 3 for key, word in words) <= room else " "
    rows: list[list[tuple[str, str]]] = [[]]
    used = 0
    for key, word in words:
        size = width_of(key) + width_of(word) + 1 + len(gap)
        if used + size > room and rows[-1]:
            rows.append([])
            used = 0
        rows[-1] += [(gap, "text"), (key, "key"), (f" {word}", "text")]
        used += size
    rules: list[Row] = []
    if question.proposals:
        rules.append([("  " + one_line("s, a: " + revealed(", ".join(question.proposals)), width - 4), "dim")])
    return [*rules, *rows]


def _plan_rows(plan: str, width: int, *, whole: bool, tight: bool) -> list[Row]:
    """The ways to answer; the plan itself stands in the conversation above, and here only where it is wanted."""
    rows: list[Row] = [[("? ", "question"), ("a plan is proposed", "question")]]
    if whole:
        rows += [[("  │ ", "rule"), (line, "text")] for line in _wrapped(plan, width - 4)]
    else:
        rows.append([("  " + one_line("it stands above: PgUp reads it, Ctrl+O shows it here", width - 4), "dim")])
    keys = (
        ("y", "carry it out", "do it"),
        ("e", "change it in your editor", "edit"),
        ("n", "no", "no"),
        ("Tab", "no, and say what to change", "change"),
    )
    if tight:
        return [*rows, [pair for key, _, short in keys for pair in ((f"  {key}", "key"), (f" {short}", "text"))]]
    return [*rows, *([(f"  {key:>3}", "key"), (f" {words}", "text")] for key, words, _ in keys)]


def _wrapped(text: str, width: int) -> list[str]:
    text = visible(text)
    return [text[begin:end] for begin, end in wrap(text, max(10, width))]
