"""`protea undo`, `protea redo`, `protea diff`: what a session's turns did to files, taken back, done again, shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from protea.domain import turn_changes
from protea.domain.changes import restored_text
from protea.domain.commands import Redo, Undo
from protea.domain.errors import ConfigError, ModelError, SessionError, UsageError
from protea.domain.events import FilesRestored
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.terminal import say, visible
from protea.ports.gateway import Gateway, OpenSession

NO_MODEL = "offline/grammar"
"""No model is asked anything: where the session's own is out of reach, this one does."""
LEFT = 1
"""The exit code where a file was left as it is."""


async def undo(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    return await _restore(gateway, arguments, place, Undo)


async def redo(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    return await _restore(gateway, arguments, place, Redo)


async def _restore(gateway: Gateway, arguments: Arguments, place: Place, command: type[Undo] | type[Redo]) -> int:
    turns = _turns(arguments) or 1
    session = await _session(gateway, arguments, place)
    if arguments.has("dry_run"):
        return await _preview(gateway, arguments, place, session, turns)
    spec = OpenSession(cwd=place.cwd, resume=session, interactive=False)
    try:
        await gateway.open(spec)
    except (ConfigError, ModelError):
        await gateway.open(msgspec.structs.replace(spec, model=NO_MODEL))
    past = await gateway.history(session, limit=-1)
    after = (past[-1].seq or 0) if past else 0
    await gateway.submit(session, command(turns=turns, by="command line"))
    async for event in gateway.events(session, after):
        if isinstance(event, FilesRestored):
            if arguments.has("json"):
                place.write(as_json({"session": session, **_object(event)}))
            else:
                place.write(visible(restored_text(event.direction, event.files, event.skipped, more=event.more)))
            return LEFT if event.skipped else 0
    raise SessionError(f"session {session} was closed before it answered")


async def _preview(gateway: Gateway, arguments: Arguments, place: Place, session: str, turns: int) -> int:
    direction = arguments.name
    previews = (await gateway.describe("undo", session))[direction]
    turn_changes.require(direction, len(previews), turns)
    preview = previews[turns - 1]
    if preview["missing"]:
        raise SessionError(preview["missing"])
    text = preview.pop("text")
    shape = {"session": session, "direction": direction, "dry_run": True, **preview}
    place.write(as_json(shape) if arguments.has("json") else visible(text))
    return LEFT if preview["skipped"] else 0


async def diff(gateway: Gateway, arguments: Arguments, place: Place) -> int:
    turns = _turns(arguments)
    session = await _session(gateway, arguments, place)
    changes: dict[str, Any] = await gateway.describe("changes", session)
    if turns is not None:
        standing = [each for each in changes["turns"] if not each["undone"]][-turns:]
        changes = {**changes, "turns": standing, "diff": "".join(each["diff"] for each in standing)}
    if arguments.has("json"):
        place.write(as_json({"session": session, **changes}))
        return 0
    if changes["missing"] and not changes["diff"]:
        raise SessionError(changes["missing"])
    if not changes["diff"]:
        say("no turn has changed a file")
    place.write(visible(changes["diff"]))
    return 0


async def _session(gateway: Gateway, arguments: Arguments, place: Place) -> str:
    """The one that is named, else the latest of this directory."""
    if arguments.words:
        first = await gateway.history(arguments.words[0], limit=1)
        return first[0].session if first else arguments.words[0]
    found = await gateway.sessions(place.cwd)
    if not found:
        raise SessionError(f"there is no session of {place.cwd}; 'protea sessions list' shows what there is elsewhere")
    return found[0].id


def _turns(arguments: Arguments) -> int | None:
    turns = arguments.whole("turns")
    if turns is not None and turns < 1:
        raise UsageError("--turns must be at least 1")
    return turns


def _object(event: FilesRestored) -> dict[str, Any]:
    names = ("direction", "turns", "files", "more", "skipped")
    return {name: msgspec.to_builtins(getattr(event, name)) for name in names}


COMMANDS: dict[str, Callable[[Gateway, Arguments, Place], Awaitable[int]]] = {
    "undo": undo,
    "redo": redo,
    "diff": diff,
}
