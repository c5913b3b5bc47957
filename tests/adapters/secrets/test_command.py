from __future__ import annotations

import sys
from pathlib import Path

import pytest

from protea.adapters.secrets import command
from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.testing.contracts.secrets import SecretsContract


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


class TestCommandSecrets(SecretsContract):
    def secrets(self, key: str) -> command.CommandSecrets:
        return command.CommandSecrets({"KEY": key}, 30.0)

    def pointing(self) -> ProviderSettings:
        return ProviderSettings(api_key_command=python("import os; print(os.environ['KEY'])"))

    def pointing_nowhere(self) -> ProviderSettings:
        return ProviderSettings(api_key_command=("protea-no-such-command",))


async def test_a_command_runs_once(tmp_path: Path) -> None:
    line = python(f"open({str(tmp_path / 'runs')!r}, 'a').write('x'); print('sk-abc\\nmore')")
    secrets = command.CommandSecrets({}, 30.0)
    settings = ProviderSettings(api_key_command=line)
    assert [await secrets.key("acme", settings) for _ in range(3)] == ["sk-abc"] * 3
    assert (tmp_path / "runs").read_text() == "x"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ((), "list of words"),
        (python("print('sk-secret'); raise SystemExit(3)"), "failed with 3"),
        (python("import sys; print('sk-secret'); sys.exit('locked')"), "failed with 1: locked"),
        (python("pass"), "printed nothing"),
        (("/",), "could not be started"),
        (("a\0b",), "could not be started"),
    ],
)
def test_a_failure_is_told_without_what_was_printed(line: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        command.run(line, {})
    assert words in str(caught.value)
    assert "sk-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_command_that_never_ends_is_ended() -> None:
    with pytest.raises(ConfigError, match=r"within 0\.2 seconds"):
        command.run(python("import time; time.sleep(60)"), {}, 0.2)
