"""after_tool: a Python hook that appends a line of JSON for every call to `tools.jsonl` in ~/.protea/logs.

It runs inside Protea, behind no walls, so it may write there; a command of the agent's could not.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path


def write(told: dict) -> None:
    """None: it has nothing to say of the call."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "session": told["session_id"],
        "project": told["cwd"],
        "tool": told["tool_name"],
        "input": told["tool_input"],
        "failed": told["tool_response"]["is_error"],
        "characters": len(told["tool_response"]["text"]),
    }
    folder = Path(os.environ.get("PROTEA_HOME") or "~/.protea").expanduser() / "logs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(folder / "tools.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(fd, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
