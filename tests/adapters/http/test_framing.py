"""Heads and bodies as bytes: whatever the cut, the payload is the same and nothing but HttpError is raised."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from protea.adapters.http._address import parse_address
from protea.adapters.http.errors import HttpError
from protea.adapters.http.framing import Body, Chunked, Sized, encode_head, find_head_end, parse_head


def fed(body: Body, data: bytes, cuts: list[int]) -> bytes:
    out, last = b"", 0
    for cut in [*sorted(c % (len(data) + 1) for c in cuts), len(data)]:
        if cut > last and not body.done:
            out += body.feed(data[last:cut])
            last = cut
    return out


@given(st.lists(st.binary(min_size=1, max_size=40)), st.lists(st.integers(0, 5000), max_size=30))
def test_chunks_give_their_payload_however_they_are_cut(chunks: list[bytes], cuts: list[int]) -> None:
    data = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    body = Chunked()
    assert fed(body, data, cuts) == b"".join(chunks)
    assert body.done
    body.end()


def cause_of(call: Callable[[], object]) -> str | None:
    """The cause of the HttpError that `call` raises; anything else it raises fails the test."""
    try:
        call()
    except HttpError as exc:
        return exc.cause
    return None


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_readers_of_heads_and_chunks(data: bytes) -> None:
    end = find_head_end(data)
    if end >= 0:
        assert cause_of(lambda: parse_head(data[:end])) in (None, "malformed")
    assert cause_of(lambda: Chunked().feed(data)) in (None, "malformed")


@given(st.text(max_size=60))
def test_no_text_upsets_the_reader_of_addresses(text: str) -> None:
    def go(url: str) -> None:
        address = parse_address(url)
        encode_head("GET", address.target, {"Host": address.authority})

    for url in (text, "http://" + text, "https://host" + text):
        assert cause_of(lambda url=url: go(url)) in (None, "invalid_request")


def test_what_follows_a_body_is_kept_apart() -> None:
    body = Sized(5)
    assert body.feed(b"helloHTTP/1.1") == b"hello"
    assert (body.done, body.rest) == (True, b"HTTP/1.1")


def test_a_repeated_header_is_one_with_both_values() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nVia: a\r\nvia: b\r\n folded\r\n\r\n")
    assert head.headers == {"via": "a, b folded"}
