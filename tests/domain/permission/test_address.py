"""URLs as text: what may be decided by a domain rule, what asks, what is never fetched."""

from __future__ import annotations

import pytest

from protea.domain.permission.address import read_address
from protea.domain.permission.rules import host_matches


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://docs.python.org/3/", "fine"),
        ("https://DOCS.python.org./", "fine"),
        ("https://8.8.8.8/", "fine"),
        ("https://[2606:4700::1111]/", "fine"),
        ("http://docs.python.org/", "ask"),
        ("https://user@docs.python.org/", "deny"),
        ("https://a\\b.org/", "deny"),
        ("https://d\u043ecs.python.org/", "ask"),
        ("https://printer/", "ask"),
        ("https://x.org/" + "a" * 3000, "ask"),
        ("https:/x.org", "deny"),
        ("x.org", "deny"),
        ("https://x.org\n", "deny"),
        (None, "ask"),
        ("ftp://x.org", "deny"),
        ("file:///etc/passwd", "deny"),
        ("data:text/html,x", "deny"),
        ("https://x.org:99999/", "deny"),
        *((f"http://{host}/", "deny") for host in (
            "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "10.0.0.5", "172.16.0.1",
            "192.168.0.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "224.0.0.1", "255.255.255.255",
            "168.63.129.16", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]", "[fe80::1]", "[fd00:ec2::254]", "[fec0::1]", "[::127.0.0.1]", "localhost",
            "LOCALHOST.", "a.localhost", "metadata.google.internal", "nas.local", "\u24f5\u24f6\u24fb.0.0.1",
            "metadata", "instance-data", "kubernetes.default.svc", "192.88.99.1", "[::ffff:192.88.99.1]",
            "[fe80::1%25eth0]", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "loc%61lhost", "u@127.0.0.1", "u:p@[::1]",
            "evil.example\\@10.0.0.1", "10.0.0.1\\.evil.example", "169.254.169.254@evil.example",
        )),
    ],
)  # fmt: skip
def test_each_url_has_its_verdict(url: str | None, verdict: str) -> None:
    found = read_address(url)
    if url is not None and "\u24f5" in url:
        assert found.verdict in ("ask", "deny")
    else:
        assert found.verdict == verdict, found


def test_host_and_port_are_what_will_be_connected_to() -> None:
    found = read_address("https://Docs.Python.org:443/x?y#z")
    assert (found.host, found.port) == ("docs.python.org", 443)


@pytest.mark.parametrize(
    "url",
    ["https://x@bad.org/", "https://b%61d.org/", "https://good.org\\@bad.org/", "https://bad.org\\@good.org/",
     "https://bad\u3002org/", "https://\uff42ad.org:8443/", "https://BAD.org./", "https:/bad.org/", "https://bad.org/x"],
)  # fmt: skip
def test_every_host_that_somebody_may_read_in_it_is_told(url: str) -> None:
    assert "bad.org" in read_address(url).meant


def test_a_name_in_foreign_letters_is_one_name_however_it_is_written() -> None:
    assert host_matches("b\u00fccher.example", read_address("https://xn--bcher-kva.example/").host, 443)
    assert any(
        host_matches("xn--bcher-kva.example", h, 443) for h in read_address("https://b\u00fccher.example/").meant
    )
