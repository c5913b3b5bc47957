"""What the settings of other agents mean here."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protea.domain.adoption import Adopted, Agent, Foreign, adopt, without_comments


def adopted(agent: Agent, data: Any, kind: str = "settings") -> Adopted:
    return adopt(agent, [Foreign(path="/f", kind=kind, data=data)])


def rules(found: Adopted) -> list[str]:
    return [f"{item.name} {item.value}" for item in found.taken if item.kind == "rule"]


def left(found: Adopted) -> dict[str, str]:
    return {item.what: item.why for item in found.left}


def test_rules_that_are_written_alike_are_taken_and_others_say_why_not() -> None:
    found = adopted(
        "claude-code",
        {
            "permissions": {
                "allow": ["Bash(npm test:*)", "Bash(*)", "Bash", "Nope(x)", "Read(*)", "Bash(", "mcp__gh__get", 7],
                "ask": ["Bash(git push:*)"],
                "deny": ["Read(./.env)", "Task(explore)"],
            }
        },
    )
    assert rules(found) == [
        "deny Read(./.env)", "deny Task(explore)", "ask Bash(git push:*)", "allow Bash(npm test:*)", "allow Read",
        "allow mcp__gh__get",
    ]  # fmt: skip
    assert set(left(found)) == {"allow Bash(*)", "allow Bash", "allow Nope(x)", "allow Bash("}
    assert left(found)["allow Nope(x)"] == "there is no tool Nope here"


@pytest.mark.parametrize(
    ("mode", "taken"), [("plan", True), ("default", False), ("acceptEdits", False), ("bypassPermissions", False)]
)
def test_only_a_stricter_mode_is_taken(mode: str, taken: bool) -> None:
    found = adopted("claude-code", {"permissions": {"defaultMode": mode}})
    assert bool(found.taken) is taken
    assert bool(found.left) is (not taken and mode != "default")


def test_servers_of_each_agent_become_the_same_table() -> None:
    expected = {
        "a": {"command": "npx", "args": ["-y", "x"], "env": {"K": "v"}},
        "b": {"type": "http", "url": "https://x.example", "headers": {"H": "v"}},
    }
    claude = {
        "a": {"command": "npx", "args": ["-y", "x"], "env": {"K": "v"}},
        "b": {"type": "http", "url": "https://x.example", "headers": {"H": "v"}},
    }
    codex = {
        "a": {"command": "npx", "args": ["-y", "x"], "env": {"K": "v"}},
        "b": {"url": "https://x.example", "http_headers": {"H": "v"}},
    }
    opencode = {
        "a": {"type": "local", "command": ["npx", "-y", "x"], "environment": {"K": "v"}},
        "b": {"type": "remote", "url": "https://x.example", "headers": {"H": "v"}},
    }
    for agent, data in (
        ("claude-code", {"mcpServers": claude}),
        ("codex", {"mcp_servers": codex}),
        ("opencode", {"mcp": opencode}),
    ):
        found = adopted(agent, data)  # type: ignore[arg-type]  # the three names
        assert {item.name: item.value for item in found.taken} == expected, agent


def test_a_server_that_is_switched_off_or_odd_is_left() -> None:
    found = adopted("codex", {"mcp_servers": {"off": {"command": "x", "enabled": False}, "odd": {}, "worse": 7}})
    assert found.taken == ()
    assert left(found)["server off"] == "it is switched off"
    assert len(found.left) == 3


def test_prefix_rules_become_rules_each_way_by_itself() -> None:
    found = adopted(
        "codex",
        [
            {"pattern": ["gh", "pr", ["view", "list"]]},
            {"pattern": ["rm", "-rf"], "decision": "forbidden"},
            {"pattern": ["git", "push"], "decision": "prompt"},
            {"pattern": ["echo", "$HOME"]},
            {"pattern": []},
        ],
        kind="rules",
    )
    assert rules(found) == [
        "allow Bash(gh pr view:*)", "allow Bash(gh pr list:*)", "deny Bash(rm -rf:*)", "ask Bash(git push:*)",
    ]  # fmt: skip
    assert left(found) == {
        "allow echo $HOME": "a word of it means something to a shell",
        "a rule": "it cannot be read",
    }


def test_a_provider_of_one_s_own_is_taken_without_what_may_be_a_key() -> None:
    codex = adopted(
        "codex",
        {
            "model": "big",
            "model_provider": "acme",
            "model_providers": {
                "acme": {"base_url": "http://a/v1", "wire_api": "chat", "env_key": "K", "http_headers": {"X": "sk"}}
            },
        },
    )
    assert {item.name: item.value for item in codex.taken} == {
        "model": "acme/big",
        "providers.acme": {"api": "openai-chat", "base_url": "http://a/v1", "api_key_env": "K"},
    }
    opencode = adopted(
        "opencode", {"provider": {"acme": {"options": {"baseURL": "http://a/v1", "apiKey": "sk-12345"}}}}
    )
    assert [item.value for item in opencode.taken] == [{"api": "openai-chat", "base_url": "http://a/v1"}]
    assert "sk-12345" not in repr(codex) + repr(opencode)


def test_where_the_last_match_wins_a_rule_for_all_is_left() -> None:
    found = adopted(
        "opencode",
        {
            "permission": {
                "*": "ask",
                "bash": {"*": "deny", "git status": "allow", "rm *": "deny"},
                "edit": "deny",
                "read": {"$HOME/notes/**": "allow"},
                "external_directory": {"~/x": "allow"},
                "webfetch": "allow",
            }
        },
    )
    assert rules(found) == ["allow Bash(git status)", "deny Bash(rm *)", "deny Edit", "allow Read(~/notes/**)"]
    assert left(found)["deny Bash(*)"] == "deny beats allow here, so its exceptions would be lost"
    assert "allow WebFetch(*)" in left(found)


def test_doing_without_questions_is_never_taken() -> None:
    for agent, data in (
        ("codex", {"approval_policy": "never", "sandbox_mode": "danger-full-access"}),
        ("opencode", {"permission": "allow"}),
        ("claude-code", {"permissions": {"allow": ["Bash(*)"], "defaultMode": "bypassPermissions"}}),
    ):
        found = adopted(agent, data)  # type: ignore[arg-type]  # the three names
        assert found.taken == ()
        assert found.left


def test_of_two_files_the_first_has_the_word() -> None:
    one = Foreign(path="/1", kind="mcp", data={"mcpServers": {"a": {"command": "x"}}})
    two = Foreign(path="/2", kind="mcp", data={"mcpServers": {"a": {"command": "y"}}})
    found = adopt("claude-code", [one, two])
    assert [item.value["command"] for item in found.taken] == ["x"]
    assert left(found) == {"server a": "an earlier file has it already"}


@pytest.mark.parametrize(
    "data", [{}, {"permissions": 7, "mcpServers": [], "model": {}}, {"permission": [1]}, {"mcp": 3}]
)
def test_what_is_of_another_shape_is_no_harm(data: dict[str, Any]) -> None:
    for agent in ("claude-code", "codex", "opencode"):
        assert adopted(agent, data).taken == ()  # type: ignore[arg-type]  # the three names


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, // one\n "b": [1, 2, ], /* two */ }', {"a": 1, "b": [1, 2]}),
        ('{"a": "// no /* comment */, }"}', {"a": "// no /* comment */, }"}),
        ('{"a": "quote \\" // still", }', {"a": 'quote " // still'}),
        ("{} // at the end", {}),
    ],
)
def test_json_with_comments_is_read(text: str, value: Any) -> None:
    assert msgspec.json.decode(without_comments(text)) == value
