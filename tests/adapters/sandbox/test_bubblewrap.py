"""Real commands behind real walls."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.sandbox import bubblewrap
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Sandbox
from protea.testing.contracts.sandbox import PATH, SandboxContract


def surroundings(project: Path, home: Path) -> Surroundings:
    root = os.path.realpath(project)
    return Surroundings(
        cwd=root,
        root=root,
        user_home=os.path.realpath(home),
        protea_home=os.path.realpath(home) + "/.protea",
        environment={"PATH": PATH, "HOME": os.path.realpath(home)},
    )


class TestBubblewrap(SandboxContract):
    sees_pids = False

    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        for name in ("home", "project"):
            (tmp_path / name).mkdir()
        around = surroundings(tmp_path / "project", tmp_path / "home")
        self._folder = around.root
        self._sandbox = bubblewrap.create(bubblewrap.Options(), surroundings=around)

    def sandbox(self) -> Sandbox:
        return self._sandbox

    def folder(self) -> str:
        return self._folder
