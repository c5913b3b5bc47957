"""When another model may help."""

from __future__ import annotations

import pytest

from protea.domain.errors import Failure
from protea.domain.standing_in import helps, lost
from protea.domain.usage import ModelInfo


@pytest.mark.parametrize(
    ("kind", "another"),
    [("overloaded", True), ("billing", True), ("auth", True), ("invalid_request", False), ("context_length", False)],
)
def test_only_what_lies_with_the_provider_is_worth_another(kind: str, another: bool) -> None:
    assert helps(Failure(kind=kind, message="x")) == another


def test_what_the_second_lacks_is_named() -> None:
    big = ModelInfo(id="a/big", context=200_000, images=True, thinking=True)
    assert lost(big, ModelInfo(id="b/small", context=8_000)) == (
        "images",
        "thinking",
        "window (8,000 tokens instead of 200,000)",
    )
    assert lost(ModelInfo(id="b/small"), big) == ()
