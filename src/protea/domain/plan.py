"""Plans in Markdown: the steps in them, and what the model reads of the answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protea.domain.tools import TodoItem

MOST_STEPS = 50
LONGEST = 50_000
"""Characters of a plan that is proposed: it stays before the model's eyes, and a person is to read it."""
HEAD = "The plan that was agreed on:"
"""Begins the pin, so that a later plan takes the place of an earlier one."""
_EDITED = "The person edited it; this is what counts:\n\n"
_MODE = "The mode is now "
_STEP = re.compile(r"^( {0,3})(?:\d{1,3}[.)]|[-*+])[ \t]+(?:\[[ xX]\][ \t]+)?(.+?)\s*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_STEPS = re.compile(r"^#{1,6}\s.*\b(steps?|plan|tasks?|to-?dos?)\b", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}\s")
_MARKS = re.compile(r"\*\*|__|`")


def items_of(plan: str) -> list[str]:
    """The items of its outermost list, as they are written: the numbered ones where there are some, below a heading
    that says steps where there is one. Empty where it has no list."""
    lines = _outside_fences(plan.splitlines())
    under = next((at for at, line in enumerate(lines) if _STEPS.match(line) and _items(_section(lines, at))), None)
    return _items(lines) if under is None else _items(_section(lines, under))


def steps_of(plan: str) -> tuple[TodoItem, ...]:
    """Its items, without Markdown's marks. A plan without a list is one step."""
    found = [each for text in items_of(plan) if (each := _MARKS.sub("", text).strip())]
    if not found:
        lines = (_MARKS.sub("", line).strip("# ").strip() for line in plan.splitlines())
        found = [line for line in lines if line][:1]
    return tuple(TodoItem(text=text[:500]) for text in found[:MOST_STEPS])


def agreement(plan: str, mode: str, *, edited: bool) -> str:
    """What the model reads once a plan was agreed on."""
    changed = f" {_EDITED}{plan}\n\n" if edited else " "
    listed, every = len(steps_of(plan)), len(items_of(plan))
    if every > listed:
        steps = f"The first {listed} of its {every} steps are the todo list, the others are yours to add"
    else:
        steps = "Its one step is the todo list" if listed == 1 else f"Its {listed} steps are the todo list"
    return (
        f"The plan was agreed on.{changed}{_MODE}{mode}. {steps}: do them one after another, and keep the list with "
        "TodoWrite as you go."
    )


def edited_in(told: str) -> str | None:
    """The plan as the person edited it, from what the model read; None where it counts as it was proposed."""
    _, edited, rest = told.partition(_EDITED)
    return rest.rpartition(f"\n\n{_MODE}")[0] if edited else None


def says_no_more(plan: str, items: Sequence[TodoItem]) -> bool:
    """Whether it is nothing but a list, of just these items."""
    texts = [item.text for item in steps_of(plan)]
    return sum(bool(line.strip()) for line in plan.splitlines()) == len(texts) and texts == [
        each.text for each in items
    ]


def _section(lines: list[str], at: int) -> list[str]:
    end = next((i for i in range(at + 1, len(lines)) if _HEADING.match(lines[i])), len(lines))
    return lines[at + 1 : end]


def _items(lines: list[str]) -> list[str]:
    matched = [(line.lstrip()[:1].isdigit(), match[2]) for line in lines if (match := _STEP.match(line))]
    numbered = [text for number, text in matched if number]
    return numbered or [text for _, text in matched]


def _outside_fences(lines: list[str]) -> list[str]:
    kept, inside = [], False
    for line in lines:
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            kept.append(line)
    return kept
