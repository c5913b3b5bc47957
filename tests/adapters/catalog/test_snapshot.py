"""The shipped snapshot of windows and prices."""

from __future__ import annotations

import pytest

from protea.adapters.catalog.snapshot import Options, create


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("claude-sonnet-4-5", True),
        ("claude-sonnet-4-5-20250929", True),
        ("claude-sonnet-4-5@20250929", True),
        ("claude-sonnet-4-5-turbo", False),
        ("claude-sonnet-4-55", False),
        ("nothing", False),
    ],
)
def test_dated_names_are_found_by_the_name_they_extend_and_others_are_not(model: str, found: bool) -> None:
    info = create(Options()).find("anthropic", model)
    assert (info is not None) == found
    if info is not None:
        assert info.id == f"anthropic/{model}"
        assert info.context == 200_000
        assert info.price is not None


@pytest.mark.parametrize("provider", ["nobody", "../data/anthropic", "", "about"])
def test_an_unknown_provider_has_no_models(provider: str) -> None:
    assert create(Options()).find(provider, "claude-sonnet-4-5") is None


def test_all_that_is_known_has_a_price_and_a_provider() -> None:
    infos = create(Options()).list()
    assert len(infos) > 500
    assert all(info.price is not None and info.price.output >= 0 and "/" in info.id for info in infos)
