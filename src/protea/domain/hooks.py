"""What people let run around what the agent does, as values: a moment, what a hook says of it, what that amounts to.

The words on the wire are those that hooks written for other agents know (`PreToolUse`, `tool_input` …), so that they
work unchanged. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from protea.domain.permission import Decision

Moment = Literal[
    "before_tool",
    "after_tool",
    "prompt",
    "turn_end",
    "session_start",
    "session_end",
    "before_compaction",
    "after_compaction",
]

WIRE_NAMES: dict[Moment, str] = {
    "before_tool": "PreToolUse",
    "after_tool": "PostToolUse",
    "prompt": "UserPromptSubmit",
    "turn_end": "Stop",
    "session_start": "SessionStart",
    "session_end": "SessionEnd",
    "before_compaction": "PreCompact",
    "after_compaction": "PostCompact",
}

HookVerdict = Literal["allow", "ask", "deny"]
Say = Literal["allow", "ask", "deny", "rewrite", "add"]
CAN: dict[Moment, tuple[Say, ...]] = {
    "before_tool": ("allow", "ask", "deny", "rewrite", "add"),
    "after_tool": ("ask", "deny", "rewrite", "add"),
    "prompt": ("ask", "deny", "rewrite", "add"),
    "turn_end": ("ask", "deny", "add"),
    "session_start": ("ask", "deny", "add"),
    "session_end": (),
    "before_compaction": ("ask", "deny", "rewrite", "add"),
    "after_compaction": ("rewrite", "add"),
}
"""What an answer can do at each moment. Anything else it says has failed, so that nobody believes it was heard; to
allow is never wrong, and does something only before a tool."""
REWRITES: dict[Moment, tuple[str, ...]] = {
    "before_tool": ("updatedInput",),
    "after_tool": ("updatedToolOutput", "updatedMCPToolOutput"),
    "prompt": ("updatedPrompt",),
    "before_compaction": ("updatedInstructions",),
    "after_compaction": ("updatedSummary",),
}
"""The keys under which an answer gives what is to stand instead: the first is ours, others know the rest."""
_REWRITTEN: dict[Moment, str] = {
    "after_tool": "result",
    "prompt": "text",
    "before_compaction": "instructions",
    "after_compaction": "summary",
}
"""The field of `HookMoment` that a text stands for."""
_STRICTNESS: dict[HookVerdict | None, int] = {None: 0, "allow": 1, "ask": 2, "deny": 3}
_VERDICTS: dict[str, HookVerdict] = {
    "allow": "allow",
    "approve": "allow",
    "ask": "ask",
    "deny": "deny",
    "block": "deny",
}
MOST_CONTEXT = 10_000
"""Characters a hook may tell the model, or give as its reason."""


class HookMoment(msgspec.Struct, frozen=True, kw_only=True):
    """What a hook is told."""

    moment: Moment
    session: str
    cwd: str
    mode: str = "normal"
    tool: str | None = None
    arguments: dict[str, Any] | None = None
    result: str | None = None
    """After a tool: what the model will read."""
    failed: bool = False
    """After a tool: whether it failed."""
    text: str | None = None
    """The prompt; at the end of a turn, the answer; at the end of a session, why; around a compaction, how."""
    images: int = 0
    """How many come with the prompt."""
    instructions: str = ""
    """Before a compaction that sums up: what the model is asked for."""
    summary: str = ""
    """After a compaction that summed up: what stands in place of what was said."""
    repeated: bool = False
    """At the end of a turn: whether it went on because a hook wanted it to."""


class HookSaid(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one hook answered."""

    hook: str
    """Its name, for a person."""
    verdict: HookVerdict | None = None
    why: str = ""
    arguments: dict[str, Any] | None = None
    """Before a tool: what the call is to be made with instead."""
    text: str | None = None
    """What is to stand instead of the prompt, the result, the summary or what a summary is asked for."""
    context: str = ""
    """What the model is to be told."""
    failed: str = ""
    """What went wrong with the hook itself."""


class HookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What all hooks of a moment amount to: the strictest verdict, the last rewriting, everything that was said."""

    verdict: HookVerdict | None = None
    why: str = ""
    hook: str = ""
    """Whose verdict it is."""
    arguments: dict[str, Any] | None = None
    text: str | None = None
    context: str = ""


def rewritten(moment: HookMoment, said: HookSaid) -> HookMoment:
    """What the next hook is told, after what this one has made of it."""
    if said.arguments is not None:
        return replace(moment, arguments=said.arguments)
    if said.text is not None and (field := _REWRITTEN.get(moment.moment)):
        return replace(moment, **{field: said.text})
    return moment


def rewritable(moment: HookMoment) -> str:
    """The text that a hook of this moment may rewrite, as it is now; empty where there is none."""
    field = _REWRITTEN.get(moment.moment)
    return (getattr(moment, field) or "") if field is not None else ""


def to_wire(moment: HookMoment) -> dict[str, Any]:
    """The JSON object a hook gets."""
    told: dict[str, Any] = {
        "hook_event_name": WIRE_NAMES[moment.moment],
        "session_id": moment.session,
        "cwd": moment.cwd,
        "permission_mode": moment.mode,
    }
    if moment.tool is not None:
        told |= {"tool_name": moment.tool, "tool_input": moment.arguments or {}}
    if moment.result is not None:
        told["tool_response"] = {"text": moment.result, "is_error": moment.failed}
    match moment.moment:
        case "prompt":
            told |= {"prompt": moment.text or "", "images": moment.images}
        case "turn_end":
            told |= {"stop_hook_active": moment.repeated, "last_assistant_message": moment.text or ""}
        case "session_end":
            told["reason"] = moment.text or ""
        case "before_compaction":
            told |= {"compaction": moment.text or "", "compact_instructions": moment.instructions}
        case "after_compaction":
            told |= {"compaction": moment.text or "", "compact_summary": moment.summary}
        case "session_start":
            told["source"] = "startup"
        case _:
            pass
    return told


def from_wire(hook: str, said: Any, moment: Moment) -> HookSaid:
    """What a JSON answer means; what it says beyond that is passed over. Raises `ValueError` for what is no answer, or
    does nothing at this moment."""
    if not isinstance(said, Mapping):
        raise ValueError('its answer is no JSON object like {"decision": "deny", "reason": "…"}')
    special = said.get("hookSpecificOutput")
    special = special if isinstance(special, Mapping) else {}
    word = special.get("permissionDecision", said.get("decision"))
    verdict = _VERDICTS.get(word) if isinstance(word, str) else None
    if word is not None and verdict is None:
        raise ValueError(f"it decided {str(word)[:40]!r}; there are allow, ask and deny")
    if said.get("continue") is False:
        verdict = "deny"
    why = special.get("permissionDecisionReason") or said.get("reason") or said.get("stopReason") or ""
    context = special.get("additionalContext") or said.get("additionalContext") or ""
    answer = HookSaid(
        hook=hook,
        verdict=verdict,
        why=str(why)[:MOST_CONTEXT],
        context=str(context)[:MOST_CONTEXT],
        **_instead({**said, **special}, moment),
    )
    for what, there in ((answer.verdict, answer.verdict), ("add", answer.context)):
        if there and what != "allow" and what not in CAN[moment]:
            raise ValueError(_useless(what or "", moment, answer.why or answer.context))
    return answer


def _instead(said: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
    """What an answer would have stand instead of what it is about."""
    for other, keys in REWRITES.items():
        for key in keys:
            if key not in said or said[key] is None:
                continue
            if other != moment:
                mend = f"here it is {REWRITES[moment][0]}" if moment in REWRITES else "nothing can be rewritten here"
                raise ValueError(f"{key} belongs to {other}; {mend} ({moment})")
            value = said[key]
            if moment == "before_tool":
                if not isinstance(value, Mapping):
                    raise ValueError("updatedInput is no JSON object")
                return {"arguments": dict(value)}
            text = value.get("text") if isinstance(value, Mapping) else value
            if not isinstance(text, str):
                raise ValueError(f"{key} is no text")
            if not text.strip() and moment != "after_tool":
                raise ValueError(f"{key} is empty")
            return {"text": text}
    return {}


def _useless(what: str, moment: Moment, words: str) -> str:
    can = ", ".join(CAN[moment]) or "only look on"
    told = f": {words[:500]}" if words else ""
    return f"it said {what}, which does nothing at {moment}; there a hook can {can}{told}"


def together(said: Iterable[HookSaid]) -> HookAnswer:
    """What they amount to. A hook that failed says nothing here (a strict one denies in its own words), and one that
    allowed a call has not allowed what another made of it afterwards."""
    verdict: HookVerdict | None = None
    why = hook = ""
    arguments: dict[str, Any] | None = None
    text: str | None = None
    told: list[str] = []
    for each in said:
        if each.arguments is not None and verdict == "allow":
            verdict, why, hook = None, "", ""
        if _STRICTNESS[each.verdict] > _STRICTNESS[verdict]:
            verdict, why, hook = each.verdict, each.why, each.hook
        arguments = each.arguments if each.arguments is not None else arguments
        text = each.text if each.text is not None else text
        if each.context:
            told.append(each.context)
    return HookAnswer(verdict=verdict, why=why, hook=hook, arguments=arguments, text=text, context="\n".join(told))


def concerns(match: str, tool: str | None) -> bool:
    """Whether a hook for `match` (names with `|` between them, `*` in them; empty: all) is about a tool."""
    if not match or match == "*" or tool is None:
        return True
    names = (re.escape(name.strip()).replace(r"\*", ".*") for name in match.split("|"))
    return any(re.fullmatch(name, tool) for name in names)


def decided(decision: Decision, answer: HookAnswer) -> Decision:
    """The decision of the rules with what hooks say of the call. A hook makes it stricter at will; it allows only what
    a person could have allowed for good: no rule, protection or mode is lifted by one."""
    if answer.verdict is None:
        return decision
    why = f"the hook {answer.hook} says {answer.verdict}" + (f": {answer.why}" if answer.why else "")
    if answer.verdict == "deny":
        return replace(decision, verdict="deny", why=why, rule=None, proposals=())
    if answer.verdict == "ask" and decision.verdict == "allow":
        return replace(decision, verdict="ask", why=why, rule=None, proposals=())
    if answer.verdict == "allow" and decision.verdict != "allow" and decision.rule is None and decision.proposals:
        return replace(decision, verdict="allow", why=why, proposals=())
    return decision
