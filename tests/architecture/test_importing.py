"""Importing does nothing, and starting loads little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, Files, plant

SRC = ROOT / "src"


def what_importing_does(src: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-I", Path(__file__).with_name("probe.py"), src], capture_output=True, text=True, timeout=60
    )
    told = json.loads(done.stdout.splitlines()[-1])
    found: list[str] = told["found"]
    if len(done.stdout.splitlines()) > 1 or done.stderr:
        found.append(f"something is printed: {done.stdout[:200]}{done.stderr[:200]}")
    return found


def test_importing_any_module_does_nothing() -> None:
    assert what_importing_does(SRC) == []


@pytest.mark.parametrize(
    "text",
    [
        "open('/etc/hostname').read()",
        "import os; os.mkdir('made')",
        "import os; x = os.environ.get('HOME')",
        "import os; x = os.getenv('HOME')",
        "import os; x = os.environ['PATH']",
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import subprocess; subprocess.run(['true'])",
        "import socket; socket.socket()",
        "import signal; signal.signal(signal.SIGTERM, lambda *_: None)",
        "import sys; sys.path.append('x')",
        "import logging; logging.basicConfig()",
        "print('welcome')",
        "raise RuntimeError('no')",
        "import sqlite3; sqlite3.connect(':memory:')",
    ],
)
def test_what_importing_does_is_noticed(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plant(tmp_path, {"domain/a.py": text})
    assert what_importing_does(tmp_path)


# ── what a start loads ─────────────────────────────────────────────────────────────────────────────────────────────

REPORT = """
import sys
sys.path.insert(0, {src!r})
before = set(sys.modules)
try:
    from protea.cli import main
    sys.exit(main({words!r}))
finally:
    with open({told!r}, "w") as file:
        file.write("\\n".join(sorted(set(sys.modules) - before)))
"""


def modules_of(src: Path, tmp_path: Path, *words: str) -> set[str]:
    """The modules that running `protea WORDS` adds to those of the bare interpreter."""
    told = tmp_path / "modules"
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-I", "-c", REPORT.format(src=str(src), words=list(words), told=str(told))],
        cwd=project,
        env={"HOME": str(tmp_path), "PROTEA_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(told.read_text().splitlines())


def strangers(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] not in ("protea", "__future__")}


TOO_HEAVY = {
    "argparse", "dataclasses", "difflib", "email", "http.client", "importlib.metadata", "inspect", "json", "jsonschema",
    "pathlib", "pydoc", "readline", "rich", "shutil", "sqlite3", "subprocess", "tempfile", "textual",
    "typing_extensions", "unittest", "urllib.request", "uuid", "xml", "zipfile",
}  # fmt: skip
"""Each costs more than it gives a run that says hello; whoever needs one imports it where it is needed."""
MOST_MODULES = 163
"""Of our own in a run that says hello. Each costs a sixth of a millisecond whatever is in it, and together they are a
third of such a run: before one more is loaded by everybody, another is loaded later."""
ASYNCIO = {"concurrent.futures", "logging"}
"""What asyncio loads anyway, and those who do without it should not."""


def test_the_version_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    assert strangers(modules_of(SRC, tmp_path, "--version")) == set()


def test_help_needs_nothing_but_words(tmp_path: Path) -> None:
    assert (
        strangers(modules_of(SRC, tmp_path, "--help")) & {"asyncio", "enum", "msgspec", "re", *TOO_HEAVY, *ASYNCIO}
        == set()
    )


def test_a_mistyped_flag_is_told_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    code = REPORT.format(src=str(SRC), words=["--modle", "x"], told=str(tmp_path / "m"))
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 1
    assert not {"asyncio", "msgspec", *TOO_HEAVY, *ASYNCIO} & set((tmp_path / "m").read_text().splitlines())


def loaded_by(*names: str) -> set[str]:
    code = f"import sys, {', '.join(names)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_a_headless_hello_loads_nothing_it_does_not_use(tmp_path: Path) -> None:
    modules = modules_of(SRC, tmp_path, "-p", "hello")
    # msgspec would have it, and is loaded without (see `cli._load_values`).
    unavoidable = loaded_by("asyncio", "msgspec", "msgspec.json", "msgspec.structs") - {"typing_extensions"}
    assert sorted(modules & TOO_HEAVY - unavoidable) == []
    assert "protea.application.turn" in modules, "the run did not get as far as a turn"
    own = sorted(name for name in modules if name.startswith("protea"))
    assert len(own) <= MOST_MODULES, "\n".join(own)


def test_a_headless_hello_opens_only_the_adapters_it_uses(tmp_path: Path) -> None:
    wires = {"anthropic", "openai_chat", "openai_responses", "gemini", "ollama"}
    modules = modules_of(SRC, tmp_path, "-p", "hello")
    assert {name for name in modules if name.startswith("protea.adapters.models.")} & {
        f"protea.adapters.models.{wire}" for wire in wires
    } == set()
    assert {
        name for name in modules if name.startswith(("protea.testing", "protea.sdk", "protea.interfaces.repl"))
    } == set()


def test_what_few_runs_need_is_not_loaded_by_all(tmp_path: Path) -> None:
    own = {name for name in modules_of(SRC, tmp_path, "-p", "--allow", "Bash(true)", "run `true`") if "protea" in name}
    assert "protea.adapters.tools.bash" in own, "the run did not get as far as the command"
    unused = {"adapters.search.none", "application.delegation", "application.planning", "application.tasks"}
    assert {f"protea.{name}" for name in unused} & own == set()


def test_the_first_frame_loads_nothing_but_what_it_draws_with() -> None:
    code = f"import sys; sys.path.insert(0, {str(SRC)!r}); before = set(sys.modules); import protea.boot; " + (
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert strangers(set(done.stdout.split())) <= {"_thread", "select", "termios"}


def test_the_screen_stands_before_what_draws_answers_and_files_is_loaded() -> None:
    modules = loaded_by("protea.interfaces.tui.run")
    assert "protea.interfaces.tui.transcript.widget" in modules
    assert modules & {"markdown_it", "pygments", "rich.syntax", "rich.markdown", "sqlite3", "http.client"} == set()


def test_importing_protea_loads_protea_alone() -> None:
    code = f"import sys; sys.path.insert(0, {str(SRC)!r}); before = set(sys.modules); import protea; " + (
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["__future__", "protea"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"cli.py": "import argparse\ndef main(words): return 0"}, ("--version",)),
        ({"cli.py": "def main(words):\n    import json\n    return 0"}, ("--help",)),
    ],
)
def test_what_a_start_loads_is_noticed(files: Files, words: tuple[str, ...], tmp_path: Path) -> None:
    plant(tmp_path, files)
    assert strangers(modules_of(tmp_path, tmp_path, *words)) & TOO_HEAVY
