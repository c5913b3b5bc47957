"""Questions to a provider that are no conversation: its lists. Used by `provider`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from protea.adapters.catalog._place import Place
from protea.adapters.http.client import Client, Settings
from protea.adapters.http.errors import HttpError
from protea.domain.errors import Cause, ModelError

_MAX_BODY = 32 * 1024 * 1024
_PATIENCE = 20.0
"""Seconds of silence that are borne: a list is no work for anyone."""
_KINDS: dict[int, Cause] = {401: "auth", 403: "auth", 404: "not_found", 429: "rate_limit"}


class Asking:
    """Asks one provider, with the headers its wire wants."""

    def __init__(self, place: Place, environment: Mapping[str, str]) -> None:
        self._place = place
        settings = Settings(
            connect_timeout=10.0, first_byte_timeout=_PATIENCE, idle_timeout=_PATIENCE, proxy_url=place.proxy_url
        )
        self._client = Client(settings, environment)

    async def get(self, path: str, body: Any = None) -> Any:
        """The JSON at `path` behind the base address. With a body it is sent by POST. Raises ModelError."""
        url = _address(self._place, path)
        data = b"" if body is None else msgspec.json.encode(body)
        try:
            response = await self._client.request(
                "GET" if body is None else "POST", url, headers=_headers(self._place), body=data
            )
            async with response:
                said = await response.read(_MAX_BODY)
        except HttpError as exc:
            raise ModelError.of(exc.cause, exc.message, retryable=exc.retryable) from exc
        if response.status != 200:
            kind = _KINDS.get(response.status, "server" if response.status >= 500 else "invalid_request")
            raise ModelError.of(kind, f"it answered {response.status} to {url}", status=response.status)
        try:
            return msgspec.json.decode(said)
        except (msgspec.MsgspecError, ValueError) as exc:
            raise ModelError.of("malformed", f"what is at {url} is no JSON") from exc

    async def aclose(self) -> None:
        await self._client.aclose()


def _address(place: Place, path: str) -> str:
    base, mark, query = place.base_url.strip().partition("?")
    base = base.rstrip("/")
    version, _, rest = path.partition("/")
    bare = "/" not in base.partition("://")[2]
    if place.api == "ollama":
        for end in ("/chat", "/api", "/v1"):
            base = base.removesuffix(end)
        url = f"{base}/{path}"
    elif place.api in ("openai-chat", "openai-responses") and place.dialect == "azure":
        url = f"{base.partition('/openai')[0]}/openai/v1/{rest}"
    elif place.api in ("openai-chat", "openai-responses"):
        url = (
            f"{base}/{path}" if bare else f"{base.removesuffix('/chat/completions').removesuffix('/responses')}/{rest}"
        )
    else:
        last = base.rpartition("/")[2]
        url = f"{base}/{rest}" if last.startswith("v1") else f"{base}/{version}/{rest}"
    return url + (("&" if "?" in url else "?") + query if mark and query else "")


def _headers(place: Place) -> dict[str, str]:
    own = {"User-Agent": "protea", "Accept": "application/json"}
    if place.api == "anthropic":
        own["anthropic-version"] = "2023-06-01"
    if key := place.key:
        if place.api == "anthropic":
            own["x-api-key"] = key
        elif place.api == "gemini" and not key.startswith("ya29."):
            own["x-goog-api-key"] = key
        elif place.dialect == "azure" and not key.startswith("eyJ"):
            own["api-key"] = key
        else:
            own["Authorization"] = f"Bearer {key}"
    given = {name.lower() for name in place.headers}
    return {name: value for name, value in own.items() if name.lower() not in given} | place.headers
