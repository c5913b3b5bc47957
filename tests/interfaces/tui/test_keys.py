"""Keys → actions."""

from __future__ import annotations

import pytest

from protea.interfaces.tui.keys import ACTIONS, CONTEXTS, DEFAULT, KEYMAPS, Keys, conflicts, keymap, shown


@pytest.mark.parametrize("name", KEYMAPS)
def test_every_keymap_is_made_of_what_there_is(name: str) -> None:
    read = keymap(name)
    assert read.problems == ()
    assert set(read.table) == set(CONTEXTS)
    assert {action for keys in read.table.values() for action in keys.values()} <= set(ACTIONS)


def test_the_keys_people_bring_are_there() -> None:
    keys = Keys(keymap("default").table)
    for key, action in {
        "enter": "composer.send", "ctrl+enter": "composer.steer", "shift+enter": "composer.newline",
        "ctrl+j": "composer.newline", "escape": "session.interrupt", "ctrl+c": "app.clear_or_quit",
        "shift+tab": "session.mode", "ctrl+p": "app.palette", "ctrl+o": "transcript.expand", "ctrl+t": "pane.todos",
        "ctrl+r": "composer.history", "ctrl+g": "composer.editor", "ctrl+b": "session.background",
        "ctrl+v": "composer.paste", "ctrl+z": "app.suspend",
    }.items():  # fmt: skip
        assert keys.press(key, ["composer", "global"]) == action
    assert keys.press("y", ["approval"]) == "approval.once"


def test_a_sequence_waits_for_its_next_key_and_ends_with_any_other() -> None:
    keys = Keys(keymap("default").table)
    assert keys.press("ctrl+x", ["composer", "global"]) == ""
    assert ("m", "session.model") in keys.following(["global"])
    assert keys.press("m", ["composer", "global"]) == "session.model"
    assert keys.press("ctrl+x", ["global"]) == ""
    assert keys.press("f12", ["global"]) == ""
    assert keys.press("f12", ["global"]) is None


def test_the_nearest_context_has_the_key() -> None:
    keys = Keys(keymap("default").table)
    assert keys.press("tab", ["suggestions", "composer", "global"]) == "suggestions.take"
    assert keys.press("tab", ["composer", "global"]) == "composer.complete"


def test_null_takes_a_key_away_and_others_are_added() -> None:
    read = keymap("default", {"global": {"ctrl+t": "null", "ctrl+p": "", "f5": "app.redraw"}})
    assert read.problems == ()
    assert "ctrl+t" not in read.table["global"]
    assert "ctrl+p" not in read.table["global"]
    assert read.table["global"]["f5"] == "app.redraw"


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"global": {"f5": "app.redrew"}}, "did you mean app.redraw?"),
        ({"glbal": {"f5": "app.redraw"}}, "did you mean [global]?"),
        ({"f5": "app.redraw"}, "is no table"),
        ({"global": {"ctrl+x": "app.quit"}}, '"ctrl+x" (app.quit) hides "ctrl+x m" (session.model) and '),
    ],
)
def test_what_is_wrong_with_a_persons_keys_is_named(own: dict[str, object], words: str) -> None:
    assert any(words in problem for problem in keymap("default", own).problems)


def test_the_default_keys_do_not_hide_one_another() -> None:
    assert conflicts(DEFAULT) == []


def test_keys_are_shown_as_people_read_them() -> None:
    assert shown("ctrl+x m") == "Ctrl+X m"
    assert shown("escape") == "Esc"
