"""What the words of a command line say about a run: how composition is launched, and the session that is opened."""

from __future__ import annotations

import os
import sys

from protea.cli.output import complain, mistake, write

TYPE_CHECKING = False  # `typing` itself would cost more than all of `--version`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protea.composition.launch import Launch
    from protea.interfaces.arguments import Arguments
    from protea.interfaces.commands.telling import Place
    from protea.ports.gateway import Gateway, OpenSession


_OF_THE_PAST = (
    *(f"sessions {word}" for word in ("list", "show", "export", "search", "replay", "fork", "delete")),
    *("export", "undo", "redo", "diff"),
)
"""Commands about sessions there are."""


def load_values() -> None:
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


def launch_of(arguments: Arguments, *, interactive: bool, warn: Callable[[str], None] = complain) -> Launch:
    from protea.composition.launch import Launch

    return Launch(
        cwd=working_directory(arguments),
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
        past=arguments.has("resume") or arguments.has("continue") or arguments.name in _OF_THE_PAST,
    )


def opening_of(arguments: Arguments, launch: Launch) -> OpenSession:
    from protea.ports.gateway import OpenSession

    resume = arguments.text("resume")
    resuming = arguments.has("resume") or arguments.has("continue")
    if arguments.has("fork") and not resuming:
        raise mistake("--fork needs the session to begin from: add -c (the latest) or -r ID")
    if arguments.has("resume") and arguments.has("continue"):
        raise mistake("-c and -r exclude one another: -c is the latest session, -r ID a certain one")
    if arguments.has("resume") and not resume and arguments.has("print"):
        raise mistake("-r needs a session here: -r ID ('protea sessions list' shows them), or -c for the latest")
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


async def gateway_of(launch: Launch) -> Gateway:
    from protea.composition.root import create_gateway

    return await create_gateway(launch)


def place_of(launch: Launch) -> Place:
    from protea.interfaces.commands.telling import Place

    return Place(launch.cwd, os.path.expanduser("~"), write)


class Warnings:
    """Keeps warnings until a session is open: where none opens, the one line of why says more than they do."""

    def __init__(self) -> None:
        self._kept: list[str] | None = []

    def __call__(self, text: str) -> None:
        if self._kept is None:
            complain(text)
        else:
            self._kept.append(text)

    def taken(self) -> list[str]:
        """What was kept so far, for a face that shows it in its own way."""
        kept, self._kept = self._kept or [], []
        return kept

    def release(self) -> None:
        kept, self._kept = self._kept or [], None
        for text in kept:
            complain(text)


def working_directory(arguments: Arguments) -> str:
    path = arguments.text("cwd") or "."
    if not os.path.isabs(os.path.expanduser(path)):
        try:
            os.getcwd()
        except FileNotFoundError:
            raise mistake("the current directory no longer exists; use -C DIR") from None
    return _directory(path, "--cwd")


def _directory(path: str, flag: str) -> str:
    """An existing directory, absolute and real."""
    try:
        found = os.path.realpath(os.path.expanduser(path), strict=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise mistake(f"{flag} {path}: {why}") from error
    if not os.path.isdir(found):
        raise mistake(f"{flag} {path}: this is not a directory")
    try:
        found.encode()
    except UnicodeEncodeError:
        raise mistake(f"{flag} {path}: the name of this directory is not UTF-8; rename it, or link to it") from None
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
            raise mistake(f"{name}: {error.strerror}") from error
    try:
        schema = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise mistake(f"{name} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise mistake(f'{name} is not a JSON Schema: a schema is an object, like {{"type": "object"}}')
    from protea.domain.schema import schema_mistakes

    if mistakes := schema_mistakes(schema):
        raise mistake(f"{name} is not a JSON Schema: {mistakes[0]}")
    return schema


def home_of(launch: Launch) -> str:
    from protea.composition.surroundings import protea_home

    return protea_home(launch.environment)
