from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from protea.adapters.logs import rotating
from protea.domain.log_levels import levels


@pytest.fixture(autouse=True)
def _no_log_left() -> Iterator[None]:
    yield
    rotating.remove()


def lines(folder: Path) -> list[str]:
    return (folder / "protea.log").read_text().splitlines()


def test_nothing_is_made_before_something_is_logged(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    rotating.install(str(folder), levels("info"))
    logging.getLogger("protea.mcp").debug("too quiet")
    assert not folder.exists()
    logging.getLogger("protea.mcp").info("loud %s", "enough")
    (line,) = lines(folder)
    assert line.endswith(f"Z {os.getpid()} info    mcp: loud enough")
    assert (folder / "protea.log").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_each_area_has_its_level(tmp_path: Path) -> None:
    rotating.install(str(tmp_path), levels("providers=debug,mcp=error"))
    for area in ("providers.anthropic", "mcp", "tools"):
        for level in (logging.DEBUG, logging.WARNING, logging.ERROR):
            logging.getLogger(f"protea.{area}").log(level, "said")
    assert [line.split()[2:4] for line in lines(tmp_path)] == [
        ["debug", "providers.anthropic:"],
        ["warning", "providers.anthropic:"],
        ["error", "providers.anthropic:"],
        ["error", "mcp:"],
        ["warning", "tools:"],
        ["error", "tools:"],
    ]


def test_secrets_are_hidden_in_messages_and_tracebacks(tmp_path: Path) -> None:
    rotating.install(str(tmp_path), levels("info"), ["hunter22"])
    key = "sk-ant-" + "a1b2" * 6
    try:
        raise RuntimeError(f"sent Authorization: Bearer {key}")
    except RuntimeError:
        logging.getLogger("protea.providers").exception("with %s", "hunter22")
    text = (tmp_path / "protea.log").read_text()
    assert "hunter22" not in text
    assert key not in text
    assert text.count("[hidden]") == 2
    assert "RuntimeError" in text


def test_a_record_cannot_pass_for_another(tmp_path: Path) -> None:
    rotating.install(str(tmp_path), levels("info"))
    logging.getLogger("protea").info("one\n2026-01-01T00:00:00.000Z 1 error   protea: forged\r")
    first, second = lines(tmp_path)
    assert first.endswith("one")
    assert second.startswith("    2026")


def test_a_full_file_is_put_aside_and_five_are_kept(tmp_path: Path) -> None:
    log = rotating.RotatingLog(str(tmp_path), size=1000)
    record = logging.LogRecord("protea", logging.INFO, "", 0, "x" * 300, None, None)
    for _ in range(30):
        log.emit(record)
    log.close()
    names = sorted(os.listdir(tmp_path))
    assert names == ["protea.log", *(f"protea.log.{number}" for number in range(1, 5))]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in names)


def test_a_new_day_begins_a_new_file(tmp_path: Path) -> None:
    day = ["2026-11-21"]
    log = rotating.RotatingLog(str(tmp_path), today=lambda: day[0])
    record = logging.LogRecord("protea", logging.INFO, "", 0, "said", None, None)
    log.emit(record)
    os.utime(tmp_path / "protea.log", (1795233906, 1795233906))  # 2026-11-21
    log.emit(record)
    os.utime(tmp_path / "protea.log", (1795233906, 1795233906))
    day[0] = "2026-11-22"
    log.emit(record)
    log.close()
    assert len(lines(tmp_path)) == 1
    assert len((tmp_path / "protea.log.1").read_text().splitlines()) == 2


def test_a_log_that_cannot_be_written_disturbs_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    rotating.install(str(tmp_path / "file" / "logs"), levels("debug"))
    logging.getLogger("protea").error("nobody hears")
    assert capfd.readouterr() == ("", "")


def test_processes_that_share_the_folder_lose_no_record(tmp_path: Path) -> None:
    code = (
        "import logging, sys\n"
        "from protea.adapters.logs.rotating import RotatingLog\n"
        f"log = RotatingLog({str(tmp_path)!r}, size=40_000)\n"
        "for n in range(200):\n"
        "    log.emit(logging.LogRecord('protea', 20, '', 0, f'{sys.argv[1]} {n} ' + 'x' * 100, None, None))\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "abcd"]
    assert [process.wait(60) for process in running] == [0] * 4
    text = "".join((tmp_path / name).read_text() for name in os.listdir(tmp_path))
    assert len(text.splitlines()) == 800
    assert len({tuple(line.split()[4:6]) for line in text.splitlines()}) == 800


def test_structured_lines_are_objects_without_secrets(tmp_path: Path) -> None:
    rotating.install(str(tmp_path), levels("info"), ["hunter22"], structured=True)
    log = logging.getLogger("protea.providers")
    log.info('with hunter22, "quotes", api_key="abcdefgh1234"\nand \udcff')
    try:
        raise RuntimeError("sent hunter22")
    except RuntimeError:
        log.exception("failed")
    first, second = (json.loads(line) for line in lines(tmp_path))
    assert first["text"] == 'with [hidden], "quotes", api_key="[hidden]"\nand ?'
    assert (first["level"], first["area"], first["process"]) == ("info", "providers", os.getpid())
    assert first["at"].endswith("Z")
    assert "trace" not in first
    assert "sent [hidden]" in second["trace"]
    assert "hunter22" not in (tmp_path / "protea.log").read_text()
