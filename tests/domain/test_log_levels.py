from __future__ import annotations

import pytest

from protea.domain.log_levels import levels


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debug", {"": 10}),
        ("", {"": 30}),
        ("providers=debug,mcp=info", {"": 30, "providers": 10, "mcp": 20}),
        (" error , protea.mcp = DEBUG ,", {"": 40, "mcp": 10}),
        ("off", {"": 60}),
    ],
)
def test_levels_are_read_by_area(text: str, expected: dict[str, int]) -> None:
    assert levels(text) == expected


@pytest.mark.parametrize("text", ["loud", "mcp=", "=debug", "mcp=loud", "debug info"])
def test_what_is_no_level_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is not a log level: use debug, info"):
        levels(text)
