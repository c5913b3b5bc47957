"""A text file as people mean it: its characters, apart from how they are stored (encoding, BOM, line ends). Pure.

`decode` and `encode` are exact inverses for every input; what is edited in between changes and nothing else does.
"""

from __future__ import annotations

import codecs
import re
from typing import Literal

import msgspec

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class TextFile(msgspec.Struct, frozen=True):
    text: str
    """With `\\n` line ends where the file has one kind throughout; bytes that are not UTF-8 as lone surrogates."""
    newline: Literal["\n", "\r\n"] = "\n"
    encoding: str = "utf-8"
    mark: bytes = b""
    """The byte order mark the file begins with."""


def decode(data: bytes) -> TextFile:
    """Read bytes as text. Never fails; see `binary` for what should not be read so."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    body = data[len(mark) :]
    try:
        text = body.decode(encoding, "strict" if mark and encoding != "utf-8" else "surrogateescape")
        if text.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict") != body:
            raise UnicodeError
    except UnicodeError:  # a mark, and then something else: bytes as they are
        mark, encoding, text = b"", "utf-8", data.decode("utf-8", "surrogateescape")
    if "\r\n" in text and text.count("\n") == text.count("\r\n"):
        plain = text.replace("\r\n", "\n")
        if "\r" not in plain:
            return TextFile(plain, "\r\n", encoding, mark)
    return TextFile(text, "\n", encoding, mark)


def encode(file: TextFile) -> bytes:
    """The bytes of it. Line ends in `text` that are already `\\r\\n` stay so."""
    text = file.text
    if file.newline == "\r\n":
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return file.mark + text.encode(file.encoding, "surrogateescape" if file.encoding == "utf-8" else "surrogatepass")


def rewritten(old: bytes, text: str) -> bytes:
    """New content for a file that held `old`, stored the way it was: encoding, mark, line ends."""
    was = decode(old)
    return encode(msgspec.structs.replace(was, text=text.removeprefix("\ufeff") if was.mark else text))


def binary(data: bytes) -> bool:
    """Whether the beginning of a file looks like something else than text."""
    if any(data.startswith(mark) for mark, _ in _MARKS[1:]):
        return False
    sample = data[:8192]
    if b"\0" in sample:
        return True
    odd = sum(sample.count(bytes([number])) for number in (*range(1, 7), *range(14, 27), 28, 29, 30, 31))
    return odd * 20 > len(sample)


def shown(text: str) -> str:
    """Text that can be encoded: bytes that were no UTF-8 as `\\xNN`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode().replace("\\udc", "\\x")


_UNSEEN = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"


def shown_name(path: str) -> str:
    """A path on one line, as it is: a line feed, an escape sequence or a mark that turns text round in somebody's file
    name is written as `\\n`, `\\x1b`, `\\u202e`, so that one name is never read as two, nor as another."""
    if path.isascii() and path.isprintable():
        return path
    return re.sub(_UNSEEN, lambda found: found[0].encode("unicode_escape").decode(), shown(path))
