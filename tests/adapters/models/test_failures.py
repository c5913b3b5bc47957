"""Failures of providers: their kind, whether and how long to wait, and what is said of them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from protea.adapters.models import _failures
from protea.domain.errors import ModelError


def failed(
    status: int, body: Any = b"", headers: dict[str, str] | None = None, secret: str | None = None
) -> ModelError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return _failures.of_status(status, headers or {}, data, provider="acme", secret=secret)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "invalid_request", False),
        (401, "auth", False),
        (402, "billing", False),
        (403, "auth", False),
        (404, "not_found", False),
        (408, "timeout", True),
        (409, "server", True),
        (413, "too_large", False),
        (418, "invalid_request", False),
        (422, "invalid_request", False),
        (429, "rate_limit", True),
        (500, "server", True),
        (502, "server", True),
        (503, "overloaded", True),
        (504, "timeout", True),
        (520, "server", True),
        (529, "overloaded", True),
    ],
)
def test_a_status_alone_tells_the_kind(status: int, kind: str, retryable: bool) -> None:
    failure = failed(status).failure
    assert (failure.kind, failure.retryable, failure.status) == (kind, retryable, status)
    assert str(status) in failure.message


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, {"code": "insufficient_quota", "type": "insufficient_quota", "message": "You exceeded …"}, "billing"),
        (429, {"code": "rate_limit_exceeded", "type": "tokens", "message": "Rate limit"}, "rate_limit"),
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low to access"}, "billing"),
        (
            400,
            {"type": "invalid_request_error", "message": "prompt is too long: 3 > 2 maximum"},
            "context_length",
        ),
        (400, {"code": "context_length_exceeded", "message": "x"}, "context_length"),
        (400, {"code": 400, "message": "the request exceeds the available context size"}, "context_length"),
        (400, {"type": "exceed_context_size_error", "code": 400, "message": "x"}, "context_length"),
        (400, {"code": "model_not_found", "message": "x"}, "not_found"),
        (400, {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid."}, "auth"),
        (400, {"code": "content_policy_violation", "message": "x"}, "content_filter"),
        (403, {"code": 403, "message": "Input was flagged"}, "content_filter"),
        (
            429,
            {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota"},
            "rate_limit",
        ),
        (500, {"type": "overloaded_error", "message": "Overloaded"}, "overloaded"),
        (413, {"type": "request_too_large", "message": "x"}, "too_large"),
    ],
)
def test_what_the_provider_calls_it_goes_before_its_status(status: int, error: dict[str, Any], kind: str) -> None:
    assert failed(status, {"error": error}).failure.kind == kind


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000", "context_length"),
        (400, "Input is too long for requested model.", "context_length"),
        (400, "Your input exceeds the context window of this model.", "context_length"),
        (400, "Input tokens exceed the configured limit of 272000 tokens.", "context_length"),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed.", "context_length"),
        (400, "the input token count is 40000 but the model only supports up to 32768.", "context_length"),
        (500, "the input length exceeds the context length", "context_length"),
        (400, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length", "context_length"),
        (400, "This model's maximum prompt length is 131072 but the request contains 537812", "context_length"),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", "context_length"),
        (400, "Prompt exceeds max length", "context_length"),
        (400, "Invalid request: Your request exceeded model token limit: 131072", "context_length"),
        (400, {"code": "model_max_prompt_tokens_exceeded", "message": "x"}, "context_length"),
        (400, "Range of input length should be [1, 129024]", "context_length"),
        (
            413,
            {"code": "rate_limit_exceeded", "message": "Request too large for model `m` on TPM: Limit 6"},
            "too_large",
        ),
        (429, {"code": "rate_limit_exceeded", "message": "Request too large for m on TPM: Limit 6"}, "too_large"),
        (429, {"code": "rate_limit_exceeded", "message": "Rate limit reached for m on TPM"}, "rate_limit"),
        (500, "the server fell over", "server"),
        (400, "max_tokens is too large: 200000", "invalid_request"),
    ],
)
def test_each_way_to_say_that_it_is_too_long_is_understood(status: int, error: Any, kind: str) -> None:
    failure = failed(status, {"error": error}).failure
    assert failure.kind == kind
    assert not (failure.retryable and kind in ("context_length", "too_large"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"code": "invalid-argument", "error": "no"}, "no"),
        ({"message": "no", "type": "x"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body"], "msg": "no"}]}, '"msg":"no"'),
        ([{"error": {"message": "no"}}], "no"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"no"}}'}}}, ": no"),
        ({"error": {"message": "several\n  lines"}}, "several lines"),
        (b"plain words", "plain words"),
        (b"<!DOCTYPE html><html><title>Bad\n Gateway</title>", "a web page came instead of a reply (Bad Gateway)"),
        (b"", "without an explanation"),
        (b"\xff\xfe\x00", "acme"),
        ({"error": None}, "acme"),
        ({"error": {"message": None}}, "without an explanation"),
        ({"error": 5}, "5"),
        (b"[]", "without an explanation"),
        (b"null", "without an explanation"),
    ],
)
def test_every_shape_of_body_becomes_one_line(body: Any, message: str) -> None:
    said = str(failed(400, body))
    assert message in said
    assert "\n" not in said


def test_a_huge_message_is_cut() -> None:
    assert len(str(failed(400, {"error": {"message": "x" * 100_000}}))) < 3000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "23"}, 23.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "26604", "retry-after": "27"}, 27.0),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"x-ratelimit-reset-requests": "120ms", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s", "x-ratelimit-remaining-tokens": "0"}, 3723.5),
        ({"x-ratelimit-reset-tokens": "26s", "x-ratelimit-remaining-tokens": "652"}, None),
        ({"retry-after": "2", "x-ratelimit-reset-tokens": "6m0s"}, 2.0),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert failed(429, headers=headers).failure.retry_after == seconds


def test_moments_in_headers_become_seconds_from_now() -> None:
    moment = time.gmtime(time.time() + 60)
    for value in (
        time.strftime("%a, %d %b %Y %H:%M:%S GMT", moment),
        time.strftime("%Y-%m-%dT%H:%M:%SZ", moment),
        time.strftime("%Y-%m-%dT%H:%M:%S.123456+00:00", moment),
    ):
        assert failed(429, headers={"retry-after": value}).failure.retry_after == pytest.approx(60, abs=3)
    millis = str(int((time.time() + 60) * 1000))  # OpenRouter
    assert failed(429, headers={"x-ratelimit-reset": millis}).failure.retry_after == pytest.approx(60, abs=3)
    past = failed(429, headers={"retry-after": "Sat, 01 Jan 2000 00:00:00 GMT"})
    assert past.failure.retry_after == 0


def test_geminis_delay_is_in_the_body() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48s"}]
    body = {"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED", "details": details}}
    assert failed(429, body).failure.retry_after == 48.0


def test_geminis_daily_quota_is_not_waited_for() -> None:
    violations = [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]
    details = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"},
    ]
    body = {"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED", "details": details}}
    failure = failed(429, body).failure
    assert (failure.kind, failure.retryable) == ("billing", False)


def test_the_providers_wish_goes_before_our_own_judgement() -> None:
    assert failed(400, headers={"x-should-retry": "true"}).failure.retryable is True
    assert failed(529, headers={"x-should-retry": "false"}).failure.retryable is False


def test_a_redirect_names_where_to() -> None:
    failure = failed(308, headers={"location": "https://elsewhere/v1"}).failure
    assert failure.kind == "not_found"
    assert "https://elsewhere/v1" in failure.message


def test_request_ids_come_from_the_header_or_the_body() -> None:
    assert failed(500, headers={"x-request-id": "r1"}).failure.request_id == "r1"
    assert failed(500, {"error": {"message": "x"}, "request_id": "r2"}).failure.request_id == "r2"


@pytest.mark.parametrize("key", ["sk-" + "ant-" + 20 * "a", "AI" + "za" + 30 * "b", "plain-key-1"])
def test_a_key_is_never_repeated(key: str) -> None:
    said = str(failed(401, {"error": {"message": f"Incorrect API key provided: {key}."}}, secret=key))
    assert key not in said
    assert "[key]" in said


def test_an_error_inside_a_good_answer_is_judged_by_what_it_says() -> None:
    def of(error: Any) -> Any:
        return _failures.of_error(error, {}, provider="acme").failure

    assert (of({"error": {"code": 429, "message": "x"}}).kind, of({"error": {"code": 429, "message": "x"}}).status) == (
        "rate_limit",
        429,
    )
    assert of({"type": "error", "code": "server_is_overloaded", "message": "x"}).kind == "overloaded"
    assert of({"type": "error", "error": {"type": "api_error", "message": "x"}, "request_id": "r"}).request_id == "r"
    assert of("an error was encountered").kind == "server"
    assert of({"message": "x", "code": "tool_use_failed", "status_code": 400}).retryable is True
