"""Text apart from how it is stored: nothing changes but what was edited."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protea.domain.textfile import binary, decode, encode, rewritten, shown, shown_name


@given(st.binary())
def test_decoding_and_encoding_gives_the_same_bytes(data: bytes) -> None:
    assert encode(decode(data)) == data


@given(st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE]), st.binary())
def test_so_it_does_with_a_mark_and_anything_behind_it(mark: bytes, data: bytes) -> None:
    assert encode(decode(mark + data)) == mark + data


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"\xe9", b"\xff", b" "])).map(b"".join))
def test_so_it_does_with_mixed_line_ends(data: bytes) -> None:
    assert encode(decode(data)) == data


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-8"])
def test_a_mark_tells_the_encoding_and_stays(encoding: str) -> None:
    mark = "\ufeff".encode(encoding)
    file = decode(mark + "grün\r\nrot\r\n".encode(encoding))
    assert file.text == "grün\nrot\n"
    assert encode(replace(file, text="blau\n")) == mark + "blau\r\n".encode(encoding)


def test_bytes_that_are_not_utf8_survive_an_edit() -> None:
    file = decode(b"caf\xe9 = 1\n")
    assert encode(replace(file, text=file.text.replace("1", "2"))) == b"caf\xe9 = 2\n"
    assert shown(file.text) == "caf\\xe9 = 1\n"


def test_a_rewritten_file_keeps_its_line_ends_and_mark() -> None:
    assert rewritten(b"a\r\nb\r\n", "x\ny\n") == b"x\r\ny\r\n"
    assert rewritten(b"a\r\nb\r\n", "x\r\ny") == b"x\r\ny"
    assert rewritten(b"a\nb\n", "x\ny\n") == b"x\ny\n"
    assert rewritten(codecs.BOM_UTF8 + b"a\n", "x\n") == codecs.BOM_UTF8 + b"x\n"
    assert rewritten(codecs.BOM_UTF8 + b"a\n", "\ufeffx\n") == codecs.BOM_UTF8 + b"x\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"plain text\n", False),
        (b"\x1b[31mred\x1b[0m\n" * 9, False),
        ("Grüße, 世界\n".encode(), False),
        (b"caf\xe9\n", False),
        (b"a\0b", True),
        ("a".encode("utf-16"), False),
        (bytes(range(1, 32)) * 10, True),
    ],
)
def test_what_is_no_text_is_told_apart(data: bytes, expected: bool) -> None:
    assert binary(data) is expected


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("src/a b.py", "src/a b.py"),
        ("été/日本.py", "été/日本.py"),
        ("two\nlines", r"two\nlines"),
        ("\x1b]0;title\x07.py", r"\x1b]0;title\x07.py"),
        ("cod\u202efdp.exe", r"cod\u202efdp.exe"),
        ("bad\udcff", r"bad\xff"),
    ],
)
def test_a_name_is_one_line_and_nothing_in_it_is_obeyed(name: str, told: str) -> None:
    assert shown_name(name) == told
