"""Finds tools by what they do, among hundreds: words of names and descriptions, rare ones count more. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache

from protea.domain.pattern import regex
from protea.domain.tools import ToolSpec

_WORDS = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAME, _DESCRIPTION, _ARGUMENT = 3.0, 1.0, 0.5
"""What a word weighs by where it stands."""


def search(specs: Sequence[ToolSpec], query: str, most: int = 5) -> tuple[ToolSpec, ...]:
    """The tools that fit best, the best first; one whose name is the query comes before all others.

    A word fits another that begins with it (`commit`, `commits`). Nothing where no word fits.
    """
    index = _index(tuple((spec.name, spec.description, tuple(spec.parameters.get("properties", ()))) for spec in specs))
    scores: dict[int, float] = defaultdict(float)
    for word in set(_words(query)):
        for known, places in index.items():
            if known.startswith(word) or (len(known) > 3 and word.startswith(known)):
                rarity = math.log(1 + len(specs) / len(places))
                closeness = min(len(word), len(known)) / max(len(word), len(known))
                for at, weight in places.items():
                    scores[at] += rarity * closeness * weight
    exact = query.strip().lower()
    for at, spec in enumerate(specs):
        if spec.name.lower() == exact:
            scores[at] = math.inf
    best = sorted(scores, key=lambda at: (-scores[at], specs[at].name))
    return tuple(specs[at] for at in best[:most])


@lru_cache(maxsize=8)
def _index(described: tuple[tuple[str, str, tuple[str, ...]], ...]) -> dict[str, dict[int, float]]:
    """Word → tool → how much the word tells of it."""
    index: dict[str, dict[int, float]] = defaultdict(dict)
    for at, (name, description, arguments) in enumerate(described):
        weights: Counter[str] = Counter()
        for text, weight in ((name, _NAME), (description, _DESCRIPTION), (" ".join(arguments), _ARGUMENT)):
            for word in set(_words(text)):
                weights[word] += weight  # type: ignore[assignment]  # a Counter of fractions
        for word, weight in weights.items():
            index[word][at] = weight
    return dict(index)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(text)]
