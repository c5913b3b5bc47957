"""Profiles as values: chains, merging, differences."""

from __future__ import annotations

from typing import Any

import pytest

from protea.domain.errors import ConfigError
from protea.domain.profile import Profile, chain, differences, flat, in_settings, profile_key, settings_key
from protea.domain.settings import Layer, merge

PORTS = ("persona", "model", "sandbox", "instructions", "hooks")


def fail(key: str, message: str) -> ConfigError:
    return ConfigError(f"{key}| {message}")


def merged(*tables: dict[str, Any]) -> dict[str, Any]:
    return merge([Layer(source=str(at), data=in_settings(table, PORTS, fail)) for at, table in enumerate(tables)])[0]


def test_a_table_of_a_port_becomes_that_of_the_settings() -> None:
    table = {"about": "x", "extends": "y", "mode": "plan", "effort": "low", "persona": {"adapter": "minimal"}}
    assert in_settings(table, PORTS, fail) == {
        "permissions": {"mode": "plan"},
        "effort": "low",
        "ports": {"persona": {"adapter": "minimal"}},
    }


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ({"adapter": "anthropic", "model": "claude-1"}, "anthropic/claude-1"),
        ({"adapter": "offline"}, "offline/grammar"),
        ({"adapter": "echo"}, "echo"),
    ],
)
def test_a_model_is_named_in_a_table_as_well(table: dict[str, Any], name: str) -> None:
    assert in_settings({"model": table}, PORTS, fail) == {"model": name, "ports": {"model": table}}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"persna": {"adapter": "x"}}, "persna| persna is neither a port nor a key of profiles; did you mean persona?"),
        ({"extend": "x"}, "did you mean extends?"),
        ({"persona": "minimal"}, "persona must be a table that names its adapter, like [persona]"),
        ({"persona": {"adapter": 3}}, "persona.adapter must be the name of an adapter"),
    ],
)
def test_a_key_that_is_none_is_refused_with_the_nearest(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        in_settings(table, PORTS, fail)
    assert told in str(raised.value)


def test_tables_merge_lists_replace_and_a_plus_adds() -> None:
    below = {"instructions": {"adapter": "files", "names": ["A"], "most_bytes": 5}, "fallback": ["a/b"]}
    assert merged(below, {"instructions": {"names": ["B"]}})["ports"]["instructions"] == {
        "adapter": "files",
        "names": ["B"],
        "most_bytes": 5,
    }
    above = merged(below, {"instructions": {"names+": ["B"]}, "fallback+": ["c/d"]})
    assert above["ports"]["instructions"]["names"] == ["A", "B"]
    assert above["fallback"] == ["a/b", "c/d"]
    assert merged({"fallback+": ["c/d"]}) == {"fallback": ["c/d"]}


def test_another_adapter_takes_no_options_over_and_the_same_one_does() -> None:
    below = {"persona": {"adapter": "minimal", "text": "Hi."}}
    assert merged(below, {"persona": {"adapter": "coding"}})["ports"]["persona"] == {"adapter": "coding"}
    same = merged(below, {"persona": {"adapter": "minimal"}})["ports"]["persona"]
    assert same == {"adapter": "minimal", "text": "Hi."}


def test_hooks_of_all_layers_add_up_and_each_keeps_its_file() -> None:
    one, two, three = ({"hooks": {"before_tool": [{"command": [name]}]}} for name in ("one", "two", "three"))
    layers = [
        Layer(source=f"/{at}", data=in_settings(table, PORTS, fail)) for at, table in enumerate((one, two, three))
    ]
    data, origins = merge(layers)
    assert [hook["command"] for hook in data["ports"]["hooks"]["before_tool"]] == [["one"], ["two"], ["three"]]
    assert [origins[f"ports.hooks.before_tool {number}"] for number in (1, 2, 3)] == ["/0", "/1", "/2"]
    assert layers[0].data["ports"]["hooks"]["before_tool"] == [{"command": ["one"]}], "no layer was changed by that"
    assert merged(one, {"hooks": {"adapter": "none"}})["ports"]["hooks"] == {"adapter": "none"}
    assert merged({"hooks": {"adapter": "none"}}, one)["ports"]["hooks"] == {"adapter": "none", **one["hooks"]}


def shelf(**extends: str | None) -> dict[str, Profile]:
    return {
        name: Profile(name=name, source=f"/{name}.toml", extends=parent, lines={"extends": 7})
        for name, parent in extends.items()
    }


def read_from(found: dict[str, Profile]) -> Any:
    def read(name: str, hiding: Profile | None = None) -> Profile:
        if name not in found or hiding is not None:
            raise ConfigError(f"there is no profile {name!r}")
        return found[name]

    return read


def test_a_chain_begins_with_the_outermost_parent() -> None:
    found = chain("c", read_from(shelf(a=None, b="a", c="b")))
    assert [each.name for each in found] == ["a", "b", "c"]


def test_a_circle_is_told_with_the_file_and_line_that_close_it() -> None:
    with pytest.raises(ConfigError) as raised:
        chain("a", read_from(shelf(a="b", b="c", c="b")))
    assert str(raised.value) == "/c.toml:7: profiles extend each other in a circle: a → b → c → b"


def test_a_parent_that_is_none_is_told_with_file_and_line() -> None:
    with pytest.raises(ConfigError) as raised:
        chain("a", read_from(shelf(a="nobody")))
    assert str(raised.value) == "/a.toml:7: there is no profile 'nobody'"


def test_what_differs_is_told_by_the_key_as_profiles_have_it() -> None:
    left = {"ports": {"persona": {"adapter": "coding"}}, "effort": "low"}
    right = {"ports": {"persona": {"adapter": "minimal"}}, "effort": "low", "fallback": ["a/b"]}
    found = [(each.key, each.left, each.right) for each in differences(left, right)]
    assert found == [("fallback", None, ["a/b"]), ("persona.adapter", "coding", "minimal")]
    assert differences(left, left) == ()


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("persona.adapter", "ports.persona.adapter"),
        ("mode", "permissions.mode"),
        ("model", "model"),
        ("model.adapter", "ports.model.adapter"),
        ("permissions.allow", "permissions.allow"),
        ("ports.persona", "ports.persona"),
    ],
)
def test_keys_are_those_of_the_settings(written: str, key: str) -> None:
    assert settings_key(written) == key
    assert settings_key(profile_key(key)) == key


def test_a_table_is_flattened_and_empty_ones_stay() -> None:
    assert flat({"a": {"b": 1, "c d": {}}, "e": [1]}) == {"a.b": 1, 'a."c d"': {}, "e": [1]}
