"""Deny and ask rules on commands, held against every command that a script could mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protea.domain.permission.programs.git import without_globals
from protea.domain.permission.programs.reach import ANYTHING
from protea.domain.permission.rules import counts, matches_argv, text_matches
from protea.domain.permission.shell.script import Command
from protea.domain.permission.shell.unwrap import basename
from protea.domain.permission.steps.case import Case, shown


def rules_on_commands(case: Case, commands: Sequence[Command], text: str) -> None:
    for rule in (*case.rules.deny, *case.rules.ask):
        if rule.tool != "Bash" or rule.shape == "effect":
            continue
        hit: str | None = None
        if rule.shape == "any":
            hit = text
        for command in commands:
            if hit is not None:
                break
            for argv in _spellings(command):
                if matches_argv(rule, argv):
                    hit = " ".join(argv)
                    break
        if hit is None and rule.shape == "glob" and text_matches(rule.body, text.strip()):
            hit = text
        if hit is not None:
            case.find(
                rule.verdict, f"{shown(hit, 100) or 'it'} is under the {rule.verdict} rule {rule.text}", rule, hit
            )


def rules_on_long_script(case: Case, text: str) -> None:
    """Of a script nobody reads: only what a deny rule names is looked for, in words cut roughly."""
    plain = text.replace("\\\n", "").replace("'", "").replace('"', "").replace("\\", "")
    for rule in case.rules.deny:
        if rule.tool not in ("Bash", "Effect"):
            continue
        spread = r"[ \t]+".join(re.escape(word) for word in rule.words)
        named = rule.shape in ("exact", "prefix") and spread
        effect = rule.shape == "effect" and rule.body in ANYTHING and counts(rule, case.request.taint)
        everything = effect or (rule.shape == "any" and rule.tool == "Bash")
        if everything or (named and re.search(rf"(?<![\w.-]){spread}(?![\w.-])", plain)):
            case.find("deny", f"the script contains what {rule.text} denies", rule)


def _spellings(command: Command) -> list[tuple[str, ...]]:
    """The ways a deny or ask rule may have written this command."""
    argv = command.argv
    while len(argv) > 1 and not argv[-1] and not command.words[len(argv) - 1].known:
        argv = argv[:-1]
    if not argv:
        return []
    named = (basename(argv[0]), *argv[1:])
    found = [argv, named]
    if named[0] == "git":
        found.append(without_globals(named))
    if not named[0].islower():
        found.append((named[0].lower(), *named[1:]))
    if named[0] in ("npm", "yarn", "pnpm", "cargo", "docker", "kubectl", "go", "pip", "uv", "gh", "systemctl"):
        rest = [word for word in named[1:] if not word.startswith("-")]
        found.append((named[0], *rest))
    return list(dict.fromkeys(found))
