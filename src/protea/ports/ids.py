"""The port that makes names nobody has used."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    def session(self) -> str:
        """Sorts by time, is safe as a folder name, can be typed."""
        ...

    def short(self, kind: str) -> str:
        """Unique within a session: `p_…`, `t_…`, `a_…`."""
        ...
