"""What many kinds of content look like: see `screens`."""

from __future__ import annotations

import pytest

from tests.interfaces.tui.transcript.screens import CONTENT, GOLDEN, WIDTHS, drawn


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CONTENT)
def test_it_looks_as_it_did(name: str, width: int) -> None:
    assert drawn(name, width) == (GOLDEN / f"{name}-{width}.txt").read_text(encoding="utf-8")
