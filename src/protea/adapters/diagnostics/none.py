"""No language server is asked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.diagnostics import Change
from protea.domain.tools import Diagnostic
from protea.ports.diagnostics import LanguageServer


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoDiagnostics:
    async def look(self, changes: Sequence[Change]) -> Sequence[Diagnostic]:
        return ()

    def servers(self) -> Sequence[LanguageServer]:
        return ()

    async def aclose(self) -> None:
        """Nothing was started."""


def create(options: Options) -> NoDiagnostics:
    return NoDiagnostics()
