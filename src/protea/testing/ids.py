"""Names that are the same in every run."""

from __future__ import annotations


class FakeIds:
    """Sessions `20261121-040506-0001`, `…-0002`; `p_1`, `p_2`, each kind counted for itself."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def session(self) -> str:
        return f"20261121-040506-{self._next('session'):04d}"

    def short(self, kind: str) -> str:
        return f"{kind}_{self._next(kind)}"

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]
