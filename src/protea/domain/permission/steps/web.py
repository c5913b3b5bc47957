"""Tools that speak to another machine under an address."""

from __future__ import annotations

from protea.domain.permission import Decision
from protea.domain.permission.address import read_address
from protea.domain.permission.rules import family, host_matches
from protea.domain.permission.steps.case import Case


def decide_address(case: Case, tool: str, url: object) -> Decision:
    address = read_address(url)
    name = family(tool)
    for rule in (*case.rules.deny, *case.rules.ask):
        if case.bare(rule, tool) or (
            rule.tool == name
            and rule.shape == "domain"
            and any(host_matches(rule.body, host, address.port) for host in address.meant)
        ):
            case.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule, address.host)
    denied = case.denied()
    if denied:
        return denied
    allowing = None
    for rule in case.rules.allow:
        if rule.tool == name and rule.shape == "domain":
            named = rule.body.endswith(f":{address.port}")
            usual = address.port in (80, 443)
            if (
                address.host
                and host_matches(rule.body, address.host, address.port)
                and (named or (usual and not address.local))
            ):
                allowing = rule
            elif address.host and _kin(rule.body, address.host):
                case.note("near miss: another name, or port, of this domain", rule=rule, subject=address.host)
        elif case.bare(rule, tool) and not address.local and address.port in (80, 443):
            # What was read may have written the address, and what it asks for may be what it carries out.
            if case.request.taint and isinstance(url, str) and "?" in url:
                case.note(f"near miss: a rule for every host, a query, and {case.whose()}", rule=rule)
                continue
            allowing = rule
    if address.verdict == "deny" and not (address.local and allowing is not None and "*" not in allowing.body):
        return case.answer("deny", address.why)
    stopped = case.stopped()
    if stopped:
        return stopped
    if case.mode == "plan" and tool != "WebFetch":
        return case.answer("deny", "plan mode sends nothing")
    if address.verdict == "ask":
        return case.answer("ask", address.why)
    if allowing is not None:
        return case.answer("allow", f"allowed by {allowing.text}", allowing)
    return case.answer("ask", f"no rule allows {address.host or 'this address'}")


def _kin(body: str, host: str) -> bool:
    """Whether a rule is about the domain of this host, or one above or below it."""
    name = body.rpartition(":")[0] if body.rpartition(":")[2].isdigit() else body
    name = name.removeprefix("*.")
    return name == host or host.endswith("." + name) or name.endswith("." + host)
