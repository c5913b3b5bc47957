"""The table of providers: complete, pure, and what the environment changes in it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from protea.adapters.models.openai_chat import DIALECTS
from protea.domain.providers import PROVIDERS, address_of, api_of, key_of


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_row_can_be_used(name: str) -> None:
    row = PROVIDERS[name]
    assert row.name == name
    assert row.base_url.startswith("http") or row.base_url_env
    assert row.key_env
    assert row.key_needed or "127.0.0.1" in row.base_url
    if row.api == "openai-chat" or row.elsewhere == "openai-chat":
        assert row.dialect in DIALECTS


def test_the_first_key_that_is_set_wins_and_is_trimmed() -> None:
    row = PROVIDERS["gemini"]
    assert key_of(row, {"GOOGLE_API_KEY": " b\n"}) == "b"
    assert key_of(row, {"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"}) == "a"
    assert key_of(row, {"GEMINI_API_KEY": " "}) is None


def test_addresses_of_the_environment_go_before_the_usual_ones() -> None:
    row = PROVIDERS["anthropic"]
    assert address_of(row, {}) == "https://api.anthropic.com"
    assert address_of(row, {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}) == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("address", "api"),
    [
        ("", "openai-responses"),
        ("https://api.openai.com/v1/", "openai-responses"),
        ("https://api.openai.com", "openai-responses"),
        ("http://127.0.0.1:8000/v1", "openai-chat"),
    ],
)
def test_openai_at_another_address_speaks_chat(address: str, api: str) -> None:
    assert api_of(PROVIDERS["openai"], {"OPENAI_BASE_URL": address}) == api


def test_the_table_loads_no_adapter() -> None:
    code = (
        "import sys, protea.domain.providers as p; "
        "print(sorted(m for m in sys.modules if m.startswith('protea.adapters') and m.count('.') > 2))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stdout
    assert out.strip() == "[]"
