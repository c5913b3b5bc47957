"""Questions: what a person is asked about a call, what any face shows of it, what the model reads of a no. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protea.domain.events import ApprovalRequested, ApprovalResolved
from protea.domain.messages import ToolCall
from protea.domain.permission import Decision
from protea.domain.tools import ToolResult


def question_about(id: str, call: ToolCall, decision: Decision, diff: str | None, *, asks: bool) -> ApprovalRequested:
    """What is asked before `call`, which is as it would run. `asks`: the call is a question of the model's itself."""
    arguments = call.arguments if isinstance(call.arguments, dict) else {}
    if call.name == "ProposePlan":
        plan = str(arguments.get("plan", ""))
        return ApprovalRequested(
            id=id, call=call, why="Shall it be done like this?", kind="plan", detail={"plan": plan}
        )
    if asks:
        offered = tuple(str(option) for option in arguments.get("options") or ())
        why = str(arguments.get("question", ""))
        return ApprovalRequested(id=id, call=call, why=why, proposals=offered, kind="question")
    return ApprovalRequested(
        id=id,
        call=call,
        why=decision.why,
        rule=decision.rule,
        proposals=decision.proposals,
        detail=_detail(diff, decision) or None,
    )


def unaskable(call: ToolCall) -> str:
    """Why nobody is asked what the call would ask, for the model; empty where somebody is."""
    arguments = call.arguments if isinstance(call.arguments, dict) else {}
    if call.name != "ProposePlan":
        return (
            "" if str(arguments.get("question", "?")).strip() else "The question is empty: say what is to be answered."
        )
    from protea.domain.plan import LONGEST, steps_of  # few calls are of a plan

    plan = str(arguments.get("plan", ""))
    if len(plan) > LONGEST:
        return f"The plan has {len(plan):,} characters, and {LONGEST:,} are the most: say it shorter."
    return "" if steps_of(plan) else "The plan is empty: say step by step what is to be done."


def _detail(diff: str | None, decision: Decision) -> dict[str, Any]:
    shown: dict[str, Any] = {} if diff is None else {"diff": diff}
    shown |= {"effects": list(decision.effects)} if decision.effects else {}
    return {**shown, "scripts": decision.scripts} if decision.scripts else shown


def refusal(answer: ApprovalResolved) -> ToolResult:
    """What the model reads where a call was not allowed."""
    comment = f" They said: {answer.comment.rstrip('. ')}." if answer.comment else ""
    who = "Nobody was there to allow this" if answer.by == "policy" else "The person refused this"
    text = f"{who}.{comment} Do not try it again in another way."
    return ToolResult(text, is_error=True, denied=answer.comment or f"refused by {answer.by}")


def other_plan(answer: ApprovalResolved) -> ToolResult:
    """What the model reads where a plan was not agreed on."""
    if answer.by == "policy":
        text = "Nobody is there to agree to a plan: give it as your answer. Nothing may be changed before."
    else:
        wish = f" They said: {answer.comment.strip()}" if answer.comment else ""
        text = f"The plan was not agreed on.{wish} Change it and propose it again, or ask what they want."
    return ToolResult(text, is_error=True)


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
