"""Saves allow rules in the person's `permissions.toml`, between what they wrote there themselves."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec

from protea.domain.errors import ConfigError, StoreError
from protea.domain.pattern import regex
from protea.domain.surroundings import Surroundings

_ALLOW = regex(r"^allow[ \t]*=[ \t]*\[", re.MULTILINE)
_TABLE = regex(r"^[ \t]*\[", re.MULTILINE)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class FileRuleStore:
    def __init__(self, path: str) -> None:
        self._path = path

    def allow(self, rules: Sequence[str]) -> str:
        with self._alone():
            return self._add(rules)

    def _add(self, rules: Sequence[str]) -> str:
        text = self._read()
        before = self._allowed(text)
        new = [rule for rule in rules if rule not in before]
        if not new:
            return self._path
        after = _with(text, new)
        if set(self._allowed(after)) != {*before, *new}:
            raise ConfigError("its allow list has a form that cannot be added to; add the rule by hand", self._path)
        self._write(after)
        return self._path

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Another session that saves a rule just now waits: neither is to lose the other's."""
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            held = os.open(os.path.dirname(self._path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StoreError(f"the rule could not be saved in {self._path}: {error.strerror}") from error
        try:
            with suppress(OSError):  # a file system without locks: then it is as if nobody else was there
                fcntl.flock(held, fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)

    def _read(self) -> str:
        try:
            with open(self._path, encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self._path} cannot be read: {error}") from error

    def _allowed(self, text: str) -> list[str]:
        import tomllib  # every session has this adapter, few save a rule: start-up should not pay for it

        try:
            found = tomllib.loads(text).get("allow", [])
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"not valid TOML: {error}", self._path) from error
        return [str(rule) for rule in found] if isinstance(found, list) else []

    def _write(self, text: str) -> None:
        temporary = f"{self._path}.{os.getpid()}.new"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except OSError as error:
            raise StoreError(f"the rule could not be saved in {self._path}: {error.strerror}") from error


def _with(text: str, rules: Sequence[str]) -> str:
    lines = "".join(f"  {msgspec.json.encode(rule).decode()},\n" for rule in rules)
    table = _TABLE.search(text)  # a top-level key must stand before the first table
    at = table.start() if table is not None else len(text)
    found = _ALLOW.search(text, 0, at)
    if found is not None:
        return f"{text[: found.end()]}\n{lines}{text[found.end() :].lstrip(' ')}"
    head = text[:at] if not text[:at] or text[:at].endswith("\n") else text[:at] + "\n"
    return f"{head}allow = [\n{lines}]\n{text[at:]}"


def create(options: Options, *, surroundings: Surroundings) -> FileRuleStore:
    return FileRuleStore(os.path.join(surroundings.protea_home, "permissions.toml"))
