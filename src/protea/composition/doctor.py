"""What there is to be looked at, as far as only the adapters know it. Called by `cli` for `protea doctor`."""

from __future__ import annotations

from collections.abc import Mapping

from protea.adapters.models.providers import PROVIDERS, address_of

EXTRAS = {"PIL": "media", "pypdf": "media"}
"""Module → the extra that brings it."""


def key_names() -> tuple[str, ...]:
    """The environment variables that may hold a provider's key."""
    return tuple(dict.fromkeys(name for row in PROVIDERS.values() for name in row.key_env))


def provider_address(name: str, environment: Mapping[str, str]) -> str:
    """Where a provider is asked; empty for those Protea does not know by name."""
    return address_of(PROVIDERS[name], environment) if name in PROVIDERS else ""
