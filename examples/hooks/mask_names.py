"""prompt, after_tool: a Python hook that writes [name] for names that are no model's business.

It runs inside Protea, so nothing is started for it. The names stand in `names.txt` beside this file, one a line.
"""

import re
from pathlib import Path

NAMES = Path(__file__).with_name("names.txt")


def _mask(text: str) -> str:
    names = [line.strip() for line in NAMES.read_text(encoding="utf-8").splitlines() if line.strip()]
    return re.sub("|".join(map(re.escape, names)), "[name]", text) if names else text


def prompt(told: dict) -> dict | None:
    """What is sent instead of what was typed; both are shown."""
    masked = _mask(told["prompt"])
    return {"updatedPrompt": masked} if masked != told["prompt"] else None


def result(told: dict) -> dict | None:
    """What the model reads instead of what a tool gave."""
    text = told["tool_response"]["text"]
    masked = _mask(text)
    return {"updatedToolOutput": masked} if masked != text else None
