"""What every `Permission` keeps."""

from __future__ import annotations

from typing import Any

from protea.domain.permission import Decision, PermissionRequest
from protea.ports.permission import Permission

ODD_ARGUMENTS: tuple[dict[str, Any], ...] = (
    {},
    {"command": None},
    {"command": ["ls"]},
    {"command": "\0"},
    {"command": "\ud800"},
    {"command": "$(" * 2000},
    {"path": ""},
    {"path": "a\0b"},
    {"path": "x" * 100_000},
    {"path": 5},
    {"url": "http://["},
    {"patch": "+++ "},
)
TOOLS = ("Bash", "Read", "Write", "Edit", "Patch", "Glob", "Grep", "WebFetch", "mcp__a__b", "NoSuchTool", "")


class PermissionContract:
    def permission(self) -> Permission:
        raise NotImplementedError

    def asked(self, tool: str, arguments: dict[str, Any], **more: Any) -> Decision:
        return self.permission().decide(
            PermissionRequest(tool=tool, arguments=arguments, cwd="/nonexistent", home="/nonexistent/home", **more)
        )

    def test_odd_arguments_get_a_decision_and_nothing_raises(self) -> None:
        for tool in TOOLS:
            for arguments in ODD_ARGUMENTS:
                assert self.asked(tool, arguments).verdict in ("allow", "ask", "deny")

    def test_a_tool_nobody_knows_asks(self) -> None:
        assert self.asked("NoSuchTool", {}).verdict == "ask"

    def test_every_decision_says_why_and_how(self) -> None:
        decision = self.asked("Bash", {"command": "make"})
        assert decision.why
        assert decision.trace

    def test_where_nobody_can_be_asked_a_question_is_a_no(self) -> None:
        for tool in TOOLS:
            assert self.asked(tool, {"command": "make", "path": "x"}, interactive=False).verdict != "ask"

    def test_plan_mode_lets_nothing_write_and_does_not_ask(self) -> None:
        assert self.asked("Write", {"path": "x"}, mode="plan").verdict == "deny"
        assert self.asked("Bash", {"command": "touch x"}, mode="plan").verdict == "deny"

    def test_the_same_request_gets_the_same_decision(self) -> None:
        first = self.asked("Bash", {"command": "make && ls"})
        assert self.asked("Bash", {"command": "make && ls"}) == first
