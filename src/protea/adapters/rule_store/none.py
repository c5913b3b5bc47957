"""Keeps no rules: `always` lasts as long as the session. For agents in other programs and for locked-down machines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoRuleStore:
    def allow(self, rules: Sequence[str]) -> str:
        return "this session only"


def create(options: Options) -> NoRuleStore:
    return NoRuleStore()
