from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.errors import Failure
from protea.domain.event_codec import decode, decode_header, encode, encode_lines, follow
from protea.domain.events import (
    Compacted,
    LastingEvent,
    MessageCompleted,
    NoticeGiven,
    TitleChanged,
    ToolCallChanged,
    TurnFinished,
    UnknownEvent,
)
from protea.domain.messages import Native, Other, Text, Thinking, ToolCall
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.usage import Usage

WHO = {"session": "s1", "seq": 3, "at": "2026-11-21T04:05:06.789Z"}


def test_a_line_begins_with_type_session_seq_and_time() -> None:
    line = encode(TitleChanged(session="s1", seq=3, at="2026-11-21T04:05:06.789Z", title="Stars"))
    assert line == b'{"type":"title_changed","session":"s1","seq":3,"at":"2026-11-21T04:05:06.789Z","title":"Stars"}'


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
calls = st.builds(
    ToolCall, id=st.text(), name=st.text(), arguments=st.dictionaries(st.text(), json, max_size=3)
) | st.builds(ToolCall, id=st.text(), name=st.text(), arguments_text=st.text())
parts = (
    st.builds(Text, text=st.text(), signature=st.none() | st.text())
    | st.builds(Thinking, text=st.text(), signature=st.none() | st.text())
    | st.builds(Other, kind=st.text(), data=st.dictionaries(st.text(), json, max_size=3))
    | calls
)
events = (
    st.builds(
        MessageCompleted,
        model=st.text(),
        content=st.lists(parts, max_size=4).map(tuple),
        stop=st.sampled_from(["end_turn", "tool_calls", "other"]),
        usage=st.builds(Usage, input=st.integers(0, 10**9)),
        native=st.none() | st.builds(Native, wire=st.text(), content=json),
        session=st.text(),
        seq=st.integers(1, 2**53),
        at=st.text(),
    )
    | st.builds(
        ToolCallChanged,
        call=calls,
        state=st.just("success"),
        result=st.builds(ToolResult, text=st.text(), todo=st.none() | st.just((TodoItem("a"),))),
        seq=st.integers(1, 2**53),
    )
    | st.builds(
        TurnFinished,
        id=st.text(),
        outcome=st.just("error"),
        error=st.builds(Failure, st.text(), st.text()),
        seq=st.just(1),
    )
)


@given(events)
def test_an_event_comes_back_equal_and_gives_the_same_bytes(event: LastingEvent) -> None:
    line = encode(event)
    assert b"\n" not in line
    again = decode(line)
    assert again == event
    assert encode(again) == line
    header = decode_header(line)
    assert header is not None
    assert header.seq == event.seq


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"star_born","session":"s1","seq":3,"at":"x","mass":[1,2.5,null],"name":{"a":"\xc3\xa9"}}',
        b'{"type":"star_born","session":"s1","seq":3,"at":"x","identity":"coding"}',
        b'{"type":"title_changed","session":"s1","seq":3,"at":"x","title":["now","a","list"]}',
        b'{"type":"title_changed","session":"s1","seq":3,"at":"x"}',
        b'{"type":"text_delta","session":"s1","seq":3,"at":"x","text":"passing"}',
        b'{"type":"unknown_event","session":"s1","seq":3,"at":"x","name":"a","data":{"b":1}}',
        b'{"type":"star_born","session":"s1","seq":3,"at":"x","name":"x","data":123456789012345678901234567890}',
        b'{"type":"star_born","seq":3,"session":7}',
    ],
)
def test_what_this_version_cannot_read_is_written_back_as_it_was(line: bytes) -> None:
    event = decode(line)
    assert isinstance(event, UnknownEvent)
    assert event.seq == 3
    assert event.name == msgspec.json.decode(line)["type"]
    assert encode(event) == line


def test_new_fields_of_known_events_are_passed_over() -> None:
    event = decode(b'{"type":"title_changed","session":"s1","seq":3,"at":"x","title":"Stars","shade":"blue"}')
    assert event == TitleChanged(session="s1", seq=3, at="x", title="Stars")


def test_events_that_were_renamed_are_known_by_their_old_name() -> None:
    renamed = {"name_changed": "title_changed"}
    event = decode(b'{"type":"name_changed","session":"s1","seq":3,"at":"x","title":"Stars"}', renamed)
    assert event == TitleChanged(session="s1", seq=3, at="x", title="Stars")
    misfit = decode(b'{"type":"name_changed","session":"s1","seq":3,"at":"x"}', renamed)
    assert isinstance(misfit, UnknownEvent)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\0\0\0",
        b'{"type":"title_changed","seq":3',
        b'{"type":"title_changed","title":"no number"}',
        b'{"type":"title_changed","seq":0,"title":"x"}',
        b'{"type":"title_changed","seq":-1,"title":"x"}',
        b'{"type":"title_changed","seq":true,"title":"x"}',
        b'{"type":5,"seq":3}',
        b'{"type":"title_changed","seq":3,"title":"\xff"}',
        b'{"type":"star_born","seq":3,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"type":"star_born","seq":3} {"type":"star_born","seq":4}',
    ],
)
def test_a_damaged_line_is_a_value_error(line: bytes) -> None:
    assert decode_header(line) is None
    with pytest.raises(ValueError, match="not an event"):
        decode(line)


def test_half_a_character_becomes_the_mark_for_one() -> None:
    event = decode(encode(NoticeGiven(level="info", text="a\udc80\ud83d\ude00", seq=1)))
    assert isinstance(event, NoticeGiven)
    assert event.text == "a\ufffd\U0001f600"
    unknown = decode(encode(UnknownEvent(name="x", data={"\ud800": ["\udfff"]}, seq=1)))
    assert isinstance(unknown, UnknownEvent)
    assert unknown.data == {"\ufffd": ["\ufffd"]}


def test_lines_follow_only_in_whole_numbers_without_a_gap() -> None:
    made = [Compacted(upto=1, summary="\u2028\x85", seq=seq) for seq in range(5, 9)]
    lines = encode_lines(made)
    assert lines.count(b"\n") == 4
    assert follow(lines, 4) == 8
    assert follow(b"", 4) == 4
    for damaged in (
        lines.replace(b'"seq":6', b'"seq":7'),
        lines + b"\n",
        lines.replace(b'{"type"', b'{\n"type"', 1),
        lines.replace("\u2028".encode(), b"\xff", 1),
        lines[:-5],
    ):
        assert follow(damaged, 4) is None
    assert follow(lines, 3) is None
