"""Asks an address: a POST with JSON, answered with JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from protea.adapters.http.client import Client, Settings
from protea.adapters.http.errors import HttpError

LARGEST = 1 << 20
"""Bytes of an answer."""


async def ask(url: str, told: dict[str, Any], environment: Mapping[str, str]) -> Any:
    """What it answered, None for nothing. Raises `ValueError`, or `HttpError` where it cannot be reached."""
    # What is told there stays on this machine where the address does.
    client = Client(Settings(proxy_url="" if _here(url) else None), environment)
    try:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with await client.request("POST", url, headers=headers, body=msgspec.json.encode(told)) as response:
            if response.status == 204:
                return None
            if 300 <= response.status < 400:
                where = response.headers.get("location", "")[:200]
                raise ValueError(
                    f"HTTP {response.status}: it points elsewhere ({where}), and a hook is asked nowhere else"
                )
            if response.status != 200:
                body = b""
                with contextlib.suppress(HttpError):  # its status is what failed
                    body = await response.read(LARGEST)
                said = " ".join(body.decode("utf-8", "replace").split())[:200]
                raise ValueError(f"HTTP {response.status}{f': {said}' if said else ''}")
            body = await response.read(LARGEST)
            if not body.strip():
                return None
            try:
                return msgspec.json.decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise ValueError(f"its answer is no JSON: {error}") from error
    finally:
        await client.aclose()


def _here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
