"""Tools the model is told of once it has looked for them (ToolSearch): they cost a request nothing before."""

from __future__ import annotations

from protea.adapters.tools._schemas import choice, flag, list_, object_, seconds, text, whole
from protea.domain.tools import ToolSpec

FURTHER: tuple[tuple[str, ToolSpec], ...] = (
    (
        "protea.adapters.tools.git:Git",
        ToolSpec(
            name="Git",
            description="Git of the project: status, diff, log, show, blame; add and commit with a message; "
            "branches, switch; worktrees; stash. Published history is never rewritten unless published is set, which a "
            "person must have asked for.",
            parameters=object_(
                "action",
                action=choice(
                    "status",
                    "diff",
                    "log",
                    "show",
                    "blame",
                    "commit",
                    "branch",
                    "switch",
                    "worktree",
                    "stash",
                    "unstash",
                    "restore",
                ),
                paths=list_(text(), "Only these files; for commit: what goes into it, else what is staged"),
                message=text("Of the commit: a summary line, then a blank line and why"),
                name=text("Of the branch, or the folder of a worktree"),
                revision=text("A commit, branch or range: main..HEAD"),
                staged=flag("diff: of what is staged"),
                all=flag("commit: everything that is tracked and changed"),
                amend=flag("commit: into the last one"),
                create=flag("branch, switch, worktree: make it"),
                delete=flag("branch, worktree: remove it"),
                limit=whole("log: how many; default 20", 1),
                published=flag("amend: a person asked for the last commit although a remote has it"),
            ),
            aliases={
                "command": "action",
                "operation": "action",
                "files": "paths",
                "rev": "revision",
                "ref": "revision",
            },
            deferred=True,
            example={"action": "log", "limit": 3},
        ),
    ),
    (
        "protea.adapters.tools.packages:Packages",
        ToolSpec(
            name="Packages",
            description="Packages of the project by pip, uv, npm or cargo, of the system by apt (read only): list, "
            "outdated, show, add, remove.",
            parameters=object_(
                "manager action",
                manager=choice("pip", "uv", "npm", "cargo", "apt"),
                action=choice("list", "outdated", "show", "add", "remove"),
                names=list_(text(), "With a version as the manager writes it"),
                dev=flag("Only for development"),
            ),
            aliases={"packages": "names", "tool": "manager"},
            deferred=True,
            example={"manager": "pip", "action": "list"},
        ),
    ),
    (
        "protea.adapters.tools.run_code:RunCode",
        ToolSpec(
            name="RunCode",
            description="Run code of your own: Python, Node, Rust or shell, in a folder of its own that is kept. It "
            "reads the project by $PROJECT and has no network where there are walls. Files it writes are named, images "
            "come back. Rust with crates: a Cargo.toml beside it.",
            parameters=object_(
                "code language",
                code=text(),
                language=choice("python", "node", "rust", "shell"),
                files={
                    "type": "object",
                    "additionalProperties": text(),
                    "description": "Name → text, put beside the code",
                },
                stdin=text("What it reads from its standard input, which is empty otherwise"),
                timeout=seconds("Seconds; default 60"),
            ),
            effects=("proc.exec",),
            aliases={"input": "stdin", "source": "code", "lang": "language", "timeout_seconds": "timeout"},
            deferred=True,
            example={"language": "python", "code": "print(sum(map(int, open('n.txt'))))", "files": {"n.txt": "1\n2\n"}},
        ),
    ),
    (
        "protea.adapters.tools.web_search:WebSearch",
        ToolSpec(
            name="WebSearch",
            description="Search the web: titles, addresses and a few words of each. WebFetch reads a page.",
            parameters=object_("query", query=text(), limit=whole("Default 8", 1)),
            effects=("net.egress",),
            parallel=True,
            aliases={"q": "query", "search": "query", "max_results": "limit"},
            deferred=True,
            example={"query": "python asyncio gather", "limit": 3},
        ),
    ),
    (
        "protea.adapters.tools.notebook_edit:NotebookEdit",
        ToolSpec(
            name="NotebookEdit",
            description="Change a cell of a Jupyter notebook: replace its source, insert one, delete it. Its outputs "
            "are cleared. Cells are numbered from 1, or named by id, as Read shows them.",
            parameters=object_(
                "path cell",
                path=text(),
                cell=text("Number or id; to insert: the one it comes after, 0 for the beginning"),
                source=text(),
                action=choice("replace", "insert", "delete"),
                kind=choice("code", "markdown", "raw"),
            ),
            effects=("fs.write",),
            aliases={
                "notebook_path": "path",
                "file_path": "path",
                "cell_id": "cell",
                "new_source": "source",
                "edit_mode": "action",
                "cell_type": "kind",
            },
            deferred=True,
            example={"path": "notes.ipynb", "cell": "1", "source": "print('hello')\n"},
        ),
    ),
    (
        "protea.adapters.tools.race:RaceTool",
        ToolSpec(
            name="Race",
            description="Let several profiles or models do one prompt side by side, each in a git worktree of its own, "
            "to compare them; pick then takes over what one did. People type it as /race.",
            parameters=object_(
                "action",
                action=choice("run", "show", "diff", "pick", "drop"),
                prompt=text(),
                runners=list_(text(), "PROFILE, PROVIDER/MODEL or PROFILE@PROVIDER/MODEL"),
                number=whole("diff, pick: which runner", 1),
            ),
            effects=("delegate", "spend"),
            deferred=True,
            example={"action": "run", "runners": ["coding", "base"], "prompt": "Mend the failing test."},
        ),
    ),
    (
        "protea.adapters.tools.monitor:Monitor",
        ToolSpec(
            name="Monitor",
            description="Run a command in the background and be told of each line of its output that fits a pattern: a "
            "log that is followed, a build, a watcher. KillShell ends it.",
            parameters=object_(
                "command pattern",
                command=text(),
                pattern=text("Regular expression; the line is told"),
                most=whole("Lines that are told before it is only counted; default 50", 1),
                timeout=seconds("Seconds; default: until the session ends"),
            ),
            effects=("proc.exec",),
            aliases={"cmd": "command", "regex": "pattern", "limit": "most"},
            deferred=True,
            example={"command": "tail -F build.log", "pattern": "error|done"},
        ),
    ),
)
"""Place of the code and spec, as in `builtin.SPECS`."""
