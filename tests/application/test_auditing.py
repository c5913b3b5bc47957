"""Every decision and execution is written down, before it happens; what cannot be written down does not happen."""

from __future__ import annotations

from protea.domain.commands import ResolveApproval, SubmitPrompt
from protea.domain.events import ApprovalRequested, ToolCallChanged
from protea.ports.gateway import OpenSession
from protea.testing.audit import ListAudit
from tests.application.world import World, calls, of, says


async def test_a_decision_an_answer_and_an_execution_are_three_records() -> None:
    done: list[str] = []

    async def act(what: str) -> str:
        """Acts."""
        done.append(f"{what} after {len(audit.lines)} records")
        return "done"

    audit = ListAudit()
    world = World(calls(("act", {"what": "x"})), says("ok"), tools=[act], ask=["act"])
    world.audit = audit
    session = await world.gateway.open(OpenSession(cwd="/w"))
    async for event in world.turn(session, SubmitPrompt(text="go")):
        if isinstance(event, ApprovalRequested):
            await world.gateway.submit(session, ResolveApproval(id=event.id, decision="once", comment="fine"))
    assert [(each.kind, each.verdict) for each in audit.records] == [
        ("decision", "ask"),
        ("answer", "once"),
        ("execution", ""),
    ]
    assert (audit.records[0].arguments, audit.records[1].why, audit.records[1].by) == ({"what": "x"}, "fine", "user")
    assert done == ["x after 3 records"]
    await world.gateway.close()


async def test_what_is_denied_is_written_down_and_not_run() -> None:
    async def act() -> str:
        """Acts."""
        raise AssertionError("it ran")

    world = World(calls(("act", {})), says("ok"), tools=[act], deny=["act"])
    world.audit = audit = ListAudit()
    await world.run("go")
    assert [(each.kind, each.verdict) for each in audit.records] == [("decision", "deny")]


async def test_a_full_disk_stops_the_call() -> None:
    async def act() -> str:
        """Acts."""
        raise AssertionError("it ran")

    world = World(calls(("act", {})), says("ok"), tools=[act])
    world.audit = ListAudit(full=True)
    events = await world.run("go")
    (result,) = [each.result for each in of(events, ToolCallChanged) if each.result is not None]
    assert result.text.startswith("Nothing was run: the audit log cannot be written")
    assert result.denied
