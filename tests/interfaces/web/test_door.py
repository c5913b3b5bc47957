"""Who may come in."""

from __future__ import annotations

import pytest

from protea.interfaces.web.door import HEADERS, LOCAL_NAMES, Door

DOOR = Door(token="the-token", pass_="the-pass", port=7422)


@pytest.mark.parametrize("host", ["127.0.0.1:7422", "localhost:7422", "LOCALHOST:7422", "[::1]:7422", "localhost:8000"])
def test_names_of_this_machine_are_answered_also_where_the_port_was_forwarded(host: str) -> None:
    assert DOOR.is_here([host])


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["evil.example:7422"],
        ["127.0.0.1.evil.example:7422"],
        ["localhost.evil.example"],
        ["evil.example#localhost:7422"],
        ["localhost@evil.example:7422"],
        ["192.168.1.4:7422"],
        [""],
        ["[::2]:7422"],
        ["127.0.0.1:7422", "evil.example:7422"],
    ],
)
def test_names_that_others_may_let_point_here_are_not(hosts: list[str]) -> None:
    assert not DOOR.is_here(hosts)


def test_addresses_count_where_it_listens_on_all_of_them_and_names_still_do_not() -> None:
    open_door = Door(token="t", pass_="p", port=7422, names=(*LOCAL_NAMES, "workbench"), any_address=True)
    assert open_door.is_here(["192.168.1.4:7422"])
    assert open_door.is_here(["[fe80::1]:7422"])
    assert open_door.is_here(["workbench:7422"])
    assert not open_door.is_here(["evil.example:7422"])


@pytest.mark.parametrize(
    ("origins", "hosts", "own"),
    [
        (["http://127.0.0.1:7422"], ["127.0.0.1:7422"], True),
        (["http://localhost:7422"], ["localhost:7422"], True),
        (["http://localhost:7422"], ["127.0.0.1:7422"], False),
        (["http://localhost:9999"], ["localhost:7422"], False),
        (["https://localhost:7422"], ["localhost:7422"], False),
        (["https://evil.example"], ["localhost:7422"], False),
        (["http://evil.example:7422"], ["evil.example:7422"], False),
        (["null"], ["localhost:7422"], False),
        ([], ["localhost:7422"], False),
        (["http://localhost:7422", "http://localhost:7422"], ["localhost:7422"], False),
    ],
)
def test_only_a_page_of_this_very_address_is_let_through(origins: list[str], hosts: list[str], own: bool) -> None:
    assert DOOR.is_own_page(origins, hosts) is own


def test_the_pass_is_found_among_other_cookies_and_under_its_own_name_only() -> None:
    assert DOOR.has_pass(["a=b; protea-7422=the-pass; c=d"])
    assert DOOR.has_pass(["a=b", "protea-7422=the-pass"])
    assert not DOOR.has_pass([])
    assert not DOOR.has_pass(["protea-7422=another"])
    assert not DOOR.has_pass(["protea-7423=the-pass"])
    assert not DOOR.has_pass(["protea-7422=the-token"])
    assert not DOOR.has_pass(["protea-7422"])
    assert not DOOR.has_pass(["\x00=;=;;protea-7422=é"])


def test_what_is_no_token_is_none_whatever_is_in_it() -> None:
    assert DOOR.is_token("the-token")
    for given in ("", "the-toke", "the-token ", "the-pass", "thé-token", "\ud800"):
        assert not DOOR.is_token(given)


def test_the_cookie_is_kept_from_scripts_and_from_other_sites() -> None:
    assert DOOR.set_cookie() == "protea-7422=the-pass; Path=/; HttpOnly; SameSite=Strict"


def test_the_page_may_load_its_own_files_and_nothing_else() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("host", ["[fe80::1%eth0]", "[::1%; script-src *]:7422", "::1%x"])
def test_no_words_get_in_behind_an_address(host: str) -> None:
    # The name is repeated in the page's policy.
    assert not Door(token="t", pass_="p", port=7422, any_address=True).is_here([host])
