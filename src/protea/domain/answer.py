"""A model's answer read as JSON, where a schema was asked for. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from protea.domain.schema import problems


def structured_answer(text: str, schema: dict[str, Any]) -> tuple[Any, list[str]]:
    """(the value, what is wrong with it).

    Takes the whole text, or the one fenced block in it: many models cannot help fencing JSON.
    """
    try:
        value = msgspec.json.decode(_bare(text))
    except msgspec.DecodeError as error:
        return None, [f"it is not JSON: {error}"]
    wrong = problems(value, schema)
    return (None, wrong) if wrong else (value, [])


def _bare(text: str) -> str:
    before, fence, rest = text.partition("```")
    if not fence or before.strip()[:1] in ("{", "["):
        return text.strip()
    inside, closing, _ = rest.partition("```")
    return inside.partition("\n")[2].strip() if closing else text.strip()
