"""Providers' own lists: asked for over each wire, kept, and read again without asking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.catalog.provider import Options, ProviderCatalog, create
from protea.domain.errors import ModelError
from protea.domain.surroundings import Surroundings
from protea.domain.usage import Price
from protea.ports.catalog import Catalog
from protea.testing.contracts.catalog import CatalogContract
from protea.testing.loopback import LoopbackProvider
from tests.adapters.http.loopback import Asked, Server, Writer, reply, serving


def catalog(home: Path, url: str, api: Any = "openai-chat", **more: Any) -> ProviderCatalog:
    here = str(home)
    around = Surroundings(cwd=here, root=here, user_home=here, protea_home=here, environment={})
    return create(Options(api=api, provider="acme", base_url=url, key="the-key", **more), surroundings=around)


class TestProviderCatalog(CatalogContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._folder = tmp_path

    def catalog(self) -> Catalog:
        return catalog(self._folder, "http://nobody.invalid/v1")


@pytest.mark.parametrize("api", ["anthropic", "openai-chat", "openai-responses", "gemini", "ollama"])
async def test_the_loopback_provider_lists_its_models_over_every_wire(api: str, tmp_path: Path) -> None:
    async with LoopbackProvider(models=("one", "two")) as provider:
        asked = catalog(tmp_path, provider.url(api), api)
        assert list(asked.list()) == []
        await asked.refresh()
        assert [info.id for info in asked.list()] == ["acme/one", "acme/two"]
        again = catalog(tmp_path, provider.url(api), api)
        assert again.find("acme", "one") == asked.find("acme", "one")
        assert len(provider.others) == (3 if api == "ollama" else 1)


async def test_what_is_kept_is_private_and_belongs_to_an_address(tmp_path: Path) -> None:
    async with LoopbackProvider(models=("one",)) as provider:
        await catalog(tmp_path, provider.url("openai-chat")).refresh()
        (file,) = (tmp_path / "cache/models").iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert "the-key" not in file.read_text()
        assert catalog(tmp_path, "http://elsewhere/v1").find("acme", "one") is None
        file.write_text("{")
        assert catalog(tmp_path, provider.url("openai-chat")).find("acme", "one") is None


def pages(*bodies: Any) -> tuple[list[Any], Any]:
    left = list(bodies)

    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(reply(json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode()))
        await writer.drain()

    return left, answer


async def listed(tmp_path: Path, api: str, *bodies: Any, **more: Any) -> tuple[ProviderCatalog, Server]:
    _, answer = pages(*bodies)
    async with serving(answer) as server:
        asked = catalog(tmp_path, server.url + more.pop("path", ""), api, **more)
        await asked.refresh()
        return asked, server


async def test_openrouter_says_windows_prices_and_abilities(tmp_path: Path) -> None:
    row = {
        "id": "acme/big",
        "context_length": 200_000,
        "top_provider": {"max_completion_tokens": 64_000},
        "architecture": {"input_modalities": ["text", "image"]},
        "supported_parameters": ["tools", "reasoning"],
        "pricing": {
            "prompt": "0.000003",
            "completion": "0.000015",
            "input_cache_read": "0.0000003",
            "input_cache_write": "0.00000375",
        },
    }
    auto = {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    asked, server = await listed(tmp_path, "openai-chat", {"data": [row, auto]}, path="/api/v1")
    info = asked.find("acme", "acme/big")
    assert info is not None
    assert (info.context, info.max_output, info.images, info.thinking) == (200_000, 64_000, True, True)
    assert info.price == Price(input=3.0, output=15.0, cache_read=0.3, cache_write=3.75)
    other = asked.find("acme", "openrouter/auto")
    assert other is not None
    assert other.price is None
    assert server.asked[0].target == "/api/v1/models"
    assert server.asked[0].headers["authorization"] == "Bearer the-key"


@pytest.mark.parametrize(
    ("row", "window"),
    [
        ({"id": "m", "context_window": 131_072}, 131_072),
        ({"id": "m", "max_context_length": 32_768}, 32_768),
        ({"id": "m", "max_model_len": 4096}, 4096),
        ({"id": "m", "meta": {"n_ctx_train": 8192}}, 8192),
        ({"id": "m", "context_length": "many"}, None),
        ({"id": "m", "meta": None, "pricing": [], "architecture": 3}, None),
    ],
)
async def test_the_others_name_their_windows_each_in_its_own_way(row: Any, window: int | None, tmp_path: Path) -> None:
    asked, _ = await listed(tmp_path, "openai-chat", {"data": [row]})
    info = asked.find("acme", "m")
    assert info is not None
    assert info.context == window


async def test_a_bare_list_is_a_list_too(tmp_path: Path) -> None:
    row = {"id": "m", "context_length": 9000, "pricing": {"input": 0.2, "output": 0.6}}
    asked, server = await listed(tmp_path, "openai-chat", [row, {"object": "no model"}, 3])
    assert [info.price for info in asked.list()] == [Price(0.2, 0.6)]
    assert server.asked[0].target == "/v1/models"


async def test_anthropic_is_asked_page_by_page(tmp_path: Path) -> None:
    capable = {"image_input": {"supported": True}, "thinking": {"supported": False}}
    first = {"data": [{"id": "one", "max_input_tokens": 200_000, "capabilities": capable}], "has_more": True}
    asked, server = await listed(
        tmp_path, "anthropic", first | {"last_id": "one"}, {"data": [{"id": "two"}], "has_more": False}
    )
    one = asked.find("acme", "one")
    assert one is not None
    assert (one.context, one.images, one.thinking) == (200_000, True, False)
    assert [info.id for info in asked.list()] == ["acme/one", "acme/two"]
    assert [each.target for each in server.asked] == ["/v1/models?limit=1000", "/v1/models?limit=1000&after_id=one"]
    assert server.asked[0].headers["x-api-key"] == "the-key"
    assert server.asked[0].headers["anthropic-version"] == "2023-06-01"


async def test_gemini_lists_what_can_answer(tmp_path: Path) -> None:
    rows = [
        {
            "name": "models/g",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "thinking": True,
            "supportedGenerationMethods": ["generateContent"],
        },
        {"name": "models/embed", "supportedGenerationMethods": ["embedContent"]},
    ]
    asked, server = await listed(tmp_path, "gemini", {"models": rows, "nextPageToken": "t"}, {"models": []})
    (info,) = asked.list()
    assert (info.id, info.context, info.max_output, info.thinking) == ("acme/g", 1_048_576, 65_536, True)
    assert [each.target for each in server.asked][1] == "/v1beta/models?pageSize=1000&pageToken=t"
    assert server.asked[0].headers["x-goog-api-key"] == "the-key"


async def test_ollama_is_asked_about_each_of_its_models(tmp_path: Path) -> None:
    shown = {"model_info": {"qwen3.context_length": 40_960}, "capabilities": ["completion", "tools", "thinking"]}
    asked, server = await listed(tmp_path, "ollama", {"models": [{"name": "qwen3:8b", "model": "qwen3:8b"}]}, shown)
    (info,) = asked.list()
    assert (info.id, info.context, info.images, info.thinking) == ("acme/qwen3:8b", 40_960, False, True)
    assert [(each.method, each.target) for each in server.asked] == [("GET", "/api/tags"), ("POST", "/api/show")]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (reply(b'{"error":"the-key is wrong"}', "401 Unauthorized"), "auth", "it answered 401"),
        (reply(b"<html>", headers="Content-Type: text/html\r\n"), "malformed", "is no JSON"),
        (reply(b'{"models": 3}'), "malformed", "holds no list"),
        (reply(b"", "503 Busy"), "server", "it answered 503"),
    ],
)
async def test_a_provider_that_gives_no_list_is_told_in_a_line(
    answer: bytes, kind: str, said: str, tmp_path: Path
) -> None:
    async def always(_asked: Asked, writer: Writer) -> None:
        writer.write(answer)
        await writer.drain()

    async with serving(always) as server:
        with pytest.raises(ModelError, match=said) as raised:
            await catalog(tmp_path, server.url).refresh()
        assert raised.value.failure.kind == kind
        assert "the-key" not in str(raised.value)


async def test_azure_has_its_list_elsewhere(tmp_path: Path) -> None:
    path = "/openai/deployments/mine?api-version=2024-10-21"
    _, server = await listed(tmp_path, "openai-chat", {"data": []}, path=path, dialect="azure")
    assert server.asked[0].target == "/openai/v1/models?api-version=2024-10-21"
    assert server.asked[0].headers["api-key"] == "the-key"
