"""Keys from a command that prints them: a password manager, a script. It is started without a shell."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping, Sequence

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.domain.surroundings import Surroundings

TIMEOUT = 60.0
"""Seconds: some ask a person for a password first."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    timeout: float = TIMEOUT


def create(options: Options, *, surroundings: Surroundings) -> CommandSecrets:
    return CommandSecrets(surroundings.environment, options.timeout)


class CommandSecrets:
    """Each command runs once; its answer is kept for the life of the process."""

    def __init__(self, environment: Mapping[str, str], timeout: float) -> None:
        self._environment, self._timeout = environment, timeout
        self._known: dict[tuple[str, ...], str] = {}

    async def key(self, provider: str, settings: ProviderSettings) -> str | None:
        command = settings.api_key_command
        if command is None:
            return None
        if command not in self._known:
            self._known[command] = await asyncio.to_thread(run, command, self._environment, self._timeout)
        return self._known[command]


def run(command: Sequence[str], environment: Mapping[str, str], timeout: float = TIMEOUT) -> str:
    """The first line the command prints. Raises `ConfigError`; what it printed is never in the message."""
    if not command:
        raise ConfigError('api_key_command is empty: write it as a list of words, like ["pass", "acme"]')
    shown = command[0]
    try:
        ended = subprocess.run(
            [*command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=dict(environment),
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise ConfigError(f"api_key_command: there is no command {shown}") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"api_key_command: {shown} gave no key within {timeout:g} seconds") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"api_key_command: {shown} could not be started: {error}") from None
    if ended.returncode:
        complaint = ended.stderr.decode("utf-8", "replace").strip().split("\n")[-1][:200]
        raise ConfigError(
            f"api_key_command: {shown} failed with {ended.returncode}" + (f": {complaint}" if complaint else "")
        )
    key = ended.stdout.decode("utf-8", "replace").strip().split("\n")[0].strip()
    if not key:
        raise ConfigError(f"api_key_command: {shown} printed nothing")
    return key
