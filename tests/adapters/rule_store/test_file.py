"""Rules a person has said `always` to, in their own file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.adapters.rule_store.file import FileRuleStore
from protea.domain.errors import ConfigError


def store(folder: Path, text: str | None = None) -> tuple[FileRuleStore, Path]:
    path = folder / "permissions.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return FileRuleStore(str(path)), path


def allowed(path: Path) -> list[str]:
    found: list[str] = tomllib.loads(path.read_text(encoding="utf-8"))["allow"]
    return found


def test_the_first_rule_makes_a_private_file(tmp_path: Path) -> None:
    rules, path = store(tmp_path)
    rules.allow(["Bash(npm test)"])
    assert allowed(path) == ["Bash(npm test)"]
    assert os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "# mine\nmode = 'plan'\n",
        'allow = ["Read"]  # mine\n',
        "allow = []",
        'deny = ["Bash(rm:*)"]\n\n[extra]\nallow = ["no"]\n',
        '# allow = ["x"]\nallow = [\n  "Read", # mine\n]\n',
    ],
)
def test_what_the_person_wrote_stays(tmp_path: Path, text: str) -> None:
    rules, path = store(tmp_path, text)
    before = tomllib.loads(text)
    rules.allow(['Bash(echo "a\\b")'])
    after = path.read_text(encoding="utf-8")
    assert set(allowed(path)) == {*before.get("allow", []), 'Bash(echo "a\\b")'}
    assert tomllib.loads(after) | {"allow": None} == before | {"allow": None}
    assert ("mine" in after) == ("mine" in text)


def test_a_rule_that_is_there_is_not_written_twice(tmp_path: Path) -> None:
    rules, path = store(tmp_path, 'allow = ["Read"]\n')
    rules.allow(["Read"])
    assert path.read_text(encoding="utf-8") == 'allow = ["Read"]\n'


def test_a_broken_file_is_left_alone_and_named(tmp_path: Path) -> None:
    rules, path = store(tmp_path, "allow = [")
    with pytest.raises(ConfigError, match=r"permissions\.toml"):
        rules.allow(["Read"])
    assert path.read_text(encoding="utf-8") == "allow = ["


@given(rule=st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable()))
def test_any_rule_survives_the_way_to_the_file_and_back(rule: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    rules, path = store(tmp_path_factory.mktemp("rules"))
    rules.allow([rule])
    assert allowed(path) == [rule]
