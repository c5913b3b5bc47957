from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.secrets import file
from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.testing.contracts.secrets import SecretsContract


class TestFileSecrets(SecretsContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self.home = tmp_path

    def secrets(self, key: str) -> file.FileSecrets:
        (self.home / "key").write_text(key + "\n")
        (self.home / "key").chmod(0o600)
        return file.FileSecrets(str(self.home), str(self.home / ".protea"))

    def pointing(self) -> ProviderSettings:
        return ProviderSettings(api_key_file="~/key")

    def pointing_nowhere(self) -> ProviderSettings:
        return ProviderSettings(api_key_file="elsewhere")


def written(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_others_may_read_is_refused_with_the_mend(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "key", "sk-abc", mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}"):
        file.read(path)


@pytest.mark.parametrize("text", ["", "\n \n", "x" * 70_000])
def test_what_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"no key|too long"):
        file.read(written(tmp_path / "key", text))


def test_a_folder_or_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigError, match="file"):
            file.read(str(path))
