"""How notes are found again: rankings that become one, and what is long past counts less. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

K = 60
"""Of reciprocal rank fusion, as it was published: how much the first places stand out."""


def fuse(rankings: Iterable[Sequence[str]]) -> dict[str, float]:
    """Several rankings of ids as one: the reciprocals of the places, added up. What stands in more of them, and higher,
    wins; no ranking's own scores are compared with another's."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, id in enumerate(ranking, 1):
            scores[id] = scores.get(id, 0.0) + 1 / (K + place)
    return scores


def decayed(score: float, at: str, now: str, half_life: float) -> float:
    """The score of something from `at` (RFC 3339), halved every `half_life` days; 0 is for ever. Never less than a
    quarter: old is not untrue."""
    if half_life <= 0:
        return score
    try:
        days = (datetime.fromisoformat(now) - datetime.fromisoformat(at)).total_seconds() / 86_400
    except (ValueError, TypeError):
        return score
    share: float = 0.5 ** (max(0.0, days) / half_life)
    return score * max(0.25, share)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))
