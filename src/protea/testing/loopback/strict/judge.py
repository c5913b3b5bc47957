"""Every rule of a wire over one request, and the rules all wires share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import Ledger

if TYPE_CHECKING:
    from protea.testing.loopback.routes import Asked, Route


def refusal(
    route: Route, asked: Asked, headers: dict[str, str], body: bytes, ledger: Ledger, models: tuple[str, ...]
) -> Trouble | None:
    """What the real API would refuse the request with; None where it would not."""
    return None
