"""What a command may know of a person's git configuration: who commits, and habits. Called by `bubblewrap`.

The file itself may hold tokens, credential helpers and programs to run, so it stays hidden, and this stands in for it.
"""

from __future__ import annotations

from protea.domain.pattern import regex

KEPT = {
    "user": {"name", "email"},
    "init": {"defaultbranch"},
    "core": {"autocrlf", "eol", "safecrlf", "quotepath", "abbrev", "precomposeunicode"},
    "pull": {"rebase", "ff"},
    "push": {"default", "autosetupremote"},
    "merge": {"ff", "conflictstyle"},
    "rebase": {"autosquash", "autostash"},
    "diff": {"algorithm", "renames", "colormoved", "mnemonicprefix"},
    "fetch": {"prune"},
    "log": {"date"},
    "branch": {"sort"},
    "tag": {"sort"},
    "advice": {"detachedhead"},
    "safe": {"directory"},
}

_SECTION = regex(r"^\s*\[([A-Za-z0-9.-]+)\]\s*(.*)$")
_SETTING = regex(r"^\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*?)\s*$")


def filtered(text: str) -> str:
    """The kept settings of a git configuration. Values that go on in another line, and subsections, are left out."""
    lines: list[str] = []
    section = ""
    for line in text.splitlines():
        header = _SECTION.match(line)
        if header:
            section, line = header[1].lower(), header[2]
        elif line.lstrip().startswith("["):
            section = ""
            continue
        setting = _SETTING.match(line)
        if setting and setting[1].lower() in KEPT.get(section, ()) and not setting[2].endswith("\\"):
            lines += [f"[{section}]", f"\t{setting[1]} = {setting[2]}"]
    return "\n".join(lines) + "\n" if lines else ""
