"""Options that make a command run, write or read something else: no rule that ends in a star covers them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protea.domain.permission.shell.script import Word, listed
from protea.domain.permission.shell.unwrap import SHELLS, basename

FIND_HAZARDS = ("-exec", "-ok", "-delete", "-fprint", "-fls", "-files0-from")
_HAZARDOUS = {
    "sort": ("--co", "-T", "--te", "--files0-from", "--random-source"),
    "rg": ("--pre", "--hostname-bin", "-z", "--search-zip"),
    "yq": ("-s", "--split-exp"),
    "compgen": ("-C", "-F", "-W"),
    "complete": ("-C", "-F", "-W"),
    "enable": ("-f", "-d"),
    "hash": ("-p",),
    "bind": ("-x", "-f"),
    "wait": ("-p",),
    "history": ("-w", "-a", "-r", "-n", "-s", "-p"),
    "npm": ("--script-shell", "--node-options", "--shell", "--userconfig", "--globalconfig"),
    "pnpm": ("--script-shell", "--node-options", "--shell-mode"),
    "tar": (
        "-P",
        "--absolute-names",
        "--to-command",
        "-I",
        "--use-compress-program",
        "--checkpoint-action",
        "--rsh-command",
        "--info-script",
        "-F",
        "--new-volume-script",
    ),
    "rsync": ("-e", "--rsh", "--rsync-path"),
    "ssh": ("-o", "-F", "-D", "-L", "-R", "-w"),
    "scp": ("-o", "-F", "-S"),
    "man": ("-P", "--pager", "-H", "--html", "-C"),
    "zip": ("-T", "--unzip-command", "-TT"),
    "date": ("-s", "--s", "-f", "--f"),
    "file": ("-f", "--files-from", "-m", "-C"),
    "wc": ("--files0-from",),
    "tree": ("-o", "-R", "--fromfile", "-H"),
    "fd": ("-x", "-X", "--exec"),
    "fdfind": ("-x", "-X", "--exec"),
    "mapfile": ("-C",),
    "readarray": ("-C",),
    "printf": ("-v",),
    "test": ("-v", "-R"),
    "[": ("-v", "-R"),
    "less": ("+", "-k", "-o", "-O"),
    "more": ("+",),
    "vim": ("+", "-c", "--cmd", "-s", "-S"),
    "vi": ("+", "-c", "--cmd", "-s", "-S"),
    "xxd": ("-r",),
    "go": ("-exec", "-toolexec", "-vettool", "-overlay"),
    "cargo": ("--config",),
    "make": ("SHELL=", "--eval", "-E", "MAKEFLAGS="),
    "curl": ("-K", "--config", "-o", "-O", "--output", "--remote-name"),
    "wget": ("--use-askpass", "-e", "--execute", "-O", "--output-document"),
    "docker": ("--privileged", "-v", "--volume", "--mount"),
    "node": ("-e", "--eval", "-p", "--print", "-r", "--require", "--import", "--loader"),
    "python": ("-c",),
    "python3": ("-c",),
    "perl": ("-e", "-E", "-i"),
    "ruby": ("-e", "-i"),
    "php": ("-r",),
}


_EVALUATING = listed("declare typeset export readonly local read mapfile readarray getopts let unset")
"""Builtins that take names of variables, and evaluate the subscripts of those."""
_READING_PROGRAMS = SHELLS | listed(
    "python python2 python3 node nodejs deno bun perl ruby php lua luajit Rscript osascript tclsh gawk sqlite3 psql"
    " mysql bc dc gdb ed ex"
)


def from_input(name: str, texts: Sequence[str]) -> bool:
    """Whether nothing but standard input says what is run."""
    operands: list[str] = []
    for index, text in enumerate(texts):
        if text in ("-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0") or (name in SHELLS and text == "-s"):
            return True
        if not text.startswith(("-", "+")) and texts[index - 1 : index] not in (["-o"], ["+o"], ["-O"], ["+O"]):
            operands.append(text)
        elif text.startswith(("-m", "--version", "-V", "--help", "-h", "--test", "--check", "-c", "-e", "-v")):
            return False
    return not operands


def hazard(words: Sequence[Word]) -> str | None:
    name = basename(words[0].text)
    texts = [word.text for word in words[1:]]
    if name == "find":
        for text in texts:
            if text.startswith(FIND_HAZARDS):
                return f"{text} runs, writes or removes something"
    if name == "alias" and any("=" in text for text in texts):
        return "alias gives a command another meaning"
    if name in _EVALUATING:
        bracket = any("[" in text for text in texts)
        number = any(re.match(r"[-+][A-Za-z]*[in]", text) for text in texts) and name not in ("read", "unset")
        if bracket or number or name in ("let", "getopts"):
            return f"{name} computes what it is given, and commands may stand in that"
    if name in _READING_PROGRAMS and from_input(name, texts):
        return f"{name} runs what it reads from its input"
    for text in texts:
        for option in _HAZARDOUS.get(name, ()):
            longer = option.startswith("--") or len(option) > 2
            if text == option or (text.startswith(option) and (longer or option[:1] in "-+")):
                return f"{name} {option} can run, write or read something else"
            if (
                len(option) == 2
                and re.match(r"-[A-Za-z]+\Z", text)
                and option[1] in text[1:]
                and name not in ("go", "node", "python", "python3")
            ):
                return f"{name} {option} can run, write or read something else"
    return None
