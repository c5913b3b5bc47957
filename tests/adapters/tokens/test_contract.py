"""Each way to count through the contract of its port, and what sets them apart."""

from __future__ import annotations

import pytest

from protea.adapters.tokens import bytes as by_bytes
from protea.adapters.tokens import estimate
from protea.domain.messages import Image, UserMessage
from protea.domain.reply import ModelRequest
from protea.domain.usage import Usage
from protea.ports.tokens import Tokens
from protea.testing.contracts.tokens import TokensContract
from protea.testing.conversations import conversation, prompt


class TestByteTokens(TokensContract):
    def tokens(self) -> Tokens:
        return by_bytes.create(by_bytes.Options())


class TestEstimatedTokens(TokensContract):
    def tokens(self) -> Tokens:
        return estimate.create(estimate.Options())


REQUEST = ModelRequest(conversation(5), system=("Be kind. " * 50,))


def test_an_estimate_is_corrected_by_what_the_provider_counted_for_that_model_alone() -> None:
    tokens = estimate.create(estimate.Options())
    before = tokens.request(REQUEST, "a/b")
    tokens.learn(REQUEST, "a/b", Usage(input=before * 2))
    assert tokens.request(REQUEST, "a/b") == pytest.approx(before * 2, rel=0.01)
    assert tokens.message(prompt("word " * 100), "a/b") > tokens.message(prompt("word " * 100), "a/other")


def test_a_fixed_share_is_not() -> None:
    tokens = by_bytes.create(by_bytes.Options(bytes_per_token=3.0))
    before = tokens.request(REQUEST, "a/b")
    tokens.learn(REQUEST, "a/b", Usage(input=before * 2))
    assert tokens.request(REQUEST, "a/b") == before


def test_a_picture_is_not_counted_by_its_bytes() -> None:
    picture = UserMessage((Image("image/png", "A" * 2_000_000),))
    assert 500 < estimate.create(estimate.Options()).message(picture, "a/b") < 5000
