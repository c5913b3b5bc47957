"""From names to adapters."""

from __future__ import annotations

import pytest

from protea.adapters.clock.system import SystemClock
from protea.composition.catalogue import CATALOGUE, DEFAULTS, SWAP_CLASSES
from protea.composition.resolve import Resolver, load
from protea.domain.errors import ConfigError


def test_what_create_names_is_made_and_handed_in() -> None:
    resolver = Resolver({"ids": ("system", {}), "clock": ("system", {})}, {})
    assert resolver.get("ids").session()
    assert isinstance(resolver.get("clock"), SystemClock)
    assert resolver.get("clock") is resolver.get("clock")


def test_options_reach_their_adapter() -> None:
    resolver = Resolver({"persona": ("minimal", {"text": "Be brief."})}, {})
    assert resolver.get("persona").system(cwd="/w", model="m", mode="normal", tools=())[0] == "Be brief."


def test_a_wrong_option_is_named_with_those_there_are() -> None:
    resolver = Resolver({"persona": ("minimal", {"txet": "x"})}, {})
    with pytest.raises(ConfigError, match=r"\[ports\.persona\] adapter minimal: .*txet.*its options are: text"):
        resolver.get("persona")


def test_an_unknown_adapter_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean coding"):
        load("persona", "codign")


def test_an_unknown_port_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="there is no port persna"):
        load("persna", "coding")


def test_a_circle_of_needs_is_told() -> None:
    resolver = Resolver({"ids": ("system", {}), "clock": ("system", {})}, {})
    resolver._making.append("clock")
    with pytest.raises(ConfigError, match="circle"):
        resolver.get("ids")


def test_every_default_is_in_the_catalogue_and_every_port_has_a_swap_class() -> None:
    assert all(name in CATALOGUE[port] for port, name in DEFAULTS.items())
    assert SWAP_CLASSES.keys() == CATALOGUE.keys()
