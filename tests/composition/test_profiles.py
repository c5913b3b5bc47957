"""What profiles say, and that `explain` is right about it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.settings.profiles import PACKAGED
from protea.composition.catalogue import CATALOGUE, DEFAULTS
from protea.composition.launch import Launch
from protea.composition.profiles import ProfileShelf
from protea.composition.resolve import check
from protea.composition.root import Given, Root
from protea.domain.errors import UsageError
from protea.ports.gateway import OpenSession

NAMES = sorted(path.stem for path in Path(PACKAGED).glob("*.toml"))


def launch(folder: Path, **given: Any) -> Launch:
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", **given.pop("environment", {})}
    return Launch(cwd=str(folder), environment=environment, warn=lambda text: None, **given)


def said_in(path: Path) -> Iterator[tuple[str, Any, int]]:
    """(key, value, line) of a file, found without the code under test: a table at a time, a line at a time."""
    text = path.read_text()
    values, table = tomllib.loads(text), ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.fullmatch(r"\[(\w+)\]", line):
            table = head[1]
        elif found := re.match(r"(\w+) = ", line):
            name = found[1]
            yield f"{table}.{name}" if table else name, (values[table] if table else values)[name], number


def own_keys() -> list[Any]:
    rows = []
    for name in NAMES:
        for key, value, line in said_in(Path(PACKAGED, f"{name}.toml")):
            if key not in ("about", "extends"):
                rows.append(pytest.param(name, key, value, line, id=f"{name}-{key}"))
    return rows


@pytest.mark.parametrize(("name", "key", "value", "line"), own_keys())
def test_every_key_of_every_packaged_profile_is_explained(
    tmp_path: Path, name: str, key: str, value: Any, line: int
) -> None:
    (found,) = ProfileShelf(launch(tmp_path)).explain(key, name)
    assert found.value == value
    last = found.said[-1]
    assert (last.value, last.by) == (value, f"{PACKAGED}/{name}.toml:{line}")


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_packaged_profile_comes_to_is_explained(tmp_path: Path, name: str) -> None:
    """Inherited keys too: the last of the chain that has a say is named, by file and line."""
    shelf = ProfileShelf(launch(tmp_path))
    files = [Path(each.source) for each in shelf.chain(name)]
    expected: dict[str, tuple[Any, str]] = {f"{port}.adapter": (a, "built in") for port, a in DEFAULTS.items()}
    for file in files:
        for key, value, line in said_in(file):
            if key not in ("about", "extends"):
                expected["permissions.mode" if key == "mode" else key] = (value, f"{file}:{line}")
    for key, (value, by) in expected.items():
        (found,) = shelf.explain(key, name)
        assert (found.key, found.value, found.said[-1].by) == (key, value, by)
    assert {key for port in shelf.whole(name) for key in [f"{port}.adapter"]} <= expected.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_packaged_profile_makes_a_session(tmp_path: Path, name: str) -> None:
    root = Root(launch(tmp_path, profile=name, model="offline/grammar"), Given())
    parts = root.assemble(OpenSession(cwd=str(tmp_path)))
    assert parts.profile == name
    for port, adapter in ProfileShelf(launch(tmp_path)).whole(name).items():
        assert adapter in CATALOGUE[port]
    system = parts.persona.system(cwd="/", model="m", mode=parts.mode, tools=())
    assert "Protea" in system[0]


def test_the_reviewer_has_nothing_to_write_with(tmp_path: Path) -> None:
    parts = Root(launch(tmp_path, profile="reviewer", model="offline/grammar"), Given()).assemble(OpenSession(cwd=""))
    tools = {spec.name for toolset in parts.toolsets for spec in toolset.specs()}
    assert {"Read", "Grep", "Bash"} <= tools
    assert not {"Edit", "Write", "Patch"} & tools
    assert parts.mode == "plan"


def test_everyone_who_has_a_say_is_told_in_order(tmp_path: Path) -> None:
    home = tmp_path / ".protea"
    (home / "profiles").mkdir(parents=True)
    mine = home / "profiles" / "mine.toml"
    mine.write_text('extends = "coding"\n[instructions]\nadapter = "files"\n"names+" = ["NOTES.md"]\n')
    (home / "config.toml").write_text('profile = "mine"\nmodel = "p/m"\n')
    shelf = ProfileShelf(launch(tmp_path, set=("ports.instructions.most_bytes=9",)))
    assert shelf.current == "mine"
    (names,) = shelf.explain("instructions.names", None)
    assert (names.value, [said.by for said in names.said]) == (["NOTES.md"], [f"{mine}:4"])
    (most,) = shelf.explain("instructions.most_bytes", None)
    assert (most.value, most.said[-1].by) == (9, "flag --set")
    (model,) = shelf.explain("model", None)
    assert [said.by for said in model.said] == [f"{home}/config.toml:2"]
    with pytest.raises(UsageError, match=r"nothing is set for .persna.; did you mean persona"):
        shelf.explain("persna", None)


def test_a_profile_cannot_be_shown_in_part(tmp_path: Path) -> None:
    """`diff` has what a key is without a profile, so that nothing is left out on either side."""
    found = {each.key: (each.left, each.right) for each in ProfileShelf(launch(tmp_path)).diff("base", "ops")}
    assert found["effort"] == (None, "low")
    assert "persona.text" in found
    assert "persona.adapter" not in found
    assert ProfileShelf(launch(tmp_path)).diff("ops", "ops") == ()


def test_resolvers_of_every_profile_know_every_option(tmp_path: Path) -> None:
    """Every option a packaged profile names is one that its adapter takes."""
    for name in NAMES:
        root = Root(launch(tmp_path, profile=name), Given())
        tables = root.settings.ports
        chosen = {
            port: (table["adapter"], {key: value for key, value in table.items() if key != "adapter"})
            for port, table in tables.items()
        }
        check(chosen, {}, chosen)
