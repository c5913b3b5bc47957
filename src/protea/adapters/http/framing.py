"""HTTP/1.1 as bytes: heads written and read, bodies cut out of what follows them (RFC 9112). Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import msgspec

from protea.adapters.http.errors import HttpError

MAX_HEAD = 64 * 1024
_MAX_SIZE_LINE = 4096
_HEX = b"0123456789abcdefABCDEF"
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Head(msgspec.Struct, frozen=True):
    status: int
    reason: str
    headers: dict[str, str]
    """Names in small letters; the values of a repeated name joined with `, `."""
    keep_alive: bool


def encode_head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """A request's head. Refuses what would let a value break out of its line."""
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers.items():
        if not name or not _TOKEN.issuperset(name):
            raise HttpError("invalid_request", f"{name!r} cannot be the name of a header")
        text = value.strip()
        if "\n" in text or "\r" in text or "\0" in text:
            raise HttpError("invalid_request", f"the value of the header {name} holds a line break; remove it")
        lines.append(f"{name}: {text}")
    try:
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    except UnicodeEncodeError as exc:
        raise HttpError(
            "invalid_request", "a header (perhaps the key) holds a character that cannot be sent; was it pasted whole?"
        ) from exc


def find_head_end(data: bytes) -> int:
    """Where the body begins in `data`, or -1 while the head is not whole."""
    end, bare = data.find(b"\r\n\r\n"), data.find(b"\n\n")
    if end < 0:
        return -1 if bare < 0 else bare + 2
    return end + 4 if bare < 0 or end < bare else bare + 2


def parse_head(data: bytes) -> Head:
    """The head in `data`, which ends with its empty line."""
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")
    version, _, rest = lines[0].partition(" ")
    code, _, reason = rest.strip().partition(" ")
    if not version.startswith("HTTP/1.") or len(code) != 3 or not code.isdigit():
        raise HttpError("malformed", f"what answers does not speak HTTP: its first line is {lines[0][:80]!r}")
    headers: dict[str, str] = {}
    name = ""
    for line in lines[1:]:
        if not line:
            continue
        if line[0] in " \t" and name:  # obsolete folding: the value goes on
            headers[name] += " " + line.strip()
            continue
        label, mark, value = line.partition(":")
        name = label.strip().lower()
        if not mark or not name:
            raise HttpError("malformed", f"the answer has a header line without a colon: {line[:80]!r}")
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    wishes = headers.get("connection", "").lower()
    keep = "close" not in wishes and (version != "HTTP/1.0" or "keep-alive" in wishes)
    return Head(int(code), reason.strip(), headers, keep)


class Body(ABC):
    """How a body's end is told. `feed` gives the payload in what came; after `done`, `rest` is what lies behind it."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""

    @abstractmethod
    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> None:
        """The connection ended. Raises HttpError if the body had not."""
        if not self.done:
            raise HttpError("truncated", "the connection ended before the answer did")


class Sized(Body):
    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size
        self.done = size == 0

    def feed(self, data: bytes) -> bytes:
        if len(data) < self._left:
            self._left -= len(data)
            return data
        payload, self.rest = data[: self._left], data[self._left :]
        self._left, self.done = 0, True
        return payload


class UntilClose(Body):
    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.done = True


class Chunked(Body):
    """Framing that goes wrong in mid-answer was garbled on the way: the same request may come through."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._after_chunk = False
        self._trailer = False
        self._pending = b""

    def feed(self, data: bytes) -> bytes:
        if self._pending:
            data, self._pending = self._pending + data, b""
        out: list[bytes] = []
        at, size = 0, len(data)
        while not self.done:
            if self._left:
                piece = data[at : at + self._left]
                if not piece:
                    break
                out.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._after_chunk = not self._left
                continue
            end = data.find(b"\n", at)
            if end < 0:
                if size - at > _MAX_SIZE_LINE:
                    raise HttpError(
                        "malformed",
                        "the answer's chunks cannot be told apart (a size line without end)",
                        retryable=True,
                    )
                self._pending = data[at:]
                break
            line, at = data[at:end].rstrip(b"\r"), end + 1
            if self._after_chunk:
                if line:
                    raise HttpError("malformed", "a chunk of the answer is longer than it says", retryable=True)
                self._after_chunk = False
            elif self._trailer:
                if not line:
                    self.done, self.rest = True, data[at:]
            else:
                self._left = _chunk_size(line)
                self._trailer = not self._left
        return out[0] if len(out) == 1 else b"".join(out)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or digits.translate(None, _HEX):
        raise HttpError(
            "malformed", f"the answer's chunks cannot be told apart: {line[:40]!r} is no size", retryable=True
        )
    return int(digits, 16)


def body_of(head: Head, method: str) -> Body:
    """How the body behind `head` ends (RFC 9112, section 6.3)."""
    if method == "HEAD" or head.status in (204, 304):
        return Sized(0)
    coding = head.headers.get("transfer-encoding", "").lower()
    if coding:
        if coding.rpartition(",")[2].strip() != "chunked":
            return UntilClose()
        return Chunked()
    length = head.headers.get("content-length")
    if length is None:
        return UntilClose()
    sizes = {part.strip() for part in length.split(",")}
    size = sizes.pop()
    if sizes or not (size.isascii() and size.isdigit()) or len(size) > 18:
        raise HttpError("malformed", f"the answer has no usable length: {length[:40]!r}")
    return Sized(int(size))
