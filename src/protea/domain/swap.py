"""Changing who the agent is while it runs: when it is safe, and what it will cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from protea.domain.usage import Price

SwapClass = Literal["hot", "warm", "cold"]
"""`hot`: between two requests of a turn. `warm`: the same, with a short pause. `cold`: between two turns."""

_ORDER: tuple[SwapClass, ...] = ("hot", "warm", "cold")


class PortChange(msgspec.Struct, frozen=True):
    port: str
    before: str
    """An adapter's name; the same as `after` where only its options change."""
    after: str
    swap_class: SwapClass


class SwapPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a swap would bring about."""

    profile: str
    identity: str
    """What later events would carry."""
    swap_class: SwapClass
    """That of the port that has to wait longest."""
    changes: tuple[PortChange, ...] = ()
    model: str
    """In force afterwards."""
    mode: str
    tools_added: tuple[str, ...] = ()
    tools_removed: tuple[str, ...] = ()
    cached_tokens_lost: int = 0
    """Tokens the provider has cached of this conversation and would read anew."""
    cost_usd: float | None = None
    """What reading them anew costs more than reading them from the cache; None where no price is known."""
    waits_for: tuple[str, ...] = ()
    """Tools whose calls run now and end before it takes hold; `turn` where it waits for the whole turn."""
    warnings: tuple[str, ...] = ()
    """What would be lost, in words for a person."""


def strictest(classes: Iterable[str]) -> SwapClass:
    """The class of a change of several ports: all of them are exchanged where the last of them may be."""
    found = set(classes)
    return next((each for each in reversed(_ORDER) if each in found), "hot")


def changes(
    before: Mapping[str, tuple[str, object]], after: Mapping[str, tuple[str, object]], classes: Mapping[str, str]
) -> tuple[PortChange, ...]:
    """The ports that are filled otherwise, by another adapter or with other options."""
    ports = [*before, *(port for port in after if port not in before)]
    none = ("", None)
    return tuple(
        PortChange(port, before.get(port, none)[0], after.get(port, none)[0], strictest([classes.get(port, "hot")]))
        for port in sorted(ports)
        if before.get(port, none) != after.get(port, none)
    )


def cost_of_reading_anew(tokens: int, price: Price | None) -> float | None:
    """Dollars more than from the cache."""
    if price is None:
        return None
    cached = price.input if price.cache_read is None else price.cache_read
    return max(0.0, tokens * (price.input - cached) / 1_000_000)


def come_and_go(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what is new, what is gone), in their order."""
    added = tuple(each for each in after if each not in before)
    return added, tuple(each for each in before if each not in after)
