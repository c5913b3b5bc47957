"""The audit log as values: what was decided and what was run, each record chained to the one before by a hash.

A record's `hash` is over its line without that field, and `before` is the hash of the record in front of it: nothing
can be changed, left out or put in between without breaking the chain behind it. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from protea.domain.event_codec import to_json
from protea.domain.permission import TraceStep

Kind = Literal["decision", "answer", "execution"]

BEGINNING = ""
"""What stands in `before` of the first record there is."""
MOST_TEXT = 4096
"""Characters of an argument that are kept; of longer ones a digest of the whole stands behind the cut."""


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line."""

    seq: int = 0
    """From 1, without gaps, over all files. Filled in, like `before` and `hash`, by who writes it."""
    at: str
    """RFC 3339, UTC."""
    kind: Kind
    """`decision`: what the rules said. `answer`: what a person, or nobody, said. `execution`: it is about to run."""
    session: str
    call: str
    tool: str
    arguments: dict[str, Any] = {}
    cwd: str = ""
    root: str = ""
    mode: str = ""
    trusted: bool = True
    interactive: bool = True
    verdict: str = ""
    """allow, ask, deny; of an answer once, session, always, deny."""
    why: str = ""
    rule: str | None = None
    source: str | None = None
    by: str = ""
    """Who answered."""
    rules: tuple[str, ...] = ()
    """The rules an answer saved."""
    trace: tuple[TraceStep, ...] = ()
    effects: tuple[str, ...] = ()
    """What the call brings about, as far as that could be told."""
    before: str = BEGINNING
    hash: str = ""


class Break(msgspec.Struct, frozen=True):
    """Where the chain does not hold."""

    file: str
    line: int
    why: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a look through all files found."""

    records: int
    files: tuple[str, ...]
    broken: tuple[Break, ...] = ()
    last: str = BEGINNING
    """The hash of the last record. Who notes it elsewhere can tell later that nothing before it was taken away."""


def shortened(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as they are kept: long texts cut, with a digest of the whole."""
    return {name: _short(value) for name, value in arguments.items()}


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_TEXT:
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{value[:MOST_TEXT]}… [{len(value)} characters, sha256 {digest}]"
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    return value


def chained(record: AuditRecord, seq: int, before: str) -> tuple[bytes, str]:
    """The record's line, with its end, and its hash."""
    bare = replace(record, seq=seq, before=before, hash="")
    digest = hashlib.sha256(to_json(bare)).hexdigest()
    return to_json(replace(bare, hash=digest)) + b"\n", digest


def verify(files: Iterable[tuple[str, Iterable[bytes]]]) -> Verified:
    """Look through the lines of all files, the oldest first. A chain that does not hold is taken up again behind the
    place, so that every break is found."""
    count, expected, before, first = 0, 1, BEGINNING, True
    names: list[str] = []
    broken: list[Break] = []
    for name, lines in files:
        names.append(name)
        for number, line in enumerate(lines, 1):
            record = read(line)
            if record is None:
                broken.append(Break(name, number, "this line is no record"))
                continue
            count += 1
            why = _fault(record, line, expected, before, first=first)
            if why:
                broken.append(Break(name, number, why))
            expected, before, first = record.seq + 1, record.hash, False
    return Verified(records=count, files=tuple(names), broken=tuple(broken), last=before)


def _fault(record: AuditRecord, line: bytes, expected: int, before: str, *, first: bool) -> str:
    if chained(record, record.seq, record.before) != (line.rstrip(b"\n") + b"\n", record.hash):
        return "this record was changed: its hash does not fit it"
    if first and record.seq != 1:
        return f"records 1 to {record.seq - 1} are missing"
    if record.seq > expected:
        return f"records {expected} to {record.seq - 1} are missing before this one"
    if record.seq < expected:
        return f"record {record.seq} stands behind record {expected - 1}"
    return "" if record.before == before else "it does not follow the record before it"


def read(line: bytes) -> AuditRecord | None:
    """The record of a line; None where it is none."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return None


def records(lines: Iterable[bytes]) -> Iterator[AuditRecord]:
    """Those that can be read."""
    for line in lines:
        record = read(line)
        if record is not None:
            yield record


_decoder = msgspec.json.Decoder(AuditRecord)
