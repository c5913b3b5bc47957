"""Command lines that open a session: headless, the plain chat, the full screen, a replay, the screen in a browser."""

from __future__ import annotations

import os
import sys

from protea.cli.opening import (
    Warnings,
    gateway_of,
    home_of,
    launch_of,
    load_values,
    opening_of,
    place_of,
    working_directory,
)
from protea.cli.output import complain, write

TYPE_CHECKING = False  # `typing` itself would cost more than all of `--version`
if TYPE_CHECKING:
    from protea.boot import FirstFrame
    from protea.composition.launch import Launch
    from protea.interfaces.arguments import Arguments
    from protea.ports.gateway import Gateway


def run_headless(arguments: Arguments, told: list[int]) -> int:
    output_format = arguments.text("output_format") or "text"
    if sys.stdout is None:
        complain("standard output is closed, so the answer has nowhere to go; redirect it to a file or to /dev/null")
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

    load_values()

    from protea.interfaces import headless
    from protea.interfaces.input import whole_prompt

    streaming_in = arguments.text("input_format") == "stream-json"
    _lock_holds(arguments, ask=False)
    warnings = Warnings()
    launch = launch_of(arguments, interactive=streaming_in, warn=warnings)
    opening = opening_of(arguments, launch)
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
        told.append(await headless.run(await gateway_of(launch), spec, on_open=warnings.release))
        return told[0]

    return asyncio.run(run())


def converse(arguments: Arguments) -> int:
    for key in ("output_format", "input_format", "json_schema", "verbose"):
        if arguments.has(key):
            complain(f"--{key.replace('_', '-')} is for headless runs; add -p")
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
        complain("the full screen needs the extra 'tui': pip install 'protea[tui]'; this is the plain chat")
    load_values()
    from protea.interfaces.input import typed_prompt
    from protea.interfaces.repl import chat

    launch = launch_of(arguments, interactive=True)
    if arguments.name != "repl" and boot.installed("textual"):
        term = launch.environment.get("TERM") or "not set"
        complain(f"TERM is {term}: the plain chat (protea repl) instead of the full screen")
    spec = chat.Conversation(
        open=opening_of(arguments, launch),
        prompt=typed_prompt(arguments.words),
        latest=arguments.has("continue"),
        choose=arguments.has("resume") and not arguments.text("resume"),
        plain=plain,
        history=os.path.join(home_of(launch), "history"),
    )
    return chat.run(lambda: gateway_of(launch), spec, launch.environment)


def _full_screen(arguments: Arguments) -> int:
    """The composer first, everything else behind it."""
    from protea._version import __version__
    from protea.boot import FirstFrame

    frame = FirstFrame(__version__, working_directory(arguments))
    frame.begin()
    import gc

    gc.disable()  # what is loaded now stays: looking for garbage in it would only take time. `screen.run` enables it
    warnings = Warnings()
    try:
        return _load_screen(arguments, frame, warnings)
    except KeyboardInterrupt:
        if frame.left:
            return 0
        raise
    finally:
        frame.give_back()
        warnings.release()


def _load_screen(arguments: Arguments, frame: FirstFrame, warnings: Warnings) -> int:
    load_values()
    from msgspec.structs import replace

    from protea.composition.configuration import Configuration
    from protea.interfaces.input import typed_prompt
    from protea.interfaces.tui import run as screen
    from protea.interfaces.tui.desk import Place

    launch = replace(launch_of(arguments, interactive=True, warn=warnings), screen=True)
    configuration = Configuration(launch)
    opening = screen.Opening(
        preferences=configuration.screen(),
        keep=configuration.keep_for_screen,
        warnings=warnings.taken,
        place=Place(home=home_of(launch), environment=launch.environment, open=opening_of(arguments, launch)),
        prompt=None if arguments.name == "sessions replay" else typed_prompt(arguments.words),
        latest=arguments.has("continue"),
        choose=arguments.has("resume") and not arguments.text("resume"),
    )
    if arguments.name == "sessions replay":
        return screen.run(lambda: _recording(arguments, launch), opening, frame)
    return screen.run(lambda: gateway_of(launch), opening, frame)


def replay(arguments: Arguments) -> int:
    """A session as it went: on the screen, or line by line where there is none."""
    from protea import boot
    from protea.interfaces.terminal import is_terminal

    if not arguments.has("plain") and is_terminal(0) and is_terminal(1) and boot.can_start():
        return _full_screen(arguments)
    import asyncio

    from protea.interfaces.commands import sessions

    launch = launch_of(arguments, interactive=False)

    async def play() -> int:
        gateway = await _recording(arguments, launch)
        try:
            return await sessions.replay(gateway, place_of(launch))
        finally:
            await gateway.close()

    return asyncio.run(play())


async def _recording(arguments: Arguments, launch: Launch) -> Gateway:
    from protea.composition.recording import create_recording

    return await create_recording(launch, arguments.words[0], arguments.number("speed") or 1.0)


def serve(arguments: Arguments) -> int:
    """The screen in a browser: a server, and a screen of its own behind each page."""
    from protea import boot

    if not (boot.installed("websockets") and boot.installed("textual")):
        complain("the screen in a browser needs the extras 'tui' and 'web': pip install 'protea[tui,web]'")
        return 1
    load_values()
    from protea.composition.root import Given, Root
    from protea.interfaces.web.start import run_web

    launch = launch_of(arguments, interactive=True)
    opening_of(arguments, launch)
    Root(launch, Given())  # what is wrong with it is better told here than in the page
    return run_web(arguments, launch.cwd, launch.environment, home_of(launch), write)


def _lock_holds(arguments: Arguments, *, ask: bool) -> bool:
    """Whether to go on where `profile.lock` says what the agent is made of. Raises `ConfigError` with `--frozen`."""
    frozen = arguments.has("frozen")
    if not frozen and not _lock_near(working_directory(arguments)):
        return True
    import asyncio

    from protea.composition.locking import Locking
    from protea.domain.lock import in_words
    from protea.interfaces.commands.profile import ask_about_drift

    locking = Locking(launch_of(arguments, interactive=True, warn=lambda text: None))
    if frozen:
        asyncio.run(locking.hold())
        return True
    found = asyncio.run(locking.drift()) if locking.heeded else ()
    if not found:
        return True
    if not ask:
        complain(f"profile.lock: {in_words(found)}; 'protea profile lock' accepts it, --frozen refuses it")
        return True
    answer = ask_about_drift(found, write, input)
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

        complain(unknown_command(words[0]))
    else:
        complain('a conversation needs a terminal, and here is none; for one answer use: protea -p "PROMPT"')
    return 1
