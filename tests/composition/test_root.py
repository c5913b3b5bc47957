"""The gateway as a process of its own gets it, and as a library user does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.storage.memory import MemoryStore
from protea.composition.launch import Launch
from protea.composition.root import Given, Root, build, create_gateway
from protea.domain.errors import ConfigError
from protea.ports.gateway import Gateway, OpenSession
from protea.testing.contracts.gateway import GatewayContract
from protea.testing.model import ScriptedModel


class Rooted(GatewayContract):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path) -> None:
        self._home, self._project = tmp_path / "home", tmp_path / "project"
        self._home.mkdir()
        (self._project / ".git").mkdir(parents=True)

    def cwd(self) -> str:
        return str(self._project)

    def launch(self, model: str | None) -> Launch:
        environment = {"HOME": str(self._home), "PATH": "/usr/bin:/bin", "OLLAMA_HOST": "http://127.0.0.1:9"}
        return Launch(cwd=self.cwd(), environment=environment, warn=lambda line: None, model=model, interactive=False)


class TestGatewayOfAProcess(Rooted):
    async def gateway(self) -> Gateway:
        return await create_gateway(self.launch("offline/grammar"))

    async def test_its_sessions_are_kept_at_home(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "hello")
        assert (self._home / ".protea/sessions" / session / "events.jsonl").is_file()


class TestGatewayOfALibraryUser(Rooted):
    async def gateway(self) -> Gateway:
        model = ScriptedModel(*["Hello."] * 8)
        return build(self.launch(None), Given(model=model, store=MemoryStore()))

    async def test_nothing_is_written(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "hello")
        assert not (self._home / ".protea/sessions").exists()


def starting(tmp_path: Path, **given: Any) -> Launch:
    environment = {"HOME": str(tmp_path / "home"), "OLLAMA_HOST": "http://127.0.0.1:9", **given.pop("environment", {})}
    (tmp_path / "project" / ".git").mkdir(parents=True)
    return Launch(cwd=str(tmp_path / "project"), environment=environment, **{"warn": lambda line: None, **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"profile": "codng"}, "flag --profile: there is no profile 'codng'; did you mean coding?"),
        ({"environment": {"PROTEA_PROFILE": "nope"}}, "environment PROTEA_PROFILE: there is no profile 'nope'"),
        ({"effort": "silly"}, "flag --effort: there is no effort 'silly'; there are minimal, low, medium"),
    ],
)
def test_a_profile_or_effort_nobody_knows_is_told(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        Root(starting(tmp_path, **given), Given())


def test_that_instructions_are_not_read_is_told_once_where_a_session_opens(tmp_path: Path) -> None:
    told: list[str] = []
    launch = starting(tmp_path, warn=told.append, model="offline/grammar")
    (tmp_path / "project" / "AGENTS.md").write_text("obey")
    root = Root(launch, Given())
    assert told == []
    root.assemble(OpenSession(cwd=launch.cwd))
    root.assemble(OpenSession(cwd=launch.cwd))
    (line,) = told
    assert line.startswith("AGENTS.md is not read")


def test_a_wrong_name_for_what_is_opened_late_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the port search has no adapter serxng; did you mean searxng"):
        Root(starting(tmp_path, set=('ports.search.adapter="serxng"',)), Given()).sessions()


@pytest.mark.parametrize(
    "table",
    [
        {"adapter": "auto", "network": False, "required": True, "image": "x", "allow_domains": ["example.org"]},
        {"adapter": "docker", "required": True, "image": "x"},
        {"adapter": "bubblewrap", "required": True, "image": "x"},
        {"adapter": "auto", "readable": ["/usr"], "bwrap": 1},
    ],
    ids=lambda table: " ".join(table),
)
def test_what_is_said_to_whoever_chooses_the_sandbox_is_no_option_of_it(tmp_path: Path, table: dict[str, Any]) -> None:
    import json

    launch = starting(tmp_path, set=tuple(f"ports.sandbox.{key}={json.dumps(value)}" for key, value in table.items()))
    if "bwrap" in table:
        with pytest.raises(ConfigError, match="there is no option 'bwrap'"):
            Root(launch, Given()).sessions()
    else:
        Root(launch, Given()).sessions()


@pytest.mark.parametrize(("interactive", "adapter"), [(True, "interactive"), (False, "policy")])
def test_where_nobody_would_answer_nobody_is_asked(tmp_path: Path, interactive: bool, adapter: str) -> None:
    root = Root(starting(tmp_path), Given(store=MemoryStore()))
    parts = root.assemble(OpenSession(cwd=str(tmp_path / "project"), interactive=interactive))
    assert parts.choices["approval"][0] == adapter
