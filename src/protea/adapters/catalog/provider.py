"""A provider's own list of its models: asked for over its wire, kept in a file, read from there.

Sources: docs.anthropic.com/en/api/models-list; platform.openai.com/docs/api-reference/models;
openrouter.ai/docs/api-reference/list-available-models; ai.google.dev/api/models; docs.ollama.com/api/{tags,show}; and
what Groq, Mistral, Together, vLLM, llama.cpp and LM Studio add to OpenAI's list.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import msgspec

from protea.adapters.catalog._place import Place
from protea.domain.errors import ModelError
from protea.domain.families import able
from protea.domain.surroundings import Surroundings
from protea.domain.usage import ModelInfo, Price

_MOST_PAGES = 20


class Options(Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which provider, and how it is asked."""


def create(options: Options, *, surroundings: Surroundings) -> ProviderCatalog:
    return ProviderCatalog(options, surroundings)


class _Kept(msgspec.Struct, frozen=True):
    models: tuple[ModelInfo, ...]


class ProviderCatalog:
    """What the provider said when it was last asked; nothing before. Asking is `refresh`."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._around = surroundings
        self._path = path_of(surroundings.protea_home, options.provider, options.base_url)
        self._models: dict[str, ModelInfo] | None = None

    def find(self, provider: str, model: str) -> ModelInfo | None:
        return self._known().get(f"{provider}/{model}")

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        return list(self._known().values()) if provider in (None, self._options.provider) else ()

    async def refresh(self) -> None:
        """Ask the provider and keep what it says. Raises `ModelError`; what was known before then stays."""
        models = {info.id: info async for info in self._asked()}
        self._models = dict(sorted(models.items()))
        self._keep(tuple(self._models.values()))

    def _keep(self, models: tuple[ModelInfo, ...]) -> None:
        folder = os.path.dirname(self._path)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            temporary = f"{self._path}.{os.getpid()}.new"
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(_Kept(models)))
            os.replace(temporary, self._path)
        except OSError:
            pass  # it is asked again next time; the answer of this time is good without

    def _known(self) -> dict[str, ModelInfo]:
        if self._models is None:
            try:
                with open(self._path, "rb") as file:
                    kept = msgspec.json.decode(file.read(), type=_Kept)
            except (OSError, msgspec.MsgspecError, ValueError):
                kept = _Kept(())
            self._models = {info.id: info for info in kept.models}
        return self._models

    async def _asked(self) -> AsyncGenerator[ModelInfo]:
        # Only whoever asks pays for the client: every session reads what is kept.
        from protea.adapters.catalog._asking import Asking

        asking = Asking(self._options, self._around.environment)
        try:
            match self._options.api:
                case "anthropic":
                    after = ""
                    for _ in range(_MOST_PAGES):
                        page = await asking.get(f"v1/models?limit=1000{after}")
                        for row in _rows(page, "data"):
                            yield self._info(row.get("id"), _of_anthropic(row))
                        if not page.get("has_more") or not page.get("last_id"):
                            return
                        after = f"&after_id={page['last_id']}"
                case "gemini":
                    token = ""
                    for _ in range(_MOST_PAGES):
                        page = await asking.get(f"v1beta/models?pageSize=1000{token}")
                        for row in _rows(page, "models"):
                            if "generateContent" in row.get("supportedGenerationMethods", ["generateContent"]):
                                yield self._info(str(row.get("name", "")).removeprefix("models/"), _of_gemini(row))
                        if not page.get("nextPageToken"):
                            return
                        token = f"&pageToken={page['nextPageToken']}"
                case "ollama":
                    for row in _rows(await asking.get("api/tags"), "models"):
                        name = row.get("model") or row.get("name")
                        yield self._info(name, _of_ollama(await asking.get("api/show", {"model": name})))
                case _:
                    for row in _rows(await asking.get("v1/models"), "data"):
                        yield self._info(row.get("id"), _of_openai(row))
        finally:
            await asking.aclose()

    def _info(self, name: Any, said: dict[str, Any]) -> ModelInfo:
        id = f"{self._options.provider}/{name}"
        return able(ModelInfo(id, **{key: value for key, value in said.items() if value is not None}))


def path_of(protea_home: str, provider: str, base_url: str) -> str:
    """Where the list of a provider at an address is kept."""
    place = hashlib.sha256(base_url.encode()).hexdigest()[:12]
    name = re.sub(r"[^A-Za-z0-9_-]", "_", provider)
    return os.path.join(protea_home, "cache", "models", f"{name}-{place}.json")


def _rows(page: Any, field: str) -> Iterator[dict[str, Any]]:
    """The rows of a list in `field`, or of a bare one (Together)."""
    rows = page if isinstance(page, list) else page.get(field) if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise ModelError.of("malformed", f"its answer holds no list of models in {field!r}")
    for row in rows:
        if isinstance(row, dict) and (row.get("id") or row.get("name") or row.get("model")):
            yield row


def _of_anthropic(row: dict[str, Any]) -> dict[str, Any]:
    able_to = row.get("capabilities")
    able_to = able_to if isinstance(able_to, dict) else {}
    return {
        "context": _count(row.get("max_input_tokens")),
        "max_output": _count(row.get("max_tokens")),
        "images": _supported(able_to.get("image_input")),
        "thinking": _supported(able_to.get("thinking")),
    }


def _of_gemini(row: dict[str, Any]) -> dict[str, Any]:
    thinking = row.get("thinking")
    return {
        "context": _count(row.get("inputTokenLimit")),
        "max_output": _count(row.get("outputTokenLimit")),
        "thinking": thinking if isinstance(thinking, bool) else None,
    }


def _of_ollama(shown: Any) -> dict[str, Any]:
    if not isinstance(shown, dict):
        return {}
    figures = shown.get("model_info")
    figures = figures if isinstance(figures, dict) else {}
    window = next((value for name, value in figures.items() if name.endswith(".context_length")), None)
    able_to = shown.get("capabilities")
    if not isinstance(able_to, list):
        return {"context": _count(window)}
    return {"context": _count(window), "images": "vision" in able_to, "thinking": "thinking" in able_to}


_WINDOWS = ("context_length", "context_window", "max_context_length", "max_model_len", "loaded_context_length")


def _of_openai(row: dict[str, Any]) -> dict[str, Any]:
    def table(name: str) -> dict[str, Any]:
        value = row.get(name)
        return value if isinstance(value, dict) else {}

    window = next((n for name in _WINDOWS if (n := _count(row.get(name)))), None)
    modalities = table("architecture").get("input_modalities")
    parameters = row.get("supported_parameters")
    vision = table("capabilities").get("vision")
    if isinstance(modalities, list):
        vision = "image" in modalities
    most = table("top_provider").get("max_completion_tokens") or row.get("max_completion_tokens")
    return {
        "context": window or _count(table("meta").get("n_ctx_train")),
        "max_output": _count(most),
        "price": _price(table("pricing")),
        "images": vision if isinstance(vision, bool) else None,
        "thinking": "reasoning" in parameters if isinstance(parameters, list) else None,
    }


def _price(pricing: dict[str, Any]) -> Price | None:
    """OpenRouter says dollars per token, in texts; Together dollars per million, in numbers."""
    if "prompt" in pricing and "completion" in pricing:
        amounts = [
            _dollars(pricing.get(name), 1e6)
            for name in ("prompt", "completion", "input_cache_read", "input_cache_write")
        ]
    elif "input" in pricing and "output" in pricing:
        amounts = [_dollars(pricing["input"], 1.0), _dollars(pricing["output"], 1.0), None, None]
    else:
        return None
    given, answered, read, written = amounts
    return None if given is None or answered is None else Price(given, answered, read or None, written or None)


def _dollars(value: Any, times: float) -> float | None:
    try:
        amount = float(value)
    except (TypeError, ValueError):
        return None
    return round(amount * times, 6) if amount >= 0 else None  # -1: it depends on the provider that is chosen


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _supported(value: Any) -> bool | None:
    if isinstance(value, dict):
        value = value.get("supported")
    return value if isinstance(value, bool) else None
