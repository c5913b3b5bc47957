#!/usr/bin/env python3
"""after_tool: formats what Edit, Write and Patch have changed, with the formatter that is installed for it.

The model is told when that changed the file, so that it reads it again before it edits it again. Prettier runs what a
project's configuration says, so it is used in projects you trust alone.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

FORMATTERS = {
    ".py": ["ruff", "format", "--quiet"],
    ".go": ["gofmt", "-w"],
    ".rs": ["rustfmt", "--quiet"],
    ".js": ["prettier", "--log-level=error", "--write"],
    ".ts": ["prettier", "--log-level=error", "--write"],
    ".css": ["prettier", "--log-level=error", "--write"],
    ".sh": ["shfmt", "-w"],
    ".json": [sys.executable, "-c", "import json,sys; p=sys.argv[1]; t=json.load(open(p)); "
              "open(p,'w').write(json.dumps(t, indent=2, ensure_ascii=False) + '\\n')"],
}  # fmt: skip


def changed(told: dict) -> Iterator[str]:
    """The files the call has changed, as they are named in it."""
    given = told["tool_input"]
    if isinstance(given.get("path"), str):
        yield given["path"]
    for line in str(given.get("patch", "")).splitlines():
        if line.startswith(("*** Update File: ", "*** Add File: ")):
            yield line.partition(": ")[2].strip()
        elif line.startswith("+++ b/"):
            yield line.removeprefix("+++ b/").split("\t")[0]


def content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def main() -> None:
    told = json.load(sys.stdin)
    if told["tool_response"]["is_error"]:
        return
    formatted, problems = [], []
    for name in changed(told):
        path = os.path.join(told["cwd"], os.path.expanduser(name))
        command = FORMATTERS.get(os.path.splitext(path)[1])
        if command is not None and command[0] == "prettier" and not told["trusted"]:
            continue
        if command is None or not os.path.isfile(path) or shutil.which(command[0]) is None:
            continue
        before = content(path)
        done = subprocess.run([*command, path], capture_output=True, text=True)
        if done.returncode:
            problems.append(f"{name}: {(done.stderr or done.stdout).strip()[-500:]}")
        elif content(path) != before:
            formatted.append(name)
    words = [f"Formatted after this: {', '.join(formatted)}."] if formatted else []
    words += [f"The formatter has failed. {each}" for each in problems]
    if words:
        print(json.dumps({"additionalContext": "\n".join(words)}))


if __name__ == "__main__":
    main()
