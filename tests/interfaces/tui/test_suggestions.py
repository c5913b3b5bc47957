"""What is offered while one writes."""

from __future__ import annotations

import pytest

from protea.interfaces.tui.fuzzy import Finder
from protea.interfaces.tui.suggestions import Offers, wanted

COMMANDS = [
    {"name": "model", "arguments": "[MODEL]", "about": "the model", "completes": "models", "aliases": []},
    {"name": "mode", "arguments": "[MODE]", "about": "the mode", "completes": ["normal", "plan"], "aliases": []},
    {"name": "exit", "arguments": "", "about": "leave", "completes": [], "aliases": ["quit"]},
]


@pytest.fixture
def offers() -> Offers:
    found = Offers()
    found.commands = COMMANDS
    found.topics["models"] = [{"id": "acme/one"}, {"id": "acme/two"}]
    found.files = Finder(["src/main.py", "a file.txt"])
    return found


def inserts(offers: Offers, text: str) -> list[str]:
    what = wanted(text, len(text))
    return [] if what is None else [offer.insert for offer in list(offers.of(what))[-1]]


def test_commands_are_offered_by_their_beginning_and_their_other_names(offers: Offers) -> None:
    assert inserts(offers, "/mo") == ["/model ", "/mode "]
    assert inserts(offers, "/qui") == ["/quit"]
    assert inserts(offers, "/") == ["/model ", "/mode ", "/exit"]


def test_arguments_are_words_or_what_a_topic_lists(offers: Offers) -> None:
    assert inserts(offers, "/mode p") == ["plan"]
    assert inserts(offers, "/model tw") == ["acme/two"]


def test_files_are_offered_behind_an_at_sign(offers: Offers) -> None:
    assert inserts(offers, "read @main") == ["@src/main.py "]
    assert inserts(offers, "read @filetxt") == ['@"a file.txt" ']


@pytest.mark.parametrize("text", ["", "hello", "me@example.org", "//not", "/etc/hosts", "x /model"])
def test_nothing_is_offered_where_nothing_is_meant(offers: Offers, text: str) -> None:
    assert inserts(offers, text) == []
