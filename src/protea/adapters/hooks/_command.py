"""Asks a command: JSON on its standard input, an exit code and JSON on its standard output.

It runs as the agent's own commands do: with their environment, behind their walls, with the project writable.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protea.adapters.hooks._looked_at import looked_at, named
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Launch, Process, Sandbox

LARGEST = 1 << 20
"""Bytes of an answer."""
_MENDS = {
    126: " (is it executable? `chmod +x` makes it so)",
    127: " (give its whole path, or put it on PATH)",
}
"""Exit code → what helps."""


async def ask(
    sandbox: Sandbox, around: Surroundings, environment: Mapping[str, str], command: Sequence[str], told: dict[str, Any]
) -> Any:
    """What it answered, None for nothing. Raises `ValueError` or `OSError` where it failed, or is not to be run."""
    command = [around.user_home + word[1:] if word.startswith("~/") else word for word in command]
    own = os.path.join(around.protea_home, "hooks")
    for path in named(around, command):
        looked_at(around, path)
    given = _kept(msgspec.json.encode(told))
    try:
        launch = Launch(
            # Commands have no standard input of their own: it comes from a file.
            argv=("/bin/sh", "-c", f'exec "$@" < {shlex.quote(given)}', "hook", *command),
            cwd=around.root,
            env={**environment, "PROTEA_PROJECT": around.root, "CLAUDE_PROJECT_DIR": around.root},
            writable=(around.root, *around.add_dirs),
            # Behind walls nothing else of Protea's home is in sight; what else a person has lies where programs lie.
            readable=(given, own) if any(word.startswith(f"{own}/") for word in command) else (given,),
        )
        process = await sandbox.start(launch)
        try:
            output, errors = await _read(process)
            ended = await process.wait()
        except BaseException:
            await _surely_end(process)
            raise
        finally:
            process.close()
    finally:
        with contextlib.suppress(OSError):
            os.unlink(given)
    complaint = errors.decode("utf-8", "replace").strip()
    if ended.code == 2:
        return {"decision": "deny", "reason": complaint or "the hook said no"}
    if ended.code != 0:
        how = f"exit code {ended.code}" if ended.code is not None else f"signal {ended.signal}"
        said = f": {complaint[:500]}" if complaint else ", and nothing on standard error"
        raise ValueError(f"{how}{said}{_MENDS.get(ended.code or 0, '')}")
    text = output.strip()
    if not text.startswith(b"{"):
        # Plain words are for whoever the moment lets hear them.
        return {"additionalContext": text.decode("utf-8", "replace")} if text and _heard(told) else None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        shown = text[:80].decode("utf-8", "replace")
        raise ValueError(f"its answer is no JSON: {error}; it begins {shown!r}") from error


def _heard(told: Mapping[str, Any]) -> bool:
    return told["hook_event_name"] in ("UserPromptSubmit", "SessionStart")


def _kept(data: bytes) -> str:
    """The path of a file, readable by nobody else, that holds the data."""
    with tempfile.NamedTemporaryFile(prefix="protea-hook-", suffix=".json", delete=False) as file:
        file.write(data)
    return file.name


async def _read(process: Process) -> tuple[bytes, bytes]:
    output, errors = bytearray(), bytearray()
    while chunk := await process.read():
        kept = errors if chunk.stream == "stderr" else output
        kept += chunk.data
        if len(kept) > LARGEST:
            raise ValueError(f"it wrote more than {LARGEST:,} bytes")
    return bytes(output), bytes(errors)


async def _surely_end(process: Process) -> None:
    ending = asyncio.ensure_future(process.end(0))
    while not ending.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([ending])
