"""Rules: syntax, anchors, and what each matches."""

from __future__ import annotations

import pytest

from protea.domain.permission.paths import Anchors
from protea.domain.permission.rules import PathRule, host_matches, matches_argv, mcp_matches, parse, text_matches

ANCHORS = Anchors("/p", "/p/sub", "/h")


@pytest.mark.parametrize(
    ("rule", "command", "expected"),
    [
        ("Bash(git status)", "git status", True),
        ("Bash(git status)", "git status -s", False),
        ("Bash(git status:*)", "git status", True),
        ("Bash(git status:*)", "git status -s", True),
        ("Bash(git status *)", "git status -s", True),
        ("Bash(git status:*)", "git statusx", False),
        ("Bash(npm run test:*)", "npm run test:unit", False),
        ("Bash(npm run *:dev)", "npm run api:dev", True),
        ("Bash(npm run *)", "npm run", True),
        ("Bash(* install)", "npm install", False),
        ("Bash(n* install)", "npm install", False),
        ("Bash", "anything at all", True),
        ("Bash(*)", "anything at all", True),
    ],
)
def test_shell_rules_match_on_word_borders(rule: str, command: str, expected: bool) -> None:
    assert matches_argv(parse(rule, "allow", "t"), command.split()) is expected


def test_a_deny_glob_may_stand_before_the_command() -> None:
    assert matches_argv(parse("Bash(* --force)", "deny", "t"), ["git", "push", "--force"])


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ("Read(//etc/**)", "/etc/passwd", True),
        ("Read(//etc/**)", "/p/etc/passwd", False),
        ("Read(~/.ssh/**)", "/h/.ssh/id", True),
        ("Read(~/.ssh)", "/h/.ssh/id", True),
        ("Read(~/.ssh/**)", "/h/.sshx/id", False),
        ("Read(/src/**)", "/p/src/a", True),
        ("Read(/src/**)", "/src/a", False),
        ("Read(./a)", "/p/sub/a", True),
        ("Read(./a)", "/p/a", False),
        ("Read(src/**)", "/p/src/deep/er/a", True),
        ("Read(src/**)", "/p/x/src/a", False),
        ("Read(*.py)", "/p/x/y/a.py", True),
        ("Read(*.py)", "/q/a.py", False),
        ("Read(**)", "/p/a", True),
        ("Read(**)", "/pq/a", False),
        ("Read(**/x/**)", "/p/a/x/b", True),
        ("Read(**/x/**)", "/p/a/x", False),
        ("Read(a?c)", "/p/abc", True),
        ("Read(a[bc]d)", "/p/acd", True),
        ("Read(a\\[b\\])", "/p/a[b]", True),
        ("Read(docs/)", "/p/docs/a", True),
        ("Read(A)", "/p/a", False),
    ],
)
def test_path_rules_have_four_anchors_and_gitignore_patterns(rule: str, path: str, expected: bool) -> None:
    assert PathRule(parse(rule, "allow", "t"), ANCHORS).matches(path) is expected


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("Read(.env)", "/elsewhere/.ENV"),
        ("Read(.env)", "/p/.e\u200bnv"),
        ("Read(/etc/shadow)", "/etc/shadow"),
        ("Read(./x)", "/p/sub/X"),
    ],
)
def test_a_deny_is_generous_about_place_and_spelling(rule: str, path: str) -> None:
    assert PathRule(parse(rule, "deny", "t"), ANCHORS).matches(path)


def test_star_patterns_stay_quick_on_long_text() -> None:
    assert not text_matches("a*" * 50 + "b", "a" * 20_000)
    assert not PathRule(parse("Read(" + "**/a/" * 20 + "b)", "deny", "t"), ANCHORS).matches("/p/" + "a/" * 500)
    assert not PathRule(parse("Read(" + "*a" * 30 + "b)", "deny", "t"), ANCHORS).matches("/p/" + "a" * 250)


@pytest.mark.parametrize(
    ("pattern", "host", "port", "expected"),
    [
        ("x.org", "x.org", 443, True),
        ("x.org", "a.x.org", 443, False),
        ("*.x.org", "a.b.x.org", 443, True),
        ("*.x.org", "x.org", 443, False),
        ("*.x.org", "evilx.org", 443, False),
        ("x.org:8080", "x.org", 8080, True),
        ("x.org:8080", "x.org", 443, False),
    ],
)
def test_domains_match_whole_names(pattern: str, host: str, port: int, expected: bool) -> None:
    assert host_matches(pattern, host, port) is expected


@pytest.mark.parametrize(
    ("rule", "tool", "expected"),
    [
        ("mcp__a", "mcp__a__b", True),
        ("mcp__a__b", "mcp__a__b", True),
        ("mcp__a__b", "mcp__a__bc", False),
        ("mcp__a", "mcp__ab__c", False),
    ],
)
def test_mcp_rules_name_a_server_or_one_tool(rule: str, tool: str, expected: bool) -> None:
    assert mcp_matches(parse(rule, "allow", "t"), tool) is expected
