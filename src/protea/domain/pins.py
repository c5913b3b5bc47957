"""What was allowed for a session only as it was then: scripts, by what they said. A fold of questions and answers."""

from __future__ import annotations

from protea.domain.events import ApprovalRequested, ApprovalResolved
from protea.domain.permission import Pin


def pinned(pins: tuple[Pin, ...], question: ApprovalRequested, answer: ApprovalResolved) -> tuple[Pin, ...]:
    """`pins` after one more answer. `always` binds to nothing: whoever says it means the script as it will be, too."""
    scripts = (question.detail or {}).get("scripts")
    if not isinstance(scripts, dict) or not answer.rules:
        return pins
    named = {(rule, str(path)) for rule in answer.rules for path in scripts}
    kept = tuple(pin for pin in pins if (pin.rule, pin.path) not in named)
    if answer.decision != "session":
        return tuple(pin for pin in pins if pin.rule not in answer.rules) if answer.decision == "always" else pins
    return (*kept, *(Pin(rule, str(path), str(digest)) for rule in answer.rules for path, digest in scripts.items()))
