"""Tools known by name only, of whatever protocol."""

from __future__ import annotations

from protea.domain.permission import Decision
from protea.domain.permission.effects import HARMLESS, NEVER, PLAN_READS, UNATTENDED, refused
from protea.domain.permission.rules import Rule, family, mcp_matches, text_matches
from protea.domain.permission.steps.case import Case, shown

LONGEST_SUBJECT = 4096
"""Characters of the name that a call is about."""


def decide_named(case: Case, tool: str) -> Decision:
    """Tools known by name only, of whatever protocol."""
    arguments = case.request.arguments
    subject = next(
        (
            arguments[key]
            for key in ("name", "agent", "skill", "subagent_type", "from_id")
            if isinstance(arguments.get(key), (str, int))
        ),
        "",
    )
    subject = str(subject)[:LONGEST_SUBJECT]
    matching = [
        rule for rule in (*case.rules.deny, *case.rules.ask, *case.rules.allow) if _names(case, rule, tool, subject)
    ]
    for rule in matching:
        if rule.verdict != "allow":
            case.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule, subject or None)
    refusal = NEVER.get(tool) or refused(tool, arguments, case.request.origin)
    allowing = next((rule for rule in matching if rule.verdict == "allow"), None)
    if refusal and not (tool == "Telegram" and allowing is not None and not arguments.get("chat")):
        case.find("deny", refusal, protection=True)
    denied = case.denied()
    if denied:
        return denied
    if case.mode == "plan" and tool not in HARMLESS and tool not in PLAN_READS:
        return case.answer("deny", "plan mode: only reading is possible")
    stopped = case.stopped()
    if stopped:
        return stopped
    if tool in HARMLESS:
        return case.answer("allow", HARMLESS[tool])
    if allowing is not None:
        return case.answer("allow", f"allowed by {allowing.text}", allowing)
    if case.mode == "yolo" and tool in ("Agent", "Task", "Race", "Skill"):
        return case.answer("allow", "yolo mode: what it does is decided call by call")
    if tool in UNATTENDED:
        return case.answer("deny", "nobody is there to ask when it runs")
    return case.answer("ask", f"no rule allows {shown(tool, 80)}" + (f" {shown(subject, 80)}" if subject else ""))


def _names(case: Case, rule: Rule, tool: str, subject: str) -> bool:
    if rule.shape == "effect":
        return case.brings(rule, tool)
    if tool.startswith("mcp__"):
        if rule.verdict == "allow" and rule.shape != "any":
            return False
        return mcp_matches(rule, tool) or (text_matches(rule.tool, tool) and "*" in rule.tool)
    if rule.tool != family(tool):
        return False
    return rule.shape == "any" or (rule.shape == "name" and text_matches(rule.body, subject))
