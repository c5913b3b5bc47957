"""Every server that speaks Chat Completions in its own way: the request it is made, as it arrives there."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from protea.adapters.models import openai_chat
from protea.domain.families import able
from protea.domain.messages import AssistantMessage, Text, Thinking, ToolCall, ToolMessage, UserMessage
from protea.domain.providers import PROVIDERS, dialect_at
from protea.domain.reply import ModelRequest
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolSpec
from protea.domain.usage import ModelInfo
from protea.testing.loopback import LoopbackProvider, Recorded
from tests.adapters.models.recordings import ask

LOOK = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
STRICT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


class Row(NamedTuple):
    model: str
    path: str
    """Behind the provider's base_url."""
    auth: str
    """The header that holds the key."""
    fields: dict[str, Any]
    """What stands beside model, messages, tools and stream."""
    told: bool = False
    """Whether the schema is also said in the system prompt."""
    thoughts: str | None = None
    """The field thoughts go back in."""


USAGE = {"stream_options": {"include_usage": True}}
ROWS: dict[str, Row] = {
    "openai": Row(
        "gpt-5.2",
        "/chat/completions",
        "authorization",
        USAGE
        | {
            "max_completion_tokens": 900,
            "reasoning_effort": "high",
            "response_format": STRICT,
            "prompt_cache_key": "s_1",
        },
    ),
    "azure": Row(
        "gpt-5.2",
        "/openai/v1/chat/completions",
        "api-key",
        USAGE | {"max_completion_tokens": 900, "reasoning_effort": "high", "response_format": STRICT},
    ),
    "openrouter": Row(
        "anthropic/claude-sonnet-4.5",
        "/chat/completions",
        "authorization",
        USAGE
        | {
            "max_tokens": 900,
            "reasoning": {"effort": "high"},
            "stop": ["END"],
            "response_format": STRICT,
            "cache_control": {"type": "ephemeral"},
        },
        told=True,
        thoughts="reasoning",
    ),
    "groq": Row(
        "openai/gpt-oss-120b",
        "/chat/completions",
        "authorization",
        USAGE | {"max_completion_tokens": 900, "reasoning_effort": "high", "stop": ["END"]},
        told=True,
    ),
    "deepseek": Row(
        "deepseek-chat",
        "/chat/completions",
        "authorization",
        USAGE
        | {
            "max_tokens": 900,
            "thinking": {"type": "enabled"},
            "stop": ["END"],
            "response_format": {"type": "json_object"},
        },
        told=True,
        thoughts="reasoning_content",
    ),
    "mistral": Row(
        "mistral-large-latest",
        "/chat/completions",
        "authorization",
        {"max_tokens": 900, "stop": ["END"], "response_format": STRICT},
    ),
    "xai": Row(
        "grok-4",
        "/chat/completions",
        "authorization",
        USAGE | {"max_tokens": 900, "response_format": STRICT},
    ),
    "vllm": Row(
        "qwen3",
        "/chat/completions",
        "authorization",
        USAGE | {"max_tokens": 900, "reasoning_effort": "high", "stop": ["END"], "response_format": STRICT},
    ),
    "llamacpp": Row(
        "qwen3",
        "/chat/completions",
        "authorization",
        USAGE
        | {
            "max_tokens": 900,
            "chat_template_kwargs": {"reasoning_effort": "high"},
            "stop": ["END"],
            "response_format": STRICT,
        },
        thoughts="reasoning_content",
    ),
    "lmstudio": Row(
        "qwen3",
        "/chat/completions",
        "authorization",
        USAGE | {"max_tokens": 900, "reasoning_effort": "high", "stop": ["END"], "response_format": STRICT},
        told=True,
    ),
}


async def arrived(options: openai_chat.Options, request: ModelRequest, provider: LoopbackProvider) -> Recorded:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home="/", environment={})
    model = openai_chat.create(options, surroundings=around)
    seen = await ask(model, request)
    await model.aclose()
    assert seen.error is None, seen.error
    return provider.requests[-1]


def options_of(name: str, row: Row, base_url: str) -> openai_chat.Options:
    return openai_chat.Options(
        model=row.model,
        provider=name,
        base_url=base_url,
        key="a-key",
        dialect=PROVIDERS[name].dialect or "generic",
        info=able(ModelInfo(f"{name}/{row.model}")),
    )


@pytest.mark.parametrize("name", ROWS)
async def test_each_is_asked_in_its_own_words(name: str) -> None:
    row = ROWS[name]
    own = f"{name}/{row.model}"
    messages = (
        UserMessage((Text("Look."),)),
        AssistantMessage((Thinking("Where?"), ToolCall("call12345", "Look", {"path": "a"})), own),
        ToolMessage("call12345", "Look", "stars"),
    )
    request = ModelRequest(
        messages,
        system=("Be kind.",),
        tools=(LOOK,),
        effort="high",
        max_output=900,
        schema=SCHEMA,
        stop_sequences=("END",),
        cache_key="s_1",
    )
    async with LoopbackProvider("It says so.") as provider:
        base = provider.url("openai-chat")
        base = base.removesuffix("/v1") if name == "azure" else base
        sent = await arrived(options_of(name, row, base), request, provider)
        assert sent.path.endswith(row.path)
        assert sent.headers[row.auth] == "[redacted]"
        assert {"authorization", "api-key"} & set(sent.headers) == {row.auth}
        body = sent.json
        usual = {"model": row.model, "stream": True}
        assert {key: body[key] for key in usual} == usual
        rest = {key: value for key, value in body.items() if key not in ("model", "stream", "messages", "tools")}
        assert rest == row.fields
        system, _, said, result = body["messages"]
        assert ("JSON Schema" in system["content"]) == row.told
        assert said["tool_calls"][0]["id"] == result["tool_call_id"] == "call12345"
        assert {key for key in said if key not in ("role", "content", "tool_calls")} == ({row.thoughts} - {None})


def test_every_row_of_the_table_is_tried() -> None:
    named = {PROVIDERS[name].dialect or "generic" for name in ROWS}
    assert named | {"ollama"} == set(openai_chat.DIALECTS)


@pytest.mark.parametrize(
    ("base", "environment", "target"),
    [
        ("https://r.openai.azure.com", {}, "/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/", {}, "/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai", {}, "/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai/v1", {}, "/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai/v1/", {}, "/openai/v1/chat/completions"),
        (
            "https://r.openai.azure.com",
            {"AZURE_OPENAI_API_VERSION": "2024-10-21"},
            "/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://r.openai.azure.com?api-version=2024-10-21",
            {},
            "/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://r.openai.azure.com/openai/deployments/mine?api-version=2025-01-01",
            {"OPENAI_API_VERSION": "2024-10-21"},
            "/openai/deployments/mine/chat/completions?api-version=2025-01-01",
        ),
        (
            "https://r.openai.azure.com/openai/deployments/mine",
            {"OPENAI_API_VERSION": "2024-10-21"},
            "/openai/deployments/mine/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://r.services.ai.azure.com/openai/v1?api-version=preview",
            {},
            "/openai/v1/chat/completions?api-version=preview",
        ),
    ],
)
def test_azures_addresses_are_made_whole(base: str, environment: dict[str, str], target: str) -> None:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home="/", environment=environment)
    model = openai_chat.create(openai_chat.Options(model="gpt-x", base_url=base, dialect="azure"), surroundings=around)
    assert model._url.partition(".azure.com")[2] == target


async def test_a_token_for_azure_goes_where_tokens_go() -> None:
    async with LoopbackProvider("Hello.") as provider:
        row = ROWS["azure"]
        options = openai_chat.Options(
            model=row.model, base_url=provider.url("openai-chat"), key="eyJhbGciOi.x.y", dialect="azure"
        )
        sent = await arrived(options, ModelRequest((UserMessage((Text("hi"),)),)), provider)
        assert "authorization" in sent.headers
        assert "api-key" not in sent.headers


@pytest.mark.parametrize(
    ("address", "dialect"),
    [
        ("https://mine.openai.azure.com/openai/v1", "azure"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://API.GROQ.com:443/openai/v1", "groq"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://me:secret@api.mistral.ai/v1?x=1", "mistral"),
        ("https://api.x.ai/v1", "xai"),
        ("http://127.0.0.1:8000/v1", None),
        ("https://notapi.x.ai.example/v1", None),
    ],
)
def test_a_host_tells_its_dialect(address: str, dialect: str | None) -> None:
    assert dialect_at(address) == dialect


@pytest.mark.parametrize(
    ("provider", "model", "effort", "field"),
    [
        ("openai", "gpt-4o", "high", None),
        ("openai", "gpt-5", "max", {"reasoning_effort": "high"}),
        ("openai", "gpt-5", "off", {"reasoning_effort": "minimal"}),
        ("openai", "gpt-5.2", "max", {"reasoning_effort": "xhigh"}),
        ("openai", "gpt-5.1", "minimal", {"reasoning_effort": "none"}),
        ("xai", "grok-3-mini", "medium", {"reasoning_effort": "low"}),
        ("xai", "grok-4", "high", None),
        ("vllm", "unheard-of", "max", {"reasoning_effort": "xhigh"}),
        ("deepseek", "deepseek-chat", "off", {"thinking": {"type": "disabled"}}),
        ("openrouter", "openai/gpt-oss-20b", "xhigh", {"reasoning": {"effort": "high"}}),
    ],
)
def test_effort_is_what_the_model_knows_or_the_nearest_to_it(
    provider: str, model: str, effort: str, field: dict[str, Any] | None
) -> None:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home="/", environment={})
    made = openai_chat.create(options_of(provider, Row(model, "", "", {}), "http://x/v1"), surroundings=around)
    sent = made._volatile(ModelRequest((UserMessage((Text("?"),)),), effort=effort))
    asked = {key: value for key, value in sent.items() if key in ("reasoning_effort", "reasoning", "thinking")}
    assert asked == (field or {})
