"""Providers from outside: keys and addresses by environment, -m, --effort, what stream-json says, no key anywhere.

Processes of their own against the loopback provider, as a script or a test harness would run them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from protea.domain.script import ScriptedCall, ScriptedReply
from protea.domain.usage import Usage
from protea.testing.loopback import Cut, LoopbackProvider, LoopbackReply, Malformed, Stall, Status
from tests.journeys.world import World

SECRET = "planted-7f3a9c-secret"


class Row(NamedTuple):
    model: str
    key: str
    """The variable that holds the key; empty where none is needed."""
    address: str
    wire: str
    path: str
    effort: Any
    """Where `--effort high` is said in the request, and how."""


ROWS = [
    Row(
        "anthropic/claude-opus-4-6",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "anthropic",
        "/v1/messages",
        ("output_config", {"effort": "high"}),
    ),
    Row(
        "openai/gpt-5.2",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "openai-chat",
        "/v1/chat/completions",
        ("reasoning_effort", "high"),
    ),
    Row(
        "gemini/gemini-3-flash-preview",
        "GEMINI_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
        "gemini",
        "/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse",
        ("thinkingConfig", {"includeThoughts": True, "thinkingLevel": "high"}),
    ),
    Row(
        "gemini/gemini-3-flash-preview",
        "GOOGLE_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
        "gemini",
        "/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse",
        ("thinkingConfig", {"includeThoughts": True, "thinkingLevel": "high"}),
    ),
    Row(
        "openrouter/openai/gpt-5.2",
        "OPENROUTER_API_KEY",
        "OPENROUTER_BASE_URL",
        "openai-chat",
        "/v1/chat/completions",
        ("reasoning", {"effort": "high"}),
    ),
    Row("ollama/gpt-oss:20b", "", "OLLAMA_HOST", "ollama", "/api/chat", ("think", "high")),
    Row(
        "azure/gpt-5.2",
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_ENDPOINT",
        "openai-chat",
        "/v1/chat/completions",
        ("reasoning_effort", "high"),
    ),
]
REPLIES = [
    ScriptedReply(
        thinking="Let me look.",
        signature="c2lnbmF0dXJl",
        text="I look.",
        tool_calls=(ScriptedCall("Read", {"path": "src/alpha.py"}), ScriptedCall("NoSuchTool", {"n": 2**53 + 1})),
        usage=Usage(input=1200, output=80, cache_read=1000, reasoning=30),
    ),
    ScriptedReply(text="Two.", usage=Usage(input=1300, output=5, cache_read=1200)),
]


UNCACHED = [
    msgspec.structs.replace(each, usage=Usage(each.usage.input, each.usage.output)) for each in REPLIES if each.usage
]
"""For Ollama, which leaves the count of a prompt out where all of it was cached."""


def world_of(tmp_path: Path, row: Row, provider: LoopbackProvider) -> World:
    address = provider.url(row.wire)
    world = World(tmp_path, **{row.address: address, "PROTEA_LOG": "debug"})
    if row.key:
        world.environment[row.key] = SECRET
    return world


def written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.model} by {row.key or row.address}")
def test_a_key_and_an_address_in_the_environment_are_all_it_needs(row: Row, tmp_path: Path) -> None:
    replies = UNCACHED if row.wire == "ollama" else REPLIES
    with LoopbackProvider.in_thread(replies, strict=True, after="fail") as provider:
        world = world_of(tmp_path, row, provider)
        events = world.events("-m", row.model, "--effort", "high", "How many are there?")
        first, second = (event for event in events if event["type"] == "message_completed")
        request = provider.requests[0]
    assert request.path == row.path
    where, value = row.effort
    body = request.json
    assert (body.get(where) or body.get("generationConfig", {}).get(where)) == value

    keys = {"role", "model", "content", "stop", "usage"}
    assert keys <= set(first)
    assert (first["role"], first["model"], first["stop"]) == ("assistant", row.model, "tool_calls")
    thinking, text, read, unknown = first["content"]
    assert (thinking["type"], thinking["text"]) == ("thinking", "Let me look.")
    assert text == {"type": "text", "text": "I look."}
    assert (read["type"], read["name"], read["arguments"]) == ("tool_call", "Read", {"path": "src/alpha.py"})
    assert (unknown["name"], unknown["arguments"]) == ("NoSuchTool", {"n": 2**53 + 1})
    assert read["id"] != unknown["id"]
    assert set(first["usage"]) == {"input", "output", "cache_read", "cache_write", "reasoning"}
    assert (first["usage"]["input"], first["usage"]["output"]) == (1200, 80)
    assert first["usage"]["cache_read"] == (0 if row.wire == "ollama" else 1000)
    assert (second["stop"], second["content"][0]["text"]) == ("end_turn", "Two.")
    result = events[-1]
    assert (result["outcome"], result["exit_code"], result["text"]) == ("finished", 0, "Two.")
    assert (result["usage"]["input"], result["usage"]["output"]) == (2500, 85)
    assert written(tmp_path) == []
    assert SECRET not in json.dumps(events)


def test_what_a_provider_echoes_of_a_key_is_in_nothing_that_is_written(tmp_path: Path) -> None:
    says = f"Incorrect API key provided: {SECRET}. Authorization: Bearer {SECRET}"
    for row in ROWS[:5]:
        folder = tmp_path / row.key
        folder.mkdir()
        with LoopbackProvider.in_thread([Status(status=401, message=says)]) as provider:
            world = world_of(folder, row, provider)
            done = world.run("-p", "--output-format", "stream-json", "-m", row.model, "--verbose", "hello")
        assert done.returncode == 2
        assert "[key]" in done.stdout
        assert SECRET not in done.stdout + done.stderr
        assert written(folder) == []


def test_no_command_a_tool_runs_sees_a_key(tmp_path: Path) -> None:
    steps = [ScriptedCall("Bash", {"command": "python3 -I seen.py"}), "It is done."]
    with LoopbackProvider.in_thread(steps, after="fail") as provider:
        world = world_of(tmp_path, ROWS[0], provider)
        for row in ROWS:
            if row.key:
                world.environment[row.key] = SECRET
        world.environment["HTTPS_PROXY"] = f"http://me:{SECRET}@127.0.0.1:9"
        world.environment["NO_PROXY"] = "127.0.0.1"
        (world.project / "seen.py").write_text("import os\nopen('seen.txt', 'w').write(repr(dict(os.environ)))\n")
        events = world.events("-m", ROWS[0].model, "--allow", "Bash(python3 -I seen.py)", "go")
    assert events[-1]["outcome"] == "finished", events[-1]
    seen = (world.project / "seen.txt").read_text()
    assert "'PATH'" in seen
    assert SECRET not in seen
    assert written(tmp_path) == []


def test_a_key_from_a_private_file_and_one_from_a_command_stay_where_they_are(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    key = kept / "key"
    key.write_text(SECRET + "\n")
    key.chmod(0o600)
    for setting in (f'api_key_file = "{key}"', f'api_key_command = ["cat", "{key}"]'):
        folder = tmp_path / str(len(setting))
        folder.mkdir()
        with LoopbackProvider.in_thread("Hello.", strict=True) as provider:
            world = World(folder, PROTEA_LOG="debug")
            home = world.home / ".protea"
            home.mkdir(mode=0o700)
            url = provider.url("anthropic")
            (home / "config.toml").write_text(f'[providers.acme]\napi = "anthropic"\nbase_url = "{url}"\n{setting}\n')
            done = world.run("-p", "-m", "acme/claude-sonnet-4-5", "hello")
        assert (done.returncode, done.stdout) == (0, "Hello.\n"), done.stderr
        assert written(folder) == []


@pytest.mark.parametrize("by", ["proxy_url", "HTTP_PROXY", "provider"])
def test_requests_go_through_the_proxy_that_is_named(by: str, tmp_path: Path) -> None:
    with LoopbackProvider.in_thread("Through the proxy.") as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        world = World(tmp_path, ANTHROPIC_API_KEY=SECRET, ANTHROPIC_BASE_URL="http://api.example:8080")
        words = ["-p", "-m", "anthropic/claude-sonnet-4-5"]
        if by == "HTTP_PROXY":
            world.environment["HTTP_PROXY"] = address
        elif by == "proxy_url":
            words += ["--set", f"proxy_url={address}"]
        else:
            words += ["--set", f"providers.anthropic.proxy_url={address}"]
        done = world.run(*words, "hello")
        assert (done.returncode, done.stdout) == (0, "Through the proxy.\n"), done.stderr
        assert proxy.requests[0].path == "http://api.example:8080/v1/messages"
        assert proxy.requests[0].headers["host"] == "api.example:8080"


def test_what_no_proxy_names_is_asked_directly(tmp_path: Path) -> None:
    with LoopbackProvider.in_thread("Directly.") as provider:
        world = World(tmp_path, ANTHROPIC_API_KEY=SECRET, ANTHROPIC_BASE_URL=provider.url("anthropic"))
        world.environment |= {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1"}
        done = world.run("-p", "-m", "anthropic/claude-sonnet-4-5", "hello")
    assert (done.returncode, done.stdout) == (0, "Directly.\n"), done.stderr


def test_headers_of_ones_own_are_sent(tmp_path: Path) -> None:
    with LoopbackProvider.in_thread("Hello.") as provider:
        world = World(tmp_path, ANTHROPIC_API_KEY=SECRET, ANTHROPIC_BASE_URL=provider.url("anthropic"))
        header = 'providers.anthropic.headers={ X-Team = "a" }'
        done = world.run("-p", "-m", "anthropic/claude-sonnet-4-5", "--set", header, "hello")
        assert done.returncode == 0, done.stderr
        assert provider.requests[0].headers["x-team"] == "a"


def test_the_share_that_was_cached_is_shown_per_turn(tmp_path: Path) -> None:
    with LoopbackProvider.in_thread(REPLIES, after="fail") as provider:
        world = world_of(tmp_path, ROWS[0], provider)
        done = world.run("-p", "--verbose", "-m", ROWS[0].model, "How many?")
    assert done.returncode == 0
    assert "88 % cached" in done.stderr, done.stderr
    assert os.path.isdir(world.home / ".protea")


def test_a_provider_that_falls_silent_is_a_failure_after_the_time_config_says(tmp_path: Path) -> None:
    with LoopbackProvider.in_thread([Stall()]) as provider:
        world = World(tmp_path, ANTHROPIC_API_KEY=SECRET, ANTHROPIC_BASE_URL=provider.url("anthropic"))
        home = world.home / ".protea"
        home.mkdir(mode=0o700)
        (home / "config.toml").write_text("[providers.anthropic]\nidle_timeout = 0.2\nfirst_byte_timeout = 30\n")
        done = world.run("-p", "--output-format", "json", "-m", "anthropic/claude-sonnet-4-5", "hello")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["kind"], error["retryable"]) == ("timeout", True)
    assert "fell silent" in error["message"]


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses", "gemini", "ollama"])
def test_a_gateway_that_cannot_stream_is_asked_for_whole_replies(wire: str, tmp_path: Path) -> None:
    replies = UNCACHED if wire == "ollama" else REPLIES
    with LoopbackProvider.in_thread(replies, strict=True, after="fail") as provider:
        world = World(tmp_path, ACME_KEY=SECRET)
        home = world.home / ".protea"
        home.mkdir(mode=0o700)
        lines = (
            "[providers.acme]",
            f'api = "{wire}"',
            f'base_url = "{provider.url(wire)}"',
            'api_key_env = "ACME_KEY"',
            "stream = false",
        )
        (home / "config.toml").write_text("\n".join(lines))
        events = world.events("-m", "acme/one", "How many are there?")
        assert [request.stream for request in provider.requests] == [False, False]
    first, second = (event for event in events if event["type"] == "message_completed")
    assert [part["type"] for part in first["content"]] == ["thinking", "text", "tool_call", "tool_call"]
    assert (first["stop"], first["usage"]["input"], second["content"][0]["text"]) == ("tool_calls", 1200, "Two.")
    assert events[-1]["text"] == "Two."


@pytest.mark.parametrize(("fault", "kind"), [(Cut(), "truncated"), (Malformed(), "malformed")])
def test_what_is_no_whole_reply_is_no_answer_and_is_paid_for_three_times_at_most(
    fault: Cut | Malformed, kind: str, tmp_path: Path
) -> None:
    with LoopbackProvider.in_thread([LoopbackReply(text="Half a", fault=fault)] * 9) as provider:
        done = world_of(tmp_path, ROWS[0], provider).run("-p", "--output-format", "json", "-m", ROWS[0].model, "go")
        asked = len(provider.requests)
    result = json.loads(done.stdout)
    assert (result["outcome"], result["text"], result["error"]["kind"]) == ("error", "", kind)
    assert (done.returncode, asked) == (2, 3)
    assert done.stderr.splitlines()[-1].endswith("(tried 3 times)")
