#!/usr/bin/env python3
"""before_tool: has you asked before anything is pushed, whatever was allowed, with the commits that would go.

A rule `ask = ["Bash(git push:*)"]` does the asking alone; this one adds what would be pushed, and refuses `--force`.
"""

import json
import re
import subprocess
import sys

PUSH = re.compile(r"\bgit\b[^;&|\n]*?\bpush\b([^;&|\n]*)")


def main() -> None:
    told = json.load(sys.stdin)
    found = PUSH.search(told["tool_input"].get("command", ""))
    if found is None:
        return
    if re.search(r"(?:^|\s)(?:--force|-f)(?:\s|$)", found[1]):
        print(json.dumps({"decision": "deny", "reason": "no --force; --force-with-lease is asked about"}))
        return
    log = subprocess.run(
        ["git", "log", "--oneline", "@{upstream}..HEAD"], cwd=told["cwd"], capture_output=True, text=True
    )
    commits = log.stdout.splitlines() if log.returncode == 0 else []
    what = f"{len(commits)} commits: {'; '.join(commits[:5])}" if commits else "there is no upstream to compare with"
    print(json.dumps({"decision": "ask", "reason": f"it pushes ({what})"}))


if __name__ == "__main__":
    main()
