"""What replies cost."""

from __future__ import annotations

import pytest

from protea.domain.usage import Price, Usage, cost

WITH_CACHE = Price(input=3.0, output=15.0, cache_read=0.3, cache_write=3.75)
PLAIN = Price(input=3.0, output=15.0)
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("usage", "price", "dollars"),
    [
        (Usage(input=MILLION, output=MILLION), WITH_CACHE, 18.0),
        (Usage(input=MILLION, cache_read=MILLION), WITH_CACHE, 0.3),
        (Usage(input=MILLION, cache_write=MILLION), WITH_CACHE, 3.75),
        (Usage(input=MILLION, cache_read=600_000, cache_write=300_000), WITH_CACHE, 0.3 + 0.18 + 1.125),
        (Usage(input=MILLION, cache_read=600_000, cache_write=300_000), PLAIN, 3.0),
        (Usage(output=MILLION, reasoning=900_000), WITH_CACHE, 15.0),
        (Usage(input=0, cache_read=MILLION), WITH_CACHE, 0.3),
        (Usage(input=MILLION, cache_read=MILLION), Price(input=3.0, output=15.0, cache_read=0.0), 0.0),
    ],
    ids=[
        "no cache",
        "all of it read from a cache",
        "all of it put into one",
        "some of each",
        "a cache without a price of its own",
        "thinking is part of the answer",
        "a provider that does not count what was cached",
        "a cache that costs nothing",
    ],
)
def test_each_token_is_paid_for_once(usage: Usage, price: Price, dollars: float) -> None:
    assert cost(usage, price) == pytest.approx(dollars)
