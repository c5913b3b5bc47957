"""Opens models by name: which provider, which address, which key, which adapter. Called by `root`."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec.structs import replace

from protea.composition.catalogue import CATALOGUE
from protea.domain.errors import ConfigError, ModelError, UsageError
from protea.domain.families import able
from protea.domain.profile import model_named
from protea.domain.providers import PROVIDERS, Provider, address_of, api_of, dialect_at, key_of
from protea.domain.settings import ModelSettings, ProviderSettings, Settings
from protea.domain.spelling import nearest
from protea.domain.surroundings import Surroundings
from protea.domain.usage import ModelInfo
from protea.ports.catalog import Catalog
from protea.ports.model import Model

if TYPE_CHECKING:
    from protea.adapters.catalog.provider import ProviderCatalog
    from protea.ports.secrets import Secrets

OFFLINE = "offline/grammar"
_BY_KEY = ("anthropic", "openai", "gemini", "openrouter")
"""Whose key is looked for where nobody named a model, in this order."""
_PROBE = 0.2
"""Seconds a local Ollama server has to answer when it is looked for."""

Make = Callable[[str, dict[str, Any]], Model]
"""(wire, options) → a model."""


def unknown_provider(name: str, settings: Settings) -> str:
    """What is wrong with the name of a model nobody could open; empty where its provider is known."""
    provider = name.partition("/")[0]
    filled = settings.ports.get("model", {}).get("adapter")
    known = ("offline", filled, *PROVIDERS, *settings.providers, *CATALOGUE["model"])
    return "" if provider in known else _unknown(name, settings)


def _unknown(name: str, settings: Settings) -> str:
    provider, slash, _ = name.partition("/")
    known = ["offline", *PROVIDERS, *settings.providers]
    if not slash:
        near = nearest(name, known)
        hint = f"; did you mean {near}?" if near else ", like anthropic/claude-sonnet-4-5 or ollama/llama3.2"
        return f"a model is named PROVIDER/MODEL, not {name!r}{hint}"
    if not provider:
        return f"a model is named PROVIDER/MODEL, not {name!r}, like anthropic/claude-sonnet-4-5 or ollama/llama3.2"
    near = nearest(provider, known)
    hint = f"; did you mean {near}?" if near else f"; there are {', '.join(dict.fromkeys(known))}"
    return f"there is no provider {provider!r}{hint} (your own go into config.toml as [providers.{provider}])"


class ConfiguredModels:
    """Models by settings, environment and the table of known providers. Each is opened once."""

    def __init__(
        self,
        settings: Settings,
        surroundings: Surroundings,
        catalog: Catalog,
        secrets: Callable[[], Secrets],
        make: Make,
    ) -> None:
        self._secrets = secrets
        """Opened when a provider's settings say where its key is."""
        self._catalog = catalog
        self._settings = settings
        self._around = surroundings
        self._make = make
        self._open: dict[str, Model] = {}
        self._lists: dict[str, ProviderCatalog | None] = {}
        """Their own lists, as far as they were looked for."""

    def alike(self, other: ConfiguredModels) -> bool:
        """Whether the other one would open the same models in the same way."""
        mine, theirs = self._settings, other._settings
        return (
            self._around == other._around
            and self._catalog is other._catalog
            and (mine.providers, mine.proxy_url, mine.model, mine.ports.get("model"))
            == (theirs.providers, theirs.proxy_url, theirs.model, theirs.ports.get("model"))
        )

    def look_to(self, other: ConfiguredModels) -> None:
        """Open what is opened from now on as `other` would; what is open stays."""
        self._secrets, self._make, self._settings = other._secrets, other._make, other._settings

    def default(self) -> str:
        environment = self._around.environment
        if self._settings.model:
            return self._settings.model
        for name in _BY_KEY:
            row = PROVIDERS[name]
            if key_of(row, environment) and row.model:
                return f"{name}/{row.model}"
        for name, own in self._settings.providers.items():
            if own.models and (not own.api_key_env or environment.get(own.api_key_env)):
                return f"{name}/{next(iter(own.models))}"
        local = _first_ollama_model(address_of(PROVIDERS["ollama"], environment), _PROBE)
        return f"ollama/{local}" if local else OFFLINE

    async def open(self, name: str) -> Model:
        if name not in self._open:
            model = await self._create(name)
            self._open[name] = kept = self._open.setdefault(model.info.id, model)
            if kept is not model:  # it is open under its whole name, or was opened while this one waited for its key
                await model.aclose()
        return self._open[name]

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        infos = [ModelInfo(id=OFFLINE), *self._catalog.list(provider)]
        for row in PROVIDERS.values():
            if row.model:
                infos.append(self._info(row.name, row.model, None))
        for name, own in self._settings.providers.items():
            infos += [self._info(name, model, settings) for model, settings in own.models.items()]
        for name in self._named():
            if (kept := self._list_of(name)) is not None:
                infos += [
                    self._info(name, info.id.partition("/")[2], self._own_of(name, info.id)) for info in kept.list()
                ]
        known = {info.id: info for info in infos}
        return [info for id, info in known.items() if provider is None or id.partition("/")[0] == provider]

    def lacks(self, provider: str) -> str:
        own, row = self._settings.providers.get(provider), PROVIDERS.get(provider)
        environment = self._around.environment
        if own is not None and (own.api_key_command or own.api_key_file or own.api_key_keyring):
            return ""
        if own is not None and own.api_key_env:
            return "" if environment.get(own.api_key_env, "").strip() else f"{own.api_key_env} is not set"
        if row is None or not row.key_needed or key_of(row, environment):
            return ""
        try:
            elsewhere = self._wanted(provider).elsewhere()
        except UsageError as error:
            return str(error)
        return "" if elsewhere else f"{row.key_env[0]} is not set"

    async def refresh(self, provider: str | None = None) -> Sequence[str]:
        if provider is not None and provider not in PROVIDERS and provider not in self._settings.providers:
            raise UsageError(_unknown(f"{provider}/", self._settings))
        names = [provider] if provider is not None else [name for name in self._named() if self._at_hand(name)]
        told = await asyncio.gather(*map(self._refreshed, names))
        return [f"{name} was not asked for its models: {line}" for name, line in zip(names, told, strict=True) if line]

    async def aclose(self) -> None:
        for model in {id(each): each for each in self._open.values()}.values():
            await model.aclose()
        self._open.clear()

    async def _create(self, name: str) -> Model:
        provider, _, model = name.partition("/")
        more = self._table(name)
        if provider == "offline":
            if name not in ("offline", OFFLINE) and more is None:
                raise UsageError(f"the offline model has one name, {OFFLINE}, and not {name!r}")
            return self._make("offline", more or {})
        own = self._settings.providers.get(provider)
        row = PROVIDERS.get(provider)
        if row is None and own is None and more is not None:
            return self._make(provider, {"model": model, **more} if model else more)
        if row is None and own is None:
            raise UsageError(_unknown(name, self._settings))
        model = model or (row.model if row is not None else None) or next(iter(own.models if own else ()), "")
        if not model:
            raise UsageError(f"name a model of {provider}: -m {provider}/MODEL")
        wanted = _Wanted(provider, model, row, own, self._around.environment)
        base_url = wanted.base_url()
        _check_address(base_url, wanted.named(), self._around.environment)
        key = await self._key(wanted)
        if key and any(ord(char) < 32 or ord(char) == 127 for char in key):
            raise ConfigError(f"the key for {provider} ({wanted.key_named()}) holds control characters; copy it anew")
        options = {
            "model": model,
            "provider": provider,
            "base_url": base_url,
            "key": key,
            "headers": dict(own.headers) if own else {},
            "info": self._info(provider, model, own.models.get(model) if own else None),
            "proxy_url": (own.proxy_url if own else None) or self._settings.proxy_url,
        }
        for name in ("stream", "connect_timeout", "first_byte_timeout", "idle_timeout"):
            options[name] = getattr(own, name, None)
        api = wanted.api()
        if api == "openai-chat":
            options["dialect"] = wanted.dialect(base_url)
        return self._make(api, {key: value for key, value in options.items() if value is not None} | (more or {}))

    def _table(self, name: str) -> dict[str, Any] | None:
        """What the profile's `[model]` table says besides adapter and model, where that is the model it names."""
        table = self._settings.ports.get("model", {})
        if not table or model_named(table) != name:
            return None
        return {key: value for key, value in table.items() if key not in ("adapter", "model")}

    def _info(self, provider: str, model: str, settings: ModelSettings | None) -> ModelInfo:
        """What the catalog knows, and what the person's own settings say instead."""
        info = self._catalog.find(provider, model) or able(ModelInfo(id=f"{provider}/{model}"))
        kept = self._list_of(provider)
        if kept is not None and (said := kept.find(provider, model)) is not None:
            info = _said_by_both(said, info)
        if settings is None:
            return info
        return replace(
            info,
            context=settings.context or info.context,
            max_output=settings.max_output or info.max_output,
            price=settings.price or info.price,
            images=info.images if settings.images is None else settings.images,
        )

    def _own_of(self, provider: str, id: str) -> ModelSettings | None:
        own = self._settings.providers.get(provider)
        return own.models.get(id.partition("/")[2]) if own is not None else None

    def _named(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*PROVIDERS, *self._settings.providers)))

    def _wanted(self, provider: str) -> _Wanted:
        own, row = self._settings.providers.get(provider), PROVIDERS.get(provider)
        return _Wanted(provider, "", row, own, self._around.environment)

    def _at_hand(self, provider: str) -> bool:
        """Whether its key is there, or its server may be: one of a person's own, or an Ollama that answers at once."""
        own, row = self._settings.providers.get(provider), PROVIDERS.get(provider)
        environment = self._around.environment
        if own is not None:
            return not own.api_key_env or bool(environment.get(own.api_key_env))
        if row is None:
            return False
        if row.key_needed:
            return key_of(row, environment) is not None
        if row.name == "ollama":
            return _first_ollama_model(address_of(row, environment), _PROBE) is not None
        return any(environment.get(name, "").strip() for name in row.base_url_env)

    async def _refreshed(self, provider: str) -> str:
        """What went wrong, in a line; empty where nothing did."""
        try:
            wanted = self._wanted(provider)
            base_url, key = wanted.base_url(), await self._key(wanted)
            _check_address(base_url, wanted.named(), self._around.environment)
            catalog = self._catalog_of(wanted, base_url, key)
            await catalog.refresh()
        except (UsageError, ModelError) as error:
            return str(error)
        self._lists[provider] = catalog
        return ""

    def _list_of(self, provider: str) -> ProviderCatalog | None:
        """What the provider said of its models when it was last asked; None where it never was."""
        if provider not in self._lists:
            self._lists[provider] = None
            try:
                wanted = self._wanted(provider)
                base_url = wanted.base_url()
            except UsageError:
                return None
            folder = os.path.join(self._around.protea_home, "cache", "models")
            if os.path.isdir(folder):  # else nobody was ever asked, and nothing need be loaded to know it
                self._lists[provider] = self._catalog_of(wanted, base_url, None)
        return self._lists[provider]

    def _catalog_of(self, wanted: _Wanted, base_url: str, key: str | None) -> ProviderCatalog:
        from protea.adapters.catalog import provider as lists  # most runs ask no provider for its list

        own = wanted.own
        options = lists.Options(
            api=cast("Any", wanted.api()),
            provider=wanted.provider,
            base_url=base_url,
            key=key,
            headers=dict(own.headers) if own else {},
            proxy_url=(own.proxy_url if own else None) or self._settings.proxy_url,
            dialect=wanted.dialect(base_url),
        )
        return lists.create(options, surroundings=self._around)

    async def _key(self, wanted: _Wanted) -> str | None:
        own, row = wanted.own, wanted.row
        if own is not None and (own.api_key_command or own.api_key_file or own.api_key_keyring or own.api_key_env):
            return await self._secrets().key(wanted.provider, own)
        if row is None:
            return None
        key = key_of(row, self._around.environment) or ""
        if not key and row.key_needed and not wanted.elsewhere():
            raise ConfigError(
                f"no key for {wanted.provider}: set {row.key_env[0]}, choose another model with -m, "
                f"or -m {OFFLINE} to go without one"
            )
        return key or None


class _Wanted:
    """A model by its names, and what is said of its provider where."""

    def __init__(
        self, provider: str, model: str, row: Provider | None, own: ProviderSettings | None, environment: Any
    ) -> None:
        self.provider, self.model, self.row, self.own = provider, model, row, own
        self._environment = environment

    def base_url(self) -> str:
        if self.own is not None and self.own.base_url:
            return self.own.base_url
        url = address_of(self.row, self._environment) if self.row is not None else ""
        if not url:
            raise ConfigError(f"the provider {self.provider} needs an address: base_url in [providers.{self.provider}]")
        return _with_scheme(url)

    def named(self) -> str:
        """Who says the address."""
        if self.own is not None and self.own.base_url:
            return f"providers.{self.provider}.base_url"
        names = self.row.base_url_env if self.row is not None else ()
        return next((name for name in names if self._environment.get(name, "").strip()), "the address")

    def key_named(self) -> str:
        """Who says the key."""
        for setting in ("api_key_command", "api_key_file", "api_key_keyring"):
            if self.own is not None and getattr(self.own, setting):
                return f"providers.{self.provider}.{setting}"
        if self.own is not None and self.own.api_key_env:
            return self.own.api_key_env
        names = self.row.key_env if self.row is not None else ()
        return next((name for name in names if self._environment.get(name, "").strip()), "its key")

    def api(self) -> str:
        if self.own is not None and self.own.api:
            return self.own.api
        if self.row is None:
            raise ConfigError(
                f'the provider {self.provider} needs a wire: api = "openai-chat" in [providers.{self.provider}]'
            )
        if self.own is not None and self.own.base_url and self.row.elsewhere:
            return self.row.elsewhere
        return api_of(self.row, self._environment)

    def dialect(self, base_url: str) -> str:
        """Whose Chat Completions is spoken there."""
        said = (self.own.dialect if self.own is not None else None) or dialect_at(base_url)
        return said or (self.row.dialect if self.row is not None else None) or "generic"

    def elsewhere(self) -> bool:
        """Whether another server than the provider's own is asked: it may need no key."""
        return self.row is None or self.base_url().rstrip("/") != self.row.base_url.rstrip("/")


class OneModel:
    """`ModelSource` around a model that a library user brought along."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def default(self) -> str:
        return self._model.info.id

    async def open(self, name: str) -> Model:
        if name != self._model.info.id:
            raise UsageError(f"{name} cannot be opened: this agent has one model, {self._model.info.id}")
        return self._model

    def list(self, provider: str | None = None) -> Sequence[ModelInfo]:
        return [self._model.info]

    def lacks(self, provider: str) -> str:
        return ""

    async def refresh(self, provider: str | None = None) -> Sequence[str]:
        return ()

    async def aclose(self) -> None:
        await self._model.aclose()


def _said_by_both(own: ModelInfo, shipped: ModelInfo) -> ModelInfo:
    """The provider's own word, and the shipped catalog's where it says nothing."""
    return replace(
        own,
        context=own.context or shipped.context,
        max_output=own.max_output or shipped.max_output,
        price=own.price or shipped.price,
        images=shipped.images if own.images is None else own.images,
        thinking=shipped.thinking if own.thinking is None else own.thinking,
        efforts=own.efforts or shipped.efforts,
    )


def _check_address(url: str, named: str, environment: Mapping[str, str]) -> None:
    scheme, there, rest = url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    if scheme.lower() not in ("http", "https") or not there or not host or host.startswith(":"):
        raise ConfigError(f"{named} is no address: write it like https://example.org/v1, not {url[:60]!r}")
    certificates = environment.get("SSL_CERT_FILE")
    if scheme.lower() == "https" and certificates and not os.path.isfile(certificates):
        raise ConfigError(f"SSL_CERT_FILE names no file: {certificates}; mend or unset it")


def _with_scheme(url: str) -> str:
    """OLLAMA_HOST is often `host:port`, or `0.0.0.0` as the server's own setting has it."""
    if "://" in url:
        return url
    host, _, port = url.rpartition(":") if url.rpartition(":")[2].isdigit() else (url, "", "11434")
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '') else host}:{port}"


def _first_ollama_model(address: str, seconds: float) -> str | None:
    """The newest model of an Ollama server that answers at once; None where none does.

    A bare socket: at start-up, before any client is needed, and mostly nobody listens there.
    """
    host, _, port = _with_scheme(address).partition("://")[2].partition("/")[0].rpartition(":")
    if not port.isdigit():
        return None
    try:
        with socket.create_connection((host.strip("[]"), int(port)), seconds) as connection:
            connection.sendall(b"GET /api/tags HTTP/1.0\r\nHost: " + host.encode("ascii", "replace") + b"\r\n\r\n")
            data = b""
            while len(data) < 1 << 20 and (block := connection.recv(65536)):
                data += block
    except (OSError, UnicodeError):
        return None
    try:
        models = msgspec.json.decode(data.partition(b"\r\n\r\n")[2])["models"]
        return str(models[0]["name"]) if models else None
    except (msgspec.DecodeError, LookupError, TypeError):
        return None
