"""What engines answer, as hits: addresses of the web alone, each once, in plain text."""

from __future__ import annotations

from collections.abc import Iterable

from protea.domain.plain import plain
from protea.ports.search import Hit

SNIPPET = 500
"""Characters of what a page says of itself."""


def hits(found: Iterable[tuple[str | None, str | None, str | None]], limit: int) -> list[Hit]:
    """(title, address, snippet) of each result."""
    seen: dict[str, Hit] = {}
    for title, url, snippet in found:
        if url is None or not url.startswith(("http://", "https://")) or not url.isprintable() or url in seen:
            continue
        if len(seen) >= limit:
            break
        seen[url] = Hit(_line(title) or url, url, _line(snippet)[:SNIPPET])
    return list(seen.values())


def _line(text: str | None) -> str:
    return " ".join(plain(text or "").split())
