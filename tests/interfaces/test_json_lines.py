"""Lines for machines."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from protea.interfaces.json_lines import json_line


@given(st.text())
def test_a_line_is_one_line_for_every_reader(text: str) -> None:
    line = json_line({"text": text})
    assert line.decode("utf-8").splitlines() == [line.decode("utf-8")[:-1]]
    assert json.loads(line) == {"text": text}


def test_half_characters_become_a_mark() -> None:
    assert json.loads(json_line({"text": "a\ud800b"})) == {"text": "a\ufffd\ufffd\ufffdb"}
