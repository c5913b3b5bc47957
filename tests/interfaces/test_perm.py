"""`protea perm check`: one decision with its trace, and batches of them."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
from msgspec.structs import replace

from protea.domain.errors import UsageError
from protea.domain.permission import Decision, PermissionRequest, RuleLayer, TraceStep
from protea.domain.surroundings import Surroundings
from protea.interfaces.arguments import parse
from protea.interfaces.commands.perm import run_perm

AROUND = Surroundings(cwd="/p", root="/p", user_home="/h", protea_home="/h/.protea", environment={})


class Recording:
    """An engine that allows what a rule names exactly, and remembers what it was asked."""

    def __init__(self, layers: tuple[RuleLayer, ...]) -> None:
        self.allowed = {rule for layer in layers for rule in layer.allow}
        self.requests: list[PermissionRequest] = []

    def decide(self, request: PermissionRequest) -> Decision:
        self.requests.append(request)
        text = str(request.arguments.get("command", ""))
        if text in self.allowed:
            return Decision("allow", "as it was told", rule=text, source="flags", trace=(TraceStep("seen", "allow"),))
        return Decision(
            "ask", f"no rule allows {text}", proposals=("Bash(x)",), trace=(TraceStep("seen\x1b[2J", "ask"),)
        )


def told(
    words: list[str], stdin: bytes = b"", around: Surroundings = AROUND, *, plain: bool = True
) -> tuple[str, list[Recording]]:
    made: list[Recording] = []

    def engine(layers: tuple[RuleLayer, ...]) -> Recording:
        if any("broken" in rule for layer in layers for rule in layer.allow):
            raise UsageError("the rule 'broken' is not of the form Tool or Tool(what)")
        made.append(Recording(layers))
        return made[-1]

    out = io.StringIO()
    code = run_perm(
        parse(["perm", "check", *words]),
        engine=engine,
        layers=(RuleLayer("file", allow=("from file",)),),
        surroundings=around,
        mode="normal",
        plain=lambda: plain,
        stdin=io.BytesIO(stdin),
        stdout=out,
    )
    assert code == 0
    return out.getvalue(), made


def batch(*lines: Any) -> list[dict[str, Any]]:
    raw = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
    out, _ = told(["--batch"], raw)
    return [json.loads(line) for line in out.splitlines()]


def test_one_call_is_told_with_rule_and_trace() -> None:
    out, _ = told(["Bash", '{"command": "ls"}', "--allow", "ls"])
    assert out.startswith("allow: as it was told\n")
    assert "ls  (flags)" in out


def test_json_carries_all_of_it() -> None:
    out, _ = told(["Bash", '{"command": "make"}', "--json"])
    found = json.loads(out)
    assert found["decision"] == "ask"
    assert found["proposals"] == ["Bash(x)"]
    assert found["trace"][0]["verdict"] == "ask"


def test_a_call_may_be_written_as_a_rule_is() -> None:
    _, made = told(["Bash(git status)"])
    assert made[0].requests[0].arguments == {"command": "git status"}


def test_the_rules_of_files_hold_beside_those_of_flags() -> None:
    out, _ = told(["Bash", '{"command": "from file"}'])
    assert out.startswith("allow")


def test_mode_and_folders_reach_the_engine() -> None:
    _, made = told(["Bash", "{}", "--mode", "plan", "--add-dir", "sub"])
    assert made[0].requests[0].mode == "plan"
    assert made[0].requests[0].add_dirs == ("/p/sub",)


def test_no_escape_sequence_reaches_the_terminal() -> None:
    out, _ = told(["Bash", '{"command": "a\\u001b[2Jb"}'])
    assert "\x1b" not in out


@pytest.mark.parametrize("words", [[], ["Bash", "not json"], ["Bash", "[]"], ["--batch", "Bash"]])
def test_a_mistake_is_one_line_that_names_the_mend(words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        told(words)
    assert "\n" not in str(caught.value)


def test_a_batch_answers_in_order_and_its_rules_replace_all_others() -> None:
    answers = batch(
        {"id": 1, "tool": "Bash", "args": {"command": "a"}, "allow": ["a"]},
        {"id": "two", "tool": "Bash", "args": {"command": "a"}},
        {"id": 3, "tool": "Bash", "args": {"command": "from file"}, "deny": []},
        {"id": None, "tool": "Bash", "args": {"command": "from file"}},
    )
    assert [(one["id"], one["decision"], one["rule"]) for one in answers] == [
        (1, "allow", "a"),
        ("two", "ask", None),
        (3, "ask", None),
        (None, "allow", "from file"),  # it gives none, so those that are set hold
    ]


@pytest.mark.parametrize("words", [["--allow", "x"], ["--deny", "x"], ["--mode", "plan"], ["--add-dir", "/tmp"]])
def test_what_each_line_of_a_batch_says_is_no_flag_for_all_of_them(words: list[str]) -> None:
    with pytest.raises(UsageError, match=f"^{words[0]} is not for --batch"):
        told(["--batch", *words])


def test_lines_that_are_not_understood_are_asked_about_and_end_nothing() -> None:
    answers = batch(
        b"garbage\n",
        b"\xff\xfe\n",
        b"[]\n",
        b"\n",
        b"[" * 100_000 + b"\n",
        {"id": 5, "tool": 7},
        {"id": 6, "tool": "Bash", "args": []},
        {"id": 7, "tool": "Bash", "mode": "wild"},
        {"id": 8, "tool": "Bash", "allow": ["broken"]},
        {"id": 9, "tool": "Bash", "cwd": "relative"},
        {"id": 10, "tool": "Bash", "args": {"command": "a"}, "allow": ["a"], "ask": None, "extra": 1},
        b'{"id": "\\ud800", "tool": "Bash", "args": {"command": "\\ud800"}}\n',
        b'{"id": 12, "tool": "Bash", "args": {"command": "a"}, "allow": ["a"]}',
    )
    assert [one["decision"] for one in answers] == ["ask"] * 10 + ["allow", "ask", "allow"]
    assert all(one["error"] for one in answers[:10])
    assert [one["id"] for one in answers[5:]] == [5, 6, 7, 8, 9, 10, "\ud800", 12]


def test_each_line_gets_one_answer_and_an_empty_one_is_a_line() -> None:
    answers = batch(
        b"\n", {"id": 1, "tool": "Bash", "args": {"command": "x"}}, b"   \n", b"\n", {"id": 2, "tool": "Bash"}
    )
    assert [one["id"] for one in answers] == [None, 1, None, None, 2]


def test_arguments_may_be_called_by_their_whole_name_but_not_said_twice_differently() -> None:
    answers = batch(
        {"id": 1, "tool": "Bash", "arguments": {"command": "a"}, "allow": ["a"]},
        {"id": 2, "tool": "Bash", "args": {"command": "a"}, "arguments": {"command": "a"}, "allow": ["a"]},
        {"id": 3, "tool": "Bash", "args": {"command": "a"}, "arguments": {"command": "b"}, "allow": ["a", "b"]},
    )
    assert [one["decision"] for one in answers] == ["allow", "allow", "ask"]


def test_a_line_that_is_not_understood_is_denied_where_nobody_can_be_asked() -> None:
    answers = batch(
        {"id": 1, "tool": "Bash", "allow": ["broken"], "interactive": False},
        b'{"id": NaN, "tool": "Bash"}\n',
    )
    assert [one["decision"] for one in answers] == ["deny", "ask"]


def test_a_batch_hands_on_place_mode_and_presence() -> None:
    line = {
        "tool": "Read",
        "args": {},
        "cwd": "/c",
        "home": "/u",
        "mode": "yolo",
        "interactive": False,
        "trusted": False,
    }
    _, made = told(["--batch"], json.dumps(line).encode())
    (request,) = made[0].requests
    assert (request.cwd, request.root, request.home, request.mode) == ("/c", "/c", "/u", "yolo")
    assert (request.interactive, request.trusted) == (False, False)


@pytest.mark.parametrize(
    ("mode", "plain", "trusted"),
    [("normal", True, False), ("plan", True, False), ("yolo", True, True), ("yolo", False, False)],
)
def test_choosing_yolo_trusts_nobody(mode: str, plain: bool, trusted: bool) -> None:
    _, made = told(["Bash(ls)", "--mode", mode], around=replace(AROUND, trusted=False), plain=plain)
    (request,) = made[0].requests
    assert (request.mode, request.trusted) == (mode, trusted)


def test_a_line_of_a_megabyte_is_answered_at_once() -> None:
    line = json.dumps({"id": 1, "tool": "Bash", "args": {"command": "x" * 1_000_000}}).encode() + b"\n"
    began = time.process_time()
    told(["--batch"], line)
    assert time.process_time() - began < 1
