"""What every HTTP model adapter can be told. Each adapter's `Options` extends it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from protea.adapters.http.client import Client, Settings
from protea.domain.reply import ModelRequest
from protea.domain.usage import ModelInfo

FIRST_BYTE = 300.0
IDLE = 120.0


class HttpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    provider: str
    """What its failures and usage are told under."""
    model: str
    """The bare name, as it goes on the wire."""
    base_url: str
    """With or without the version segment (`/v1`)."""
    key: str | None = None
    headers: dict[str, str] = {}
    """Sent with every request; they beat the adapter's own."""
    info: ModelInfo | None = None
    proxy_url: str | None = None
    ca_file: str | None = None
    connect_timeout: float = 15.0
    first_byte_timeout: float = FIRST_BYTE
    """Seconds until the answer begins."""
    idle_timeout: float = IDLE
    """Seconds of silence in mid-answer after which it counts as stalled."""
    stream: bool = True
    """Whether replies are streamed; false for servers and gateways that cannot."""


def asked_as(options: HttpOptions, request: ModelRequest) -> ModelRequest:
    """The request as this server can take it."""
    return request if options.stream or not request.stream else replace(request, stream=False)


def client_of(options: HttpOptions, environment: Mapping[str, str]) -> Client:
    return Client(
        Settings(
            connect_timeout=options.connect_timeout,
            first_byte_timeout=options.first_byte_timeout,
            idle_timeout=options.idle_timeout,
            proxy_url=options.proxy_url,
            ca_file=options.ca_file,
        ),
        environment,
    )


def headers_of(options: HttpOptions, own: dict[str, str]) -> dict[str, str]:
    """The headers of a request: the adapter's own, except where `options.headers` names them otherwise."""
    given = {name.lower() for name in options.headers}
    basic = {"Content-Type": "application/json", "User-Agent": "protea"} | own
    return {name: value for name, value in basic.items() if name.lower() not in given} | options.headers


def endpoint(base_url: str, path: str, version: str = "v1") -> str:
    """Where `path` (`messages`, `chat/completions`) is at `base_url`; a query of `base_url` stays at the end.

    A bare host gets the version segment; an address with a path is taken as it stands, for compatible servers have
    their version in many places (`/openai/v1`, `/v1beta/openai`, `/inference`). One that already ends in `path` stays.
    """
    base, mark, query = base_url.strip().partition("?")
    base = base.rstrip("/")
    if not base.endswith("/" + path):
        host = base.partition("://")[2]
        base += f"/{path}" if "/" in host else f"/{version}/{path}"
    return base + mark + query
