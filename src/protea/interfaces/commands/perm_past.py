"""`protea perm audit`, `perm why CALL`, `perm test`: what was decided before, and what other rules would say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from protea.domain.audit import AuditRecord, Verified
from protea.domain.messages import ToolCall
from protea.domain.permission import Decision, Mode, PermissionRequest
from protea.domain.view import call_object
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import table
from protea.interfaces.terminal import one_line, visible
from protea.ports.permission import Permission

BROKEN = 1
"""The exit code where the chain does not hold."""


def tell_audit(arguments: Arguments, place: Place, found: Verified) -> int:
    if arguments.has("json"):
        place.write(as_json({**msgspec.to_builtins(found), "whole": not found.broken}))
        return BROKEN if found.broken else 0
    for each in found.broken:
        place.write(f"{one_line(each.file)}:{each.line}: {one_line(each.why)}\n")
    if found.broken:
        place.write(f"broken in {len(found.broken)} place{'s' if len(found.broken) > 1 else ''}; ")
    else:
        place.write("whole: ")
    count = len(found.files)
    place.write(f"{found.records} records in {count} file{'' if count == 1 else 's'}\n")
    if found.last:
        place.write(f"last {found.last}\n")
    return BROKEN if found.broken else 0


def tell_call(arguments: Arguments, place: Place, found: Sequence[AuditRecord]) -> int:
    """What was written down of one call: the decision with every step, the answer, that it ran."""
    if arguments.has("json"):
        place.write(as_json([msgspec.to_builtins(record) for record in found]))
        return 0
    for record in found:
        place.write(visible(_told(record)))
    return 0


def _told(record: AuditRecord) -> str:
    if record.kind == "execution":
        return f"{record.at}  it was run\n"
    if record.kind == "answer":
        rules = f"; kept: {', '.join(record.rules)}" if record.rules else ""
        said = f": {one_line(record.why)}" if record.why else ""
        return f"{record.at}  {record.by or 'somebody'} answered {record.verdict}{said}{rules}\n"
    lines = [f"{record.at}  {record.verdict}: {one_line(record.why)}"]
    lines.append(f"  call      {one_line(record.call)} of session {record.session}")
    lines.append(f"  what      {record.tool} {_object(record)}")
    trust = "" if record.trusted else ", project not trusted"
    attended = "" if record.interactive else ", nobody to ask"
    lines.append(f"  where     {one_line(record.cwd)}, mode {record.mode}{trust}{attended}")
    if record.rule:
        lines.append(
            f"  rule      {one_line(record.rule)}" + (f"  ({one_line(record.source)})" if record.source else "")
        )
    for step in record.trace:
        rule = f"  {step.rule} ({step.source})" if step.rule else ""
        subject = f"  [{step.subject}]" if step.subject else ""
        lines.append(f"  {step.verdict or '-':5} {one_line(step.step + rule + subject)}")
    return "\n".join(lines) + "\n"


def _object(record: AuditRecord) -> str:
    return one_line(call_object(ToolCall(id=record.call, name=record.tool, arguments=record.arguments)), 160)


def tell_policy(
    arguments: Arguments,
    place: Place,
    engine: Permission,
    past: Iterable[AuditRecord],
    answers: Mapping[tuple[str, str], AuditRecord],
    home: str,
) -> int:
    """Decide every call of the past again, by other rules, and tell what would have been different. Nothing runs."""
    same, cut, changed = 0, 0, []
    for record in past:
        if record.tool == "Bash" and "… [" in str(record.arguments.get("command", ""))[-100:]:
            cut += 1  # it was too long to be kept whole
            continue
        decision = engine.decide(_asked_again(record, home))
        if decision.verdict == record.verdict:
            same += 1
        else:
            changed.append(_difference(record, decision, answers.get((record.session, record.call))))
    if arguments.has("json"):
        place.write(as_json({"same": same, "changed": changed, "not_replayed": cut}))
        return 0
    rows = [
        [
            str(each["at"])[:16],
            f"{each['was']}" + (f" ({each['answered']})" if each["answered"] else ""),
            str(each["would_be"]),
            one_line(f"{each['tool']} {each['what']}", 80),
            one_line(str(each["rule"] or each["why"]), 80),
        ]
        for each in changed
    ]
    place.write(visible(table(["WHEN", "WAS", "WOULD BE", "CALL", "BECAUSE"], rows)))
    rest = f", {cut} too long to be decided again" if cut else ""
    place.write(f"{len(changed)} of {len(changed) + same} decisions would be different{rest}\n")
    return 0


def _asked_again(record: AuditRecord, home: str) -> PermissionRequest:
    return PermissionRequest(
        tool=record.tool,
        arguments=record.arguments,
        cwd=record.cwd,
        root=record.root,
        home=home,
        mode=cast(Mode, record.mode or "normal"),
        trusted=record.trusted,
        interactive=record.interactive,
    )


def _difference(record: AuditRecord, decision: Decision, answer: AuditRecord | None) -> dict[str, Any]:
    return {
        "at": record.at,
        "session": record.session,
        "call": record.call,
        "tool": record.tool,
        "what": _object(record),
        "was": record.verdict,
        "answered": answer.verdict if answer is not None else None,
        "would_be": decision.verdict,
        "rule": decision.rule,
        "why": decision.why,
    }
