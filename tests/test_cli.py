"""The command line as a process, as far as it needs no session: mistakes, closed streams, speed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from protea._version import __version__
from protea.domain.view import Figures
from protea.interfaces.headless import result_object


def protea(
    *words: str, stdin: bytes = b"", shell: str = "", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `protea WORDS`; `shell` is what follows it on a shell's line (`>&-`)."""
    command = [sys.executable, "-m", "protea", *words]
    if shell:
        command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        timeout=60,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd or "/nonexistent"), **environment},
    )


def one_line(done: subprocess.CompletedProcess[bytes], code: int = 1) -> str:
    """What a mistake says: one line on standard error, nothing on standard output."""
    assert done.stdout == b""
    assert done.returncode == code
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("protea: ")
    return line


def test_the_version_is_told() -> None:
    done = protea("--version")
    assert (done.stdout.decode(), done.returncode) == (f"protea {__version__}\n", 0)


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["sessions", "--help"], ["-p", "--help"]])
def test_help_is_told_on_standard_output(words: list[str]) -> None:
    done = protea(*words)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"--help" in done.stdout


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["--modle", "x"], "did you mean --model?"),
        (["sessionz"], "did you mean 'sessions'?"),
        (["frobnicate"], "protea -p 'frobnicate'"),
        (["a2a", "serve"], "yet"),
        (["-p", "hi", "--max-turns", "0"], "whole number from 1"),
        (["-p", "hi", "--cwd", "/nonexistent"], "--cwd /nonexistent: No such file or directory"),
        (["-p", "hi", "--cwd", "/etc/passwd"], "not a directory"),
        (["-p", "hi", "--add-dir", "/nonexistent"], "--add-dir /nonexistent"),
        (["-p", "hi", "--json-schema", "/nonexistent"], "--json-schema /nonexistent: No such file"),
        (["-p", "hi", "--json-schema", "/etc/passwd"], "not JSON"),
        (["-p", "hi", "--json-schema", "{"], "not JSON"),
        (["-p", "hi", "--fork"], "add -c (the latest) or -r ID"),
        (["-p", "hi", "-c", "-r", "x"], "exclude one another"),
        (["-p", "hi", "-r"], "protea sessions list"),
        (["-p"], "the prompt is empty"),
        (["-p", "  "], "the prompt is empty"),
        (["--output-format", "json", "hi"], "add -p"),
        (["what", "is", "this?"], "needs a terminal"),
        ([], "needs a terminal"),
        (["--version", "extra"], "one too many"),
        (["help", "sesions"], "sesions"),
        (["completion", "zhs"], "did you mean zsh?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(words: list[str], mend: str) -> None:
    assert mend in one_line(protea(*words))


@pytest.mark.parametrize("words", [[b"--mod\xff"], [b"sess\xff"], [b"-p", b"hi", b"--cwd", b"/\xff"]])
def test_bytes_that_are_no_text_are_a_mistake_like_any_other(words: list[bytes]) -> None:
    done = subprocess.run([sys.executable, "-m", "protea", *words], stdin=subprocess.DEVNULL, capture_output=True)
    one_line(done)


def test_a_mistake_in_a_run_that_promised_json_is_a_result_too(tmp_path: Path) -> None:
    done = protea("-p", "--output-format", "json", cwd=tmp_path)
    result: dict[str, Any] = json.loads(done.stdout)
    assert (result["type"], result["outcome"], result["exit_code"]) == ("result", "error", 1)
    assert result["error"]["kind"] == "usage"
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--max-turns", "0"],
        ["--modle", "x"],
        ["--cwd", "/nonexistent"],
        ["--permission-mode", "paln"],
        ["--json-schema", "/nonexistent"],
        ["--fork"],
        ["-m", "offline/nope"],
        ["-m", "/"],
    ],
)
@pytest.mark.parametrize("form", ["json", "stream-json"])
def test_a_flag_that_cannot_be_meant_is_a_result_too_where_json_was_promised(
    words: list[str], form: str, tmp_path: Path
) -> None:
    done = protea("-p", "hi", *words, f"--output-format={form}", cwd=tmp_path)
    [line] = done.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    assert result == result_object("", Figures(), "error", 1, result["error"])
    assert done.returncode == 1
    assert done.stderr.decode() == f"protea: {result['error']['message']}\n"


def test_a_prompt_over_64_mib_is_refused_in_one_line() -> None:
    done = protea("-p", stdin=b"x" * ((64 << 20) + 1))
    assert "larger than 64 MiB" in one_line(done)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["completion", "bash"]])
def test_a_full_disk_is_one_line_and_no_traceback(words: list[str]) -> None:
    done = protea(*words, shell=">/dev/full")
    assert "No space left on device" in one_line(done, 2)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["completion", "bash"]])
def test_a_closed_standard_output_is_one_line_and_no_traceback(words: list[str]) -> None:
    assert "it is closed" in one_line(protea(*words, shell=">&-"), 2)


def test_what_is_not_read_may_be_closed(tmp_path: Path) -> None:
    done = protea("perm", "check", "Bash", '{"command":"ls"}', shell="<&-", cwd=tmp_path)
    assert (done.returncode, done.stderr, done.stdout[:6]) == (0, b"", b"allow:")
    assert one_line(protea("config", "edit", shell="<&-", cwd=tmp_path)).endswith("protea config set KEY VALUE")


@pytest.mark.parametrize(("words", "code"), [(["-p", "hi"], 1), (["perm", "check", "--batch"], 1), (["repl"], 0)])
def test_a_standard_input_that_cannot_be_read_is_one_line(words: list[str], code: int, tmp_path: Path) -> None:
    done = protea(*words, shell="0>/dev/null", cwd=tmp_path, PROTEA_MODEL="offline/grammar")
    assert (done.returncode, done.stderr) == (code, b"protea: standard input cannot be read: Bad file descriptor\n")


@pytest.mark.parametrize("adapter", ["none", "bubblewrap"])
def test_a_command_that_is_not_there_is_named(adapter: str, tmp_path: Path) -> None:
    if adapter == "bubblewrap" and not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
    done = protea("sandbox", "run", "--adapter", adapter, "--", "no-such-command", "x", cwd=tmp_path)
    assert one_line(done, 127) == "protea: no-such-command: No such file or directory"


def test_output_of_a_command_behind_walls_that_has_nowhere_to_go_is_one_line(tmp_path: Path) -> None:
    run = ("sandbox", "run", "--adapter", "none", "--", "echo", "hi")
    assert "No space left on device" in one_line(protea(*run, shell=">/dev/full", cwd=tmp_path), 2)


def test_a_headless_run_without_standard_output_does_not_begin() -> None:
    assert "standard output is closed" in one_line(protea("-p", "hi", shell=">&-"), 2)


@pytest.mark.parametrize("words", [["-V"], ["version"], ["--version"]])
def test_the_version_may_be_asked_for_in_other_words_and_anywhere(words: list[str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = in_deleted(gone, *words)
    assert (done.stdout.decode(), done.returncode) == (f"protea {__version__}\n", 0)


def test_help_may_be_asked_for_as_a_command() -> None:
    assert protea("help").stdout == protea("--help").stdout
    assert protea("help", "sessions", "list").stdout == protea("sessions", "list", "--help").stdout


@pytest.mark.parametrize("words", [["-p", "hi"], ["sessions", "list"], ["-p", "hi", "-C", "sub"]])
def test_a_directory_that_is_gone_is_said_with_the_mend(words: list[str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    assert one_line(in_deleted(gone, *words)) == "protea: the current directory no longer exists; use -C DIR"


def in_deleted(gone: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    program = "import os, sys; os.rmdir(os.getcwd()); from protea.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", program, *words], cwd=gone, capture_output=True, timeout=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("module", ["protea.interfaces.arguments", "asyncio.base_events", "msgspec._core"])
@pytest.mark.parametrize("output_format", ["text", "json", "stream-json"])
def test_an_interrupt_while_a_headless_run_is_being_loaded_is_an_interrupted_run(
    number: signal.Signals, module: str, output_format: str, tmp_path: Path
) -> None:
    program = (
        "import os, sys\n"
        "class Early:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), {number.value})\n"
        "sys.meta_path.insert(0, Early())\n"
        "from protea.cli import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, "-p", "--output-format", output_format, "hi"],
        capture_output=True,
        timeout=60,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PROTEA_MODEL": "offline/grammar"},
    )
    assert (done.returncode, done.stderr) == (4, b"protea: interrupted\n")
    if output_format == "text":
        assert done.stdout == b""
    else:
        assert json.loads(done.stdout) == result_object("", Figures(), "interrupted", 4, None)


def test_everything_closed_still_has_its_exit_code() -> None:
    assert protea("--modle", shell="<&- >&- 2>&-").returncode == 1


def test_a_reader_that_has_read_enough_is_no_failure() -> None:
    done = protea("completion", "fish", shell="| head -n 1")
    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")


def test_the_completions_of_bash_complete(tmp_path: Path) -> None:
    script = tmp_path / "protea.bash"
    script.write_bytes(protea("completion", "bash").stdout)
    typed = {
        "protea ses": "sessions",
        "protea sessions sho": "show",
        "protea sessions list --js": "--json",
        "protea --output-format js": "json",
        "protea completion z": "zsh",
        "protea -p --perm": "--permission-mode",
    }
    asked = "\n".join(
        f'COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); COMPREPLY=(); _protea; echo "${{COMPREPLY[*]}}"'
        for words in typed
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", f"source {script}\n{asked}"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == list(typed.values())


def test_a_fault_of_our_own_is_one_line_that_names_the_report(tmp_path: Path) -> None:
    code = (
        "import sys, protea.composition.root as root\n"
        "async def broken(launch): raise ZeroDivisionError('by nought')\n"
        "root.create_gateway = broken\n"
        "from protea.cli import main\n"
        "sys.exit(main(['-p', '--output-format', 'json', 'hi']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    [line] = done.stderr.decode().splitlines()
    assert "ZeroDivisionError: by nought" in line
    assert "by nought" in Path(line.rpartition(" ")[2]).read_text()
    assert json.loads(done.stdout)["error"]["kind"] == "internal"
    assert done.returncode == 2
