"""`protea models`, as a process: what is shipped, what config says, and what providers say themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protea.testing.loopback import LoopbackProvider
from tests.journeys.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def listed(world: World, *words: str) -> dict[str, dict[str, Any]]:
    done = world.run("models", "--json", *words)
    assert done.returncode == 0, done.stderr
    return {each["id"]: each for each in json.loads(done.stdout)}


def test_without_a_key_the_shipped_windows_and_prices_are_told(world: World) -> None:
    rows = listed(world, "anthropic")
    assert {name.partition("/")[0] for name in rows} == {"anthropic"}
    sonnet = rows["anthropic/claude-sonnet-4-5"]
    assert sonnet["context"] == 200_000
    assert sonnet["price"]["input"] > 0
    assert (sonnet["images"], sonnet["thinking"]) == (True, True)
    text = world.run("models", "anthropic").stdout
    assert text.startswith("MODEL")
    assert "$ PER MILLION IN/OUT" in text
    assert "images, thinking" in text


def test_a_name_that_is_none_is_told_with_the_mend(world: World) -> None:
    done = world.run("models", "antropic")
    assert (done.returncode, done.stderr) == (1, "protea: there is no provider antropic; did you mean anthropic?\n")


def configure(world: World, url: str) -> None:
    home = world.home / ".protea"
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.toml").write_text(
        f'[providers.acme]\napi = "openai-chat"\nbase_url = "{url}"\napi_key_env = "ACME_KEY"\n'
        '[providers.acme.models."big"]\ncontext = 9000\nprice = { input = 1.0, output = 2.0 }\n'
    )


def test_live_adds_what_the_provider_lists_and_later_it_is_known_without_asking(world: World) -> None:
    world.environment["ACME_KEY"] = "a-planted-secret"
    with LoopbackProvider.in_thread(models=("big", "small")) as provider:
        configure(world, provider.url("openai-chat"))
        assert list(listed(world, "acme")) == ["acme/big"]
        rows = listed(world, "acme", "--live")
        assert list(rows) == ["acme/big", "acme/small"]
        assert rows["acme/big"]["price"] == {"input": 1.0, "output": 2.0}, "what config says stays"
        assert len(provider.others) == 1
    assert list(listed(world, "acme")) == ["acme/big", "acme/small"]
    assert "acme/small" in listed(world)


def test_a_provider_that_cannot_be_asked_is_one_line_and_the_rest_is_told(world: World) -> None:
    world.environment["ACME_KEY"] = "a-planted-secret"
    configure(world, "http://127.0.0.1:9/v1")
    done = world.run("models", "--live")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("protea: acme was not asked for its models: ")
    assert "a-planted-secret" not in done.stderr
    assert "acme/big" in done.stdout
    assert "anthropic/claude-sonnet-4-5" in done.stdout


def test_a_missing_key_is_told_too(world: World) -> None:
    done = world.run("models", "openai", "--live")
    assert done.returncode == 0
    assert "openai was not asked for its models: no key for openai: set OPENAI_API_KEY" in done.stderr
    assert "openai/gpt-4o" in done.stdout


def test_a_server_of_ones_own_is_asked_without_being_told_to(world: World) -> None:
    with LoopbackProvider.in_thread(models=("qwen3",)) as provider:
        world.environment["VLLM_BASE_URL"] = provider.url("openai-chat")
        assert list(listed(world, "vllm")) == ["vllm/qwen3"]
