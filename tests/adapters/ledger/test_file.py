"""The ledger on disk: shared by processes, private, and not to be stopped by a torn line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from protea.adapters.ledger.file import FileLedger
from protea.domain.errors import StoreError
from protea.testing.contracts.ledger import DAY, cost


def test_it_is_private_and_a_file_a_month(tmp_path: Path) -> None:
    ledger = FileLedger(str(tmp_path / "ledger"))
    ledger.record(cost(1))
    ledger.record(cost(1, day="2026-12-01"))
    files = sorted((tmp_path / "ledger").iterdir())
    assert [file.name for file in files] == ["2026-11.jsonl", "2026-12.jsonl"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "ledger").stat().st_mode & 0o777 == 0o700


def test_two_that_look_at_the_same_place_see_what_the_other_adds(tmp_path: Path) -> None:
    one, other = FileLedger(str(tmp_path)), FileLedger(str(tmp_path))
    for n in range(1, 4):
        one.record(cost(1))
        assert other.spent(DAY) == 2 * n - 1
        other.record(cost(1))
        assert one.spent(DAY) == 2 * n


def test_a_torn_line_swallows_no_other(tmp_path: Path) -> None:
    ledger = FileLedger(str(tmp_path))
    ledger.record(cost(1))
    with open(tmp_path / "2026-11.jsonl", "ab") as file:
        file.write(b'{"at":"2026-11-28T1')
    assert ledger.spent(DAY) == 1
    ledger.record(cost(2))
    assert ledger.spent(DAY) == 3
    assert FileLedger(str(tmp_path)).spent(DAY) == 3


def test_a_ledger_that_was_emptied_or_removed_begins_anew(tmp_path: Path) -> None:
    ledger = FileLedger(str(tmp_path))
    ledger.record(cost(5))
    assert ledger.spent(DAY) == 5
    (tmp_path / "2026-11.jsonl").unlink()
    assert ledger.spent(DAY) == 0
    ledger.record(cost(1))
    assert ledger.spent(DAY) == 1


def test_many_processes_lose_no_line(tmp_path: Path) -> None:
    program = (
        "import sys; from protea.adapters.ledger.file import FileLedger; "
        "from protea.testing.contracts.ledger import cost; l = FileLedger(sys.argv[1]); "
        "[l.record(cost(0.25)) for _ in range(200)]"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert FileLedger(str(tmp_path)).spent(DAY) == 150


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file")
    with pytest.raises(StoreError, match="could not be written"):
        FileLedger(str(tmp_path / "ledger")).record(cost(1))
