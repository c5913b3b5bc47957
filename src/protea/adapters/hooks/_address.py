"""Asks an address: a POST with JSON, answered with JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from protea.adapters.http.client import Client, Settings

LARGEST = 1 << 20
"""Bytes of an answer."""


async def ask(url: str, told: dict[str, Any], environment: Mapping[str, str]) -> Any:
    """What it answered, None for nothing. Raises `ValueError`, or `HttpError` where it cannot be reached."""
    client = Client(Settings(), environment)
    try:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with await client.request("POST", url, headers=headers, body=msgspec.json.encode(told)) as response:
            body = await response.read(LARGEST)
            if response.status == 204 or (response.status == 200 and not body.strip()):
                return None
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            return msgspec.json.decode(body)
    finally:
        await client.aclose()
