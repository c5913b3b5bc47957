"""A call of each built-in tool, as `protea tools help NAME` shows it. A test runs them."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "Bash": {"command": "wc -l src/app.py"},
    "BashOutput": {"id": "b1", "wait": 5},
    "KillShell": {"id": "b1"},
    "Read": {"path": "src/app.py", "offset": 1, "limit": 40},
    "Write": {"path": "notes.txt", "content": "Remember the milk.\n"},
    "Edit": {"path": "src/app.py", "old_string": "x = 1", "new_string": "x = 2"},
    "Patch": {
        "patch": "*** Begin Patch\n*** Update File: src/app.py\n@@\n-x = 1\n+x = 2\n"
        "*** Add File: src/new.py\n+y = 3\n*** End Patch"
    },
    "Glob": {"pattern": "src/**/*.py"},
    "Grep": {"pattern": "TODO", "glob": "*.py", "context": 1},
    "TodoWrite": {"items": [{"text": "look", "status": "done"}, {"text": "mend", "status": "in_progress"}]},
    "AskUser": {"question": "Which database?", "options": ["PostgreSQL", "SQLite"]},
    "WebFetch": {"url": "https://example.org/", "prompt": "what is this domain for"},
    "Recall": {"query": "port of the database", "limit": 3},
    "ToolSearch": {"query": "commit a change"},
    "Pipeline": {
        "steps": [
            {"tool": "Grep", "arguments": {"pattern": "TODO", "output": "files"}, "name": "found"},
            {"tool": "Bash", "arguments": {"command": "wc -l src/app.py"}},
        ]
    },
    "Agent": {"prompt": "Find out where sessions are stored.", "title": "sessions"},
    "ProposePlan": {"plan": "1. Add a test that fails.\n2. Mend it."},
    "Git": {"action": "log", "limit": 3},
    "Packages": {"manager": "pip", "action": "list"},
    "RunCode": {"language": "python", "code": "print(sum(map(int, open('n.txt'))))", "files": {"n.txt": "1\n2\n"}},
    "WebSearch": {"query": "python asyncio gather", "limit": 3},
    "NotebookEdit": {"path": "notes.ipynb", "cell": "1", "source": "print('hello')\n"},
    "Race": {"action": "run", "runners": ["coding", "base"], "prompt": "Mend the failing test."},
    "Monitor": {"command": "tail -F build.log", "pattern": "error|done"},
}
"""Tool → arguments."""
