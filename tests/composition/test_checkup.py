"""What `protea doctor` says of what fills the ports: each kind of mistake told apart, and suites run for real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from protea.composition.catalogue import SWAP_CLASSES
from protea.composition.checkup import look_at_port, look_at_ports
from protea.composition.launch import Launch
from protea.composition.root import Given, Root
from protea.domain.errors import UsageError
from protea.interfaces.commands.doctor import Finding
from protea.testing.running import suite


def root(tmp_path: Path, *settings: str, path: str = "/usr/bin:/bin", bare: bool = True) -> Root:
    environment = {"HOME": str(tmp_path / "home"), "OLLAMA_HOST": "http://127.0.0.1:9", "PATH": path}
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "project/.git").mkdir(parents=True, exist_ok=True)
    launch = Launch(
        cwd=str(tmp_path / "project"), environment=environment, warn=lambda line: None, set=settings, bare=bare
    )
    return Root(launch, Given())


def problems(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.state == "problem"]


def test_what_is_as_it_should_be_is_one_line(tmp_path: Path) -> None:
    ports, servers = look_at_ports(root(tmp_path))
    assert ports.state == "ok"
    assert (servers.about, servers.state) == ("language servers", "note")


def test_language_servers_are_told_with_what_keeps_them_from_being_asked(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "ruff"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    *_, servers = look_at_ports(root(tmp_path, path=str(program.parent), bare=False))
    assert (servers.state, servers.found) == ("note", "ruff: not in a project that is not trusted")
    assert servers.mend == "`protea trust` lets them be started"
    *_, servers = look_at_ports(root(tmp_path, path="/nowhere", bare=False))
    assert servers.found == "none was found"


def test_an_unknown_name_a_wrong_option_and_a_missing_package_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ddgs", None)  # as where the extra is not installed
    monkeypatch.delitem(sys.modules, "protea.adapters.search.metasearch", raising=False)
    made = root(
        tmp_path,
        "ports.memory.adapter=filez",
        "ports.context.adapter=windowed",
        'ports.context.share="much"',
        "ports.search.adapter=metasearch",
    )
    found = {finding.about: finding for finding in problems(look_at_ports(made))}
    assert found["memory: there is no such adapter"].mend == "did you mean files?"
    assert "share" in found["context: a wrong option"].found
    assert found["context: a wrong option"].mend == "its options are: share, most, recall"
    assert found["search: a package is missing"].mend.startswith("pip install 'protea[")
    assert len(found) == 3


@pytest.mark.parametrize("port", [port for port in SWAP_CLASSES if port != "model"])
def test_a_port_s_suite_is_run_on_what_really_fills_it(tmp_path: Path, port: str) -> None:
    findings = list(look_at_port(root(tmp_path), port))
    assert problems(findings) == []
    assert [finding.about for finding in findings] == [f"{port} is filled by", "opens", "promises"]
    tests = len([name for name in dir(suite(port)) if name.startswith("test_")])
    kept, of = map(int, findings[-1].found.partition(" are kept")[0].split(" of "))
    assert of == tests
    if port == "secrets":  # its tests know the key that is to be found
        assert (kept, findings[-1].state) == (0, "note")
    else:
        assert kept >= tests - 1
        assert findings[-1].state == "ok"
    assert list((tmp_path / "home").iterdir()) == [], "nothing of the person's was touched"


def test_a_null_adapter_keeps_its_promises_too(tmp_path: Path) -> None:
    for port in ("memory", "scheduler", "task_runner", "channel", "proactive", "peer_server", "search", "capability"):
        assert problems(list(look_at_port(root(tmp_path, f"ports.{port}.adapter=none"), port))) == []


def test_an_adapter_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    findings = list(look_at_port(root(tmp_path, 'ports.scheduler.timezone="Mars/Base"'), "scheduler"))
    assert [(finding.about, finding.found) for finding in problems(findings)] == [
        ("opens", "there is no time zone 'Mars/Base'; write it like Europe/Berlin")
    ]


def test_what_asks_a_provider_is_not_run(tmp_path: Path) -> None:
    (finding,) = look_at_port(root(tmp_path), "model")
    assert finding.state == "note"


def test_a_port_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean memory"):
        list(look_at_port(root(tmp_path), "memry"))
