"""Models by name: which provider, which address, which key."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.catalog.snapshot import SnapshotCatalog
from protea.composition.models import ConfiguredModels, OneModel
from protea.composition.resolve import Resolver
from protea.domain.errors import ConfigError, UsageError
from protea.domain.settings import ModelSettings, ProviderSettings, Settings
from protea.domain.surroundings import Surroundings
from protea.domain.usage import ModelInfo, Price
from protea.ports.model import Model
from protea.ports.model_source import ModelSource
from protea.testing.contracts.model_source import ModelSourceContract
from protea.testing.model import ScriptedModel
from protea.testing.model_source import TableModelSource

NOBODY = "127.0.0.1:9"
"""An address where no Ollama answers."""


class Made:
    """What the source wanted made."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.closed: list[str] = []

    def __call__(self, api: str, options: dict[str, Any]) -> Model:
        self.calls.append((api, options))
        info = options.get("info") or ModelInfo(id="offline/grammar", price=Price(input=0, output=0))
        return Told(info, self.closed)


class Told(ScriptedModel):
    """Says that it was closed."""

    def __init__(self, info: ModelInfo, closed: list[str]) -> None:
        super().__init__(info=info)
        self._closed = closed

    async def aclose(self) -> None:
        self._closed.append(self.info.id)


def secrets(around: Surroundings) -> Resolver:
    return Resolver({}, {"surroundings": around})


def source(settings: Settings | None = None, **environment: str) -> tuple[ConfiguredModels, Made]:
    around = Surroundings(
        cwd="/w",
        root="/w",
        user_home="/h",
        protea_home="/h/.protea",
        environment={"OLLAMA_HOST": NOBODY, **environment},
    )
    made = Made()
    return ConfiguredModels(
        settings or Settings(),
        around,
        SnapshotCatalog(),
        lambda: secrets(around).make("secrets", "configured", {}),
        made,
    ), made


async def opened(name: str, settings: Settings | None = None, **environment: str) -> tuple[str, dict[str, Any]]:
    models, made = source(settings, **environment)
    await models.open(name)
    return made.calls[0]


def test_without_key_or_server_the_offline_model_answers() -> None:
    assert source()[0].default() == "offline/grammar"


@pytest.mark.parametrize(
    ("variable", "provider"),
    [
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("OPENAI_API_KEY", "openai"),
        ("GEMINI_API_KEY", "gemini"),
        ("GOOGLE_API_KEY", "gemini"),
        ("OPENROUTER_API_KEY", "openrouter"),
    ],
)
def test_a_key_in_the_environment_chooses_its_provider(variable: str, provider: str) -> None:
    assert source(**{variable: "k"})[0].default().startswith(f"{provider}/")


def test_a_model_in_the_settings_comes_before_any_key() -> None:
    assert source(Settings(model="groq/x"), ANTHROPIC_API_KEY="k")[0].default() == "groq/x"


@contextmanager
def tags(body: bytes) -> Iterator[str]:
    """A server that answers one request."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + body)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def test_an_ollama_server_that_answers_is_used() -> None:
    with tags(b'{"models": [{"name": "llama3.2:latest"}]}') as address:
        assert source(OLLAMA_HOST=address)[0].default() == "ollama/llama3.2:latest"


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"models": []}', b'{"models": [3]}', b""])
def test_a_server_that_is_no_ollama_is_passed_over(body: bytes) -> None:
    with tags(body) as address:
        assert source(OLLAMA_HOST=address)[0].default() == "offline/grammar"


async def test_a_missing_key_is_told_with_its_variable_and_the_way_without() -> None:
    with pytest.raises(ConfigError, match=r"ANTHROPIC_API_KEY.*offline/grammar"):
        await opened("anthropic/claude-sonnet-4-5")


def test_what_a_provider_lacks_is_told_without_asking_it() -> None:
    models, _ = source(acme(api_key_env="ACME"), OPENAI_API_KEY="k", GEMINI_API_KEY=" ")
    assert models.lacks("openai") == models.lacks("ollama") == models.lacks("offline") == ""
    assert models.lacks("anthropic") == "ANTHROPIC_API_KEY is not set"
    assert models.lacks("gemini") == "GEMINI_API_KEY is not set"
    assert models.lacks("acme") == "ACME is not set"
    assert source(acme(api_key_command=("pass", "acme")))[0].lacks("acme") == ""
    assert source(OPENAI_BASE_URL="http://127.0.0.1:1/v1")[0].lacks("openai") == ""


async def test_another_address_may_need_no_key() -> None:
    api, options = await opened("openai/x", OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    assert (api, options["base_url"], "key" in options) == ("openai-chat", "http://127.0.0.1:1/v1", False)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("antropic/x", "did you mean anthropic"),
        ("claude", "PROVIDER/MODEL"),
        ("zzz/x", "there is no provider 'zzz'"),
        ("ollama", "name a model of ollama"),
    ],
)
async def test_a_name_that_is_none_is_told_with_the_mend(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        await opened(name)


async def test_a_provider_alone_means_its_usual_model() -> None:
    assert (await opened("openrouter", OPENROUTER_API_KEY="k"))[1]["model"] == "anthropic/claude-sonnet-5.5"


async def test_a_model_is_opened_once_under_all_its_names_and_nothing_is_left_open() -> None:
    models, made = source(OPENROUTER_API_KEY="k")
    first = await models.open("openrouter/anthropic/claude-sonnet-5.5")
    assert await models.open("openrouter") is first
    assert made.closed == [first.info.id]
    await models.aclose()
    assert made.closed == [first.info.id] * 2


def acme(**more: Any) -> Settings:
    given: dict[str, Any] = {"api": "anthropic", "base_url": "http://127.0.0.1:1", **more}
    return Settings(providers={"acme": ProviderSettings(**given)})


async def test_a_provider_of_one_s_own_needs_only_config() -> None:
    price = Price(input=3.0, output=15.0)
    models = {"big-1": ModelSettings(context=200_000, price=price)}
    api, options = await opened(
        "acme/big-1", acme(api_key_env="ACME", headers={"X-Team": "a"}, models=models), ACME="secret"
    )
    assert api == "anthropic"
    assert (options["key"], options["headers"]) == ("secret", {"X-Team": "a"})
    assert (options["info"].price, options["info"].context) == (price, 200_000)


async def test_a_key_that_config_names_and_nobody_set_is_told() -> None:
    with pytest.raises(ConfigError, match="ACME"):
        await opened("acme/big-1", acme(api_key_env="ACME"))


async def test_a_key_may_come_from_a_command() -> None:
    assert (await opened("acme/x", acme(api_key_command=("printf", "from-command\\n"))))[1]["key"] == "from-command"


async def test_a_key_may_come_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("from-file\n")
    path.chmod(0o600)
    assert (await opened("acme/x", acme(api_key_file=str(path))))[1]["key"] == "from-file"


@pytest.mark.parametrize(("given", "words"), [({"base_url": None}, "base_url"), ({"api": None}, "api = ")])
async def test_what_a_provider_of_one_s_own_lacks_is_told(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        await opened("acme/x", acme(**given))


async def test_a_known_model_brings_its_window_and_price() -> None:
    info = (await opened("anthropic/claude-sonnet-4-5", ANTHROPIC_API_KEY="k"))[1]["info"]
    assert info.context == 200_000
    assert info.price is not None


class TestConfiguredModels(ModelSourceContract):
    def model_source(self) -> ModelSource:
        return source()[0]


class TestOneModel(ModelSourceContract):
    def model_source(self) -> ModelSource:
        return OneModel(ScriptedModel(info=ModelInfo(id="test/one")))


class TestTableModelSource(ModelSourceContract):
    def model_source(self) -> ModelSource:
        return TableModelSource(ScriptedModel(info=ModelInfo(id="test/one")))


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SSL_CERT_FILE": "/nope"}, "SSL_CERT_FILE names no file: /nope"),
        ({"ANTHROPIC_BASE_URL": "ftp://example.org"}, "ANTHROPIC_BASE_URL is no address"),
        ({"ANTHROPIC_BASE_URL": "https:///v1"}, "ANTHROPIC_BASE_URL is no address"),
        ({"ANTHROPIC_BASE_URL": "http://:80"}, "ANTHROPIC_BASE_URL is no address"),
        ({"ANTHROPIC_API_KEY": "sk\x1b[31m"}, "ANTHROPIC_API_KEY.* holds control characters"),
    ],
)
async def test_what_could_never_be_asked_is_told_before(environment: dict[str, str], words: str) -> None:
    models, made = source(**{"ANTHROPIC_API_KEY": "sk", **environment})
    with pytest.raises(ConfigError, match=words) as caught:
        await models.open("anthropic/claude-x")
    assert "\x1b" not in str(caught.value)
    assert made.calls == []


async def test_an_address_of_ones_own_is_named_by_its_key() -> None:
    own = ProviderSettings(api="openai-chat", base_url="example.org/v1")
    models, _ = source(Settings(providers={"acme": own}))
    with pytest.raises(ConfigError, match=r"providers\.acme\.base_url is no address"):
        await models.open("acme/m")


@pytest.mark.parametrize(
    ("table", "name", "api", "options"),
    [
        ({"adapter": "echo", "loud": True}, "echo", "echo", {"loud": True}),
        (
            {"adapter": "openai-chat", "model": "vendor/big", "base_url": "http://127.0.0.1:1/v1"},
            "openai-chat/vendor/big",
            "openai-chat",
            {"model": "vendor/big", "base_url": "http://127.0.0.1:1/v1"},
        ),
        ({"adapter": "offline"}, "offline/grammar", "offline", {}),
    ],
)
async def test_a_profile_names_a_model_by_its_adapter(
    table: dict[str, Any], name: str, api: str, options: dict[str, Any]
) -> None:
    models, made = source(Settings(model=name, ports={"model": table}))
    assert models.default() == name
    model = await models.open(name)
    assert made.calls == [(api, options)]
    assert await models.open(model.info.id) is model


async def test_what_a_profile_says_of_a_known_provider_s_model_is_added_to_it() -> None:
    table = {"adapter": "anthropic", "model": "claude-1", "idle_timeout": 9}
    settings = Settings(model="anthropic/claude-1", ports={"model": table})
    models, made = source(settings, ANTHROPIC_API_KEY="k")
    await models.open("anthropic/claude-1")
    await models.open("anthropic/claude-2")
    (_, first), (_, second) = made.calls
    assert (first["model"], first["idle_timeout"], first["key"]) == ("claude-1", 9, "k")
    assert "idle_timeout" not in second
