"""Rankings that become one."""

from __future__ import annotations

from protea.domain.recall import cosine, decayed, fuse


def test_what_stands_in_both_rankings_beats_what_leads_one() -> None:
    scores = fuse([["a", "b", "c"], ["d", "b", "e"]])
    assert max(scores, key=lambda id: scores[id]) == "b"
    assert scores["a"] == scores["d"] > scores["c"] == scores["e"]


def test_what_is_past_counts_half_after_its_half_life_and_never_nothing() -> None:
    now = "2026-11-21T00:00:00.000Z"
    assert decayed(1.0, "2026-11-11T00:00:00.000Z", now, 10) == 0.5
    assert decayed(1.0, "2016-11-11T00:00:00.000Z", now, 10) == 0.25
    assert decayed(1.0, "2016-11-11T00:00:00.000Z", now, 0) == 1.0
    assert decayed(1.0, "not a time", now, 10) == 1.0
    assert decayed(1.0, "2036-11-11T00:00:00.000Z", now, 10) == 1.0


def test_nearness_is_the_cosine() -> None:
    assert cosine((0.6, 0.8), (0.8, 0.6)) == 0.96
