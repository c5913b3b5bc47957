"""What a person is shown of a question, whatever the face."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protea.domain.events import ApprovalRequested


def plan_of(question: ApprovalRequested) -> str:
    """The plan that is proposed, Markdown; empty where it is about something else."""
    plan = (question.detail or {}).get("plan")
    return plan if isinstance(plan, str) else ""


def would_write(question: ApprovalRequested) -> str:
    """What the call would write: the diff that was made of it, or what its arguments say where nobody made one."""
    diff = (question.detail or {}).get("diff")
    if isinstance(diff, str) and diff:
        return diff
    arguments = question.call.arguments
    if not isinstance(arguments, dict):
        return ""
    patch = arguments.get("patch")
    return patch if isinstance(patch, str) else "\n".join(_signed(arguments))


def _signed(arguments: dict[str, Any]) -> Iterator[str]:
    edits = arguments.get("edits")
    for part in (arguments, *(edits if isinstance(edits, list) else ())):
        for name, sign in (("old_string", "-"), ("new_string", "+"), ("content", "+")):
            text = part.get(name) if isinstance(part, dict) else None
            if isinstance(text, str) and text:
                yield from (sign + line for line in text.removesuffix("\n").split("\n"))
