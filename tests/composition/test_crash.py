"""The report of a fault, as the command line has it written."""

from __future__ import annotations

from pathlib import Path

from protea.composition.crash import report


def test_a_report_stands_with_the_logs_and_holds_no_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {"PROTEA_HOME": str(home), "ANTHROPIC_API_KEY": "very-secret-indeed"}
    line = report(ZeroDivisionError("very-secret-indeed by nought"), ["-p", "my prompt"], environment)
    path = home / "logs" / "crash.txt"
    assert str(path) in line
    assert "ZeroDivisionError" in path.read_text()
    assert "very-secret-indeed" not in line + path.read_text()
    assert "my prompt" not in path.read_text()
