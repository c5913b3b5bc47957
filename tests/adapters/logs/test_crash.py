from __future__ import annotations

from pathlib import Path

from protea.adapters.logs.crash import report

KEY = "sk-ant-" + "a1b2" * 6


def fault(message: str) -> Exception:
    try:
        raise LookupError(message)
    except LookupError as error:
        return error


def test_a_crash_is_told_in_a_line_and_reported_in_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    line = report(
        str(folder),
        fault(f"no star\n{KEY} hunter22"),
        version="1.2.3",
        arguments=["-p", "my private words", "--model=acme/big"],
        secrets=["hunter22"],
    )
    assert line == f"protea has a fault (LookupError: no star [hidden] [hidden]); the report is in {folder}/crash.txt"
    text = (folder / "crash.txt").read_text()
    assert (folder / "crash.txt").stat().st_mode & 0o777 == 0o600
    assert "protea 1.2.3" in text
    assert "in fault" in text
    assert "-p --model\n" in text
    for secret in (KEY, "private words", "hunter22"):
        assert secret not in text


def test_only_the_latest_report_is_kept(tmp_path: Path) -> None:
    report(str(tmp_path), fault("first"), version="1")
    report(str(tmp_path), fault("second"), version="1")
    (file,) = tmp_path.iterdir()
    assert "second" in file.read_text()
    assert "first" not in file.read_text()


def test_where_no_report_can_be_written_the_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    line = report(str(tmp_path / "logs"), fault("x"), version="1")
    assert "could not be written" in line
    assert "\n" not in line
