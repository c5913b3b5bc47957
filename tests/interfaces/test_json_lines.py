"""Lines for machines."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.commands import AnyCommand, Interrupt
from protea.domain.errors import UsageError
from protea.interfaces.json_lines import json_line, read_command


@given(st.text())
def test_a_line_is_one_line_for_every_reader(text: str) -> None:
    line = json_line({"text": text})
    assert line.decode("utf-8").splitlines() == [line.decode("utf-8")[:-1]]
    assert json.loads(line) == {"text": text}


def test_half_characters_become_a_mark() -> None:
    assert json.loads(json_line({"text": "a\ud800b"})) == {"text": "a\ufffd\ufffd\ufffdb"}


def test_a_line_that_begins_with_a_byte_order_mark_is_read() -> None:
    assert isinstance(read_command(b'\xef\xbb\xbf{"type":"interrupt"}'), Interrupt)


def test_a_command_nobody_knows_is_told_all_there_are() -> None:
    with pytest.raises(UsageError) as told:
        read_command(b'{"type":"frob"}')
    tags = [str(each.__struct_config__.tag) for each in get_args(AnyCommand)]
    assert str(told.value).endswith("commands are " + ", ".join(tags))
