"""The settings in force, where they come from, and how one is changed. Called by `cli` for `protea config`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from protea.adapters.settings import files
from protea.composition.launch import Launch
from protea.composition.root import Given, Root
from protea.composition.surroundings import find_surroundings
from protea.domain.errors import ConfigError, UsageError
from protea.domain.settings import ScreenSettings

Changed = tuple[str, Any, Any]
"""(dotted key, its value before, after); None where it was or is not set."""


class Configuration:
    """What `protea config` works on. Files are read when they are asked for: a broken one can still be changed."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._around = find_surroundings(launch.cwd, launch.add_dirs, launch.environment)

    def entries(self) -> list[tuple[str, Any, str]]:
        """(dotted key, value, who set it). Raises `ConfigError`."""
        return files.entries(Root(self._launch, Given()).settings)

    def read(self, key: str) -> Any:
        """The value in force, None where there is none. Raises `ConfigError` for a key that is none."""
        return files.read_value(Root(self._launch, Given()).settings, key)

    def write(self, key: str, value: str, *, project: bool) -> str:
        """Set a key in the person's or the project's file; the file. Raises `ConfigError`, `StoreError`."""
        file = files.project_file(self._around) if project else files.user_file(self._around)
        with self._as_trusted(file, project=project):
            files.set_value(file, key, value)
        return file

    def screen(self) -> ScreenSettings:
        """How the person wants the full screen. Raises `ConfigError`."""
        return Root(self._launch, Given()).settings.tui

    def keep_for_screen(self, name: str, value: Any) -> None:
        """Set a key of `[tui]` in the person's own file. Raises `ConfigError`, `StoreError`."""
        self.write(f"tui.{name}", str(value).lower() if isinstance(value, bool) else str(value), project=False)

    def edit(self, editor: Callable[[str], int], *, project: bool) -> tuple[str, tuple[str, ...], list[Changed]]:
        """Let `editor` change a copy of a file and keep what it made of it, if that can be used: (the file, what will
        be passed over, what is different). Raises `ConfigError` where it cannot; then the file is as it was, and the
        copy is still there."""
        file = files.project_file(self._around) if project else files.user_file(self._around)
        before = _text(file)
        copy = os.path.join(os.path.dirname(file), f"config.edited-{os.getpid()}.toml")
        files.replace_file(copy, before)
        try:
            failed = editor(copy)
        except BaseException:
            os.unlink(copy)
            raise
        if failed:
            os.unlink(copy)
            raise UsageError(f"the editor failed; {file} is as it was")
        after = _text(copy)
        try:
            warnings, values = files.look_at(after, copy)
        except ConfigError as error:
            raise ConfigError(f"{error} ({file} is as it was; what you wrote is in {copy})") from None
        if _text(file) != before:
            raise ConfigError(f"it was changed while you wrote; what you wrote is in {copy}", file)
        os.unlink(copy)
        if after != before:
            with self._as_trusted(file, project=project):
                files.replace_file(file, after)
        try:
            old = files.look_at(before, file)[1]
        except ConfigError:
            old = {}  # it could not be used before
        return file, warnings, changed(old, values)

    @contextmanager
    def _as_trusted(self, file: str, *, project: bool) -> Iterator[None]:
        """A project's file that a person changes here stays as trusted as the project was."""
        home, root = self._around.protea_home, self._around.root
        if not project or os.path.realpath(os.path.dirname(file)) == os.path.realpath(home):
            yield
            return
        from protea.adapters.settings import trust

        trusted = trust.is_trusted(home, root)
        yield
        if trusted:
            trust.carry_over(home, root, file)
        else:
            self._launch.warn(f"{file} is used once this project is trusted, as it then is; `protea trust` does that")

    def files(self) -> dict[str, str]:
        """Whose settings → the file."""
        return {"user": files.user_file(self._around), "project": files.project_file(self._around)}

    def schema(self) -> dict[str, Any]:
        """JSON Schema of `config.toml`."""
        return files.schema()


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Changed]:
    """What two sets of settings differ in, by key."""
    keys = sorted({*before, *after})
    return [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8; save it as UTF-8", path) from None
