"""A permission engine without rules: each call is asked about, except those that only concern the session itself."""

from __future__ import annotations

import msgspec

from protea.domain.permission import Decision, PermissionRequest, TraceStep, Verdict
from protea.domain.permission.effects import HARMLESS, NEVER
from protea.ports.permission import Permission


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class EverythingAsks:
    def decide(self, request: PermissionRequest) -> Decision:
        tool = request.tool
        verdict: Verdict = "deny" if tool in NEVER else "allow" if tool in HARMLESS else "ask"
        why = NEVER.get(tool) or HARMLESS.get(tool) or "this profile asks about everything"
        if request.mode == "plan" and verdict == "ask":
            verdict, why = "deny", "plan mode: nothing is known to only read in this profile"
        elif verdict == "ask" and not request.interactive:
            verdict, why = "deny", "this profile asks about everything, and nobody is there to ask"
        return Decision(verdict, why, trace=(TraceStep(why, verdict),))


def create(options: Options) -> Permission:
    return EverythingAsks()
