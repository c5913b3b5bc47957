"""Event streams and JSON lines out of bytes, however they are framed and cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.adapters.models._sse import EventReader, JsonLineReader, LineReader, LineTooLong


def events(data: bytes, size: int = 0, *, finish: bool = False) -> list[bytes]:
    reader, out = EventReader(), []
    for at in range(0, len(data), size or len(data) or 1):
        out += reader.feed(data[at : at + (size or len(data))])
    return out + (reader.finish() if finish else [])


@pytest.mark.parametrize("size", [0, 1, 2, 7])
@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a \n\n", [b" a "]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b": comment\n\n:\n\ndata: a\n\n", [b"a"]),
        (b"event: x\n\nid: 1\nretry: 10\n\ndata: a\n\n", [b"a"]),
        (b"data: a\ndata: b\ndata\ndata: c\n\n", [b"a\nb\n\nc"]),
        (b"data: a\nevent: x\nid: 1\nnonsense\n\n", [b"a"]),
        (b"data\n\ndata:\n\n", []),
        (b"data: a\n", []),
        ("data: \u2028\u2029\u0085\x1c\x0c\x0b\n\n".encode(), ["\u2028\u2029\u0085\x1c\x0c\x0b".encode()]),
        ("data: 😀\n\n".encode(), ["😀".encode()]),
        (b"", []),
    ],
)
def test_events_are_what_the_standard_says(data: bytes, wanted: list[bytes], size: int) -> None:
    assert events(data, size) == wanted


def test_the_end_gives_what_lacks_only_its_line_ends() -> None:
    assert events(b"data: a\n\ndata: b", finish=True) == [b"a", b"b"]
    assert events(b"data: a\ndata: b\n", finish=True) == [b"a\nb"]
    assert events(b"event: x\n", finish=True) == []


def test_what_is_no_field_is_kept_for_whoever_looks_for_an_error() -> None:
    reader = EventReader()
    reader.feed(b'{\n "error": {"message": "no"}\n}\n')
    reader.finish()
    assert b'"error"' in reader.stray


lines = st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), min_size=1)


@given(lines, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.integers(1, 9))
def test_lines_are_the_same_however_they_end_and_are_cut(texts: list[bytes], end: bytes, size: int) -> None:
    data = b"x" + end.join(texts) + end
    reader, out = LineReader(), []
    for at in range(0, len(data), size):
        out += reader.feed(data[at : at + size])
    assert out == [b"x" + texts[0], *texts[1:]]
    assert reader.finish() == b""


@given(st.binary(max_size=300), st.integers(1, 20))
def test_no_bytes_upset_the_readers(data: bytes, size: int) -> None:
    whole, pieces = events(data, finish=True), events(data, size, finish=True)
    assert whole == pieces


def test_a_line_without_end_is_not_collected_for_ever() -> None:
    for piece in (b"x" * 50, b"data: " + b"x" * 50 + b"\n"):
        reader = EventReader(max_line=1000)
        for _ in range(15):
            reader.feed(piece)
        with pytest.raises(LineTooLong):
            reader.feed(piece * 10)


@pytest.mark.parametrize("size", [1, 5, 100])
def test_json_lines_skip_what_is_empty_and_take_a_last_line_without_end(size: int) -> None:
    data = b'{"a":1}\n\n \r\n{"b":"\xe2\x80\xa8"}\r\n{"c":3}'
    reader, out = JsonLineReader(), []
    for at in range(0, len(data), size):
        out += reader.feed(data[at : at + size])
    assert out + reader.finish() == [b'{"a":1}', b'{"b":"\xe2\x80\xa8"}', b'{"c":3}']
