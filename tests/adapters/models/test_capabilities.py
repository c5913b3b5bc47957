"""The tables of `docs/providers.md` are what is proven."""

from __future__ import annotations

import pytest

from tests.adapters.models import capabilities
from tests.adapters.models.capabilities import COLUMNS, PAGE, ROWS, Row, filled, proven, providers


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
async def test_what_the_page_says_of_a_provider_is_proven(row: Row) -> None:
    cells = await proven(row)
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {row.title} |")]
    assert "".join(lines).replace("||", "|").count("|") == len(COLUMNS) + len(lines) + 1
    said = [cell.strip() for line in lines for cell in line.strip("|").split("|")[1:]]
    assert said == cells, "run python -m tests.adapters.models.capabilities"


def test_the_table_of_providers_is_that_of_the_source() -> None:
    page = PAGE.read_text()
    assert filled(page, {"providers": providers()}) == page, "run python -m tests.adapters.models.capabilities"


def test_every_wire_and_dialect_is_in_the_table() -> None:
    rows = {capabilities.Bench(row, "/").api for row in ROWS}
    assert rows == set(capabilities.MODULES)
    dialects = {capabilities.PROVIDERS[row.provider].dialect or "generic" for row in ROWS}
    known = {provider.dialect or "generic" for provider in capabilities.PROVIDERS.values()}
    assert dialects == known
