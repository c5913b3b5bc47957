"""The process entry: words typed → a face, handed a gateway.

`--version` and `--help` are answered before anything is loaded. Everything that can go wrong ends here, in one line on
standard error and an exit code; docs/headless.md lists the codes.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` itself would cost more than all of `--version`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protea.boot import FirstFrame
    from protea.composition.launch import Launch
    from protea.domain.surroundings import Surroundings
    from protea.interfaces.arguments import Arguments
    from protea.interfaces.commands.telling import Place
    from protea.ports.gateway import Gateway, OpenSession


def main(arguments: list[str] | None = None) -> int:
    """Run a command line (the process's own where none is given) and return its exit code. Never raises."""
    words = sys.argv[1:] if arguments is None else arguments
    printing = "-p" in words or "--print" in words
    told: list[int] = []
    if printing and arguments is None:
        _leave_on_signals(words, told)
    try:
        _fill_closed_descriptors()
        if words in (["--version"], ["-V"], ["version"]):
            from protea._version import __version__

            _write(f"protea {__version__}\n")
            return 0
        return _guarded(words, told)
    except KeyboardInterrupt:
        return 4 if printing else 130
    except BrokenPipeError:
        return 0  # whoever read our output has read enough
    except _StdoutError as error:
        _complain(f"standard output cannot be written: {error}")
        return 2
    finally:
        if printing and arguments is None:
            _no_more_interrupts()


def _no_more_interrupts() -> None:
    """What there was to interrupt is over: a signal while the interpreter takes itself apart would be a traceback, or
    change the exit code of a run that has told its own."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


# ── what can go wrong ──────────────────────────────────────────────────────────────────────────────────────────────


class _StdoutError(Exception):
    pass


def _guarded(words: list[str], told: list[int]) -> int:
    from protea.interfaces.arguments import Mistake, parse

    try:
        arguments = parse(words)
        return _dispatch(arguments, told)
    except Mistake as error:
        _complain(str(error))
        return 1
    except (KeyboardInterrupt, BrokenPipeError, _StdoutError):
        raise
    except Exception as error:
        return _failed(error, words)


def _failed(error: Exception, words: list[str]) -> int:
    """Say what went wrong, in one line."""
    from protea.domain.errors import ProteaError
    from protea.interfaces.headless import outcome_of

    if isinstance(error, ProteaError):
        _complain(str(error))
        return outcome_of(error)[1]
    if isinstance(error, OSError) and error.filename is not None:
        _complain(f"{_printable(error.filename)}: {error.strerror}")
        return 2
    try:
        from protea.composition.crash import report

        _complain(report(error, words, os.environ).removeprefix("protea "))
    except Exception:  # a second fault must not hide the first
        _complain(f"has a fault: {type(error).__name__}: {error}")
    return 2


def _complain(text: str) -> None:
    from protea.interfaces.terminal import say

    say(text)


def _printable(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, (str, bytes)) else str(path)


def _fill_closed_descriptors() -> None:
    """Put /dev/null where standard streams are closed: a session's log must never be opened as descriptor 1."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
            pass
        os.close(descriptor)


def _write(text: str) -> None:
    """To standard output, past Python's own buffers: nothing is left that could fail when the interpreter exits."""
    if sys.stdout is None:
        raise _StdoutError("it is closed")
    data = text.encode("utf-8", "replace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _StdoutError(error.strerror or str(error)) from error


class _Stdout:
    """What writes to a stream, given `_write`: an error is told where it happens, not when the interpreter exits."""

    def write(self, text: str) -> int:
        _write(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is ever kept back."""


# ── what to do ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _dispatch(arguments: Arguments, told: list[int]) -> int:
    if arguments.has("help"):
        from protea.interfaces.manual import help_text

        _write(help_text(arguments.path))
        return 0
    if arguments.name == "help":
        from protea.interfaces.arguments import parse, unknown_command
        from protea.interfaces.manual import help_text

        path = parse([*arguments.words, "--help"]).path
        if len(path) < len(arguments.words):
            raise _mistake(unknown_command(arguments.words[len(path)]))
        _write(help_text(path))
        return 0
    if arguments.has("version") and arguments.words:
        raise _mistake(f"--version takes no arguments; '{arguments.words[0]}' is one too many")
    if arguments.has("version") or arguments.name == "version":
        from protea._version import __version__

        _write(f"protea {__version__}\n")
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
    if arguments.has("print"):
        return _headless(arguments, told)
    if not arguments.path or arguments.name == "repl":
        return _conversation(arguments)
    if arguments.name == "sessions replay":
        return _replay(arguments)
    return _command(arguments)


def _load_values() -> None:
    """What nearly everything stands on. It takes two names from typing_extensions where that is installed, which with
    what that loads is a tenth of a short run; Python has them itself."""
    spared = "typing_extensions" not in sys.modules
    if spared:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # so Python writes "not to be found"
    try:
        import msgspec  # noqa: F401 - loaded, and not used here
    finally:
        if spared:
            del sys.modules["typing_extensions"]


def _headless(arguments: Arguments, told: list[int]) -> int:
    output_format = arguments.text("output_format") or "text"
    if sys.stdout is None:
        _complain("standard output is closed, so the answer has nowhere to go; redirect it to a file or to /dev/null")
        return 2
    try:
        return _run_headless(arguments, output_format, told)
    except KeyboardInterrupt as error:
        return _end_early(error, output_format, told)
    except Exception as error:
        from protea.interfaces.arguments import Mistake

        if isinstance(error, Mistake):
            raise
        _end_early(error, output_format, told)
        raise


def _end_early(error: BaseException, output_format: str, told: list[int]) -> int:
    """The result of a run that stopped before or beside its own ways of ending."""
    from protea.interfaces.headless import failed, outcome_of

    failed(error, output_format)
    told.append(outcome_of(error)[1])
    return told[0]


def _run_headless(arguments: Arguments, output_format: str, told: list[int]) -> int:
    import asyncio

    _load_values()

    from protea.interfaces import headless
    from protea.interfaces.input import whole_prompt

    streaming_in = arguments.text("input_format") == "stream-json"
    _lock_holds(arguments, ask=False)
    warnings = _Warnings()
    launch = _launch(arguments, interactive=streaming_in, warn=warnings)
    opening = _opening(arguments, launch)
    prompt: str | None
    if streaming_in:
        prompt = whole_prompt(arguments.words, None) if arguments.words else None
    else:
        prompt = whole_prompt([each for each in arguments.words if each != "-"], 0)
    spec = headless.HeadlessRun(
        open=opening,
        prompt=prompt,
        latest=arguments.has("continue"),
        output_format=output_format,  # type: ignore[arg-type]  # the table of flags allows nothing else
        input_format="stream-json" if streaming_in else "text",
        verbose=arguments.has("verbose"),
    )

    async def run() -> int:
        told.append(await headless.run(await _gateway(launch), spec, on_open=warnings.release))
        return told[0]

    return asyncio.run(run())


def _conversation(arguments: Arguments) -> int:
    for key in ("output_format", "input_format", "json_schema", "verbose"):
        if arguments.has(key):
            _complain(f"--{key.replace('_', '-')} is for headless runs; add -p")
            return 1
    if arguments.name != "repl":
        from protea import boot  # first of all: a person waits

        if boot.can_start():
            return _full_screen(arguments) if _lock_holds(arguments, ask=True) else 1
    from protea.interfaces.terminal import is_terminal

    plain = not (is_terminal(0) and is_terminal(1))
    if plain and arguments.name != "repl":
        return _no_terminal(arguments)
    if not _lock_holds(arguments, ask=not plain):
        return 1
    if arguments.name != "repl" and not boot.installed("textual"):
        _complain("the full screen needs the extra 'tui': pip install 'protea[tui]'; this is the plain chat")
    _load_values()
    from protea.interfaces import repl
    from protea.interfaces.input import typed_prompt

    launch = _launch(arguments, interactive=True)
    spec = repl.Conversation(
        open=_opening(arguments, launch),
        prompt=typed_prompt(arguments.words),
        latest=arguments.has("continue"),
        choose=arguments.has("resume") and not arguments.text("resume"),
        plain=plain,
        history=os.path.join(_home(launch), "history"),
    )
    return repl.run(lambda: _gateway(launch), spec, os.environ)


def _full_screen(arguments: Arguments) -> int:
    """The composer first, everything else behind it."""
    from protea._version import __version__
    from protea.boot import FirstFrame

    frame = FirstFrame(__version__, _working_directory(arguments))
    frame.begin()
    import gc

    gc.disable()  # what is loaded now stays: looking for garbage in it would only take time. `screen.run` enables it
    warnings = _Warnings()
    try:
        return _load_screen(arguments, frame, warnings)
    except KeyboardInterrupt:
        if frame.left:
            return 0
        raise
    finally:
        frame.give_back()
        warnings.release()


def _load_screen(arguments: Arguments, frame: FirstFrame, warnings: _Warnings) -> int:
    _load_values()
    from msgspec.structs import replace

    from protea.composition.configuration import Configuration
    from protea.interfaces.input import typed_prompt
    from protea.interfaces.tui import run as screen
    from protea.interfaces.tui.desk import Place

    launch = replace(_launch(arguments, interactive=True, warn=warnings), screen=True)
    configuration = Configuration(launch)
    opening = screen.Opening(
        preferences=configuration.screen(),
        keep=configuration.keep_for_screen,
        warnings=warnings.taken,
        place=Place(home=_home(launch), environment=launch.environment, open=_opening(arguments, launch)),
        prompt=None if arguments.name == "sessions replay" else typed_prompt(arguments.words),
        latest=arguments.has("continue"),
        choose=arguments.has("resume") and not arguments.text("resume"),
    )
    if arguments.name == "sessions replay":
        return screen.run(lambda: _recording(arguments, launch), opening, frame)
    return screen.run(lambda: _gateway(launch), opening, frame)


def _replay(arguments: Arguments) -> int:
    """A session as it went: on the screen, or line by line where there is none."""
    from protea import boot
    from protea.interfaces.terminal import is_terminal

    if not arguments.has("plain") and is_terminal(0) and is_terminal(1) and boot.can_start():
        return _full_screen(arguments)
    import asyncio

    from protea.interfaces.commands.sessions import replay

    launch = _launch(arguments, interactive=False)

    async def play() -> int:
        gateway = await _recording(arguments, launch)
        try:
            return await replay(gateway, _place(launch))
        finally:
            await gateway.close()

    return asyncio.run(play())


async def _recording(arguments: Arguments, launch: Launch) -> Gateway:
    from protea.composition.recording import create_recording

    return await create_recording(launch, arguments.words[0], arguments.number("speed") or 1.0)


def _lock_holds(arguments: Arguments, *, ask: bool) -> bool:
    """Whether to go on where `profile.lock` says what the agent is made of. Raises `ConfigError` with `--frozen`."""
    frozen = arguments.has("frozen")
    if not frozen and not _lock_near(_working_directory(arguments)):
        return True
    import asyncio

    from protea.composition.locking import Locking
    from protea.domain.lock import in_words
    from protea.interfaces.commands.profile import ask_about_drift

    locking = Locking(_launch(arguments, interactive=True, warn=lambda text: None))
    if frozen:
        asyncio.run(locking.hold())
        return True
    found = asyncio.run(locking.drift()) if locking.heeded else ()
    if not found:
        return True
    if not ask:
        _complain(f"profile.lock: {in_words(found)}; 'protea profile lock' accepts it, --frozen refuses it")
        return True
    answer = ask_about_drift(found, _write, input)
    if answer == "lock":
        asyncio.run(locking.write())
    return answer != "leave"


def _lock_near(folder: str) -> bool:
    """Whether there is a lock here or above; looked for before anything is loaded."""
    while True:
        if os.path.lexists(os.path.join(folder, ".protea", "profile.lock")):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above


def _no_terminal(arguments: Arguments) -> int:
    words = arguments.words
    if not arguments.path and len(words) == 1 and words[0].replace("-", "").isalnum():
        from protea.interfaces.arguments import unknown_command

        _complain(unknown_command(words[0]))
    else:
        _complain('a conversation needs a terminal, and here is none; for one answer use: protea -p "PROMPT"')
    return 1


def _command(arguments: Arguments) -> int:
    if arguments.name == "completion":
        from protea.interfaces.commands.completion import script

        _write(script(arguments.words[0]))
        return 0
    _load_values()
    if arguments.path[0].name in _OWN:
        return _OWN[arguments.path[0].name](arguments)
    import asyncio

    from protea.interfaces.commands import sessions, tools, undo

    launch = _launch(arguments, interactive=False)
    place = _place(launch)
    run = {**sessions.COMMANDS, **tools.COMMANDS, **undo.COMMANDS}[arguments.name]

    async def with_gateway() -> int:
        gateway = await _gateway(launch)
        try:
            return await run(gateway, arguments, place)
        finally:
            await gateway.close()

    return asyncio.run(with_gateway())


def _perm(arguments: Arguments) -> int:
    from protea.composition.resolve import load
    from protea.composition.root import Given, Root
    from protea.composition.rules import read_rules
    from protea.composition.trusting import brings_nothing
    from protea.interfaces.commands.perm import run_perm

    launch = _launch(arguments, interactive=True)
    if arguments.name == "perm audit":
        from protea.composition.auditing import verified
        from protea.interfaces.commands.perm_past import tell_audit

        return tell_audit(arguments, _place(launch), verified(launch))
    root = Root(launch, Given())
    if arguments.name == "perm test":
        return _perm_test(arguments, launch, root.surroundings)
    if arguments.name == "perm why" and len(arguments.words) == 1 and "(" not in arguments.words[0]:
        from protea.composition.auditing import of_call
        from protea.interfaces.commands.perm_past import tell_call

        session, _, call = arguments.words[0].rpartition("/")
        if known := of_call(launch, call, session):
            return tell_call(arguments, _place(launch), known)
    found = read_rules(launch, root.settings, root.surroundings)
    rules = load("permission", "rules")
    return run_perm(
        arguments,
        engine=lambda layers: rules.create(rules.Options(layers=layers), surroundings=root.surroundings),
        layers=tuple(layer for layer in found.layers if layer.source != "flags"),  # it reads the flags itself
        surroundings=root.surroundings,
        mode=found.mode or "normal",
        plain=lambda: brings_nothing(root.surroundings, bare=launch.bare),
        stdin=sys.stdin.buffer,
        stdout=_Stdout(),  # type: ignore[arg-type]  # it writes and flushes, and nothing else is asked of it
    )


def _perm_test(arguments: Arguments, launch: Launch, around: Surroundings) -> int:
    from protea.composition.auditing import answers, days_ago, decisions
    from protea.composition.resolve import load
    from protea.interfaces.commands.perm_past import tell_policy

    rules = load("permission", "rules")
    path = os.path.join(launch.cwd, arguments.words[0])
    policy = rules.read_rules_file(path)
    if policy is None:
        raise _mistake(f"there is no file {path}; a policy is written like permissions.toml")
    engine = rules.create(rules.Options(layers=(policy.layer,)), surroundings=around)
    days = arguments.number("against")
    since = days_ago(7 if days is None else days)
    past, said = decisions(launch, since), answers(launch, since)
    return tell_policy(arguments, _place(launch), engine, past, said, around.user_home)


def _ports(arguments: Arguments) -> int:
    from protea.composition.catalogue import CATALOGUE, DEFAULTS, SWAP_CLASSES
    from protea.composition.resolve import all_plugins
    from protea.composition.root import Given, Root
    from protea.interfaces.commands.ports import PortRow, show_ports

    launch = _launch(arguments, interactive=True)
    chosen = Root(launch, Given()).settings.ports
    foreign = all_plugins()

    def filled_by(port: str) -> str:
        return str(chosen.get(port, {}).get("adapter") or DEFAULTS.get(port, "by name"))

    rows = [
        PortRow(port, SWAP_CLASSES.get(port, ""), (*adapters, *foreign.get(port, ())), filled_by(port))
        for port, adapters in CATALOGUE.items()
    ]
    return show_ports(arguments, _place(launch), rows)


def _profile(arguments: Arguments) -> int:
    from protea.composition.profiles import ProfileShelf
    from protea.interfaces.commands.profile import run_profile

    launch = _launch(arguments, interactive=True)
    if arguments.path[-1].name == "lock":
        import asyncio

        from protea.composition.locking import Locking
        from protea.interfaces.commands.profile import run_lock

        return asyncio.run(run_lock(arguments, _place(launch), Locking(launch)))
    return run_profile(arguments, _place(launch), ProfileShelf(launch))


def _doctor(arguments: Arguments) -> int:
    import asyncio

    from protea._version import __version__
    from protea.composition.catalogue import EXTRAS
    from protea.composition.checkup import look_at_ports
    from protea.composition.root import Given, Root
    from protea.domain.providers import PROVIDERS, address_of
    from protea.interfaces.commands.doctor import Case, run_doctor

    launch = _launch(arguments, interactive=True)
    if port := arguments.text("port"):
        return _doctor_of(port, arguments, launch)
    case = Case(
        version=__version__,
        environment=launch.environment,
        home=_home(launch),
        keys=tuple(dict.fromkeys(name for row in PROVIDERS.values() for name in row.key_env)),
        extras=EXTRAS,
        address=lambda name: address_of(PROVIDERS[name], launch.environment) if name in PROVIDERS else "",
        gateway=lambda: _gateway(launch),
        ports=lambda: look_at_ports(Root(launch, Given())),
    )
    return asyncio.run(run_doctor(arguments, _place(launch), case))


def _doctor_of(port: str, arguments: Arguments, launch: Launch) -> int:
    from protea.composition.checkup import look_at_port
    from protea.composition.root import Given, Root
    from protea.interfaces.commands.doctor import tell_findings

    return tell_findings(look_at_port(Root(launch, Given()), port), arguments, _place(launch))


def _config(arguments: Arguments) -> int:
    from protea.composition.configuration import Configuration
    from protea.interfaces.commands.config import run_config

    launch = _launch(arguments, interactive=True)
    if arguments.name == "config import":
        return _import(arguments, launch)
    return run_config(arguments, _place(launch), Configuration(launch), _edited)


def _edited(path: str) -> int:
    """The person's own editor on a file; its exit code."""
    import shlex
    import subprocess

    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        return subprocess.run([*shlex.split(command), path], check=False).returncode
    except (OSError, ValueError) as error:
        raise _mistake(f"the editor {command!r} cannot be started: {error}; set EDITOR to another") from error


def _import(arguments: Arguments, launch: Launch) -> int:
    from protea.composition.adopting import Adoption
    from protea.interfaces.commands.adoption import run_import
    from protea.interfaces.terminal import is_terminal

    adoption = Adoption(launch, arguments.words[0], project=arguments.has("project"))
    return run_import(arguments, _place(launch), adoption, _yes_or_no if is_terminal(0) and is_terminal(1) else None)


def _yes_or_no(question: str) -> bool:
    _write(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _trust(arguments: Arguments) -> int:
    from protea.composition import trusting
    from protea.interfaces.commands import trust
    from protea.interfaces.terminal import is_terminal

    launch = _launch(arguments, interactive=True)
    place, words = _place(launch), arguments.words
    if words[:1] == ["list"] and len(words) == 1:
        return trust.tell_projects(arguments, place, trusting.trusted_projects(launch))
    if arguments.has("forget") or words[:1] == ["revoke"]:
        folders = words[1:] if words[:1] == ["revoke"] else words
        return trust.tell_forgotten(place, *trusting.forget_project(launch, folders[0] if folders else None))
    if words:
        raise _mistake(f"protea trust takes list or revoke, not {words[0]!r}; -C DIR names another project")
    doubt = trusting.look_at_project(launch)
    if arguments.has("json"):
        return trust.tell_doubt(place, doubt.root, doubt.trusted, doubt.items)
    ask = input if is_terminal(0) and is_terminal(1) else None
    if not trust.may_trust(arguments, place, doubt.root, doubt.wide, doubt.items, ask):
        _complain("nothing was trusted")
        return 1
    return trust.tell_trusted(place, *trusting.trust_project(launch))


def _piece(arguments: Arguments) -> int:
    """Commands about one port alone, which is opened for them."""
    import asyncio

    from protea.composition.root import Given, Root

    launch = _launch(arguments, interactive=False)
    place, root = _place(launch), Root(launch, Given())
    match arguments.path[0].name:
        case "memory":
            from protea.interfaces.commands.memory import run_memory

            return asyncio.run(run_memory(root.piece("memory"), arguments, place))
        case "tasks":
            from protea.interfaces.commands.tasks import run_tasks

            return asyncio.run(run_tasks(root.piece("task_runner"), arguments, place))
        case "skills":
            if arguments.name == "skills install":
                return _install(arguments, launch)
            from protea.interfaces.commands.skills import run_skills

            return asyncio.run(run_skills(root.piece("capability"), arguments, place))
    from protea.interfaces.commands.schedule import run_schedule

    return run_schedule(root.piece("scheduler"), arguments, place)


def _install(arguments: Arguments, launch: Launch) -> int:
    from protea.composition.installing import Installing
    from protea.interfaces.terminal import is_terminal, one_line

    with Installing(launch, arguments.words[0], project=arguments.has("project")) as installing:
        found = installing.look()
        for each in found:
            _write(f"{each.skill.name}: {one_line(each.skill.description)}\n")
            for name, size in each.files:
                _write(f"  {one_line(name)}  {size} bytes\n")
            if each.skill.allowed_tools:
                _write(f"  wants (and is not given): {one_line(' '.join(each.skill.allowed_tools))}\n")
            for fault in each.skill.faults:
                _write(f"  {one_line(fault)}\n")
        if not arguments.has("yes"):
            if not (is_terminal(0) and is_terminal(1)):
                raise _mistake("nothing was installed: say --yes once you have looked at it")
            if not _yes_or_no(f"Install in {one_line(installing.target)}?"):
                return 1
        installing.install(found)
        _write(f"installed in {one_line(installing.target)}\n")
    return 0


def _sandbox(arguments: Arguments) -> int:
    import asyncio

    from protea.composition.resolve import Resolver
    from protea.composition.root import Given, Root
    from protea.composition.walls import SHORT, settle
    from protea.domain.environment import for_commands
    from protea.interfaces.commands.sandbox import Trial, run_sandbox

    launch = _launch(arguments, interactive=False)
    root = Root(launch, Given())
    around = root.surroundings
    options = dict(root.settings.ports.get("sandbox", {}))
    # Without walls there is nothing to try: what is asked for by name, else what is set, else bubblewrap.
    configured = str(options.pop("adapter", "none"))
    name = arguments.text("adapter") or (configured if configured != "none" else "bubblewrap")
    if name not in (configured, "auto"):
        options = {key: value for key, value in options.items() if key in SHORT and name != "none"}
    if arguments.has("network") and name != "none":
        options["network"] = True
    chosen = settle(name, options, around, launch.warn)
    sandbox = Resolver({"sandbox": chosen}, {"surroundings": around}).get("sandbox")
    trial = Trial(
        argv=tuple(arguments.words),
        cwd=around.cwd,
        environment=for_commands(around.environment),
        roots=(around.root, *around.add_dirs),
        network=True,
        timeout=arguments.number("timeout"),
    )
    return asyncio.run(run_sandbox(sandbox, trial, _complain))


def _models(arguments: Arguments) -> int:
    import asyncio

    from msgspec.structs import replace

    from protea.composition.root import Given, Root
    from protea.domain.providers import PROVIDERS, is_own
    from protea.interfaces.commands.models import show_models
    from protea.ports.gateway import OpenSession

    launch = _launch(arguments, interactive=False)
    root = Root(launch, Given())
    # What a session would be warned of (rules, instructions) is no news about models; that of the settings is told.
    quiet = Root(replace(launch, warn=lambda _: None), Given())
    provider = arguments.words[0] if arguments.words else None
    providers = ["offline", *dict.fromkeys((*PROVIDERS, *root.settings.providers))]

    async def run() -> int:
        models = quiet.assemble(OpenSession(cwd="")).models
        try:
            # A server of one's own says at once what it has, and nobody else knows.
            live = arguments.has("live") or (provider is not None and provider in PROVIDERS and is_own(f"{provider}/"))
            asked = live and provider != "offline" and provider in (None, *providers)
            complaints = await models.refresh(provider) if asked else ()
            found = models.list(provider)
            return show_models(arguments, _place(launch), found, providers, complaints, _complain, asked=asked)
        finally:
            await models.aclose()

    return asyncio.run(run())


_OWN: dict[str, Callable[[Arguments], int]] = {
    "config": _config,
    "doctor": _doctor,
    "memory": _piece,
    "models": _models,
    "perm": _perm,
    "ports": _ports,
    "profile": _profile,
    "sandbox": _sandbox,
    "schedule": _piece,
    "skills": _piece,
    "tasks": _piece,
    "trust": _trust,
}
"""Commands that need more of the composition than a gateway."""


# ── parts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _gateway(launch: Launch) -> Gateway:
    from protea.composition.root import create_gateway

    return await create_gateway(launch)


def _place(launch: Launch) -> Place:
    from protea.interfaces.commands.telling import Place

    return Place(launch.cwd, os.path.expanduser("~"), _write)


class _Warnings:
    """Keeps warnings until a session is open: where none opens, the one line of why says more than they do."""

    def __init__(self) -> None:
        self._kept: list[str] | None = []

    def __call__(self, text: str) -> None:
        if self._kept is None:
            _complain(text)
        else:
            self._kept.append(text)

    def taken(self) -> list[str]:
        """What was kept so far, for a face that shows it in its own way."""
        kept, self._kept = self._kept or [], []
        return kept

    def release(self) -> None:
        kept, self._kept = self._kept or [], None
        for text in kept:
            _complain(text)


def _launch(arguments: Arguments, *, interactive: bool, warn: Callable[[str], None] = _complain) -> Launch:
    from protea.composition.launch import Launch

    return Launch(
        cwd=_working_directory(arguments),
        environment=os.environ,
        warn=warn,
        profile=arguments.text("profile"),
        model=arguments.text("model"),
        effort=arguments.text("effort"),
        mode=arguments.text("permission_mode"),
        allow=arguments.all("allow"),
        ask=arguments.all("ask"),
        deny=arguments.all("deny"),
        sandbox=arguments.text("sandbox"),
        add_dirs=tuple(_directory(each, "--add-dir") for each in arguments.all("add_dir")),
        set=arguments.all("set"),
        bare=arguments.has("bare"),
        interactive=interactive,
        frozen=arguments.has("frozen"),
    )


def _opening(arguments: Arguments, launch: Launch) -> OpenSession:
    from protea.ports.gateway import OpenSession

    resume = arguments.text("resume")
    resuming = arguments.has("resume") or arguments.has("continue")
    if arguments.has("fork") and not resuming:
        raise _mistake("--fork needs the session to begin from: add -c (the latest) or -r ID")
    if arguments.has("resume") and arguments.has("continue"):
        raise _mistake("-c and -r exclude one another: -c is the latest session, -r ID a certain one")
    if arguments.has("resume") and not resume and arguments.has("print"):
        raise _mistake("-r needs a session here: -r ID ('protea sessions list' shows them), or -c for the latest")
    return OpenSession(
        cwd=launch.cwd,
        resume=resume or None,
        fork=arguments.has("fork"),
        model=launch.model,
        effort=launch.effort,
        mode=launch.mode,
        add_dirs=launch.add_dirs,
        interactive=launch.interactive,
        max_turns=arguments.whole("max_turns"),
        max_budget_usd=arguments.number("max_budget_usd"),
        time_limit=arguments.number("time_limit"),
        schema=_schema(arguments.text("json_schema")),
    )


def _mistake(text: str) -> Exception:
    from protea.interfaces.arguments import Mistake

    return Mistake(text)


def _working_directory(arguments: Arguments) -> str:
    path = arguments.text("cwd") or "."
    if not os.path.isabs(os.path.expanduser(path)):
        try:
            os.getcwd()
        except FileNotFoundError:
            raise _mistake("the current directory no longer exists; use -C DIR") from None
    return _directory(path, "--cwd")


def _directory(path: str, flag: str) -> str:
    """An existing directory, absolute and real."""
    try:
        found = os.path.realpath(os.path.expanduser(path), strict=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _mistake(f"{flag} {path}: {why}") from error
    if not os.path.isdir(found):
        raise _mistake(f"{flag} {path}: this is not a directory")
    try:
        found.encode()
    except UnicodeEncodeError:
        raise _mistake(f"{flag} {path}: the name of this directory is not UTF-8; rename it, or link to it") from None
    return found


def _schema(path: str | None) -> dict[str, Any] | None:
    """The schema in a file, or written out on the command line."""
    if path is None:
        return None
    import msgspec

    if path.lstrip().startswith("{"):
        text, name = os.fsencode(path), "--json-schema"
    else:
        name = f"--json-schema {path}"
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError as error:
            raise _mistake(f"{name}: {error.strerror}") from error
    try:
        schema = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _mistake(f"{name} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise _mistake(f'{name} is not a JSON Schema: a schema is an object, like {{"type": "object"}}')
    from protea.domain.schema import schema_mistakes

    if mistakes := schema_mistakes(schema):
        raise _mistake(f"{name} is not a JSON Schema: {mistakes[0]}")
    return schema


def _home(launch: Launch) -> str:
    from protea.composition.surroundings import protea_home

    return protea_home(launch.environment)


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

    # Before anything is parsed: the flag's value stands in its word or in the next.
    in_json = any(
        word.startswith("--output-format") and (word + " ".join(words[at + 1 : at + 2])).endswith("json")
        for at, word in enumerate(words)
    )

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
