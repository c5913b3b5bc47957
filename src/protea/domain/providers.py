"""The providers Protea knows by name, as data. Read by the composition; the adapters take their defaults from here.

A provider of a person's own needs no row: `[providers.NAME]` in config says the same things.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Api = Literal["openai-chat", "openai-responses", "anthropic", "gemini", "ollama"]
"""Wires; also the names of the adapters that speak them."""


class Provider(msgspec.Struct, frozen=True):
    name: str
    api: Api
    base_url: str
    base_url_env: tuple[str, ...] = ()
    """Environment variables that hold another address, the first set one wins."""
    key_env: tuple[str, ...] = ()
    """Environment variables that hold the key, the first set one wins."""
    model: str | None = None
    """Asked where none is named; None where people must name one."""
    dialect: str | None = None
    """Row of openai_chat.DIALECTS, for that wire."""
    elsewhere: Api | None = None
    """The wire spoken where the environment gives another address."""
    key_needed: bool = True


_ROWS = (
    Provider(
        "anthropic",
        "anthropic",
        "https://api.anthropic.com",
        ("ANTHROPIC_BASE_URL",),
        ("ANTHROPIC_API_KEY",),
        "claude-sonnet-5-5",
    ),
    Provider(
        "openai",
        "openai-responses",
        "https://api.openai.com/v1",
        ("OPENAI_BASE_URL",),
        ("OPENAI_API_KEY",),
        "gpt-6.1-sol",
        "openai",
        # OpenAI itself keeps reasoning between turns only on Responses; what else answers at an OPENAI_BASE_URL
        # (gateways, vLLM, LM Studio, proxies) speaks Chat Completions more often than not.
        elsewhere="openai-chat",
    ),
    Provider(
        "gemini",
        "gemini",
        "https://generativelanguage.googleapis.com",
        ("GOOGLE_GEMINI_BASE_URL",),
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "gemini-4-argon",
    ),
    Provider(
        "openrouter",
        "openai-chat",
        "https://openrouter.ai/api/v1",
        ("OPENROUTER_BASE_URL",),
        ("OPENROUTER_API_KEY",),
        "anthropic/claude-sonnet-5.5",
        "openrouter",
    ),
    Provider("ollama", "ollama", "http://127.0.0.1:11434", ("OLLAMA_HOST",), ("OLLAMA_API_KEY",), key_needed=False),
    Provider(
        "groq",
        "openai-chat",
        "https://api.groq.com/openai/v1",
        ("GROQ_BASE_URL",),
        ("GROQ_API_KEY",),
        "openai/gpt-oss-120b",
        "groq",
    ),
    Provider(
        "deepseek",
        "openai-chat",
        "https://api.deepseek.com/v1",
        ("DEEPSEEK_BASE_URL",),
        ("DEEPSEEK_API_KEY",),
        "deepseek-chat",
        "deepseek",
    ),
    Provider(
        "mistral",
        "openai-chat",
        "https://api.mistral.ai/v1",
        ("MISTRAL_BASE_URL",),
        ("MISTRAL_API_KEY",),
        "mistral-large-latest",
        "mistral",
    ),
    Provider("xai", "openai-chat", "https://api.x.ai/v1", ("XAI_BASE_URL",), ("XAI_API_KEY",), "grok-4", "xai"),
    Provider(
        "cerebras",
        "openai-chat",
        "https://api.cerebras.ai/v1",
        ("CEREBRAS_BASE_URL",),
        ("CEREBRAS_API_KEY",),
        dialect="generic",
    ),
    Provider(
        "together",
        "openai-chat",
        "https://api.together.xyz/v1",
        ("TOGETHER_BASE_URL",),
        ("TOGETHER_API_KEY",),
        dialect="generic",
    ),
    Provider(
        "fireworks",
        "openai-chat",
        "https://api.fireworks.ai/inference/v1",
        ("FIREWORKS_BASE_URL",),
        ("FIREWORKS_API_KEY",),
        dialect="generic",
    ),
    Provider(
        # The resource's own host has no default: AZURE_OPENAI_BASE_URL = https://NAME.openai.azure.com
        "azure",
        "openai-chat",
        "",
        ("AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"),
        ("AZURE_OPENAI_API_KEY",),
        dialect="azure",
    ),
    Provider(
        "vllm",
        "openai-chat",
        "http://127.0.0.1:8000/v1",
        ("VLLM_BASE_URL",),
        ("VLLM_API_KEY",),
        dialect="vllm",
        key_needed=False,
    ),
    Provider(
        "llamacpp",
        "openai-chat",
        "http://127.0.0.1:8080/v1",
        ("LLAMACPP_BASE_URL",),
        ("LLAMACPP_API_KEY",),
        dialect="llamacpp",
        key_needed=False,
    ),
    Provider(
        "lmstudio",
        "openai-chat",
        "http://127.0.0.1:1234/v1",
        ("LMSTUDIO_BASE_URL",),
        ("LMSTUDIO_API_KEY",),
        dialect="generic",
        key_needed=False,
    ),
)

PROVIDERS: Mapping[str, Provider] = {row.name: row for row in _ROWS}


def key_of(provider: Provider, environment: Mapping[str, str]) -> str | None:
    """The key the environment holds for `provider`, without the white space of a careless paste."""
    return next((key for name in provider.key_env if (key := environment.get(name, "").strip())), None)


def address_of(provider: Provider, environment: Mapping[str, str]) -> str:
    """Where `provider` is asked: the environment's address, else the usual one. Empty where neither is known."""
    return next(
        (url for name in provider.base_url_env if (url := environment.get(name, "").strip())), provider.base_url
    )


def api_of(provider: Provider, environment: Mapping[str, str]) -> Api:
    """The wire spoken there: `openai` at an address other than its own speaks Chat Completions."""
    address = address_of(provider, environment).rstrip("/").removesuffix("/v1")
    moved = address != provider.base_url.rstrip("/").removesuffix("/v1")
    return provider.elsewhere if moved and provider.elsewhere is not None else provider.api


_HOSTS = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "cognitiveservices.azure.com": "azure",
    "openrouter.ai": "openrouter",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.mistral.ai": "mistral",
    "api.x.ai": "xai",
}


def dialect_at(base_url: str) -> str | None:
    """Whose Chat Completions is spoken at an address, where its host tells."""
    host = base_url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2].partition(":")[0].lower()
    return next((name for known, name in _HOSTS.items() if host == known or host.endswith("." + known)), None)


def is_own(model: str) -> bool:
    """Whether `provider/model` runs on a machine of one's own, or is the offline one: nobody sends a bill for it."""
    name = model.partition("/")[0]
    row = PROVIDERS.get(name)
    return name == "offline" or (row is not None and not row.key_needed)
