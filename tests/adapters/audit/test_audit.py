"""The audit log on the disk: chained, private, shared between processes, and honest about what was done to it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from protea.adapters.audit import none
from protea.adapters.audit.file import FileAudit, files
from protea.domain.audit import AuditRecord, Verified, shortened, verify
from protea.domain.errors import StoreError
from protea.ports.audit import Audit
from protea.testing.audit import ListAudit
from protea.testing.contracts.audit import AuditContract


class TestFile(AuditContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self._place = tmp_path / "audit"

    def audit(self) -> Audit:
        return FileAudit(str(self._place), 1 << 20)

    def lines(self) -> Sequence[bytes]:
        return [line for _, lines in files(str(self._place)) for line in lines]


class TestSmallFiles(TestFile):
    """The chain goes on from file to file."""

    def audit(self) -> Audit:
        return FileAudit(str(self._place), 300)


class TestNone(AuditContract):
    def audit(self) -> Audit:
        return none.create(none.Options())

    def lines(self) -> None:
        return None


class TestTheFake(AuditContract):
    @pytest.fixture(autouse=True)
    def _made(self) -> None:
        self._audit = ListAudit()

    def audit(self) -> Audit:
        return self._audit

    def lines(self) -> Sequence[bytes]:
        return self._audit.lines


def record(call: str) -> AuditRecord:
    return AuditRecord(at="2026-01-01T00:00:00Z", kind="execution", session="s", call=call, tool="Bash")


def whole(folder: Path) -> Verified:
    return verify(files(str(folder)))


def test_it_rotates_and_the_chain_holds_over_all_files(tmp_path: Path) -> None:
    audit = FileAudit(str(tmp_path), 1000)
    for number in range(40):
        audit.record(record(f"c{number}"))
    found = whole(tmp_path)
    assert len(found.files) > 3
    assert (found.records, found.broken) == (40, ())
    os.unlink(tmp_path / "audit-000002.jsonl")
    (broken,) = whole(tmp_path).broken
    assert "are missing before this one" in broken.why
    assert broken.file.endswith("audit-000003.jsonl")


def test_only_their_owner_reads_them(tmp_path: Path) -> None:
    FileAudit(str(tmp_path / "audit"), 1000).record(record("c"))
    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "audit").iterdir()} == {0o600}


def test_a_torn_last_line_is_left_out_and_the_chain_goes_on(tmp_path: Path) -> None:
    FileAudit(str(tmp_path), 1 << 20).record(record("c1"))
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"seq":2,"torn')
    FileAudit(str(tmp_path), 1 << 20).record(record("c2"))
    assert (whole(tmp_path).records, whole(tmp_path).broken) == (2, ())


def test_two_that_write_in_turn_hold_the_chain_with_short_records_long_ones_and_damage_between(tmp_path: Path) -> None:
    one, other = FileAudit(str(tmp_path), 1 << 20), FileAudit(str(tmp_path), 1 << 20)
    for size in (1, 5_000, 4_070, 4_096, 1):
        one.record(record("a" * size))
        other.record(record("b" * size))
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b"no record\n")
    one.record(record("c"))
    found = whole(tmp_path)
    assert found.records == 11
    assert [each.line for each in found.broken] == [11], "the line that is none, and nothing else"


def test_what_stands_behind_a_break_still_counts(tmp_path: Path) -> None:
    audit = FileAudit(str(tmp_path), 1 << 20)
    for number in range(6):
        audit.record(record(f"c{number}"))
    path = tmp_path / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1].replace(b'"c1"', b'"cX"'), b"no record\n", *lines[2:]]))
    found = whole(tmp_path)
    assert [each.line for each in found.broken] == [2, 3]
    assert found.records == 6


WRITER = """
import sys
from protea.adapters.audit.file import FileAudit
from protea.domain.audit import AuditRecord
audit = FileAudit(sys.argv[1], 4000)
for number in range(60):
    audit.record(AuditRecord(at="t", kind="execution", session=sys.argv[2], call=str(number), tool="Bash"))
"""


def test_processes_write_into_one_chain(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(number)]) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = whole(tmp_path)
    assert (found.records, found.broken) == (180, ())


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        FileAudit(str(tmp_path / "audit"), 1000).record(record("c"))


def test_long_arguments_are_kept_as_a_beginning_and_a_digest() -> None:
    kept = shortened({"path": "a", "content": "x" * 10_000, "edits": [{"new": "y" * 5000}]})
    assert kept["path"] == "a"
    assert len(kept["content"]) < 4300
    assert "[10000 characters, sha256 " in kept["content"]
    assert "[5000 characters" in kept["edits"][0]["new"]
