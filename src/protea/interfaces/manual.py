"""Every command and flag of the command line, as one table.

`cli` parses with it, `--help` prints it, the shells' completions are generated from it, and the mend for a misspelt
flag is looked up in it. It is on the path of `--help`, so it imports nothing that the interpreter has not loaded.
"""

from __future__ import annotations

# Plain classes with slots: a NamedTuple or a dataclass would import `typing`, which costs more than all of this file.


class Flag:
    """One flag. `metavar` is empty for a switch; `[X]` marks a value that may be left out."""

    __slots__ = ("choices", "help", "metavar", "names", "repeat")

    def __init__(
        self, names: str, metavar: str, help: str, *, choices: tuple[str, ...] = (), repeat: bool = False
    ) -> None:
        self.names = tuple(names.split())
        self.metavar = metavar
        self.help = help
        self.choices = choices
        self.repeat = repeat

    @property
    def key(self) -> str:
        """The long name without dashes, dashes turned to underscores: `output_format`."""
        return self.names[-1].lstrip("-").replace("-", "_")


class Command:
    """One command, or one word under it (`sessions list`)."""

    __slots__ = ("arguments", "flags", "help", "name", "rest", "subcommands")

    def __init__(
        self,
        name: str,
        arguments: str,
        help: str,
        flags: tuple[Flag, ...] = (),
        subcommands: tuple[Command, ...] = (),
        *,
        rest: bool = False,
    ) -> None:
        self.name = name
        self.arguments = arguments
        """Its positional arguments as they are shown: `TOOL ARGS_JSON`, `[SESSION]`, `TEXT…`."""
        self.help = help
        self.flags = flags
        self.subcommands = subcommands
        self.rest = rest
        """Whether any number of positional arguments may follow."""


MODES = ("normal", "plan", "yolo")
SANDBOXES = ("none", "bubblewrap", "docker", "auto")
OUTPUTS = ("text", "json", "stream-json")
INPUTS = ("text", "stream-json")

JSON = Flag("--json", "", "print JSON")

EVERYWHERE = (
    Flag("-h --help", "", "show this help"),
    Flag("-C --cwd", "DIR", "work in DIR"),
    Flag("--profile", "NAME", "who to be: coding, reviewer, ops, … or a file; 'protea profile list'"),
    Flag("--frozen", "", "refuse to start where prompts, tools or skills are not as profile.lock says"),
    Flag("--set", "KEY=VALUE", "set one setting for this run (may repeat)", repeat=True),
    Flag("--bare", "", "no user or project configuration"),
)
"""Understood by every command."""

CHAT = (
    Flag("-m --model", "PROVIDER/MODEL", "the model to use"),
    Flag("--effort", "LEVEL", "how hard it thinks: low, medium, high, …"),
    Flag(
        "--permission-mode", "MODE", "normal (ask), plan (nothing writes), yolo (approve what is safe)", choices=MODES
    ),
    Flag("--allow", "RULE", "allow what matches, e.g. 'Bash(git status:*)' (may repeat)", repeat=True),
    Flag("--ask", "RULE", "ask about what matches (may repeat)", repeat=True),
    Flag("--deny", "RULE", "refuse what matches (may repeat)", repeat=True),
    Flag("--sandbox", "KIND", "where commands run: none, bubblewrap, docker, auto", choices=SANDBOXES),
    Flag("--add-dir", "DIR", "another directory it may work in (may repeat)", repeat=True),
    Flag("-c --continue", "", "go on with the latest session of this directory"),
    Flag("-r --resume", "[ID]", "go on with a session"),
    Flag("--fork", "", "with -c or -r: begin a new session with that one's history"),
    Flag("--max-turns", "N", "stop after N replies of the model"),
    Flag("--max-budget-usd", "X", "stop before X dollars are exceeded"),
    Flag("--time-limit", "SECONDS", "stop after SECONDS"),
)
"""Understood wherever a conversation begins."""

HEADLESS = (
    Flag("-p --print", "", "headless: answer PROMPT and exit; standard input is appended, or is the prompt"),
    Flag("--output-format", "FORMAT", "text, json (one result) or stream-json (a line per event)", choices=OUTPUTS),
    Flag("--input-format", "FORMAT", "text, or stream-json: commands as JSON lines", choices=INPUTS),
    Flag("--json-schema", "FILE", "the answer is JSON that fits this schema"),
    Flag("--verbose", "", "tell on standard error what happens, also where it is not a terminal"),
)
"""Understood with `-p`."""

VERSION = Flag("-V --version", "", "show the version")

_PROJECT = Flag("--project", "", "in the project's file")
_LIMIT = Flag("--limit", "N", "at most N")
_FORMATS = ("md", "html", "json", "jsonl")
_FORMAT = Flag("--format", "FORMAT", "md, html, json or jsonl", choices=_FORMATS)
_HTML = Flag("--html", "", "one page that needs nothing else; the same as --format html")
_OUTPUT = Flag("-o --output", "FILE", "write to FILE instead of standard output")

_PERM = (
    JSON,
    Flag("--mode", "MODE", "normal, plan or yolo", choices=MODES),
    *(flag for flag in CHAT if flag.key in ("allow", "ask", "deny", "add_dir")),
)
_BATCH = Flag("--batch", "", "read requests as JSON lines on standard input, answer each")

_TURNS = (Flag("--turns", "N", "that many of the latest turns"),)
_DRY_RUN = Flag("--dry-run", "", "only tell what would happen")

COMMANDS: tuple[Command, ...] = (
    Command("repl", "[PROMPT]", "a plain line-by-line chat", CHAT, rest=True),
    Command(
        "sessions",
        "",
        "what was said before",
        (),
        (
            Command(
                "list",
                "",
                "all sessions, the latest first",
                (JSON, Flag("--here", "", "only those of this directory"), Flag("--limit", "N", "at most N")),
            ),
            Command("show", "SESSION", "one session: its figures and what was said", (JSON,)),
            Command(
                "export", "[SESSION]", "a session as Markdown, HTML, JSON or JSON lines", (_FORMAT, _HTML, _OUTPUT)
            ),
            Command(
                "search",
                "TEXT…",
                "where all words of TEXT were said",
                (JSON, Flag("--limit", "N", "at most N hits")),
                rest=True,
            ),
            Command(
                "replay",
                "SESSION",
                "play a session on the screen, as it went",
                (
                    Flag("--speed", "X", "so many times as quick as it was"),
                    Flag("--plain", "", "line by line on standard output"),
                ),
            ),
            Command("fork", "SESSION", "a new session with this one's history", (JSON,)),
            Command("delete", "SESSION…", "remove sessions and their files", (), rest=True),
        ),
    ),
    Command(
        "web",
        "[PROMPT]",
        "the screen in a browser",
        (
            *CHAT,
            Flag("--port", "N", "listen there (7422); 0 takes a free one"),
            Flag("--host", "ADDRESS", "listen there (127.0.0.1)"),
            Flag("--allow-remote", "", "with --host: other machines may come in; what they send is not encrypted"),
            Flag("--open", "", "open the browser (what is done where there is a desktop)"),
            Flag("--no-open", "", "only print the address"),
        ),
        rest=True,
    ),
    Command("undo", "[SESSION]", "take back what the latest turns did to files", (*_TURNS, _DRY_RUN, JSON)),
    Command("redo", "[SESSION]", "do again what was undone", (*_TURNS, _DRY_RUN, JSON)),
    Command("diff", "[SESSION]", "what a session's turns did to files", (*_TURNS, JSON)),
    Command(
        "export",
        "[SESSION]",
        "the latest, or one session as Markdown, HTML, JSON or JSON lines",
        (_FORMAT, _HTML, _OUTPUT),
    ),
    Command(
        "config",
        "",
        "settings",
        (),
        (
            Command("show", "[KEY]", "every setting, its value and where it comes from", (JSON,)),
            Command("path", "", "the files that are read", (JSON,)),
            Command("get", "KEY", "one value", (JSON,)),
            Command("set", "KEY VALUE", "write one value", (_PROJECT,)),
            Command("edit", "", "open the file in your editor; what is wrong is not kept", (_PROJECT,)),
            Command(
                "import",
                "AGENT",
                "take over what claude-code, codex or opencode was told",
                (
                    JSON,
                    Flag("--dry-run", "", "show it and write nothing"),
                    Flag("--yes", "", "write without asking"),
                    Flag("--project", "", "the project's files, into .protea/ of the project"),
                ),
            ),
            Command("schema", "", "JSON Schema of config.toml"),
        ),
    ),
    Command(
        "trust",
        "[list|revoke [DIR]]",
        "let this project's own configuration and instructions be used; list what is trusted; take it back",
        (
            JSON,
            Flag("--forget", "", "the same as revoke"),
            Flag("--yes", "", "without being asked, also for /, the home and /tmp"),
        ),
        rest=True,
    ),
    Command(
        "profile",
        "",
        "who the agent can be",
        (),
        (
            Command("list", "", "all profiles, and which one is in force", (JSON,)),
            Command("show", "[NAME]", "one profile: its files, its adapters, what it says", (JSON,)),
            Command("explain", "KEY [NAME]", "who set a key, with file and line", (JSON,)),
            Command("diff", "A B", "how two profiles differ", (JSON,)),
            Command(
                "lock",
                "",
                "pin what the profile is made of: prompts, instructions, tools, skills",
                (JSON, Flag("--check", "", "only tell what is not as it was locked; exit 1 where something is")),
            ),
        ),
    ),
    Command(
        "plugins",
        "",
        "what other packages bring",
        (),
        (Command("list", "", "each adapter, its package and version, whether it is used, or why not", (JSON,)),),
    ),
    Command("ports", "", "the ports, their swap class, their adapters, what fills them", (JSON,)),
    Command(
        "models",
        "[PROVIDER]",
        "the models there are, their windows and prices",
        (JSON, Flag("--live", "", "ask the providers whose key or server is at hand for their own lists")),
    ),
    Command(
        "tools",
        "",
        "the tools there are",
        (),
        (
            Command("list", "", "all tools", (JSON,)),
            Command("help", "NAME", "one tool: what it does and what it takes", (JSON,)),
        ),
    ),
    Command(
        "perm",
        "",
        "permissions",
        (),
        (
            Command(
                "check", "[TOOL ARGS_JSON]", "the decision about a call; nothing runs", (*_PERM, _BATCH), rest=True
            ),
            Command(
                "why",
                "CALL|TOOL [ARGS_JSON]",
                "what led to a decision: of a call that was made, or could be",
                _PERM,
                rest=True,
            ),
            Command(
                "test",
                "POLICY",
                "what the rules of a file would have said of past calls; nothing runs",
                (JSON, Flag("--against", "DAYS", "calls of the last DAYS days (7)")),
            ),
            Command("audit", "", "look whether the record of decisions is whole", (JSON,)),
        ),
    ),
    Command(
        "sandbox",
        "",
        "the walls commands run behind",
        (),
        (
            Command(
                "run",
                "COMMAND…",
                "run COMMAND as a tool call would; -- before it keeps its flags its own",
                (
                    Flag("--adapter", "KIND", "bubblewrap, docker, auto or none", choices=SANDBOXES),
                    Flag("--network", "", "let it use the network"),
                    Flag("--timeout", "S", "end it after S seconds"),
                    *(flag for flag in CHAT if flag.key == "add_dir"),
                ),
                rest=True,
            ),
        ),
    ),
    Command(
        "memory",
        "",
        "what is kept beyond sessions",
        (),
        (
            Command("search", "TEXT…", "notes that have to do with TEXT", (JSON, _LIMIT), rest=True),
            Command(
                "add",
                "TEXT…",
                "keep a note",
                (JSON, Flag("--tag", "TAG", "file it under TAG (may repeat)", repeat=True)),
                rest=True,
            ),
            Command("list", "", "all notes, the latest first", (JSON, _LIMIT)),
            Command("forget", "ID…", "remove notes for good", (), rest=True),
        ),
    ),
    Command(
        "schedule",
        "",
        "prompts for later",
        (),
        (
            Command(
                "add",
                "WHEN PROMPT…",
                "a prompt for later; WHEN: '0 9 * * 1-5', @daily, 'every 2h', 'in 20m'",
                (JSON, Flag("--skip-missed", "", "what passed while nobody was awake is not made up for")),
                rest=True,
            ),
            Command("list", "", "all of them, and when they are due", (JSON,)),
            Command("remove", "ID…", "take them away", (), rest=True),
        ),
    ),
    Command(
        "tasks",
        "",
        "background work",
        (),
        (
            Command("list", "", "all tasks, the latest first", (JSON,)),
            Command("show", "ID", "one task and what came of it", (JSON,)),
            Command("stop", "ID", "end one, also in another process", (JSON,)),
        ),
    ),
    Command(
        "skills",
        "",
        "instructions for certain kinds of work",
        (),
        (
            Command("list", "", "the skills that are found here", (JSON,)),
            Command("show", "NAME", "one skill, as the model reads it", (JSON,)),
            Command("validate", "[PATH]", "all a skill gets wrong by the standard, with line and mend", (JSON,)),
            Command(
                "install",
                "PATH|URL",
                "copy skills from a folder or a git repository",
                (
                    Flag("--user", "", "for you, everywhere (what is done anyway)"),
                    Flag("--project", "", "for this project"),
                    Flag("--yes", "", "without asking"),
                ),
            ),
        ),
    ),
    Command(
        "doctor",
        "",
        "is everything there that is needed?",
        (JSON, Flag("--port", "PORT", "look at one port: its adapter, and whether it keeps what the port promises")),
    ),
    Command("completion", "SHELL", "completions for bash, zsh or fish"),
    Command("help", "[COMMAND]", "what --help shows", rest=True),
    Command("version", "", "the version"),
)
"""What this build can do."""

PLANNED: dict[str, str] = {
    "daemon": "the daemon",
    "mcp": "MCP servers",
    "acp": "editors over ACP",
    "a2a": "other agents over A2A",
}
"""Words that mean something to Protea and that this build cannot do: they are refused by name."""

PLANNED_WORDS: dict[str, tuple[str, ...]] = {
    "profile": ("lock",),
    "schedule": ("run",),
}


def command(name: str) -> Command | None:
    """The command called `name`."""
    for each in COMMANDS:
        if each.name == name:
            return each
    return None


def flags_of(path: tuple[Command, ...]) -> tuple[Flag, ...]:
    """The flags understood after `path`; an empty path is `protea` itself."""
    if not path:
        return (*HEADLESS, *CHAT, *EVERYWHERE, VERSION)
    return (*path[-1].flags, *EVERYWHERE)


def flag_text(flag: Flag) -> str:
    """`-m, --model PROVIDER/MODEL`."""
    names = ", ".join(flag.names)
    return f"{names} {flag.metavar}" if flag.metavar else names


def _flag_lines(flags: tuple[Flag, ...]) -> list[str]:
    lines = []
    for flag in flags:
        left = flag_text(flag)
        indent = "  " if flag.names[0][:2] != "--" else "      "
        if len(indent + left) > 33:
            lines.append(indent + left)
            lines.append(" " * 35 + flag.help)
        else:
            lines.append((indent + left).ljust(35) + flag.help)
    return lines


def help_text(path: tuple[Command, ...] = ()) -> str:
    """What `--help` prints for `protea` or one of its commands; ends with a newline."""
    if path:
        return _command_help(path)
    lines = [
        "Protea: one agent, many forms.",
        "",
        "usage: protea [FLAGS] [PROMPT]          a conversation in the terminal",
        "       protea -p [FLAGS] [PROMPT]       headless: one answer, then exit",
        "       protea COMMAND …",
        "",
        "commands:",
    ]
    for each in COMMANDS:
        words = "|".join(sub.name for sub in each.subcommands)
        left = " ".join(part for part in (each.name, words, each.arguments) if part)
        lines.append(("  " + left).ljust(35) + ("" if len(left) < 32 else "\n" + " " * 35) + each.help)
    lines += ["", "headless:", *_flag_lines(HEADLESS)]
    lines += ["", "conversation:", *_flag_lines(CHAT)]
    lines += ["", "everywhere:", *_flag_lines((*EVERYWHERE, VERSION))]
    lines += [
        "",
        "exit codes of headless runs: 0 finished, 1 usage or configuration, 2 provider or other failure,",
        "3 a limit was reached, 4 interrupted, 5 a needed action was denied",
        "",
        "protea COMMAND --help tells more. With no key and no local server the built-in offline model answers.",
    ]
    return "\n".join(lines) + "\n"


def _command_help(path: tuple[Command, ...]) -> str:
    last = path[-1]
    name = "protea " + " ".join(each.name for each in path)
    if last.subcommands:
        lines = [f"{name}: {last.help}", ""]
        for sub in last.subcommands:
            left = " ".join(part for part in ("  " + name, sub.name, sub.arguments) if part)
            lines.append(left.ljust(43) + sub.help)
    else:
        lines = [f"usage: {name} [FLAGS] {last.arguments}".rstrip(), "", last.help]
    if last.flags:
        lines += ["", "flags:", *_flag_lines(last.flags)]
    lines += ["", "everywhere:", *_flag_lines(EVERYWHERE)]
    return "\n".join(lines) + "\n"
