"""The shipped snapshot of windows and prices."""

from __future__ import annotations

import pytest

from protea.adapters.catalog.snapshot import Options, create
from protea.domain.providers import PROVIDERS


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


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [("mistral", "mistral-large-latest", True), ("xai", "grok-4", True), ("mistral", "mistral-huge-latest", False)],
)
def test_an_alias_is_found_by_what_it_stands_for(provider: str, model: str, found: bool) -> None:
    info = create(Options()).find(provider, model)
    assert (info is not None) == found
    if info is not None:
        assert info.id == f"{provider}/{model}"
        assert info.price is not None


def test_the_usual_model_of_each_provider_has_a_price() -> None:
    for row in PROVIDERS.values():
        if row.model is not None:
            info = create(Options()).find(row.name, row.model)
            assert info is not None, row.name
            assert info.price is not None
