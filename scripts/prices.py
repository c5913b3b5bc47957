"""Makes the snapshot of prices and windows that ships with Protea, from the `genai-prices` package.

    pip install genai-prices && python scripts/prices.py

Writes one small JSON file per provider: {model: [context, input, output, cache_read, cache_write]}, prices in dollars
per million tokens as they are in force today, at the lowest tier. A package, not a download: the version that was
used is written into `about.json`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices.data_snapshot import get_snapshot

FOLDER = Path(__file__).parent.parent / "src" / "protea" / "adapters" / "catalog" / "data"
PROVIDERS = {  # theirs → ours
    "anthropic": "anthropic",
    "openai": "openai",
    "google": "gemini",
    "openrouter": "openrouter",
    "groq": "groq",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "x-ai": "xai",
    "cerebras": "cerebras",
    "together": "together",
    "fireworks": "fireworks",
    "azure": "azure",
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    for provider in get_snapshot().providers:
        name = PROVIDERS.get(provider.id)
        if name is None:
            continue
        rows = {model.id: row(model, now) for model in provider.models}
        priced = {id: each for id, each in sorted(rows.items()) if each is not None}
        lines = ",\n".join(f"{json.dumps(id)}: {json.dumps(each)}" for id, each in priced.items())
        (FOLDER / f"{name}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    about = {"source": f"genai-prices {version('genai-prices')}", "made": now.date().isoformat()}
    (FOLDER / "about.json").write_text(json.dumps(about) + "\n", encoding="utf-8")


def row(model: Any, now: datetime) -> list[float | int | None] | None:
    """[context, input, output, cache_read, cache_write]; None for what is not priced by tokens."""
    price = model.get_prices(now)
    amounts = [dollars(getattr(price, f"{kind}_mtok")) for kind in ("input", "output", "cache_read", "cache_write")]
    if amounts[0] is None or amounts[1] is None:
        return None
    cut = [model.context_window, *amounts]
    while cut[-1] is None:
        cut.pop()
    return cut


def dollars(amount: Any) -> float | None:
    return None if amount is None else float(getattr(amount, "base", amount))


if __name__ == "__main__":
    main()
