"""Tokens, prices, money."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one reply or a sum of them. `input` and `output` count everything, cache and reasoning included."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    """Part of `input` that the provider had cached."""
    cache_write: int = 0
    """Part of `input` that the provider put in its cache."""
    reasoning: int = 0
    """Part of `output` that was thinking."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
        )


class Price(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Dollars per million tokens."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


class ModelInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a model before it is asked."""

    id: str
    """`provider/model`."""
    context: int | None = None
    """Tokens it can see, in and out together."""
    max_output: int | None = None
    price: Price | None = None
    images: bool | None = None
    """Whether it sees images; None where nobody says."""
    thinking: bool | None = None
    efforts: tuple[str, ...] = ()


def cost(usage: Usage, price: Price) -> float:
    """Dollars for `usage`; cache figures without a price of their own are billed as plain input."""
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    plain = max(0, usage.input - usage.cache_read - usage.cache_write)
    return (
        plain * price.input + usage.cache_read * read + usage.cache_write * write + usage.output * price.output
    ) / 1_000_000
