"""The settings in force, where they come from, and how one is changed. Called by `cli` for `protea config`."""

from __future__ import annotations

from typing import Any

from protea.adapters.settings import files
from protea.composition.launch import Launch
from protea.composition.root import Given, Root
from protea.composition.surroundings import find_surroundings
from protea.domain.settings import ScreenSettings


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
        files.set_value(file, key, value)
        return file

    def screen(self) -> ScreenSettings:
        """How the person wants the full screen. Raises `ConfigError`."""
        return Root(self._launch, Given()).settings.tui

    def keep_for_screen(self, name: str, value: Any) -> None:
        """Set a key of `[tui]` in the person's own file. Raises `ConfigError`, `StoreError`."""
        self.write(f"tui.{name}", str(value).lower() if isinstance(value, bool) else str(value), project=False)

    def files(self) -> dict[str, str]:
        """Whose settings → the file."""
        return {"user": files.user_file(self._around), "project": files.project_file(self._around)}

    def schema(self) -> dict[str, Any]:
        """JSON Schema of `config.toml`."""
        return files.schema()
