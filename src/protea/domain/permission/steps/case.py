"""One request on its way to a decision: what was found so far, and why. Handed from step to step.

A step notes what it looked at, finds what speaks against the request, and may answer. Of what was found the strictest
counts.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from protea.domain.permission import Decision, PermissionRequest, TraceStep, Verdict
from protea.domain.permission.effects import EFFECTS
from protea.domain.permission.rules import Rule, counts, family
from protea.domain.permission.steps.scene import Scene

MOST_STEPS = 200
"""Lines of a trace."""
_ORDER: dict[Verdict, int] = {"allow": 0, "ask": 1, "deny": 2}


class _Finding(msgspec.Struct, frozen=True):
    verdict: Verdict
    why: str
    rule: Rule | None = None
    subject: str | None = None
    protection: bool = False
    """Built in: nothing may be saved that would lift it."""


def shown(text: str, most: int = 160) -> str:
    """`text` for a sentence: escapes instead of control characters, cut in the middle."""
    if len(text) > 2 * most:
        text = f"{text[:most]}…{text[-most:]}"
    if not text.isprintable():
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"


class Case:
    """What speaks against one request, and the trace of how it was found."""

    def __init__(self, request: PermissionRequest, scene: Scene) -> None:
        self.request = request
        self.scene = scene
        self.rules, self.anchors, self.eyes = scene.rules, scene.anchors, scene.eyes
        self._trace: list[TraceStep] = []
        self._findings: list[_Finding] = []
        self.effects: Collection[str] = EFFECTS.get(request.tool, ()) if isinstance(request.tool, str) else ()
        """What it brings about, as far as that can be told."""
        # An untrusted project does not get the mode that asks least.
        self.mode = "normal" if request.mode == "yolo" and not request.trusted else request.mode

    def note(
        self, step: str, verdict: Verdict | None = None, rule: Rule | None = None, subject: str | None = None
    ) -> None:
        if len(self._trace) < MOST_STEPS:
            self._trace.append(
                TraceStep(
                    step,
                    verdict,
                    rule.text if rule else None,
                    rule.source if rule else None,
                    shown(subject) if subject is not None else None,
                )
            )

    def find(
        self, verdict: Verdict, why: str, rule: Rule | None = None, subject: str | None = None, protection: bool = False
    ) -> None:
        """Keep what speaks against it."""
        step = "built in" if protection else f"{rule.verdict} rule" if rule else "mode"
        self.note(f"{step}: {why}", verdict, rule, subject)
        self._findings.append(_Finding(verdict, why, rule, subject, protection))

    def _strictest(self) -> _Finding | None:
        return max(self._findings, key=lambda one: _ORDER[one.verdict], default=None)

    def answer(self, verdict: Verdict, why: str, rule: Rule | None = None, *, harmless: bool = False) -> Decision:
        self.note(f"decided: {why}", verdict, rule)
        text, source = (rule.text, rule.source) if rule else (None, None)
        effects = tuple(sorted(self.effects))
        return Decision(verdict, why, text, source, (), tuple(self._trace), harmless=harmless, effects=effects)

    def stopped(self) -> Decision | None:
        """A denial, or a question no mode takes away."""
        worst = self._strictest()
        return self.answer(worst.verdict, worst.why, worst.rule) if worst is not None else None

    def denied(self) -> Decision | None:
        """A denial, where one was found."""
        worst = self._strictest()
        return self.answer("deny", worst.why, worst.rule) if worst is not None and worst.verdict == "deny" else None

    def whose(self) -> str:
        """Whose words the session has heard besides the person's."""
        said = {"web": "the web", "mcp": "an MCP server", "channel": "a channel"}
        return "words from " + " and ".join(said.get(kind, kind) for kind in self.request.taint)

    def effect_rules(self, effects: Collection[str], subject: str | None = None) -> None:
        """Ask and deny rules on effects."""
        for rule in (*self.rules.deny, *self.rules.ask):
            if rule.shape == "effect" and rule.body in effects and counts(rule, self.request.taint):
                self.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule, subject)

    def bare(self, rule: Rule, tool: str) -> bool:
        """A rule that names a file tool or an effect of it without a path."""
        if rule.shape == "effect":
            return self.brings(rule, tool)
        return rule.shape == "any" and rule.tool == family(tool) and rule.only in ("", tool)

    def brings(self, rule: Rule, tool: str) -> bool:
        """Whether a rule on an effect is about this tool; what nobody knows may do anything."""
        known = rule.body in EFFECTS.get(tool, ()) or (rule.verdict != "allow" and tool not in EFFECTS)
        return known and counts(rule, self.request.taint)

    def rules_on_the_tool(self, tool: str) -> None:
        """Deny and ask rules on a tool that runs commands under another name than Bash."""
        for rule in (*self.rules.deny, *self.rules.ask):
            if rule.tool == tool != "Bash" and rule.shape == "any":
                self.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule)

    def guarded(self, said: str, fault: str, subject: str) -> None:
        """A protected place asks; where nobody looks closely and others' words have been heard, it is closed."""
        if self.request.taint and self.mode == "yolo":
            why = f"{said} is protected: {fault}, and yolo mode does not ask for it after {self.whose()}"
            self.find("deny", why, subject=subject, protection=True)
            return
        after = f" (and this session has heard {self.whose()})" if self.request.taint else ""
        self.find("ask", f"{said} is protected: {fault}{after}", subject=subject, protection=True)
