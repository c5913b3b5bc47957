from __future__ import annotations

import pytest

from protea.domain.redaction import HIDDEN, redact, secrets_of, setting


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key sk-" + "proj-a1b2" * 4 + " used", "key [hidden] used"),
        ("AIza" + "x" * 35, "[hidden]"),
        ("ghp_" + "a1" * 18, "[hidden]"),
        ("AKIA" + "ABCD" * 4, "[hidden]"),
        ("12345678:" + "a" * 35, "[hidden]"),
        ("xoxb-1234567890-abc", "[hidden]"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "[hidden]"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [hidden]"),
        ('{"x-api-key": "abcdef123"}', '{"x-api-key": "[hidden]"}'),
        ("ACME_API_KEY=abcdef123 run", "ACME_API_KEY=[hidden] run"),
        ("GET /v1?key=abcdef123&alt=sse", "GET /v1?key=[hidden]&alt=sse"),
        ("http://me:pass@proxy:3128/", "http://me:[hidden]@proxy:3128/"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----.", "[hidden]."),
        ("-----BEGIN " + "PRIVATE KEY-----\nabc", "[hidden]"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the token count is 15",
        "tokens: 1234567",
        "key: value",
        "https://example.org/a:b@c",
        "sk-ip this line",
        "a password is needed",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "2026-11-21T04:05:06.789Z 12345678 info",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


def test_what_is_known_to_be_secret_is_hidden_whatever_it_looks_like() -> None:
    known = secrets_of(
        {"ACME_KEY": "correct horse", "ACME_KEY_2": "correct horse battery", "LANG": "en_US", "X_TOKEN": "no"}.items()
    )
    assert redact("correct horse battery, en_US, no, correct horse", known) == "[hidden], en_US, no, [hidden]"


def test_a_setting_is_shown_without_what_may_be_a_secret_in_it() -> None:
    address = "https://me:hunter2hunter2@host.example/v1?api_key=abcdef123456&x=1"
    assert setting("providers.acme.base_url", address) == f"https://me:{HIDDEN}@host.example/v1?api_key={HIDDEN}&x=1"
    assert setting("providers.acme.headers.X-Api", "v") == "(set)"
    assert setting("providers", {"acme": {"headers": {"a": "b"}}}) == {"acme": {"headers": "(set)"}}
    assert setting("hooks.prompt", [{"url": "http://a:secretsecret@b/"}]) == [{"url": f"http://a:{HIDDEN}@b/"}]
    assert setting("limits.max_turns", 3) == 3
    assert setting("providers.acme.headers", None) is None
