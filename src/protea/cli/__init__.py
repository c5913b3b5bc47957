"""The process entry: words typed → a face, handed a gateway.

`faces` are the command lines that open a session, `commands` all others, `opening` what both have in common.
`--version` and `--help` are answered before anything is loaded. Everything that can go wrong ends here, in one line on
standard error and an exit code; docs/headless.md lists the codes.
"""

from __future__ import annotations

import os
import sys

from protea.cli.output import StdoutError, complain, mistake, write

TYPE_CHECKING = False  # `typing` itself would cost more than all of `--version`
if TYPE_CHECKING:
    from protea.interfaces.arguments import Arguments


def main(arguments: list[str] | None = None) -> int:
    """Run a command line (the process's own where none is given) and return its exit code. Never raises."""
    words = sys.argv[1:] if arguments is None else arguments
    printing = _printing(words)
    told: list[int] = []
    if printing and arguments is None:
        _leave_on_signals(words, told)
    try:
        _fill_closed_descriptors()
        if words in (["--version"], ["-V"], ["version"]):
            from protea._version import __version__

            write(f"protea {__version__}\n")
            return 0
        return _guarded(words, told)
    except KeyboardInterrupt:
        return 4 if printing else 130
    except BrokenPipeError:
        return 0  # whoever read our output has read enough
    except StdoutError as error:
        complain(f"standard output cannot be written: {error}")
        return 2
    finally:
        if printing and arguments is None:
            _no_more_interrupts()


def _printing(words: list[str]) -> bool:
    return "-p" in words or "--print" in words


def _json_format(words: list[str]) -> str:
    """Which JSON a result is told in, before anything is parsed: a value stands in its flag's word or in the next."""
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--output-format":
            asked = value if equals else " ".join(words[at + 1 : at + 2])
            if asked in ("json", "stream-json"):
                return asked
    return ""


# ── what to do ────────────────────────────────────────────────────────────────────────────────────────────────────


def _dispatch(arguments: Arguments, told: list[int]) -> int:
    if arguments.has("help"):
        from protea.interfaces.manual import help_text

        write(help_text(arguments.path))
        return 0
    if arguments.name == "help":
        from protea.interfaces.arguments import parse, unknown_command
        from protea.interfaces.manual import help_text

        path = parse([*arguments.words, "--help"]).path
        if len(path) < len(arguments.words):
            raise mistake(unknown_command(arguments.words[len(path)]))
        write(help_text(path))
        return 0
    if arguments.has("version") and arguments.words:
        raise mistake(f"--version takes no arguments; '{arguments.words[0]}' is one too many")
    if arguments.has("version") or arguments.name == "version":
        from protea._version import __version__

        write(f"protea {__version__}\n")
        return 0
    import gc

    # Loading makes many objects and no garbage: with the usual threshold of 700 a tenth of a short run is spent
    # looking for some. Frozen, what is left at the end is not looked through again while the interpreter takes itself
    # apart, which is another tenth.
    gc.set_threshold(100_000, 20, 20)
    try:
        return _run(arguments, told)
    finally:
        gc.freeze()


def _run(arguments: Arguments, told: list[int]) -> int:
    if not arguments.has("print") and arguments.path and arguments.name not in ("repl", "sessions replay", "web"):
        from protea.cli.commands import run_command

        return run_command(arguments)
    from protea.cli import faces

    if arguments.has("print"):
        return faces.run_headless(arguments, told)
    if arguments.name == "sessions replay":
        return faces.replay(arguments)
    if arguments.name == "web":
        return faces.serve(arguments)
    return faces.converse(arguments)


# ── what can go wrong ─────────────────────────────────────────────────────────────────────────────────────────────


def _guarded(words: list[str], told: list[int]) -> int:
    from protea.interfaces.arguments import Mistake, parse

    try:
        arguments = parse(words)
        return _dispatch(arguments, told)
    except Mistake as error:
        complain(str(error))
        if not told and _printing(words) and (wanted := _json_format(words)):
            from protea.domain.errors import UsageError
            from protea.interfaces.headless import failed

            failed(UsageError(str(error)), wanted)
        return 1
    except (KeyboardInterrupt, BrokenPipeError, StdoutError):
        raise
    except Exception as error:
        return _failed(error, words)


def _failed(error: Exception, words: list[str]) -> int:
    """Say what went wrong, in one line."""
    from protea.domain.errors import ProteaError
    from protea.interfaces.headless import outcome_of

    if isinstance(error, ProteaError):
        complain(str(error))
        return outcome_of(error)[1]
    if isinstance(error, OSError) and error.filename is not None:
        complain(f"{_printable(error.filename)}: {error.strerror}")
        return 2
    try:
        from protea.composition.crash import report

        complain(report(error, words, os.environ).removeprefix("protea "))
    except Exception:  # a second fault must not hide the first
        complain(f"has a fault: {type(error).__name__}: {error}")
    return 2


def _printable(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, (str, bytes)) else str(path)


def _fill_closed_descriptors() -> None:
    """Put /dev/null where standard streams are closed: a session's log must never be opened as descriptor 1."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
            pass
        os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process lasts


# ── signals ───────────────────────────────────────────────────────────────────────────────────────────────────────


INTERRUPTED = (
    '{"type":"result","outcome":"interrupted","exit_code":4,"session":"","text":"","structured":null,"turns":0,'
    '"usage":{"input":0,"output":0,"cache_read":0,"cache_write":0,"reasoning":0},"cost_usd":null,"denied":[],'
    '"limit":null,"error":null}'
)
"""The result of a run that was interrupted before it began; a test compares it with the one headless runs make."""


def _leave_on_signals(words: list[str], told: list[int]) -> None:
    """While a headless run has no handlers of its own, signals end the process at once, with a result where none was
    told.

    Not by an exception: it could land in the middle of an import, and what is half imported fails in other words, or
    takes the interpreter with it. `told` gets the exit code when there is a result.
    """
    # `signal` would load `enum` first, and this is the first thing that is done.
    import _signal  # type: ignore[import-not-found]  # typeshed knows only `signal`

    in_json = _json_format(words)

    def leave(number: int, frame: object) -> None:
        try:
            if not told:
                os.write(2, b"protea: interrupted\n")
                if in_json:
                    os.write(1, INTERRUPTED.encode() + b"\n")
        finally:
            os._exit(told[0] if told else 4)

    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        if _signal.getsignal(number) in (_signal.SIG_DFL, _signal.default_int_handler):
            _signal.signal(number, leave)


def _no_more_interrupts() -> None:
    """What there was to interrupt is over: a signal while the interpreter takes itself apart would be a traceback, or
    change the exit code of a run that has told its own."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
