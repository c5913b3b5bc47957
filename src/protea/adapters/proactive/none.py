"""Nothing is done unasked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.ports.proactive import Errand


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoProactive:
    def due(self) -> Sequence[Errand]:
        return ()

    def done(self, errand: Errand) -> None:
        """Nothing was to be done."""


def create(options: Options) -> NoProactive:
    return NoProactive()
