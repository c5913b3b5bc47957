"""The values of the permission system: what is asked and what is answered.

Around them, each knowing only those above it:

    shell/      the shell's language: scripts as data, the strict reader (whatever may be allowed was read by it),
                commands inside commands (`env`, `timeout`, `xargs`, `find -exec`, `bash -c` …)
    programs/   what each program does with its words: `study` for one command, `reach` for a script, `reserved` for
                what a person must see
    rules       what a rule is: its syntax and what it matches
    paths       gitignore patterns, protected and secret places, spelling of names
    address     what a URL points at
    effects     what each tool may bring about
    sight       what must be told about the disk
    steps/      the steps of a decision: over a `case` (what was found, and why) in a `scene` (rules and what looks at
                the disk); `scripts`, `files`, `web` and `named` are the ways through them
    decision    allow, ask or deny: which way a request takes
    proposals   the rules that "always" may save

What needs a file system (real paths, globs, inodes) is gathered by the adapter and handed in as values.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Mode = Literal["normal", "plan", "yolo"]
Verdict = Literal["allow", "ask", "deny"]


class RuleLayer(msgspec.Struct, frozen=True):
    """Rules from one source."""

    source: str
    """A file path, or `flags`, `session`, `profile NAME`, `built in`."""
    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    lines: dict[str, int] = {}
    """Rule text → line in the file, where known."""


class Pin(msgspec.Struct, frozen=True):
    """A script that was allowed for the session as it was then."""

    rule: str
    path: str
    """Real."""
    digest: str


class PermissionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One action someone wants done. The same for every tool and every protocol."""

    tool: str
    arguments: dict[str, Any]
    cwd: str
    """Absolute. The directory the action starts in."""
    root: str = ""
    """Absolute. The project's root, where `/path` rules are anchored; empty means `cwd`."""
    session_cwd: str = ""
    """Absolute. Where the session began: what `./path` rules mean wherever the shell has gone since. Empty: `cwd`."""
    home: str = ""
    mode: Mode = "normal"
    add_dirs: tuple[str, ...] = ()
    """Directories allowed besides the root."""
    interactive: bool = True
    """Whether someone can be asked. Where not, `ask` becomes `deny`."""
    trusted: bool = True
    discards: bool = False
    """Whether commands run on a workspace of which nothing stays: then plan mode lets more of them run."""
    origin: str = "model"
    principal: str = "user"
    session: str = ""
    taint: tuple[str, ...] = ()
    """Whose words the session has heard: `web`, `mcp`, `channel` (`protea.domain.taint`)."""
    layers: tuple[RuleLayer, ...] = ()
    """Rules of this session, besides those the engine was made with."""
    pins: tuple[Pin, ...] = ()
    """What rules of the layer `session` that run scripts are bound to."""


class TraceStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at on the way to the decision."""

    step: str
    verdict: Verdict | None = None
    rule: str | None = None
    source: str | None = None
    """`file:line`, or the layer's name."""
    subject: str | None = None
    """The path, command or address it is about."""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    verdict: Verdict
    why: str
    """One sentence for a person, and for the model when it is a no."""
    rule: str | None = None
    source: str | None = None
    proposals: tuple[str, ...] = ()
    """Rules that `always` would save: the narrowest that match, proved to match; empty where none may be saved."""
    trace: tuple[TraceStep, ...] = ()
    scripts: dict[str, str] = {}
    """Of a question: real path → digest of each script that would run. Whoever says yes says it to these."""
    harmless: bool = False
    """Known to change nothing: a command whose every part only reads."""
    effects: tuple[str, ...] = ()
    """What it surely brings about; of a command that cannot be read, everything."""
