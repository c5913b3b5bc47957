"""There are none."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.template import Template


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoTemplates:
    problems: Sequence[str] = ()

    def load(self) -> Sequence[Template]:
        return ()


def create(options: Options) -> NoTemplates:
    return NoTemplates()
