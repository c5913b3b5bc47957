"""Where profiles are found, what they may say, and which layer they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from protea.adapters.settings import files
from protea.adapters.settings.profiles import PACKAGED, Profiles, compiled
from protea.adapters.settings.trust import is_trusted, trust
from protea.composition.catalogue import CATALOGUE
from protea.domain.errors import ConfigError
from protea.domain.settings import Settings
from protea.domain.surroundings import Surroundings

Write = Callable[[str, str], Path]


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    project, home = tmp_path / "project", tmp_path / "home" / ".protea"
    (project / ".protea" / "profiles").mkdir(parents=True)
    (home / "profiles").mkdir(parents=True)
    return Surroundings(
        cwd=str(project),
        root=str(project),
        user_home=str(home.parent),
        protea_home=str(home),
        environment={},
        trusted=False,
    )


@pytest.fixture
def own(around: Surroundings) -> Write:
    def write(name: str, text: str) -> Path:
        path = Path(around.protea_home, "profiles", f"{name}.toml")
        path.write_text(text)
        return path

    return write


@pytest.fixture
def projects(around: Surroundings) -> Write:
    def write(name: str, text: str) -> Path:
        path = Path(around.root, ".protea", "profiles", f"{name}.toml")
        path.write_text(text)
        return path

    return write


def load(around: Surroundings, **given: Any) -> Settings:
    return files.load(around, ports=CATALOGUE, **given)


def shelf(around: Surroundings, *, trusted: bool = True, bare: bool = False) -> Profiles:
    return Profiles(around, trusted=trusted, bare=bare, ports=CATALOGUE)


def test_the_compiled_profiles_are_those_of_the_files() -> None:
    """Make the file anew with `python -m tests.adapters.settings.test_profiles`."""
    assert Path(PACKAGED, "packaged.json").read_bytes() == compiled(CATALOGUE)


def test_the_packaged_ones_are_all_there_and_say_what_they_are(around: Surroundings) -> None:
    found = shelf(around)
    names = [name for name, _ in found.names()]
    assert names == ["base", "coding", "ops", "personal-assistant", "reviewer"]
    for name in names:
        *_, last = found.chain(name)
        assert last.about
        assert os.path.isfile(last.source)


def test_a_persons_profile_extends_a_packaged_one(around: Surroundings, own: Write) -> None:
    path = own("mine", 'extends = "reviewer"\neffort = "high"\n[persona]\nadapter = "minimal"\ntext = "Hi."\n')
    settings = load(around, flags={"profile": "mine"})
    assert (settings.profile, settings.effort, settings.permissions.mode) == ("mine", "high", "plan")
    assert settings.ports["persona"] == {"adapter": "minimal", "text": "Hi."}
    assert settings.ports["toolset"] == {"adapter": "builtin", "without": ["Edit", "Write", "Patch"]}
    assert settings.origins["ports.persona.text"] == f"{path}:5"
    assert settings.origins["permissions.mode"] == f"{PACKAGED}/reviewer.toml:4"
    assert [layer.source for layer in settings.permissions.layers] == [f"{PACKAGED}/reviewer.toml"]


def test_one_of_the_same_name_hides_the_packaged_one_and_may_extend_it(around: Surroundings, own: Write) -> None:
    own("coding", 'extends = "coding"\n[persona]\nappend = "Mind the gap."\n')
    assert load(around).ports["persona"] == {"adapter": "coding", "append": "Mind the gap."}
    assert load(around, bare=True).ports["persona"] == {"adapter": "coding"}


def test_the_projects_ones_are_there_once_it_is_trusted(around: Surroundings, projects: Write) -> None:
    projects("team", 'extends = "coding"\neffort = "low"\n')
    with pytest.raises(ConfigError, match="flag --profile: the profile 'team' is this project's, which has not been"):
        load(around, flags={"profile": "team"})
    trust(around.protea_home, around.root)
    assert load(around, flags={"profile": "team"}).effort == "low"
    projects("team", 'extends = "coding"\neffort = "high"\n')
    assert not is_trusted(around.protea_home, around.root)


def test_a_new_profile_in_the_project_asks_for_trust_again(around: Surroundings, projects: Write) -> None:
    projects("team", "")
    trust(around.protea_home, around.root)
    projects("base", 'mode = "yolo"\n')
    assert not is_trusted(around.protea_home, around.root)
    assert load(around).permissions.mode is None
    assert load(replace(around, trusted=True)).permissions.mode == "yolo"


def test_a_file_can_be_named_by_its_path(around: Surroundings) -> None:
    Path(around.cwd, "here.toml").write_text('extends = "base"\neffort = "low"\n')
    settings = load(around, flags={"profile": "./here.toml"})
    assert (settings.effort, settings.ports["persona"]["adapter"]) == ("low", "minimal")


def test_named_by_a_flag_it_wins_over_the_files_and_only_over_those(around: Surroundings, own: Write) -> None:
    own("mine", 'model = "p/profile"\neffort = "low"\nmode = "plan"\n')
    Path(around.protea_home, "config.toml").write_text(
        'model = "p/file"\neffort = "high"\n[permissions]\nmode="yolo"\n'
    )
    settings = load(around, flags={"profile": "mine", "permissions.mode": "normal"}, set=["effort=max"])
    assert (settings.model, settings.effort, settings.permissions.mode) == ("p/profile", "max", "normal")


def test_named_in_a_file_it_is_what_the_file_builds_upon(around: Surroundings, own: Write) -> None:
    own("mine", 'model = "p/profile"\neffort = "low"\n[sandbox]\nadapter = "none"\n')
    config = Path(around.protea_home, "config.toml")
    config.write_text('profile = "mine"\neffort = "high"\n[sandbox]\nadapter = "bubblewrap"\n')
    settings = load(around)
    assert (settings.model, settings.effort) == ("p/profile", "high")
    assert settings.ports["sandbox"] == {"adapter": "bubblewrap"}
    assert load(replace(around, environment={"PROTEA_PROFILE": "mine"})).effort == "low"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[persna]\nadapter = 'x'", ":2:1: persna is neither a port nor a key of profiles; did you mean persona?"),
        ("effort = 3", ":2:10: effort must be text, not a whole number (3)"),
        ("mode = 'paln'", ":2:8: permissions.mode must be one of normal, plan, yolo"),
        ("[permissions]\nallow_ = ['x']", ":3:10: permissions.allow_ is no key; did you mean permissions.allow?"),
        ("[permissions]\n'allow+' = 'x'", ":3:12: permissions.allow must be a list of texts"),
        ("persona = 'minimal'", ":2:11: persona must be a table that names its adapter, like [persona]"),
        ("extends = 'codign'", ":2: there is no profile 'codign'; did you mean coding?"),
        ("extends = 'mine'", ":2: the profile mine extends itself, and hides no other of that name"),
        ("[persona", "not valid TOML"),
        ("about = 3", ":2:9: about must be text"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(around: Surroundings, own: Write, text: str, told: str) -> None:
    path = own("mine", f"# a profile\n{text}\n")
    with pytest.raises(ConfigError) as raised:
        load(around, flags={"profile": "mine"})
    assert str(raised.value).startswith(f"{path}:")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["../secrets", "nobody", "a.b", ""])
def test_a_name_that_is_none_is_refused(around: Surroundings, name: str) -> None:
    Path(around.protea_home, "secrets.toml").write_text("")
    with pytest.raises(ConfigError):
        shelf(around).read(name)


def test_who_names_an_unknown_one_is_told(around: Surroundings) -> None:
    config = Path(around.protea_home, "config.toml")
    config.write_text('\nprofile = "reviewe"\n')
    with pytest.raises(ConfigError) as raised:
        load(around)
    assert str(raised.value) == f"{config}:2: there is no profile 'reviewe'; did you mean reviewer?"


if __name__ == "__main__":
    Path(PACKAGED, "packaged.json").write_bytes(compiled(CATALOGUE))
