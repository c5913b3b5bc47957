"""Words for the schemas of tools: short, as every one of them is sent with every request."""

from __future__ import annotations

from typing import Any


def object_(required: str = "", **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


def text(description: str = "") -> dict[str, Any]:
    return {"type": "string", "description": description} if description else {"type": "string"}


def whole(description: str = "", minimum: int = 0) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "integer", "minimum": minimum}
    return {**number, "description": description} if description else number


def seconds(description: str) -> dict[str, Any]:
    return {"type": "number", "exclusiveMinimum": 0, "description": description}


def in_seconds(asked: float) -> float:
    """What a model gave for `seconds`: with other agents it may have learnt to count in milliseconds."""
    return asked / 1000 if asked > 10_000 else asked


def flag(description: str = "") -> dict[str, Any]:
    return {"type": "boolean", "description": description} if description else {"type": "boolean"}


def choice(*names: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}


def list_(of: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"type": "array", "items": of, **({"description": description} if description else {})}
