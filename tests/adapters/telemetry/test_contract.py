"""Each telemetry through the contract of its port, and the lines of the one that writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.telemetry import log, none
from protea.domain.surroundings import Surroundings
from protea.ports.telemetry import Telemetry
from protea.testing.clock import FakeClock
from protea.testing.contracts.telemetry import TelemetryContract


class TestNoTelemetry(TelemetryContract):
    def telemetry(self) -> Telemetry:
        return none.create(none.Options())


class TestLogTelemetry(TelemetryContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._path = tmp_path

    def telemetry(self) -> Telemetry:
        return logged(self._path, FakeClock())


def logged(home: Path, clock: FakeClock, **options: Any) -> log.LogTelemetry:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    return log.create(log.Options(**options), clock=clock, surroundings=around)


def lines(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "logs/telemetry.jsonl").read_text().splitlines()]


def test_a_span_is_a_line_when_it_ends(tmp_path: Path) -> None:
    clock = FakeClock()
    telemetry = logged(tmp_path, clock)
    turn = telemetry.begin("turn", model="a/b")
    clock.advance(1.5)
    call = telemetry.begin("call", turn, tool="Bash")
    clock.advance(0.25)
    call.end("error", lines=3)
    turn.end()
    turn.end("again")
    telemetry.count("calls", 2)
    first, second, third = lines(tmp_path)
    assert (first["span"], first["seconds"], first["failed"]) == ("call", 0.25, "error")
    assert first["attributes"] == {"tool": "Bash", "lines": 3}
    assert (second["span"], second["seconds"], second["id"]) == ("turn", 1.75, first["within"])
    assert "failed" not in second
    assert (third["counter"], third["add"]) == ("calls", 2)


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    logged(tmp_path, FakeClock()).count("calls")
    assert (tmp_path / "logs/telemetry.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_file_that_has_grown_is_set_aside(tmp_path: Path) -> None:
    telemetry = logged(tmp_path, FakeClock(), most_bytes=4096)
    for number in range(200):
        telemetry.count("calls", number)
    kept = sum(path.stat().st_size for path in (tmp_path / "logs").iterdir())
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {"telemetry.jsonl", "telemetry.jsonl.1"}
    assert kept < 9000


def test_a_folder_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    logged(tmp_path, FakeClock()).begin("turn").end()
    assert (tmp_path / "logs").read_text() == "a file"
