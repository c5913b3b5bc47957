"""A call that is run once more outside of any turn: what is denied, asked about or planned does not run unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from protea.adapters.approval.policy import PolicyApproval
from protea.adapters.ids.system import SystemIds
from protea.adapters.storage.memory import MemoryStore
from protea.adapters.tools.functions import FunctionTool, FunctionToolset
from protea.application.approvals import Approvals
from protea.application.hooks import HookRunner
from protea.application.hub import Hub
from protea.application.tool_runner import ToolRunner
from protea.domain.hooks import HookSaid
from protea.domain.messages import ToolCall
from protea.domain.permission import Mode, PermissionRequest
from protea.domain.tools import ToolResult
from protea.testing.audit import ListAudit
from protea.testing.hooks import TableHooks
from protea.testing.permission import NamedPermission
from tests.application.world import Fixed, QuickClock

CALL = ToolCall(id="c1", name="write", arguments={"path": "a.txt"})


class Runner:
    """A tool runner that is about one tool, and what became of the calls of it."""

    def __init__(
        self,
        *,
        rules: NamedPermission | None = None,
        hooks: TableHooks | None = None,
        audit: ListAudit | None = None,
        mode: Mode = "normal",
    ) -> None:
        self.written: list[str] = []
        clock = QuickClock()
        ids = SystemIds(clock)
        hub = Hub("s", MemoryStore().create("s"), clock, lambda event: None)
        approvals = Approvals(hub, PolicyApproval(), Fixed(), ())
        self.runner = ToolRunner(
            toolsets=[FunctionToolset([FunctionTool(self.write, effects=("fs.write",))])],
            permission=rules or NamedPermission(),
            approvals=approvals,
            hub=hub,
            ids=ids,
            request=lambda tool, arguments, cwd: PermissionRequest(
                tool=tool, arguments=arguments, cwd=cwd or "/w", mode=mode
            ),
            output_folder=lambda: "/w",
            hooks=HookRunner(hub, lambda: hooks, lambda: mode, "/w", approvals=approvals, ids=lambda: ids),
            audit=None if audit is None else lambda: audit,
        )

    async def write(self, path: str) -> str:
        """Writes."""
        self.written.append(path)
        return f"wrote {path}"

    async def again(self, *, agreed: bool = True) -> ToolResult:
        return await self.runner.once_more(CALL, Nowhere(), agreed=agreed)


class Nowhere:
    """A `Beside` that nobody uses."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


async def test_what_is_allowed_runs() -> None:
    runner = Runner()
    result = await runner.again(agreed=False)
    assert (result.text, result.is_error, runner.written) == ("wrote a.txt", False, ["a.txt"])


@pytest.mark.parametrize("agreed", [True, False])
async def test_what_would_be_asked_runs_only_where_a_person_has_agreed_before(agreed: bool) -> None:
    runner = Runner(rules=NamedPermission(ask=["write"]))
    result = await runner.again(agreed=agreed)
    assert result.is_error is not agreed
    assert runner.written == (["a.txt"] if agreed else [])
    assert agreed or "nobody was asked before" in result.text


def rewriting() -> TableHooks:
    return TableHooks({"before_tool": (HookSaid(hook="h", arguments={"path": "b.txt"}),)})


def denying() -> TableHooks:
    return TableHooks({"before_tool": (HookSaid(hook="h", verdict="deny", why="not on a Friday"),)})


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Runner(rules=NamedPermission(deny=["write"])), "It is not allowed now: write is denied"),
        (lambda: Runner(hooks=denying()), "not on a Friday"),
        (lambda: Runner(hooks=rewriting()), "It is not allowed now: a hook wants other arguments"),
        (lambda: Runner(mode="plan"), "It is not allowed now: plan mode"),
        (lambda: Runner(audit=ListAudit(full=True)), "Nothing was run: the audit log cannot be written"),
    ],
    ids=["denied", "denied by a hook", "rewritten by a hook", "plan mode", "an audit log that is full"],
)
async def test_what_may_not_run_now_does_not_however_it_was_agreed_to(made: Callable[[], Runner], told: str) -> None:
    runner = made()
    result = await runner.again()
    assert result.is_error
    assert told in result.text
    assert runner.written == []


async def test_it_is_audited_as_any_call_is() -> None:
    audit = ListAudit()
    runner = Runner(audit=audit)
    await runner.again()
    assert [(record.kind, record.call) for record in audit.records] == [("decision", "c1"), ("execution", "c1")]
