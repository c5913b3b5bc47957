from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from protea.adapters.rule_store import file
from protea.domain.surroundings import Surroundings
from protea.testing.contracts.rule_store import RuleStoreContract


class TestFileRuleStore(RuleStoreContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._folder = tmp_path

    def rule_store(self) -> file.FileRuleStore:
        here = str(self._folder)
        around = Surroundings(cwd=here, root=here, user_home=here, protea_home=here, environment={})
        return file.create(file.Options(), surroundings=around)

    def saved(self) -> list[str]:
        path = self._folder / "permissions.toml"
        found: list[str] = tomllib.loads(path.read_text())["allow"] if path.exists() else []
        return found
