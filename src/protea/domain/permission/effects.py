"""Tools besides the shell, files and the web: what each can bring about, which are harmless, which never happen, and
what plan mode leaves of them."""

from __future__ import annotations

import re
from typing import Any, Literal

from protea.domain.pattern import regex
from protea.domain.permission import Decision, PermissionRequest
from protea.domain.tools import Effect, ToolSpec

EFFECTS: dict[str, tuple[Effect, ...]] = {
    "Bash": ("proc.exec", "fs.read", "fs.write", "net.egress"),
    "BashOutput": (),
    "KillShell": (),
    "TodoWrite": (),
    "AskUser": ("ask",),
    "ToolSearch": (),
    "Recall": (),
    "Pipeline": (),
    "ProposePlan": ("ask",),
    "Monitor": ("proc.exec", "fs.read", "fs.write", "net.egress"),
    "Git": (),
    "Packages": (),
    "RunCode": ("proc.exec", "fs.read", "fs.write", "net.egress"),
    "Read": ("fs.read",),
    "Glob": ("fs.read",),
    "Grep": ("fs.read",),
    "Write": ("fs.write",),
    "Edit": ("fs.write",),
    "Patch": ("fs.write",),
    "MultiEdit": ("fs.write",),
    "NotebookEdit": ("fs.write",),
    "WebFetch": ("net.egress",),
    "WebSearch": ("net.egress",),
    "Skill": ("fs.read",),
    "Agent": ("delegate", "spend"),
    "Task": ("delegate", "spend"),
    "Race": ("delegate", "spend"),
    "A2ASend": ("delegate", "msg.send", "net.egress"),
    "A2APush": ("net.egress",),
    "CronCreate": ("delegate", "spend"),
    "Telegram": ("msg.send",),
}
"""A tool that is not here may do anything, so every ask or deny rule on an effect meets it and no allow does."""

HARMLESS = {
    "AskUser": "a question is for the person to answer",
    "TodoWrite": "the todo list is the session's own",
    "ToolSearch": "it only names tools",
    "ProposePlan": "a plan is for the person to agree to",
    "Recall": "it looks at this session only",
    "Pipeline": "each of its steps is decided by itself",
    "Git": "the command it writes is decided as Bash",
    "Packages": "the command it writes is decided as Bash",
    "BashOutput": "it looks at a command that was allowed before",
    "KillShell": "it ends a command of the session's own",
    "TerminalOutput": "plain text can be shown",
}

CHANGING = frozenset({"fs.write", "proc.exec", "msg.send"})
"""Effects that plan mode leaves to no tool but Bash, which knows how to throw away what it did."""

PLAN_READS = frozenset({"WebSearch", "Skill"})
"""What plan mode may still ask about."""

UNATTENDED = frozenset({"CronRun"})
"""Nobody sits there when these run."""

NEVER = {
    "DaemonApprove": "an approval comes from a person's client after the question was shown, never from a call",
    "MarkdownImage": "images and links in text are never fetched by themselves",
}

_ESCAPES = regex(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def left_in_plan_mode(
    spec: ToolSpec, request: PermissionRequest, decision: Decision
) -> Literal["discarded", "refused"] | None:
    """What becomes of what a call writes in plan mode; None where it must not run at all. It is asked behind every
    engine, so that plan mode holds under any rules."""
    if decision.harmless or spec.name in HARMLESS:
        return "refused"
    if spec.name == "Bash" and request.discards:
        return "discarded"
    return None if set(spec.effects) & CHANGING else "refused"


def refused(tool: str, arguments: dict[str, Any], origin: str) -> str | None:
    """Why this call is refused whatever the rules and the mode say, or None."""
    if tool == "ModeChange" and origin != "person":
        return "the mode is changed by a person's own client only"
    if tool == "Telegram":
        return "only numeric ids in the allow-list, in their own chat, are listened to"
    if tool == "TerminalOutput" and _ESCAPES.search(str(arguments.get("text", ""))):
        return "escape sequences never reach the terminal"
    if tool == "SkillInstall" and "archive" in arguments:
        return "an archive is unpacked only by the installer, which looks through its members first"
    if tool == "CliArgs":
        given = arguments.get("argv")
        for word in given[1:] if isinstance(given, list) else ():
            if isinstance(word, str) and re.search(r"\s--?\w", word):
                return "an option is hidden inside another option's value"
    return None
